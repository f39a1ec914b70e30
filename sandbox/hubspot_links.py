"""Associations between HubSpot records, and their batch endpoint.

Source: associations 2026-09 specification: at most 1,000 inputs, `toObjectId` a string (an integer in v4), paging
inside each result. A record without any association stands in `errors` of a 207 (true of v4, taken for 2026-09).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from sandbox.crm_shared import called, mailed
from sandbox.hubspot_records import record_id, shelf
from sandbox.hubspot_schema import object_type
from sandbox.hubspot_wire import Ask, Json, refused, stamp
from sandbox.world_deals import crm_deals
from sandbox.world_state import State

MAX_INPUTS, PAGE = 1000, 500
TYPE_IDS = {  # HubSpot's own association types, (from, to) -> id; between these records for the primary company
    ("calls", "contacts"): 194,
    ("contacts", "calls"): 193,
    ("emails", "contacts"): 198,
    ("contacts", "emails"): 197,
    ("meetings", "contacts"): 200,
    ("contacts", "meetings"): 199,
    ("notes", "contacts"): 202,
    ("contacts", "notes"): 201,
    ("tasks", "contacts"): 204,
    ("contacts", "tasks"): 203,
    ("deals", "contacts"): 3,
    ("contacts", "deals"): 4,
    ("deals", "companies"): 5,
    ("companies", "deals"): 6,
    ("contacts", "companies"): 1,
    ("companies", "contacts"): 2,
}
ANY_COMPANY = {  # the unlabelled type that stands beside the primary one
    ("deals", "companies"): 341,
    ("companies", "deals"): 342,
    ("contacts", "companies"): 279,
    ("companies", "contacts"): 280,
}

Links = dict[str, list[str]]  # ids of one type -> ids of another


def links(state: State, kind: str, to: str) -> Links:
    """Ids of live records of type `to` by the ids of live records of type `kind`."""

    def make() -> dict[tuple[str, str], Links]:
        made: dict[tuple[str, str], Links] = {}
        for (one, other), pairs in _pairs(state).items():
            live = [({r.id for r in shelf(state, k).live}) for k in (one, other)]
            for a, b in dict.fromkeys(pairs):
                if a in live[0] and b in live[1]:
                    made.setdefault((one, other), {}).setdefault(a, []).append(b)
                    made.setdefault((other, one), {}).setdefault(b, []).append(a)
        return made

    found: dict[tuple[str, str], Links] = state.cached("hubspot.links", make)
    return found.get((kind, to), {})


def _pairs(state: State) -> dict[tuple[str, str], list[tuple[str, str]]]:
    def ids(kind: str, found: Iterable[tuple[str, Sequence[str]]], to: str = "contacts") -> list[tuple[str, str]]:
        return [(record_id(state, kind, key), record_id(state, to, other)) for key, others in found for other in others]

    def survivors(keys: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(state.survivor("contact", key) for key in keys))

    tasks = [(s.key, survivors([s.value.contact] if s.value.contact else [])) for s in state.crm_tasks]
    notes = [(s.key, survivors([s.value.contact] if s.value.contact else [])) for s in state.crm_notes]
    deals = crm_deals(state)
    return {
        ("calls", "contacts"): ids("calls", ((key, survivors(them)) for key, them in called(state))),
        ("emails", "contacts"): ids("emails", ((key, survivors(them)) for key, them in mailed(state))),
        ("meetings", "contacts"): ids("meetings", ((s.key, survivors(s.value.contacts)) for s in state.crm_meetings)),
        ("tasks", "contacts"): ids("tasks", tasks),
        ("notes", "contacts"): ids("notes", notes),
        ("deals", "contacts"): ids("deals", ((s.key, s.value.contacts) for s in deals)),
        ("deals", "companies"): ids(
            "deals", ((s.key, [s.value.account] if s.value.account else []) for s in deals), "companies"
        ),
        ("contacts", "companies"): ids(
            "contacts", ((s.key, [s.value.account] if s.value.account else []) for s in state.crm_contacts), "companies"
        ),
    }


def batch_read(ask: Ask, one: str, other: str) -> tuple[int, Json]:
    """Associations of up to 1,000 records. Raises Refused, 400."""
    kind, to = object_type(one), object_type(other)
    inputs = cast("list[Json]", ask.body.get("inputs") or [])
    if not 1 <= len(inputs) <= MAX_INPUTS:
        raise refused(400, f"The number of inputs must be from 1 to {MAX_INPUTS}, you sent {len(inputs)}.")
    found = links(ask.state, kind, to)
    types, whole = _types(kind, to), ask.version == "v4"
    results = [_result(i, found[str(i["id"])], types, whole_numbers=whole) for i in inputs if str(i.get("id")) in found]
    missing = [str(i.get("id")) for i in inputs if str(i.get("id")) not in found]
    now = stamp(ask.state.now)
    answer: Json = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if not missing:
        return 200, answer
    errors = [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "message": f"No {_singular(to)} is associated with {_singular(kind)} {identifier}.",
            "context": {
                "fromObjectId": [identifier],
                "fromObjectType": [_singular(kind)],
                "toObjectType": [_singular(to)],
            },
        }
        for identifier in missing
    ]
    return 207, answer | {"numErrors": len(errors), "errors": errors}


def _result(given: Json, others: Sequence[str], types: Sequence[Json], *, whole_numbers: bool) -> Json:
    after = str(given.get("after") or "")
    start = int(after) if after.isdigit() else 0
    shown = others[start : start + PAGE]
    told = [{"toObjectId": int(o) if whole_numbers else o, "associationTypes": types} for o in shown]
    result: Json = {"from": {"id": str(given["id"])}, "to": told}
    if start + PAGE < len(others):
        result["paging"] = {"next": {"after": str(start + PAGE)}}
    return result


def _types(kind: str, to: str) -> list[Json]:
    plain = ANY_COMPANY.get((kind, to))
    main = {"category": "HUBSPOT_DEFINED", "typeId": TYPE_IDS.get((kind, to), 0), "label": None}
    if plain is None:
        return [main]
    return [{**main, "label": "Primary"}, {**main, "typeId": plain}]


def _singular(kind: str) -> str:
    return "company" if kind == "companies" else kind.removesuffix("s")
