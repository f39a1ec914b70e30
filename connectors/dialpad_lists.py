"""Dialpad's lists, read to their end: {"items": [...], "cursor": "..."}, where only a page without a cursor is the last one.

Docs: the introduction of the vendor's OpenAPI file. No list says how many records it has, so a page that lacks one cannot be told from one
that does not. The vendor's own client takes an answer without `items` for an empty page; so it is taken here, but it vouches for nothing:
what was known is not taken for deleted on its word. No `limit` is sent: the list of calls documents none, and that of users asks for none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from .dialpad_records import CALLS, NUMBERS, USERS, Call, PhoneNumber, User
from .left_out import cut_down
from .paging import MOST_EMPTY, cursor_pages
from .shape import decode
from .stream import ConnectorError, Page, Stream

Params = Mapping[str, int | str]
BARE = Page()  # an answer without a list


class Get(Protocol):
    """The body of one GET."""

    def __call__(self, path: str, params: Params) -> bytes: ...


class List(msgspec.Struct, frozen=True):
    """How a stream's list is asked for. size: records a page, as far as that is known."""

    stream: Stream
    path: str
    kind: type[msgspec.Struct]
    size: int
    params: Params = {}


LISTS: Mapping[str, List] = {
    one.stream.name: one
    for one in (
        List(USERS, "/users", User, 100, {"state": "all"}),  # who left keeps the name that old calls need
        List(NUMBERS, "/numbers", PhoneNumber, 100),
        List(CALLS, "/call", Call, 25),
    )
}


def whole(get: Get, one: List, params: Params, known: Sequence[str] = ()) -> Iterator[Page]:
    """All pages of a list. known: ids that are told as still there where nothing but pages without `items` came. Raises ConnectorError."""
    what = f"dialpad {one.path}"
    asked = {**one.params, **params}
    empty, has_list = 0, False
    for body in cursor_pages(lambda at: get(one.path, {**asked, "cursor": at} if at else asked), "cursor", what):
        page = page_of(body, one)
        has_list = has_list or page is not BARE
        yield page
        empty = 0 if page.records or page.rejected else empty + 1
        if empty > MOST_EMPTY:
            raise ConnectorError(
                f"{what}: {empty} empty pages in a row, and each names another one. Reading stopped, since it would not end. The window "
                "stays due; if this repeats, report it to Dialpad."
            )
    if not has_list:
        yield Page(seen=known)


def page_of(body: bytes, one: List) -> Page:
    """The records of one answer, cut down to what is kept; BARE where it has no list. Raises FormatChanged."""
    told = decode(body, dict[str, msgspec.Raw], f"dialpad {one.path}")
    if told.keys() <= {"cursor", "items"} and bytes(told.get("items", b"null")) == b"null":
        return BARE
    return cut_down(body, "items", one.kind, one.stream.key)
