"""Property history: the world's versions of a record told as HubSpot's `propertiesWithHistory`.

Shape (ValueWithTimestamp of the 2026-09 specification, and a recorded response): value, timestamp, sourceType,
sourceId (`userId:<id>` for a person's hand), updatedByUserId where a person did it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.hubspot_schema import SCHEMA
from sandbox.hubspot_wire import Json, stamp, user_id
from sandbox.world import INTEGRATION, Via
from sandbox.world_state import State, Stored, Version

_TYPED = {name for kind in ("contacts", "companies", "deals") for name, p in SCHEMA[kind].items() if p.type != "string"}


@dataclass(frozen=True, slots=True)
class Change:
    """One version of one property. decides: the record's present value is the one of this version."""

    property: str
    value: str
    at: datetime
    source: str
    user: int | None
    decides: bool

    def document(self) -> Json:
        told: Json = {
            "value": self.value,
            "timestamp": stamp(self.at),
            "sourceType": self.source,
            "sourceId": f"userId:{self.user}" if self.user is not None else self.source.lower(),
        }
        return told if self.user is None else told | {"updatedByUserId": self.user}


def changes(
    state: State,
    stored: Stored[Any],
    writes: Sequence[Version],
    spread: Callable[[str, Any], Mapping[str, str | None]],
    sources: Mapping[Via, tuple[str, str]],
) -> list[Change]:
    """A record's versions, oldest first.

    spread: a world's property and value as values of HubSpot's properties. writes: those versions that crm_writes made;
    where they say no value, the property keeps the one it had, or gets a made-up one if it is a text without any.
    """
    running: dict[str, str] = {}
    found: list[Change] = []
    for version in stored.history:
        written = version in writes
        values = spread(version.property, version.value)
        for name, given in values.items():
            value = given
            if value is None:
                value = _unsaid(name, version, running) if written else ""
            never_set = value == "" and version.at_creation
            as_before = len(values) > 1 and running.get(name, "") == value  # a change of another of the several
            if never_set or as_before:
                continue
            decides = written and (given is not None or name not in running)
            running[name] = value
            person = version.by not in (None, INTEGRATION)
            user = user_id(state.ids, str(version.by)) if person else None
            found.append(Change(name, value, version.at, sources[version.via][0], user, decides))
    return found


def _unsaid(name: str, version: Version, running: Mapping[str, str]) -> str:
    """The value of a write that a world's file does not say."""
    return running.get(name, "" if name in _TYPED else f"edited {stamp(version.at)}")
