"""Salesloft's lists, read to their end and held against its own count; in halves of time where one query has too many.

{"data": [...], "metadata": {"filtering", "sorting", "paging": {"per_page", "current_page", "next_page", "total_count"}}}, pages from 1 with
100 records at most; counts come where include_paging_counts asks for them, up to 10,000 unless limit_paging_counts is false. Sourced:
pages beyond the hundredth cost 3 to 30 times as much, so a query with more than these hold is cut in two; names of filters that it does
not know are ignored without a word, so what comes is held against what was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec

from .left_out import cut_down
from .paging import MOST_EMPTY
from .salesloft_records import List
from .shape import decode
from .stream import ConnectorError, FormatChanged, Page

PAGE = 100  # the largest there is
MOST = 10_000  # of so many records in one query, or more, none is read: a hundred pages, and should counts end there all the same
SHORTEST = timedelta(milliseconds=1)

Params = Mapping[str, str | int]
Span = tuple[datetime, datetime]
COUNTED: Params = {"include_paging_counts": "true", "limit_paging_counts": "false"}


class Get(Protocol):
    """The body of one GET."""

    def __call__(self, path: str, params: Params) -> bytes: ...


class _Paging(msgspec.Struct):
    current_page: int
    next_page: int | None = None
    total_count: int | None = None


class _Metadata(msgspec.Struct):
    paging: _Paging


class _Told(msgspec.Struct):
    metadata: _Metadata


_record = msgspec.json.Decoder(dict[str, msgspec.Raw])


def within(one: List, span: Span | None) -> dict[str, str | int]:
    """The parameters that ask for a span of time, [begin, end), to the microsecond."""
    if span is None:
        return {}
    begin, end = (at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z") for at in span)
    return {f"{one.stamp}[gte]": begin, f"{one.stamp}[lt]": end}


def total(get: Get, one: List, span: Span | None) -> int:
    """How many records Salesloft counts, by one small page. Raises FormatChanged."""
    body = get(one.path, {**one.params, **within(one, span), **COUNTED, "per_page": 1, "page": 1})
    return _total(_paging(body, one), one)


def records(get: Get, one: List, span: Span | None) -> Iterator[Page]:
    """All records of a list, or of a span of its stamp: as many different ones as Salesloft counts.

    Raises ConnectorError, FormatChanged.
    """
    head = get(one.path, _asked(one, span, 1))
    counted = _total(_paging(head, one), one)
    if span is None or counted < MOST:
        yield from _whole(get, one, span, head)
        return
    begin, end = span
    if end - begin <= SHORTEST:
        raise ConnectorError(
            f"salesloft {one.path}: {counted:,} records or more with one {one.stamp}, {begin.isoformat()}: more than its pages give at "
            "their usual cost. Nothing was landed; report it to Salesloft."
        )
    middle = begin + (end - begin) / 2
    yield from records(get, one, (begin, middle))
    yield from records(get, one, (middle, end))
    yield Page(expected=counted)


def _asked(one: List, span: Span | None, page: int) -> Params:
    return {**one.params, **within(one, span), **COUNTED, "per_page": PAGE, "page": page}


def _whole(get: Get, one: List, span: Span | None, head: bytes) -> Iterator[Page]:
    """To the end, and held against the count. A second reading only adds to the first.

    Where records leave the span by changing while it is read, both readings together must have as many.
    """
    told: set[int] = set()
    every: set[str] = set()
    ids: set[str] = set()
    for attempt in (1, 2):
        ids, told, nameless = set(), set(), 0
        for body, paging in _bodies(get, one, span, head if attempt == 1 else None):
            page = cut_down(body, "data", one.kind)
            named = [_checked(record, one, span) for record in page.records]
            ids |= {name for name in named if name is not None} | set(page.seen)
            nameless += named.count(None) + len(page.rejected) - len(page.seen)
            told.add(_total(paging, one))
            yield replace(page, expected=max(told))
        every |= ids
        if told == {len(ids) + nameless} or (attempt == 2 and one.changes and max(told) <= len(every) + nameless):
            return
    unsteady = " (the count changed meanwhile)" if len(told) > 1 else ""
    raise ConnectorError(
        f"salesloft {one.path}: {max(told, default=0)} are counted, but {len(ids)} different ones came, twice{unsteady}. Nothing was landed; "
        "the next run reads the window again. If this goes on, set a smaller salesloft.window_days."
    )


def _bodies(get: Get, one: List, span: Span | None, head: bytes | None) -> Iterator[tuple[bytes, _Paging]]:
    """All pages: only a next one that is not named ends them."""
    number = 1
    empty = 0
    while True:
        body = head if head is not None and number == 1 else get(one.path, _asked(one, span, number))
        paging = _paging(body, one)
        if paging.current_page != number:
            raise FormatChanged(f"salesloft {one.path}: asked for page {number}, got page {paging.current_page}.")
        yield body, paging
        if paging.next_page is None:
            return
        empty = empty + 1 if not cut_down(body, "data", one.kind).records else 0
        if paging.next_page <= number or empty == MOST_EMPTY:
            raise ConnectorError(
                f"salesloft {one.path}: page {number} names page {paging.next_page} as the next one: reading stopped, since it would not "
                "end. The window stays due."
            )
        number = paging.next_page


def _checked(record: bytes, one: List, span: Span | None) -> str | None:
    """A record's id, None where it has none that can be told. Raises FormatChanged when it is none of those asked for."""
    fields = _record.decode(record)
    if span is not None and (at := _instant(fields.get(one.stamp))) is not None and not span[0] <= at < span[1]:
        raise FormatChanged(
            f"salesloft {one.path}: asked for {one.stamp} from {span[0].isoformat()} to {span[1].isoformat()}, and {at.isoformat()} came: the "
            "filter is not heeded. Nothing was landed."
        )
    return str(msgspec.json.decode(fields["id"])) if "id" in fields else None


def _instant(text: msgspec.Raw | None) -> datetime | None:
    """None where it cannot be read: staging tells it. One without a zone is taken for UTC."""
    try:
        at = datetime.fromisoformat(msgspec.json.decode(text or b"null"))
    except (ValueError, TypeError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _paging(body: bytes, one: List) -> _Paging:
    return decode(body, _Told, f"salesloft: GET {one.path}").metadata.paging


def _total(paging: _Paging, one: List) -> int:
    if paging.total_count is None:
        raise FormatChanged(f"salesloft {one.path}: no total_count, though it was asked for: the format has changed.")
    return paging.total_count
