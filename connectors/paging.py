"""Splitting response bodies into records, and walking through pages. No record becomes a Python object: msgspec only scans.

Paths are dotted JSON paths from the body's root ("responseData.data").
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from .shape import excerpt
from .stream import ConnectorError, FormatChanged

MOST_EMPTY = 20  # empty pages in a row that still name a next one
Rejected = Sequence[tuple[str, str]]  # (reason, text)

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])


def raw_at(body: bytes | msgspec.Raw, path: str) -> msgspec.Raw | None:
    """The JSON text at a path ("" for all of it); None when an object on the way, or the last key, is not there.

    Raises ConnectorError when the body is no JSON.
    """
    found: bytes | msgspec.Raw = body
    for key in path.split(".") if path else ():
        try:
            inner = _object.decode(found).get(key)
        except msgspec.ValidationError:  # something else than an object
            return None
        except msgspec.DecodeError as error:
            raise FormatChanged(f"Looked for {path} in a body that is no JSON: {error}") from error
        if inner is None:
            return None
        found = inner
    return msgspec.Raw(found)


def value_at(body: bytes | msgspec.Raw, path: str) -> Any:
    """The value at a path, as a Python object; None when it is not there."""
    found = raw_at(body, path)
    return None if found is None else msgspec.json.decode(found)


def records_of(body: bytes, path: str) -> tuple[list[bytes], Rejected]:
    """The objects of the array at a path, as sent but without line breaks, and what is there that is no object.

    Raises ConnectorError when there is no array: an answer without its list is not an empty list.
    """
    found = raw_at(body, path)
    try:
        items = _array.decode(found) if found is not None else None
    except msgspec.ValidationError:
        items = None
    if items is None:
        raise FormatChanged(
            f"No list at {path or 'the top'} in the answer, which begins: {excerpt(body)}. The vendor's format has changed."
        )
    records = [bytes(item) for item in items]
    if b"\n" in body or b"\r" in body:
        records = [msgspec.json.format(record, indent=-1) for record in records]
    if all(record[:1] == b"{" for record in records):
        return records, ()
    rejected = [("not a JSON object", r.decode("utf-8", "replace")) for r in records if r[:1] != b"{"]
    return [record for record in records if record[:1] == b"{"], rejected


class Repeats:
    """Notices that a vendor sends the same page again, which would never end."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._met: set[Hashable] = set()

    def check(self, mark: Hashable) -> None:
        """Raise ConnectorError when this mark of a page (its cursor, its first record's id) came before."""
        if mark in self._met:
            raise ConnectorError(
                f"{self._what}: the page marked {mark!r} came twice after {len(self._met)} pages. Reading stopped, since it "
                "would not end. The window stays due; if this repeats, report it to the vendor."
            )
        self._met.add(mark)


def cursor_pages(
    fetch: Callable[[str | None], bytes], next_path: str, what: str, start: str | None = None
) -> Iterator[bytes]:
    """Bodies of all pages of a list whose every page names the next: only its absence ends the list, never a short page.

    fetch: body for a cursor (None: the first page). next_path: where a body has the next cursor, as text or number.
    """
    repeats = Repeats(what)
    cursor = start
    while True:
        repeats.check(cursor)
        body = fetch(cursor)
        yield body
        following = value_at(body, next_path)
        if following is None or following == "":
            return
        cursor = str(following)


def followed_pages(
    fetch: Callable[[str | None], tuple[bytes, str | None]], what: str, base_url: str, is_empty: Callable[[bytes], bool]
) -> Iterator[bytes]:
    """Bodies of all pages of a list whose every page names the next by its whole address (a Link header, @odata.nextLink).

    fetch: body and address of the next page, for an address (None: the first page). Only the absence of an address ends the list;
    but a vendor that goes on to name one page after the other without anything on them would never end: that is an error.
    The credential goes to base_url's host only.
    """
    repeats = Repeats(what)
    address: str | None = None
    empty = 0
    while True:
        repeats.check(address)
        body, following = fetch(address)
        yield body
        if not following:
            return
        empty = empty + 1 if is_empty(body) else 0
        if empty == MOST_EMPTY:
            raise ConnectorError(
                f"{what}: {empty} empty pages in a row, and each names another one. Reading stopped, since it would not end."
                " The window stays due."
            )
        if (there := _origin(following)) != (own := _origin(base_url)):
            raise ConnectorError(
                f"{what}: the next page is said to be at {there}, not at {own}. It was not asked for, because credentials do not"
                " go to another address. Correct base_url in the settings if the account has moved."
            )
        address = following


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def numbered_pages(
    fetch: Callable[[int], bytes], *, page_path: str, pages_path: str, first_id_path: str, items_path: str, what: str
) -> Iterator[bytes]:
    """Bodies of all pages of a list numbered from 1, until page_path >= pages_path in a body.

    first_id_path: the id within an item of items_path; two pages with the same first item are one page sent twice.
    """
    repeats = Repeats(what)
    number = 1
    while True:
        body = fetch(number)
        told, pages = _number_at(body, page_path), _number_at(body, pages_path)
        if told is None or pages is None:
            raise FormatChanged(
                f"{what}: page {number} has no number at {page_path} or {pages_path}: the format has changed."
            )
        if told != number:
            raise FormatChanged(f"{what}: asked for page {number}, got page {told}.")
        items = raw_at(body, items_path)
        first = next(iter(_array.decode(items)), None) if items is not None else None
        first_id = None if first is None else value_at(first, first_id_path)
        if first_id is not None:  # an item without an id cannot tell pages apart
            repeats.check(str(first_id))
        yield body
        if number >= pages:
            return
        number += 1


def count_at(body: bytes, path: str, what: str) -> int:
    """The whole number at a path, sent as number or as text. Raises FormatChanged where there is none."""
    found = _number_at(body, path)
    if found is None:
        raise FormatChanged(f"{what}: {path} is {value_at(body, path)!r}, no number: the format has changed.")
    return found


def _number_at(body: bytes, path: str) -> int | None:
    """A whole number, sent as number or as text."""
    try:
        return int(value_at(body, path))
    except (TypeError, ValueError):
        return None
