"""Aircall's lists, read to their end and held against its own count; calls in halves of time where one query does not give them all.

Lists are paged by `page` and `per_page` up to 50 in {"meta": {"count", "total", "current_page", "per_page", "next_page_link"}, <name>: [...]}.
A query gives its first 10,000 calls, whatever page is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import msgspec

from .paging import count_at, cursor_pages, records_of
from .stream import ConnectorError, Page

PAGE = 50  # the largest there is
MOST = 10_000  # calls that one query gives

_CALLS = "calls"
Params = Mapping[str, int | str]


class Get(Protocol):
    """The body of one GET."""

    def __call__(self, path: str, params: Params) -> bytes: ...


class _Id(msgspec.Struct, frozen=True):
    """Of a record, only what tells it from another one."""

    id: int | str | None = None


_id = msgspec.json.Decoder(_Id)


def first(get: Get, name: str, params: Params) -> bytes:
    """One item of a list, or of what is asked for of it, and how many there are."""
    return get(f"/{name}", {**params, "per_page": 1, "page": 1})


def total_of(body: bytes, name: str) -> int:
    """How many items Aircall counts. Raises FormatChanged."""
    return count_at(body, "meta.total", f"aircall /{name}")


def calls_between(get: Get, begin: int, end: int) -> Iterator[Page]:
    """Calls from begin to end, both included, Unix seconds. In halves where there are more than one query gives.

    So many as it gives may be more: whether Aircall counts beyond is not documented.
    """
    params = {"from": begin, "to": end, "order": "asc"}
    head = get(f"/{_CALLS}", {**params, "per_page": PAGE, "page": 1})
    total = total_of(head, _CALLS)
    if total >= MOST and begin >= end:
        raise ConnectorError(
            f"aircall /calls: {MOST:,} calls or more in one second, {begin} in Unix time, and Aircall shows no more of them. Nothing was "
            "landed; report it to Aircall."
        )
    if total < MOST:
        yield from whole(get, _CALLS, params, head)
        return
    middle = (begin + end) // 2
    yield from calls_between(get, begin, middle)
    yield from calls_between(get, middle + 1, end)
    yield Page(expected=total)


def whole(get: Get, name: str, params: Params, head: bytes | None = None) -> Iterator[Page]:
    """A list to its end: as many different records as Aircall counts must have come. A second reading only adds to the first.

    head: its first page, where that has been read.
    """
    told: set[int] = set()
    ids: set[str] = set()
    for attempt in (1, 2):
        ids, told, without_id = set(), set(), 0
        for body in _bodies(get, name, params, head if attempt == 1 else None):
            records, rejected = records_of(body, name)
            found = [_id_of(record) for record in records]
            ids.update(one for one in found if one is not None)
            without_id += found.count(None) + len(rejected)
            told.add(total_of(body, name))
            yield Page(records=records, rejected=rejected, expected=max(told))
        if told == {len(ids) + without_id}:
            return
    unsteady = " (the count changed meanwhile)" if len(told) > 1 else ""
    raise ConnectorError(
        f"aircall /{name}: {max(told, default=0)} are counted, but {len(ids)} different ones came, twice{unsteady}. Nothing was landed; "
        "the next run reads the window again. If this goes on, set a smaller aircall.window_days."
    )


def _bodies(get: Get, name: str, params: Params, head: bytes | None) -> Iterator[bytes]:
    """All pages. The link to the next one only says that there is one: the key goes to no address that an answer names."""
    page = 0

    def fetch(_link: str | None) -> bytes:
        nonlocal page
        page += 1
        if page == 1 and head is not None:
            return head
        return get(f"/{name}", {**params, "per_page": PAGE, "page": page})

    yield from cursor_pages(fetch, "meta.next_page_link", f"aircall /{name}")


def _id_of(record: bytes) -> str | None:
    """A record's id, None where it is missing or of a strange type: landing judges it."""
    try:
        found = _id.decode(record).id
    except msgspec.ValidationError:
        return None
    return None if found is None else str(found)
