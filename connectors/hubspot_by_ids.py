"""What HubSpot gives only by id: associations (at most 1,000 ids a call) and property histories (at most 50).

Sources: associations batch read (limit enforced since 2025-02-10), objects batch read ("maximum number of inputs supported
in a batch request for property histories is 50").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from .paging import records_of
from .shape import decode
from .stream import ConnectorError, Page

ASSOCIATION_IDS = 1_000
HISTORY_IDS = 50

Post = Callable[[str, dict[str, Any]], bytes]

# From which records associations are read, and to which types the metrics need them. HubSpot's plural names.
PAIRS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "crm_call": ("calls", ("contacts",)),
    "crm_email": ("emails", ("contacts",)),
    "crm_meeting": ("meetings", ("contacts",)),
    "crm_task": ("tasks", ("contacts",)),
    "crm_note": ("notes", ("contacts",)),
    "crm_deal": ("deals", ("contacts", "companies")),
    "crm_contact": ("contacts", ("companies",)),
}
SINGULAR = {
    "calls": "call", "emails": "email", "meetings": "meeting", "tasks": "task", "notes": "note", "deals": "deal",
    "contacts": "contact", "companies": "company",
}  # fmt: skip
DEAL_HISTORY = ("dealstage", "pipeline", "amount", "hubspot_owner_id", "deal_currency_code", "closedate")


class Identified(msgspec.Struct):
    id: str | int


class Results(msgspec.Struct):
    results: list[Identified]


class _To(msgspec.Struct):
    toObjectId: str | int  # text in the 2026-09 spec, a number on the wire of v4


class _Cursor(msgspec.Struct):
    after: str | int | None = None


class _Paging(msgspec.Struct):
    next: _Cursor | None = None


class _From(msgspec.Struct, rename={"source": "from"}):
    source: Identified
    to: list[_To] = []
    paging: _Paging | None = None


class _Context(msgspec.Struct, frozen=True):
    fromObjectId: tuple[str | int, ...] = ()


class _Fault(msgspec.Struct):
    context: _Context = _Context()
    category: str = ""
    subCategory: str = ""
    message: str = ""


class _Links(msgspec.Struct):
    results: list[_From]
    errors: list[_Fault] = []


class _Metadata(msgspec.Struct):
    readOnlyValue: bool = False


class _Property(msgspec.Struct):
    name: str
    calculated: bool = False
    hidden: bool = False
    modificationMetadata: _Metadata | None = None


class _Properties(msgspec.Struct):
    results: list[_Property]


def chunks(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for at in range(0, len(ids), size):
        yield ids[at : at + size]


def associations(post: Post, version: str, known: Mapping[str, Sequence[str]]) -> Iterator[Page]:
    """One record a (record, other type) with the whole list of what it is associated with, so that one taken away shows.

    {"from_type": "call", "from_id": "1", "to_type": "contact", "to": ["7", "9"]}; an empty list where there is none.
    """
    for stream, (source, targets) in PAIRS.items():
        for target in targets:
            path = f"/crm/associations/{version}/{source}/{target}/batch/read"
            for ids in chunks(known.get(stream, ()), ASSOCIATION_IDS):
                found = _linked(post, path, ids)
                yield Page(
                    records=[
                        msgspec.json.encode(
                            {
                                "from_type": SINGULAR[source],
                                "from_id": one,
                                "to_type": SINGULAR[target],
                                "to": sorted(found.get(one, ()), key=lambda i: (len(i), i)),
                            }
                        )
                        for one in ids
                    ]
                )


def _linked(post: Post, path: str, ids: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    none = _read_links(post, path, ids, found)
    # In neither place: left out, it may be by mistake, for an answer says of every id what it has. Asked once more.
    if silent := [one for one in ids if one not in found and one not in none]:
        _read_links(post, path, silent, found)
    return found


def _read_links(post: Post, path: str, ids: Sequence[str], found: dict[str, set[str]]) -> set[str]:
    """Adds to `found` what the ids are associated with, to each one's last page. Returns the ids that have nothing."""
    none: set[str] = set()
    met: set[tuple[str, str]] = set()
    asked: list[dict[str, str]] = [{"id": one} for one in ids]
    while asked:
        answer = decode(post(path, {"inputs": asked}), _Links, f"hubspot: POST {path}")
        # 207: ids without any association come back as errors of this sub-category; anything else is a failure.
        other = [e for e in answer.errors if "NO_ASSOCIATIONS" not in e.subCategory.upper()]
        if other:
            raise ConnectorError(f"hubspot: POST {path}: {other[0].category} {other[0].message}; the window stays due.")
        none.update(str(one) for error in answer.errors for one in error.context.fromObjectId)
        asked = []
        for one in answer.results:
            record = str(one.source.id)
            found.setdefault(record, set()).update(str(to.toObjectId) for to in one.to)
            after = one.paging.next.after if one.paging and one.paging.next else None
            if after is None:
                continue
            if (record, str(after)) in met:
                raise ConnectorError(
                    f"hubspot: POST {path}: the page of record {record} after {after} was named twice, so reading would not end; "
                    "the window stays due."
                )
            met.add((record, str(after)))
            asked.append({"id": record, "after": str(after)})
    return none


def watched_properties(body: bytes, object_type: str, most: int, also: Sequence[str] = ()) -> list[str]:
    """Properties whose history is read: what people can write, HubSpot's own and calculated ones left out.

    body: answer of /crm/properties/{type}. Deals' stage, pipeline, amount, owner, currency and close date always, and those of `also`
    that the account has.
    """
    told = decode(body, _Properties, f"hubspot: GET /crm/properties/…/{object_type}").results
    known = {p.name for p in told}
    always = [*(DEAL_HISTORY if object_type == "deals" else ()), *(name for name in also if name in known)]
    writable = sorted(
        p.name
        for p in told
        if not p.calculated
        and not p.hidden
        and not (p.modificationMetadata and p.modificationMetadata.readOnlyValue)
        and (not p.name.startswith(("hs_", "notes_", "num_")) or p.name == "hs_lead_status")
    )
    return list(dict.fromkeys([*always, *writable[:most]]))


def histories(post: Post, path: str, ids: Sequence[str], properties: Sequence[str]) -> Iterator[Page]:
    """The records with propertiesWithHistory of the named properties, at most 50 a call."""
    for some in chunks(ids, HISTORY_IDS):
        asked = list(some)
        # What is left out is asked for once more: it may be a mistake. Left out again, it has been deleted meanwhile.
        for _ in range(2):
            body = post(
                path,
                {
                    "inputs": [{"id": one} for one in asked],
                    "properties": ["createdate"],
                    "propertiesWithHistory": list(properties),
                },
            )
            records, rejected = records_of(body, "results")
            yield Page(records=records, rejected=rejected)
            told = {str(record.id) for record in decode(body, Results, f"hubspot: POST {path}").results}
            asked = [one for one in asked if one not in told]
            if not asked:
                break
