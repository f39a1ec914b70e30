"""Deals as the CRM shows them at one instant: their events so far, told as the values and versions of properties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sandbox.world import Deal, DealEvent, World
from sandbox.world_state import State, Stored, Version, via_of


@dataclass(frozen=True, slots=True)
class Stage:
    """name: the world's word ("open", "qualified", "won", "lost", ...); id is unique over all pipelines."""

    id: str
    name: str
    position: int
    is_closed: bool = False
    is_won: bool = False


@dataclass(frozen=True, slots=True)
class Pipeline:
    id: str
    position: int
    stages: tuple[Stage, ...]

    def stage(self, name: str) -> Stage:
        """The stage with the world's name for it."""
        return next(s for s in self.stages if s.name == name)


@dataclass(frozen=True, slots=True)
class DealNow:
    """What a deal holds now. owner, sourced_by: keys; stage: the world's word; stage_id: the CRM's."""

    key: str
    name: str
    account: str | None
    contacts: tuple[str, ...]
    pipeline: str
    stage: str
    stage_id: str
    amount: Decimal | None
    currency: str
    owner: str | None
    sourced_by: str | None
    close_date: date | None
    next_activity_at: datetime | None
    is_closed: bool
    is_won: bool
    closed_at: datetime | None


def pipelines(world: World) -> list[Pipeline]:
    """The pipelines of the world's deals, "default" first; stages in order of first use, closed ones last."""
    stages: dict[str, list[str]] = {"default": ["open", "qualified"]}
    for deal in world.deals:
        current = deal.pipeline
        for event in deal.events:
            current = event.pipeline or current
            names = stages.setdefault(current, ["open", "qualified"])
            if event.stage and event.stage not in (*names, "won", "lost"):
                names.append(event.stage)
    return [_pipeline(name, i, found) for i, (name, found) in enumerate(stages.items())]


def _pipeline(name: str, position: int, stages: Sequence[str]) -> Pipeline:
    def stage_id(stage: str) -> str:  # unique in the account, as HubSpot's are
        return stage if name == "default" else f"{name}_{stage}"

    found = [Stage(stage_id(s), s, i) for i, s in enumerate(stages)]
    found.append(Stage(stage_id("closedwon"), "won", len(found), is_closed=True, is_won=True))
    found.append(Stage(stage_id("closedlost"), "lost", len(found), is_closed=True))
    return Pipeline(name, position, tuple(found))


def crm_deals(state: State) -> list[Stored[DealNow]]:
    """Deals that exist now, deleted ones with deleted_at; a merged one is gone. Computed once a State.

    history has the properties "stage" (value: the CRM's stage id), "pipeline", "amount" (Decimal or None), "currency"
    and "owner" (a key or None), and those of crm_writes.
    """
    return state.cached("crm_deals", lambda: _deals(state))


def _deals(state: State) -> list[Stored[DealNow]]:
    lines = {p.id: p for p in pipelines(state.world)}
    standing = [d for d in state.world.deals if d.events[0].at <= state.now]
    return [_deal(state, lines, d) for d in standing if state.survivor("deal", d.key) == d.key]


def _deal(state: State, lines: dict[str, Pipeline], deal: Deal) -> Stored[DealNow]:
    happened = [e for e in deal.events if e.at <= state.now]
    told = _Telling(state, lines, deal)
    for event in happened:
        told.tell(event)
    merged = state.merged_deals(deal.key)
    first = happened[0]
    by = first.by or deal.created_by
    via = via_of(by, first.via)
    history = sorted([*told.history, *state.writes("deal", deal.key)], key=lambda v: v.at)
    stamps = [e.at for e in happened] + [v.at for v in history] + [at for at, _ in merged]
    deleted = next((e.at for e in reversed(happened) if e.type == "deleted"), None)
    return Stored(
        told.now(),
        deal.key,
        first.at,
        by,
        via,
        max(stamps),
        history[-1].by,
        deleted,
        tuple(k for _, k in merged),
        tuple(history),
    )


class _Telling:
    """Turns a deal's events, one after the other, into property versions."""

    def __init__(self, state: State, lines: dict[str, Pipeline], deal: Deal) -> None:
        self.deal = deal
        self.lines = lines
        self.contacts = tuple(dict.fromkeys(state.survivor("contact", c) for c in deal.contacts))
        self.account = state.survivor("company", deal.account) if deal.account else None
        self.currency = deal.currency or state.world.company.reporting_currency
        self.pipeline = deal.pipeline
        self.stage = "open"
        self.amount: Decimal | None = None
        self.owner = deal.owner
        self.closed_at: datetime | None = None
        self.history: list[Version] = []

    def tell(self, event: DealEvent) -> None:
        created = event.type == "created"
        if event.pipeline and event.pipeline != self.pipeline:
            self.pipeline = event.pipeline
            self._version("pipeline", self.pipeline, event)
        if created:
            self.owner = event.owner or self.owner
            for name, value in (("pipeline", self.pipeline), ("currency", self.currency), ("owner", self.owner)):
                self._version(name, value, event)
        elif event.owner is not None:
            self.owner = event.owner
            self._version("owner", self.owner, event)
        self._stage(event, created)
        if event.amount is not None or event.type == "amount":
            self.amount = event.amount
            self._version("amount", self.amount, event)

    def _stage(self, event: DealEvent, created: bool) -> None:
        stage = {"won": "won", "lost": "lost"}.get(event.type, event.stage)
        if event.type == "reopened":
            stage = stage or "open"
        if stage is None and not created:
            return
        self.stage = stage or self.stage
        self.closed_at = event.at if self.stage in ("won", "lost") else None
        self._version("stage", self._stage_now().id, event)

    def _stage_now(self) -> Stage:
        return self.lines[self.pipeline].stage(self.stage)

    def _version(self, name: str, value: object, event: DealEvent) -> None:
        created = event.type == "created"
        by = event.by or (self.deal.created_by if created else None)
        self.history.append(Version(name, value, event.at, by, via_of(by, event.via), at_creation=created))

    def now(self) -> DealNow:
        deal, stage = self.deal, self._stage_now()
        return DealNow(
            key=deal.key,
            name=deal.name or deal.key,
            account=self.account,
            contacts=self.contacts,
            pipeline=self.pipeline,
            stage=self.stage,
            stage_id=stage.id,
            amount=self.amount,
            currency=self.currency,
            owner=self.owner,
            sourced_by=deal.sourced_by,
            close_date=deal.close_date or (self.closed_at.date() if self.closed_at else None),
            next_activity_at=deal.next_activity_at,
            is_closed=stage.is_closed,
            is_won=stage.is_won,
            closed_at=self.closed_at,
        )
