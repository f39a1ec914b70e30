"""CloudTalk's calls of a range of time: as many different ones as it counts, in halves where one list does not give them all.

Assumed, as it is not documented: date_from and date_to compare started_at and are both inclusive.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from .cloudtalk_lists import CALLS, COUNT, ITEMS, PAGES, PATHS, Lists
from .paging import count_at, records_of
from .stream import ConnectorError, Page, Traffic


class _Cdr(msgspec.Struct, frozen=True):
    id: str | int | None = None


class _Item(msgspec.Struct):
    """Of a call, only what tells it from another one."""

    Cdr: _Cdr = _Cdr()


_item = msgspec.json.Decoder(_Item)


class Calls:
    """The calls of one company. It learns how many pages one list gives, so it lives as long as the connector."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._most_pages = sys.maxsize  # that one list gives: none is documented, so it is learned where there is one

    def between(
        self, what: str, first: datetime, last: datetime, known: Sequence[str], traffic: Traffic
    ) -> Iterator[Page]:
        """Calls that began from first to last, whole seconds. In halves where there are more pages than CloudTalk gives.

        Pages shift while calls come in or go: what the vendor counts must have been read. A second reading, where the first
        does not add up, only adds to it: a call read twice is one record.
        """
        params = range_of(first, last)
        listing = f"cloudtalk {PATHS[CALLS.name]}"
        for attempt in (1, 2):
            ids: set[str] = set()
            totals: set[int] = set()
            without_id = told = page_count = pages = 0
            for body in self._lists.bodies(CALLS, params, traffic):
                told, page_count = count_at(body, COUNT, listing), count_at(body, PAGES, listing)
                if page_count > self._most_pages and first < last:
                    break
                pages += 1
                records, rejected = records_of(body, ITEMS)
                found = [_id_of(record) for record in records]
                ids.update(call_id for call_id in found if call_id is not None)
                without_id += found.count(None) + len(rejected)
                totals.add(told)
                yield Page(records=records, rejected=rejected, expected=told)
            read = len(ids) + without_id
            # A call that is deleted while pages are read moves another one onto a page that was read before: then as many came
            # as the last page counts, but not the same ones. Only the count shows it, which was another on the first page.
            if read == told and len(totals) == 1:
                return
            if page_count <= 1 and attempt == 2:
                # One answer that contradicts itself, twice (the documentation's own example does): nothing was lost between
                # pages. But then what is not there may not be taken as deleted.
                yield Page(seen=known)
                return
            if attempt == 2 and pages < page_count:
                self._most_pages = max(1, pages)  # it counts more pages than it gives, twice: no list that got shorter
            if page_count > self._most_pages and first < last:
                middle = first + (last - first) // 2
                middle = middle.replace(microsecond=0)
                yield from self.between(what, first, middle, known, traffic)
                yield from self.between(what, middle + timedelta(seconds=1), last, known, traffic)
                yield Page(expected=told)
                return
        unsteady = " (the count changed meanwhile)" if len(totals) > 1 else ""
        raise ConnectorError(
            f"{what}: {PATHS[CALLS.name]} counts {told} calls from {params['date_from']} to {params['date_to']} UTC, but {read} "
            f"different ones came, twice{unsteady}. Nothing was landed; the next run reads the window again. If this goes on, set a "
            "smaller cloudtalk.window_days."
        )


def whole_seconds(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """First and last whole second of [start, end), UTC: the API's bounds are whole seconds and both inclusive."""
    first = (start.astimezone(UTC) + timedelta(microseconds=999_999)).replace(microsecond=0)
    last = (end.astimezone(UTC) - timedelta(microseconds=1)).replace(microsecond=0)
    return first, last


def range_of(first: datetime, last: datetime) -> Mapping[str, str]:
    """How a list of calls is asked for those that began from first to last."""
    return {"date_from": _spelt(first), "date_to": _spelt(last)}


def _spelt(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S")


def _id_of(record: bytes) -> str | None:
    """A call's id, None where it is missing or of a strange type: one such item must not end the window. Landing judges it."""
    try:
        call_id = _item.decode(record).Cdr.id
    except msgspec.ValidationError:
        return None
    return None if call_id is None else str(call_id)
