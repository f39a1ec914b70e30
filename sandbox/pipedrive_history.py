"""Changelogs of persons, organizations and deals as Pipedrive keeps them: newest first, one entry a field, the first one field_key "add_time".

Source: OpenAPI file of v1 (…/changelog), recorded flows of deals. A deal that is won keeps its stage and changes its status; a deal that goes to
another pipeline goes to one of its stages.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sandbox.world import Via
from sandbox.world_deals import DealNow, pipelines
from sandbox.world_state import State, Stored, Version

Json = dict[str, Any]
MACHINE = 7  # the user of integrations
TERRITORY, SEGMENT, DOMAIN, SOURCED_BY = ("a" * 39 + digit for digit in "1234")  # keys of fields of the company's own
SOURCES: dict[Via, str] = {
    "ui": "app",
    "mobile": "mobile",
    "import": "import",
    "api": "api",
    "automation": "workflow_automation",
    "integration": "api",
}
NAMES = {
    "owner": "user_id",
    "account": "org_id",
    "emails": "email",
    "phones": "phone",
    "amount": "value",
    "close_date": "expected_close_date",
    "name": "name",
    "territory": TERRITORY,
    "segment": SEGMENT,
}


def number(state: State, kind: str, key: str) -> int:
    """The id of a world's thing."""
    return int(state.ids.number(f"pipedrive.{kind}", key, (7, 12)))


def user(state: State, key: str | None, via: Via = "ui") -> int:
    """Who is said to have done it: a person by hand, else the user of integrations."""
    by_hand = key is not None and key in _known(state) and via in ("ui", "mobile")
    return number(state, "user", str(key)) if by_hand else MACHINE


def _known(state: State) -> set[str | None]:
    found: set[str | None] = state.cached("pipedrive.known", lambda: {one.key for one in state.users("crm")})
    return found


def territories(state: State) -> list[str]:
    """Options of the organizations' field, in the order of their ids, which begin at 1."""
    told = {a.territory for a in state.world.accounts} | {
        c.set.get("territory") for a in state.world.accounts for c in a.changes
    }
    return sorted(one for one in told if one)


def of_v1(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def of_v2(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def stamps(state: State, stored: Stored[Any], owner: str | None) -> Json:
    """Fields that all records of v2 have."""
    return {
        "owner_id": user(state, owner),
        "add_time": of_v2(stored.created_at),
        "update_time": of_v2(stored.updated_at),
        "is_deleted": False,
        "visible_to": 3,
        "label_ids": [],
    }


def changelog(state: State, kind: str, stored: Stored[Any]) -> list[Json]:
    """A record's entries, newest first."""
    maker, source = user(state, stored.created_by, stored.created_via), SOURCES[stored.created_via]
    first = _entry("add_time", None, of_v1(stored.created_at), stored.created_at, maker, source)
    told = _deal(state, stored) if kind == "deal" else _plain(state, stored)
    return [*reversed(list(told)), first]


def _entry(key: str, old: Any, new: Any, at: datetime, by: int | None, source: str) -> Json:
    return {
        "field_key": key,
        "old_value": None if old is None else str(old),
        "new_value": None if new is None else str(new),
        "actor_user_id": by,
        "time": of_v1(at),
        "change_source": source,
        "change_source_user_agent": "Mozilla/5.0",
        "is_bulk_update_flag": False,
    }


def _plain(state: State, stored: Stored[Any]) -> Iterator[Json]:
    last: dict[str, Any] = {}
    options = territories(state)
    for version in stored.history:
        value = version.value
        if version.property == "territory" and value is not None:
            value = options.index(value) + 1
        elif version.property == "owner" and value is not None:
            value = user(state, value)
        elif isinstance(value, list):
            value = ", ".join(value)
        before, last[version.property] = last.get(version.property), value
        if not version.at_creation and version.at > stored.created_at:
            key = NAMES.get(version.property, version.property)
            yield _entry(key, before, value, version.at, _actor(state, version), SOURCES[version.via])


def _actor(state: State, version: Version) -> int | None:
    if version.by is None:
        return None
    return number(state, "user", version.by) if version.by in _known(state) else MACHINE


def _deal(state: State, stored: Stored[DealNow]) -> Iterator[Json]:
    stages = {s.id: s for line in pipelines(state.world) for s in line.stages}
    lines = {line.id: line for line in pipelines(state.world)}
    now: Json = {"status": "open", "value": 0}
    for version in stored.history:
        told: Json = {}
        value = version.value
        if version.property == "stage" and value in stages:
            stage = stages[value]
            told["status"] = "won" if stage.is_won else "lost" if stage.is_closed else "open"
            if not stage.is_closed:
                told["stage_id"] = number(state, "stage", stage.id)
        elif version.property == "pipeline" and value in lines:
            told["pipeline_id"] = number(state, "pipeline", value)
            told["stage_id"] = number(state, "stage", lines[value].stages[0].id)
        elif version.property == "owner":
            told["user_id"] = user(state, value) if value else None
        elif version.property == "amount" and not (value is None and version in state.writes("deal", stored.key)):
            told["value"] = value or 0
        else:
            key = NAMES.get(version.property, version.property)
            told[key] = now.get(key) if value is None else value
        made = version.at_creation or version.at <= stored.created_at
        for key, new in told.items():
            old, now[key] = now.get(key), new
            if not made and (old != new or version.property not in ("stage", "pipeline")):
                yield _entry(key, old, new, version.at, _actor(state, version), SOURCES[version.via])


def last_stage(state: State, stored: Stored[DealNow]) -> int:
    """The stage that a deal is in or was in when it was closed."""
    stages = {s.id: s for line in pipelines(state.world) for s in line.stages}
    line = next(p for p in pipelines(state.world) if p.id == stored.value.pipeline)
    own = {s.id for s in line.stages if not s.is_closed}
    told = [
        v.value for v in stored.history if v.property == "stage" and v.value in own and not stages[v.value].is_closed
    ]
    return number(state, "stage", told[-1] if told else line.stages[0].id)
