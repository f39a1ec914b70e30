"""HubSpot's search, read without loss: windows split by time, inside them keyset by record id.

The search endpoint returns at most 10,000 results a query (HTTP 400 past that), shows no archived records, and its `after`
is an offset that shifts while records change. So a window whose total comes near the cap is cut in half by time, and inside
a window the next page is asked for by "id greater than the last one", never by offset and never by time: a bulk edit can
stamp more than 10,000 records with one instant. Source: search guide (CRM API), airbyte#43317 and #44899.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from .paging import records_of
from .shape import decode
from .stream import ConnectorError, FormatChanged, Page

PAGE_SIZE = 200  # the most that search allows
SPLIT_ABOVE = 9_000  # below the cap of 10,000, because a total can grow while it is read
TICK = timedelta(milliseconds=1)  # HubSpot's instants are whole milliseconds
RESULTS = "results"

Post = Callable[[dict[str, Any]], bytes]


class _Next(msgspec.Struct):
    after: str | int | None = None


class _Paging(msgspec.Struct):
    next: _Next | None = None


class _Id(msgspec.Struct):
    id: str | int


class _Answer(msgspec.Struct):
    total: int = 0
    results: list[_Id] = []
    paging: _Paging | None = None


def search(
    post: Post, modified: str, properties: Sequence[str], start: datetime, end: datetime, what: str
) -> Iterator[Page]:
    """Every record modified in [start, end), in pages of at most 200. post sends a search body and gives the answer's.

    modified: the object's modification property. what: for errors. Raises ConnectorError when the server's order cannot be
    followed or fewer records come than the server counts.
    """
    first = post(_body(modified, properties, start, end, None))
    total = decode(first, _Answer, what).total
    if total > SPLIT_ABOVE and end - start > TICK:
        middle = start + ((end - start) / 2 // TICK) * TICK
        yield from search(post, modified, properties, start, middle, what)
        yield from search(post, modified, properties, middle, end, what)
        return
    yield Page(expected=total)
    for attempt in (1, 2):
        read: set[str] = set()
        yield from _walk(post, modified, properties, start, end, what, first, read)
        # Records changed while they were read have left the window, for the next run to find: count again before a verdict.
        if len(read) >= total:
            return
        first = post(_body(modified, properties, start, end, None))
        total = decode(first, _Answer, what).total
        if len(read) >= total:
            return
        if attempt == 2:
            raise ConnectorError(
                f"{what}: search counts {total} records modified between {start:%Y-%m-%d %H:%M:%S} and {end:%Y-%m-%d %H:%M:%S} UTC "
                f"but showed {len(read)}, twice. The window stays due; if this goes on, report it with the landing file."
            )


def _walk(
    post: Post,
    modified: str,
    properties: Sequence[str],
    start: datetime,
    end: datetime,
    what: str,
    body: bytes,
    read: set[str],
) -> Iterator[Page]:
    """Keyset pages until the server names no next page; a short or an empty page does not end it."""
    order = _Order(what)
    skip: str | None = None
    while True:
        answer = decode(body, _Answer, what)
        ids = [str(record.id) for record in answer.results]
        order.check(ids)
        read.update(ids)
        records, rejected = records_of(body, RESULTS)
        yield Page(records=records, rejected=rejected)
        after = answer.paging.next.after if answer.paging and answer.paging.next else None
        if after is None:
            return
        if not ids:  # empty, but not the end: only the offset can lead on
            if str(after) == skip:
                raise ConnectorError(
                    f"{what}: search sent the same empty page twice (after={after}); the window stays due."
                )
            skip = str(after)
        else:
            skip = None
        body = post(_body(modified, properties, start, end, order.last, skip))


class _Order:
    """The order in which the server gives ids: rising as numbers or rising as text, but always the same one.

    "id greater than the last" loses records when the order is another than the one the comparison means, so an order that
    is neither ends the window loudly (airbyte#80346 holds that ids are compared as text; not proven).
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.last: str | None = None
        self.numeric = True
        self.lexical = True

    def check(self, ids: Sequence[str]) -> None:
        for one in ids:
            if self.last is not None:
                self.numeric &= one.isdigit() and self.last.isdigit() and int(one) > int(self.last)
                self.lexical &= one > self.last
            self.last = one
        if not (self.numeric or self.lexical):
            raise FormatChanged(
                f"{self.what}: search did not return ids in rising order (last {self.last}), so pages cannot be told apart; "
                "nothing of this window was kept. If this goes on, report it."
            )


def _body(
    modified: str, properties: Sequence[str], start: datetime, end: datetime, last: str | None, after: str | None = None
) -> dict[str, Any]:
    filters = [
        {"propertyName": modified, "operator": "GTE", "value": milliseconds(start)},
        {"propertyName": modified, "operator": "LT", "value": milliseconds(end)},
    ]
    if last is not None:
        filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": last})
    return {
        "filterGroups": [{"filters": filters}],
        # An object: strings are accepted and then ignored (hubspot-api-ruby#257).
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": list(properties),
        "limit": PAGE_SIZE,
        **({"after": after} if after is not None else {}),
    }


def milliseconds(instant: datetime) -> str:
    """An instant as a filter's value."""
    return str((instant - datetime(1970, 1, 1, tzinfo=UTC)) // TICK)
