"""One mailbox of Microsoft 365 by Graph: its folders, what it received in a range of time, and what changed since the last reading.

Docs: learn.microsoft.com/graph (v1.0): user-list-messages, outlook-immutable-id. Delta rounds tell ids, and what they stand for is read
whole; a folder whose state Graph has dropped is listed again. Why ranges are listed and not only followed:
docs/decisions/0010-microsoft-365.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from .client import NotFound
from .microsoft365_changes import Changes, changes_since
from .microsoft365_folders import folder_page
from .microsoft365_pages import Fetch, Pages
from .microsoft365_records import kept, selected
from .paging import records_of
from .shape import decode
from .stream import ConnectorError, FormatChanged, Page

PAGE = 500  # 1,000 is allowed, but large pages are answered with 504 at times


class _Person(msgspec.Struct):
    mail: str | None = None
    userPrincipalName: str | None = None
    proxyAddresses: list[str] = []


class _Counted(msgspec.Struct, rename={"count": "@odata.count"}):
    count: int | None = None


class Mailbox:
    """A mailbox by its address. headers: read the headers of mails. is_held_to_counts: refuse a listing that is shorter than Graph counts."""

    def __init__(self, address: str, fetch: Fetch, base_url: str, *, headers: bool, is_held_to_counts: bool) -> None:
        self._address = address
        self._fetch = fetch
        self._pages = Pages(address, fetch, base_url)
        self._select = selected(headers)
        self._is_held_to_counts = is_held_to_counts

    def account(self) -> Page:
        """The mailbox's addresses. proxyAddresses are written smtp:alias@acme.com."""
        body, _ = self._fetch("", {"$select": "mail,userPrincipalName,proxyAddresses"})
        person = decode(body, _Person, f"microsoft365: GET /users/{self._address}")
        if not person.userPrincipalName:  # every user has one: this is somebody else's answer
            raise FormatChanged(
                "microsoft365: GET /users/…: an answer without a userPrincipalName; the window stays due."
            )
        proxies = [a.partition(":")[2] for a in person.proxyAddresses if a.lower().startswith("smtp:")]
        aliases = sorted({a.lower() for a in (person.mail, person.userPrincipalName, *proxies) if a} - {self._address})
        return Page(records=[msgspec.json.encode({"mailbox": self._address, "aliases": aliases})])

    def folders(self) -> Page:
        """Each visible folder with its kind."""
        return folder_page(self._pages)

    def count(self, start: datetime, end: datetime) -> int | None:
        """How many messages Graph counts in [start, end)."""
        body, _ = self._fetch("/messages", {**_between(start, end), "$select": "id", "$top": 1})
        return self._counted(body)

    def first(self, start: datetime, end: datetime, select: str) -> None:
        """One message with some properties, as a check. Raises ConnectorError, PermissionMissing."""
        body, _ = self._fetch("/messages", {**_between(start, end), "$select": select, "$top": 1})
        records_of(body, "value")

    def received(self, start: datetime, end: datetime) -> Iterator[tuple[Page, list[str]]]:
        """All messages received in [start, end), and their ids: as many different ones as Graph counts, else all is read again."""
        params = {**_between(start, end), "$select": self._select, "$top": PAGE}
        total, ids = 0, set[str]()
        for _attempt in (1, 2):
            ids, total = set(), 0
            for body in self._pages.of("/messages", params):
                count = self._counted(body)
                total = total if count is None else count
                page, told = kept(body, self._address)
                ids.update(told)
                yield page, told
            if len(ids) >= total or not self._is_held_to_counts:
                yield Page(expected=total), []
                return
        raise ConnectorError(
            f"microsoft365: {self._address}: Graph counts {total} messages from {start:%Y-%m-%d} to {end:%Y-%m-%d}, but {len(ids)} came, twice: "
            "they change while they are read. Nothing was landed; the next run reads the window again. If this goes on, set "
            "microsoft365.held_to_counts = false and report it."
        )

    def changes(self, cursor: str | None) -> Changes:
        """What changed since the cursor; see microsoft365_changes."""
        return changes_since(cursor, self._pages)

    def elsewhere(self, changes: Changes, listed: set[str], since: datetime, start: datetime) -> Iterator[Page]:
        """What the rounds told beside what is `listed`: changed messages whole, folders listed anew from `since` to `start`, what is gone."""
        found = set(listed)
        for folder_id in changes.anew:
            try:
                params = {**_between(since, start), "$select": self._select, "$top": PAGE}
                for body in self._pages.of(f"/mailFolders/{quote(folder_id, safe='')}/messages", params):
                    page, told = kept(body, self._address)
                    found.update(told)
                    yield page
            except NotFound:  # thrown away meanwhile; its states are gone by the next run
                continue
        gone = changes.gone - found
        for message_id in sorted(changes.touched - found):
            try:
                body, _ = self._fetch(f"/messages/{quote(message_id, safe='')}", {"$select": self._select})
            except NotFound:
                gone.add(message_id)
                continue
            page, _ = kept(b'{"value":[' + body + b"]}", self._address)
            yield page
        yield Page(gone=[f"{self._address}/{one}" for one in sorted(gone)], cursor=changes.cursor)

    def _counted(self, body: bytes) -> int | None:
        return decode(body, _Counted, f"microsoft365: GET /users/{self._address}/messages").count


def _between(start: datetime, end: datetime) -> dict[str, Any]:
    """Every property of $orderby must stand in $filter, else Graph calls the restriction too complex. Whole seconds, as Graph compares."""
    last = end + timedelta(seconds=1) if end.microsecond else end
    first, last = (f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z" for at in (start, last))
    return {
        "$filter": f"receivedDateTime ge {first} and receivedDateTime lt {last}",
        "$orderby": "receivedDateTime",
        "$count": "true",
    }
