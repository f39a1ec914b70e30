"""Pipedrive's lists, read to their end: by cursor (v2), and by offset (v1), which shifts when a record before it is deleted.

{"success": true, "data": [...], "additional_data": {"next_cursor" | "pagination": {"more_items_in_collection", "next_start"}}}. v1 says
"data": null where there is nothing. Of neither kind does Pipedrive tell how many there are. A cursor is the place after the last record
in the order that was asked for, so that it does not shift.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import msgspec

from .paging import cursor_pages
from .shape import decode
from .stream import ConnectorError, FormatChanged

MOST = 500  # records a page
EMPTY = b'{"data":[]}'
Params = Mapping[str, Any]


class Get(Protocol):
    """The body of one GET. tokens: what it costs of the day's."""

    def __call__(self, path: str, params: Params, tokens: int) -> bytes: ...


class _Pagination(msgspec.Struct):
    more_items_in_collection: bool = False
    next_start: int | None = None


class _More(_Pagination):
    """Some lists say it at the top, some within."""

    pagination: _Pagination | None = None


class _Answer(msgspec.Struct):
    success: bool
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Item(msgspec.Struct):
    """A record, or what wraps one."""

    id: int | str | None = None
    data: _Item | None = None


class _Page(msgspec.Struct):
    data: list[_Item]
    additional_data: _More | None = None


def whole(body: bytes, what: str) -> bytes:
    """An answer that says of itself that it is one; where there is nothing, one without records. Raises FormatChanged."""
    told = decode(body, _Answer, what)
    if not told.success:
        raise FormatChanged(f"{what}: the answer says that it failed, with status 200. The window stays due.")
    return EMPTY if bytes(told.data).strip() == b"null" else body


def by_cursor(get: Get, path: str, params: Params, tokens: int, what: str) -> Iterator[bytes]:
    """Bodies of all pages of a list that names a cursor for the next one."""

    def fetch(cursor: str | None) -> bytes:
        place = {"cursor": cursor} if cursor is not None else {}
        return get(path, {"limit": MOST, **params, **place}, tokens)

    for body in cursor_pages(fetch, "additional_data.next_cursor", what):
        yield whole(body, what)


def by_offset(get: Get, path: str, params: Params, tokens: int, what: str) -> Iterator[bytes]:
    """Bodies of all pages of a list by start and limit, in order of id. Each begins with the last record of the one before it: where another one
    stands there, a record before it is gone and one was passed over, and the list is read once more.

    What is read twice is the same record. Raises ConnectorError where the list shifts again.
    """
    for _ in (1, 2):
        start = 0
        last: int | str | None = None
        while True:
            body = whole(get(path, {"limit": MOST, **params, "start": start}, tokens), what)
            told = decode(body, _Page, what)
            ids = [one.data.id if one.data else one.id for one in told.data]
            if last is not None and ids[:1] != [last]:
                break
            yield body
            more = told.additional_data and (told.additional_data.pagination or told.additional_data)
            if not more or not more.more_items_in_collection:
                return
            following = (start + len(ids) if more.next_start is None else more.next_start) - 1
            if not ids or following <= start:
                raise ConnectorError(
                    f"{what}: the page after {start} begins at {following + 1}, so reading would not end."
                )
            start, last = following, ids[-1]
    raise ConnectorError(f"{what}: records were deleted while the list was read, twice. The window stays due.")
