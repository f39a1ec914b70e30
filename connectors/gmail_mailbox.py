"""One mailbox of Gmail: its owner's addresses, the messages of a window, and what changed since the last reading wherever it lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from .client import NotFound
from .gmail_ids import MessageIds
from .gmail_messages import HEADERS, Fetch, Messages, Quota
from .gmail_settings import GmailSettings
from .shape import decode
from .stream import Page, Window


class Profile(msgspec.Struct):
    """Whose mailbox it is, and up to where its history goes."""

    emailAddress: str
    historyId: str


class _SendAs(msgspec.Struct):
    sendAsEmail: str


class _SendAsList(msgspec.Struct):
    sendAs: list[_SendAs]  # never empty: the mailbox's own address is among them


class Mailbox:
    """Reading of one mailbox, by calls made in its name and within its quota."""

    def __init__(self, mailbox: str, fetch: Fetch, quota: Quota, settings: GmailSettings) -> None:
        self._mailbox = mailbox
        self._fetch = fetch
        self._settings = settings
        self._path = f"/gmail/v1/users/{mailbox}"
        self._ids = MessageIds(fetch, mailbox, settings)
        headers = [*HEADERS, *(["Subject"] if settings.subject else [])]
        self._messages = Messages(fetch, quota, mailbox, headers, settings.units_get, settings.batch_size)

    def profile(self) -> Profile:
        """Raises ConnectorError."""
        path = f"{self._path}/profile"
        return decode(self._fetch("GET", path, self._settings.units_profile), Profile, f"gmail: GET {path}")

    def account(self) -> Page:
        """Address and aliases. historyId changes all the time and is left out."""
        profile = self.profile()
        aliases: list[str] = []
        if self._settings.scope == "readonly":
            path = f"{self._path}/settings/sendAs"
            told = decode(self._fetch("GET", path, self._settings.units_profile), _SendAsList, f"gmail: GET {path}")
            aliases = sorted(s.sendAsEmail.lower() for s in told.sendAs)
        record = {"mailbox": self._mailbox, "emailAddress": profile.emailAddress, "aliases": aliases}
        return Page(records=[msgspec.json.encode(record)])

    def count(self, window: Window) -> int | None:
        """How many messages a window holds that is listed in one page."""
        if window.start is None or window.end is None:
            return None
        return self._ids.count(window.start, window.end)

    def messages(self, window: Window, known_ids: Sequence[str]) -> Iterator[Page]:
        """What lies in the window, and what changed since the last reading wherever it lies.

        The history id is taken before anything is listed, so that nothing falls between this window and the next.
        """
        if window.start is None or window.end is None:
            raise ValueError(f"{window.window_id}: a mailbox is read from an instant to an instant")
        cursor = self.profile().historyId
        known = {record_id.partition("/")[2] for record_id in known_ids}
        try:
            changed, gone = self._ids.changed(window.cursor)
        except NotFound:  # a historyId is kept for about a week: what changed since is not told, so all is read again
            changed, gone = set(known), set[str]()
        read: set[str] = set()
        for ids in self._ids.listed(window.start, window.end):
            fresh = [i for i in ids if i not in read and (i not in known or i in changed)]
            read.update(ids)
            # Changed messages land wherever they lie: a listing shows some outside the window, and this cursor passes their change.
            records, missing, newest = self._messages.get(fresh, window.start, window.end, changed)
            seen = [self._record_id(i) for i in ids if i in known and i not in missing]
            yield Page(records=records, seen=seen, gone=[self._record_id(i) for i in missing])
            if (
                self._settings.scope == "metadata"
                and fresh
                and newest is not None
                and newest < window.start
                and not seen
            ):
                break
        elsewhere = sorted(changed - read - gone)
        records, missing, _ = self._messages.get(elsewhere, None, None)
        yield Page(records=records, gone=[self._record_id(i) for i in sorted(gone | missing)], cursor=cursor)

    def _record_id(self, message_id: str) -> str:
        return f"{self._mailbox}/{message_id}"
