"""Which messages a mailbox has, by id alone: those of a range of time, and those that changed since a history id.

Under gmail.readonly a range is asked for by `q`; under gmail.metadata, which refuses it, all are listed from the newest on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from .gmail_messages import Fetch
from .gmail_settings import GmailSettings
from .paging import cursor_pages, value_at
from .shape import decode, excerpt
from .stream import FormatChanged

LIST_SIZE = 500
NEXT = "nextPageToken"


class _Ref(msgspec.Struct):
    id: str


class _Listing(msgspec.Struct):
    messages: list[_Ref] | None = None
    resultSizeEstimate: int | None = None  # an empty list has only this


class _Touched(msgspec.Struct):
    message: _Ref


class _History(msgspec.Struct):
    messagesAdded: list[_Touched] = []
    messagesDeleted: list[_Touched] = []
    labelsAdded: list[_Touched] = []
    labelsRemoved: list[_Touched] = []


class _HistoryPage(msgspec.Struct):
    historyId: str  # always there: an answer without it is no history, and not an empty one
    history: list[_History] = []


class MessageIds:
    """Ids of one mailbox's messages."""

    def __init__(self, fetch: Fetch, mailbox: str, settings: GmailSettings) -> None:
        self._fetch = fetch
        self._mailbox = mailbox
        self._path = f"/gmail/v1/users/{mailbox}"
        self._settings = settings

    def count(self, start: datetime, end: datetime) -> int | None:
        """How many messages a range holds that is listed in one page."""
        body = self._fetch(
            "GET",
            f"{self._path}/messages",
            self._settings.units_list,
            params={"maxResults": LIST_SIZE, "q": _between(start, end)},
        )
        return None if value_at(body, NEXT) else len(self._listing(body).messages or ())

    def listed(self, start: datetime, end: datetime) -> Iterator[list[str]]:
        """Ids of the mailbox's messages, newest first: of the range where the scope allows to ask for it, else of all."""
        params: dict[str, Any] = {"maxResults": LIST_SIZE}
        size = LIST_SIZE
        if self._settings.scope == "readonly":
            params["q"] = _between(start, end)
        else:
            size = self._settings.batch_size  # so that reading stops soon after the range's start

        def fetch(token: str | None) -> bytes:
            after = {"pageToken": token} if token else {}
            return self._fetch("GET", f"{self._path}/messages", self._settings.units_list, params={**params, **after})

        for body in cursor_pages(fetch, NEXT, f"gmail: messages of {self._mailbox}"):
            told = self._listing(body)
            if (
                told.messages is None and told.resultSizeEstimate is None
            ):  # an empty list would mean that all is deleted
                raise FormatChanged(
                    f"gmail: GET {self._path}/messages: neither messages nor resultSizeEstimate in {excerpt(body)}, so it is no "
                    "list of messages, not even an empty one; the window stays due."
                )
            ids = [m.id for m in told.messages or ()]
            for at in range(0, len(ids), size):
                yield ids[at : at + size]

    def changed(self, history_id: str | None) -> tuple[set[str], set[str]]:
        """Ids of messages added or relabelled since a history id, and of deleted ones. Raises NotFound when it has expired."""
        changed: set[str] = set()
        gone: set[str] = set()
        if history_id is None:
            return changed, gone

        def fetch(token: str | None) -> bytes:
            params = {"startHistoryId": history_id, "maxResults": LIST_SIZE, **({"pageToken": token} if token else {})}
            return self._fetch("GET", f"{self._path}/history", self._settings.units_history, params=params)

        for body in cursor_pages(fetch, NEXT, f"gmail: history of {self._mailbox}"):
            for entry in decode(body, _HistoryPage, f"gmail: GET {self._path}/history").history:
                for touched in (*entry.messagesAdded, *entry.labelsAdded, *entry.labelsRemoved):
                    changed.add(touched.message.id)
                    gone.discard(touched.message.id)
                for touched in entry.messagesDeleted:
                    gone.add(touched.message.id)
                    changed.discard(touched.message.id)
        return changed, gone

    def _listing(self, body: bytes) -> _Listing:
        return decode(body, _Listing, f"gmail: GET {self._path}/messages")


def _between(start: datetime, end: datetime) -> str:
    """A search for what lies between. Epoch seconds: dates would be read as midnight in California."""
    return f"after:{int(start.timestamp()) - 1} before:{int(end.timestamp()) + 1}"
