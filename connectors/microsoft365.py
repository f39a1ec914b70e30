"""Microsoft 365 mail: metadata of sent and received mail by Graph, one mailbox a rep, with an application's own credential.

Docs: learn.microsoft.com/graph (v1.0): user-list-messages, outlook-immutable-id, throttling-limits. Least privilege: Mail.ReadBasic.All,
restricted to the sales mailboxes by RBAC for Applications. `/users/{id}/messages` tells all folders at once, hidden ones too (Teams chats are
in one), so the visible folders are listed beside it and what lies in no such folder is left out. Ids are immutable on request, so a move changes
nothing but the folder. Sent items lack their threading headers (microsoft-graph-docs#2716), so replies are found from the inbound side. Limits:
10,000 requests in ten minutes and 4 at a time for an application and mailbox; a 429 names its wait. Bodies, subjects and names are never kept.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from .graph import Links, graph_client, graph_page
from .limits import Budget, shared
from .mail_counts import COUNTS
from .microsoft365_answers import judge
from .microsoft365_folders import WELL_KNOWN
from .microsoft365_mailbox import PAGE, Mailbox
from .microsoft365_records import MAIL
from .microsoft365_settings import Microsoft365Settings
from .one_account import OneAccount
from .stream import (
    Check,
    ConnectorError,
    DateRange,
    Page,
    PermissionMissing,
    Price,
    Snapshot,
    Stream,
    System,
    Traffic,
    Window,
    within,
)

__all__ = ["Microsoft365", "Microsoft365Settings"]

AT_ONCE = 4  # requests that Graph answers for an application and mailbox at the same time
FOLDERS_EACH = 25  # of a mailbox, a guess: what the rounds of a night are priced by
PREFER = f'IdType="ImmutableId", odata.maxpagesize={PAGE}'


MESSAGES = Stream(
    "mail_message",
    DateRange(span=timedelta(days=35)),
    key=("mailbox", "message.id"),
    happened_at="message.receivedDateTime",
    partitioned=True,
    limited_apart=True,
    scopes=("Mail.ReadBasic.All",),
    feeds="emails sent, replies, bounces and conversations by mail of this mailbox's owner",
)
FOLDERS = Stream(
    "mail_folder",
    Snapshot(absence_means="deleted"),
    key=("mailbox", "id"),
    partitioned=True,
    limited_apart=True,
    scopes=("Mail.ReadBasic.All",),
    feeds="which mails were sent, thrown away or are drafts",
)
ACCOUNT = Stream(
    "mail_account",
    Snapshot(),
    key=("mailbox",),
    partitioned=True,
    limited_apart=True,
    scopes=("User.Read.All",),
    feeds="aliases of this mailbox",
    optional=True,
)


class Microsoft365(OneAccount):
    """The mailboxes of one tenant. mailboxes: whose, when the settings name none. now: the run's instant."""

    name = "microsoft365"
    system: System = "mail"
    streams: Sequence[Stream] = (ACCOUNT, FOLDERS, MESSAGES, COUNTS)  # COUNTS: by Microsoft365Counts
    links: Mapping[str, str] = {}

    def __init__(
        self, settings: Microsoft365Settings, *, workspace: str, now: datetime, mailboxes: Sequence[str] = ()
    ) -> None:
        self.workspace = workspace
        self.now = now
        self.streams = (ACCOUNT, FOLDERS, MESSAGES)
        self._settings = settings
        self._mailboxes = sorted({m.lower() for m in settings.mailboxes or mailboxes})
        budgets = {"requests": Budget(settings.requests_per_second, 1.0)}
        self._limiter = shared(self.name, f"{workspace}@{settings.tenant}@{settings.base}", budgets)
        for mailbox in self._mailboxes:
            self._limiter.add(_budget(mailbox), Budget(settings.requests_per_10_minutes, 600.0, settings.reserve))
        self._at_once = defaultdict[str, threading.Semaphore](lambda: threading.Semaphore(AT_ONCE))
        self._client = graph_client(self.name, settings, self._limiter, judge)

    def partitions(self, stream: Stream) -> Sequence[str]:  # noqa: ARG002  all are a mailbox's
        return self._mailboxes

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:  # noqa: ARG002  all is listed
        """The pages of one mailbox's window. Raises ConnectorError, PermissionMissing."""
        box = self._mailbox(window.partition, traffic)
        if window.stream == ACCOUNT.name:
            yield box.account()
        elif window.stream == FOLDERS.name:
            yield box.folders()
        elif told := within(window, self.now):
            yield from self._messages(box, window, *told)

    def check(self) -> Iterator[Check]:
        """Folders, a message, its headers, and the aliases of the first mailbox."""
        if not self._mailboxes:
            told = "Add microsoft365.mailboxes, or reps.csv with addresses."
            yield Check(self.name, "mailboxes", False, "no mailbox is configured", told)
            return
        first = self._mailboxes[0]
        box, hour = self._mailbox(first, Traffic()), (self.now - timedelta(hours=1), self.now)
        tried = [
            (FOLDERS.name, box.folders, FOLDERS),
            (MESSAGES.name, lambda: box.first(*hour, MAIL), MESSAGES),
            ("headers", lambda: box.first(*hour, "id,internetMessageHeaders"), None),
            (ACCOUNT.name, box.account, ACCOUNT),
        ]
        for name, call, stream in tried:
            if stream is None and not self._settings.headers:
                continue
            try:
                call()
                yield Check(self.name, name, True, f"{first} answered; {len(self._mailboxes)} mailboxes are configured")
            except ConnectorError as error:
                remedy = (
                    f"Grant {' and '.join(stream.scopes)} with admin consent. Without it: no {stream.feeds}."
                    if stream
                    else "Grant Mail.Read, or set microsoft365.headers = false: replies are then told by conversation only."
                )
                yield Check(self.name, name, False, str(error), remedy if isinstance(error, PermissionMissing) else "")

    def count(self, window: Window) -> int | None:
        """What Graph counts; see connectors.stream.Connector."""
        if window.stream != MESSAGES.name or (told := within(window, self.now)) is None:
            return None
        return self._mailbox(window.partition, Traffic()).count(*told)

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """A page has 500; folders take five requests and an account one, a window that reaches the present a round of each folder."""
        if windows[0].stream == MESSAGES.name:
            rounds = sum(self._is_current(window) for window in windows) * FOLDERS_EACH
            requests = len(windows) + rounds + math.ceil(records.get(MESSAGES.name, 0) / PAGE)
        else:
            requests = len(windows) * (1 if windows[0].stream == ACCOUNT.name else len(WELL_KNOWN) + 1)
        boxes = {window.partition for window in windows}
        return Price(requests, {"requests": requests, **({_budget(*boxes): requests} if len(boxes) == 1 else {})})

    def _messages(self, box: Mailbox, window: Window, start: datetime, end: datetime) -> Iterator[Page]:
        """The window's messages; with the one that reaches the present, what changed since the last reading wherever it lies.

        The rounds come before the listing, so that nothing falls between this reading and the next.
        """
        changes = box.changes(window.cursor) if self._is_current(window) else None
        listed: set[str] = set()
        for page, ids in box.received(start, end):
            listed.update(ids)
            yield page
        if changes is not None:
            since = min(start, self.now - timedelta(days=self._settings.relist_days))
            yield from box.elsewhere(changes, listed, since, start)

    def _is_current(self, window: Window) -> bool:
        return window.end is not None and window.end >= self.now

    def _mailbox(self, mailbox: str, traffic: Traffic) -> Mailbox:
        budget = _budget(mailbox)
        self._limiter.add(budget, Budget(self._settings.requests_per_10_minutes, 600.0, self._settings.reserve))

        def fetch(address: str, params: Mapping[str, Any] | None = None) -> tuple[bytes, Links]:
            """Not more at a time than Graph answers; an address is a path of the mailbox, or whole."""
            whole = address if address.startswith("http") else f"/users/{quote(mailbox, safe='@')}{address}"
            query = {} if params is None else {"params": params}  # httpx would drop the query of a whole address
            with self._at_once[mailbox]:
                cost = {"requests": 1, budget: 1}
                return graph_page(
                    self._client, self.name, whole, traffic, headers={"Prefer": PREFER}, cost=cost, **query
                )

        settings = self._settings
        return Mailbox(
            mailbox, fetch, settings.base, headers=settings.headers, is_held_to_counts=settings.held_to_counts
        )


def _budget(mailbox: str) -> str:
    return f"mailbox:{mailbox}"
