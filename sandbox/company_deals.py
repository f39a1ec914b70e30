"""Invented deals: some old ones that move on, new ones of the weeks told; won, lost, reopened, merged, deleted."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from sandbox.company_people import Habits, People
from sandbox.company_text import instant

Document = dict[str, Any]
SIZE = {"smb": 4000, "mid": 18000, "enterprise": 90000}


def add_deals(seed: int, staff: People, first: date, clock: datetime) -> list[Document]:
    """About five deals a rep: two from before the weeks told, three within them."""
    deals: list[Document] = []
    for rep in staff.reps:
        rng = Random(f"{seed}/deals/{rep.key}")
        days = (clock.date() - first).days
        starts = [-rng.randrange(10, 120) for _ in range(2)] + sorted(
            rng.randrange(days) for _ in range(round(days / 12))
        )
        for start in starts:
            day = first + timedelta(days=start)
            at = datetime.combine(day, time(9 + rng.randrange(8), rng.randrange(60)), UTC)
            if day.weekday() < 5 and at < clock and (start < 0 or rep.share_of_day(day) > 0):
                deals.append(_deal(rng, f"X{len(deals)}", staff, rep, at=at, clock=clock))
    _merge(deals, clock)
    return deals


def _deal(rng: Random, key: str, staff: People, rep: Habits, *, at: datetime, clock: datetime) -> Document:
    contact = staff.contacts[rng.choice(rep.contacts)]
    team = [r for r in staff.reps if r.team is rep.team and r.share_of_day(at.date()) > 0] or [rep]
    owner = rng.choice(team) if rng.random() < 0.4 else rep
    by = "integration" if rng.random() < 0.15 else rep.key
    created: Document = {"at": instant(at), "type": "created", "stage": "open", "by": by}
    amount = rng.lognormvariate(0, 0.6) * SIZE[rep.team.segment]
    if rng.random() < 0.88:
        created["amount"] = f"{amount:.2f}"
    events = [created, *_course(rng, owner, at, amount, without_amount="amount" not in created, team=team)]
    return {
        "key": key,
        "name": f"{contact['name']} {key}",
        "account": contact["account"],
        "contacts": [contact["key"]],
        "pipeline": "default" if rng.random() < 0.9 else "partner",
        "currency": rep.team.currency,
        "sourced_by": rep.key if rng.random() < 0.5 else None,
        "created_by": by,
        "owner": owner.key,
        "events": [e for e in events if e["at"] <= instant(clock)],
    }


def _course(
    rng: Random, owner: Habits, at: datetime, amount: float, *, without_amount: bool, team: list[Habits]
) -> list[Document]:
    """What happens to a deal after its creation, in order of time."""
    events: list[Document] = []

    def then(days: float, **event: Any) -> None:
        nonlocal at
        at += timedelta(days=rng.uniform(0.2, 2 * days))
        events.append({"at": instant(at), "by": owner.key, **event})

    if without_amount and rng.random() < 0.7:
        then(3, type="amount", amount=f"{amount:.2f}")
    if rng.random() < 0.03:
        then(1, type="deleted")
        return events
    if rng.random() < 0.7:
        then(5, type="stage", stage="qualified")
        if rng.random() < 0.3:
            then(2, type="amount", amount=f"{amount * rng.uniform(0.7, 1.6):.2f}")
        if rng.random() < 0.15:
            then(2, type="owner", owner=rng.choice(team).key)
        if rng.random() < 0.6:
            then(7, type="stage", stage="proposal")
            then(12, type=rng.choice(("won", "lost", "lost")))
            if events[-1]["type"] == "lost" and rng.random() < 0.12:
                then(4, type="reopened", stage="qualified")
    elif rng.random() < 0.4:
        then(10, type="lost")
    return events


def _merge(deals: list[Document], clock: datetime) -> None:
    """A few doubles are merged into the deal before them."""
    for winner, loser in list(pairwise(deals))[7::41]:
        last = max(datetime.fromisoformat(d["events"][-1]["at"]) for d in (winner, loser))
        at = instant(last + timedelta(hours=5))
        if at <= instant(clock) and "deleted" not in (winner["events"][-1]["type"], loser["events"][-1]["type"]):
            loser["events"].append({"at": at, "type": "merged_into", "deal": winner["key"]})
