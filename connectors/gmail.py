"""Gmail: metadata of sent and received mail, one mailbox a rep, through a service account with domain-wide delegation.

Docs: developers.google.com/workspace/gmail/api (discovery revision 20261005). Quota since 2026-05-01: 6,000 units a minute
and user, 1,200,000 a minute and project; messages.get 20, messages.list 5, history.list 2, getProfile 1 (settings, because
older projects have other prices). A batch of n calls costs n calls but is one round trip. Under the scope gmail.metadata
`q` and sendAs are refused; asking for both scopes makes the metadata refusals apply all the same, so exactly one is asked.
Only headers that the metrics need are asked for, one by one; `fields` keeps the snippet from ever being sent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec

from .auth import ServiceAccountAuth, service_account_key
from .client import Client, Denied, NotFound, Retry, Verdict, judge_http
from .gmail_messages import HEADERS, Messages
from .gmail_settings import GmailSettings
from .limits import Budget, Day, shared
from .mail_counts import COUNTS
from .one_account import OneAccount
from .paging import cursor_pages, value_at
from .server_clock import retry_after
from .stream import (
    Check,
    ConnectorError,
    DateRange,
    FormatChanged,
    Page,
    Price,
    Snapshot,
    Stream,
    System,
    Traffic,
    Window,
)

__all__ = ["Gmail", "GmailSettings"]

SCOPES = {name: f"https://www.googleapis.com/auth/gmail.{name}" for name in ("metadata", "readonly")}
LIST_SIZE = 500
NEXT = "nextPageToken"
MINUTE = 60.0

MESSAGES = Stream(
    name="mail_message",
    # The listing is cheap and what is known is not read again, so one window may be long.
    reading=DateRange(span=timedelta(days=35)),
    key=("mailbox", "message.id"),
    happened_at="message.internalDate",
    volatile=("message.historyId", "message.sizeEstimate"),
    partitioned=True,
    feeds="emails sent, replies, bounces and conversations by mail of this mailbox's owner",
)
ACCOUNT = Stream(
    name="mail_account",
    reading=Snapshot(),
    key=("mailbox",),
    partitioned=True,
    feeds="aliases of this mailbox (known under gmail.readonly only)",
)


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


class _Profile(msgspec.Struct):
    emailAddress: str
    historyId: str


class _SendAs(msgspec.Struct):
    sendAsEmail: str


class _SendAsList(msgspec.Struct):
    sendAs: list[_SendAs]  # never empty: the mailbox's own address is among them


class Gmail(OneAccount):
    """The mailboxes of one Google Workspace. mailboxes: whose, when the settings name none."""

    name = "gmail"
    system: System = "mail"
    streams: Sequence[Stream] = (ACCOUNT, MESSAGES, COUNTS)  # COUNTS: by GmailCounts
    links: Mapping[str, str] = {"message": "https://mail.google.com/mail/u/0/#search/rfc822msgid:{id}"}

    def __init__(
        self, settings: GmailSettings, *, workspace: str, now: datetime, mailboxes: Sequence[str] = ()
    ) -> None:
        self.workspace = workspace
        self.now = now
        self.streams = (ACCOUNT, MESSAGES)
        self._settings = settings
        self._mailboxes = sorted({m.lower() for m in settings.mailboxes or mailboxes})
        self._key = service_account_key(settings.service_account_file, "gmail.service_account_file")
        self._auths: dict[str, ServiceAccountAuth] = {}
        budgets = {
            "project": Budget(settings.units_per_minute_project, MINUTE, settings.reserve),
            "day": Day(settings.units_per_day_project, "America/Los_Angeles", settings.reserve, counts="project"),
        }
        self._limiter = shared(self.name, f"{settings.base_url} {workspace}", budgets)
        for mailbox in self._mailboxes:
            self._add_budget(mailbox)
        self._client = Client(
            source=self.name,
            base_url=settings.base_url,
            auth=None,
            limiter=self._limiter,
            judge=self._judge,
            network=settings.network,
            http2=True,
        )

    def partitions(self, stream: Stream) -> Sequence[str]:
        del stream
        return self._mailboxes

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """The pages of one mailbox's window; see connectors.stream.Connector."""
        box = _Mailbox(self, window.partition, traffic)
        if window.stream == ACCOUNT.name:
            yield box.account()
        else:
            yield from box.messages(window, known.get(MESSAGES.name, ()))

    def check(self) -> Iterator[Check]:
        """A token and a profile for the first mailbox; the others are read with the same key and scope."""
        if not self._mailboxes:
            yield Check(
                self.name,
                "mailboxes",
                False,
                "no mailbox is configured",
                "Add gmail.mailboxes, or reps.csv with addresses.",
            )
            return
        first = self._mailboxes[0]
        try:
            _Mailbox(self, first, Traffic()).profile()
            yield Check(
                self.name,
                self._settings.scope,
                True,
                f"{first} answered; {len(self._mailboxes)} mailboxes are configured",
            )
        except ConnectorError as error:
            scope = SCOPES[self._settings.scope]
            remedy = f"Admin console > Security > API controls > Domain-wide delegation: the service account's client id with {scope}."
            yield Check(self.name, self._settings.scope, False, str(error), remedy)

    def count(self, window: Window) -> int | None:
        """Of a window whose messages come in one page, how many they are: Gmail's own estimates are none (201 for many)."""
        if window.stream != MESSAGES.name or self._settings.scope == "metadata":
            return None
        return _Mailbox(self, window.partition, Traffic()).count(window)

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """Messages are read one by one, in batches; windows of one mailbox each are told by the mailbox's own budget, too."""
        settings, stream = self._settings, windows[0].stream
        boxes = sorted({window.partition for window in windows})
        if stream == ACCOUNT.name:
            requests = len(windows) * (2 if settings.scope == "readonly" else 1)
            return Price(requests, {"project": requests * settings.units_profile})
        messages = records.get(stream, 0)
        lists = max(len(windows), math.ceil(messages / LIST_SIZE))
        requests = len(windows) + lists + math.ceil(messages / settings.batch_size)
        units = len(windows) * settings.units_profile + lists * settings.units_list + messages * settings.units_get
        return Price(requests, {"project": units, **({f"user:{boxes[0]}": units} if len(boxes) == 1 else {})})

    def fetch(self, mailbox: str, method: str, path: str, units: int, traffic: Traffic, **request: Any) -> bytes:
        """A call on behalf of a mailbox, charged to it and to the project."""
        budget = f"user:{mailbox}"
        if mailbox not in self._auths:
            settings = self._settings
            self._add_budget(mailbox)
            self._auths[mailbox] = ServiceAccountAuth(self._key, SCOPES[settings.scope], mailbox, settings.token_url)
        return self._client.fetch(
            method, path, cost={"project": units, budget: units}, traffic=traffic, auth=self._auths[mailbox], **request
        )

    def _add_budget(self, mailbox: str) -> None:
        self._limiter.add(
            f"user:{mailbox}", Budget(self._settings.units_per_minute_user, MINUTE, self._settings.reserve)
        )

    @property
    def settings(self) -> GmailSettings:
        return self._settings

    def _judge(self, response: httpx.Response) -> Verdict:
        return judge(response, SCOPES[self._settings.scope])


class _Mailbox:
    """Reading of one mailbox."""

    def __init__(self, gmail: Gmail, mailbox: str, traffic: Traffic) -> None:
        self._gmail = gmail
        self._mailbox = mailbox
        self._traffic = traffic
        self._settings = gmail.settings
        self._path = f"/gmail/v1/users/{mailbox}"
        headers = [*HEADERS, *(["Subject"] if self._settings.subject else [])]
        self._messages = Messages(
            self._fetch, self, mailbox, headers, self._settings.units_get, self._settings.batch_size
        )

    def room(self, units: int, most: int) -> int:
        """How many calls of so many units the mailbox and the project have room for just now, `most` at most."""
        return self._gmail.limiter.room({"project": units, f"user:{self._mailbox}": units}, most)

    def refused(self, status: int, body: bytes, attempt: int) -> None:
        """A call within a batch was not answered: if for the quota, rest before the next."""
        verdict = judge(httpx.Response(status, content=body), "")
        if isinstance(verdict, Retry) and verdict.everyone:
            self._gmail.limiter.refused({"project": 1, f"user:{self._mailbox}": 1}, 0.5 * 2**attempt, verdict.budget)

    def profile(self) -> _Profile:
        body = self._fetch("GET", f"{self._path}/profile", self._settings.units_profile)
        return msgspec.json.decode(body, type=_Profile)

    def account(self) -> Page:
        """Address and aliases. historyId changes all the time and is left out."""
        profile = self.profile()
        aliases: list[str] = []
        if self._settings.scope == "readonly":
            body = self._fetch("GET", f"{self._path}/settings/sendAs", self._settings.units_profile)
            aliases = sorted(s.sendAsEmail.lower() for s in msgspec.json.decode(body, type=_SendAsList).sendAs)
        record = {"mailbox": self._mailbox, "emailAddress": profile.emailAddress, "aliases": aliases}
        return Page(records=[msgspec.json.encode(record)])

    def count(self, window: Window) -> int | None:
        """How many messages a window holds that is listed in one page."""
        if window.start is None or window.end is None:
            return None
        body = self._fetch(
            "GET",
            f"{self._path}/messages",
            self._settings.units_list,
            params={"maxResults": LIST_SIZE, "q": _between(window.start, window.end)},
        )
        return None if value_at(body, NEXT) else len(msgspec.json.decode(body, type=_Listing).messages or ())

    def messages(self, window: Window, known_ids: Sequence[str]) -> Iterator[Page]:
        """What lies in the window, and what changed since the last reading wherever it lies.

        The history id is taken before anything is listed, so that nothing falls between this window and the next.
        """
        if window.start is None or window.end is None:
            raise ValueError(f"{window.window_id}: a mailbox is read from an instant to an instant")
        cursor = self.profile().historyId
        known = {record_id.partition("/")[2] for record_id in known_ids}
        try:
            changed, gone = self._changes(window.cursor)
        except NotFound:  # a historyId is kept for about a week: what changed since is not told, so all is read again
            changed, gone = set(known), set[str]()
        read: set[str] = set()
        for ids in self._listed(window.start, window.end):
            fresh = [i for i in ids if i not in read and (i not in known or i in changed)]
            read.update(ids)
            records, missing, newest = self._messages.get(fresh, window.start, window.end)
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

    def _listed(self, start: datetime, end: datetime) -> Iterator[list[str]]:
        """Ids of the mailbox's messages, newest first: of the window where the scope allows to ask for it, else of all."""
        params: dict[str, Any] = {"maxResults": LIST_SIZE}
        size = LIST_SIZE
        if self._settings.scope == "readonly":
            params["q"] = _between(start, end)
        else:
            size = self._settings.batch_size  # so that reading stops soon after the window's start

        def fetch(token: str | None) -> bytes:
            after = {"pageToken": token} if token else {}
            return self._fetch("GET", f"{self._path}/messages", self._settings.units_list, params={**params, **after})

        for body in cursor_pages(fetch, NEXT, f"gmail: messages of {self._mailbox}"):
            told = msgspec.json.decode(body, type=_Listing)
            if (
                told.messages is None and told.resultSizeEstimate is None
            ):  # an empty list would mean that all is deleted
                raise FormatChanged(
                    f"gmail: GET {self._path}/messages: neither messages nor resultSizeEstimate in {body[:200]!r}, so it is no "
                    "list of messages, not even an empty one; the window stays due."
                )
            ids = [m.id for m in told.messages or ()]
            for at in range(0, len(ids), size):
                yield ids[at : at + size]

    def _changes(self, cursor: str | None) -> tuple[set[str], set[str]]:
        """Ids of messages added or relabelled since the cursor, and of deleted ones. Raises NotFound when the cursor has expired."""
        changed: set[str] = set()
        gone: set[str] = set()
        if cursor is None:
            return changed, gone

        def fetch(token: str | None) -> bytes:
            params = {"startHistoryId": cursor, "maxResults": LIST_SIZE, **({"pageToken": token} if token else {})}
            return self._fetch("GET", f"{self._path}/history", self._settings.units_history, params=params)

        for body in cursor_pages(fetch, NEXT, f"gmail: history of {self._mailbox}"):
            for entry in msgspec.json.decode(body, type=_HistoryPage).history:
                for touched in (*entry.messagesAdded, *entry.labelsAdded, *entry.labelsRemoved):
                    changed.add(touched.message.id)
                    gone.discard(touched.message.id)
                for touched in entry.messagesDeleted:
                    gone.add(touched.message.id)
                    changed.discard(touched.message.id)
        return changed, gone

    def _record_id(self, message_id: str) -> str:
        return f"{self._mailbox}/{message_id}"

    def _fetch(self, method: str, path: str, units: int, **request: Any) -> bytes:
        return self._gmail.fetch(self._mailbox, method, path, units, self._traffic, **request)


def _between(start: datetime, end: datetime) -> str:
    """A search for what lies between. Epoch seconds: dates would be read as midnight in California."""
    return f"after:{int(start.timestamp()) - 1} before:{int(end.timestamp()) + 1}"


def judge(response: httpx.Response, scope: str) -> Verdict:
    """Google's own answers: quota as 403 with a reason. Source: Gmail API usage limits, error handling."""
    if response.status_code == 403:
        reason = _reason(response)
        if reason in ("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"):
            budget = "user" if reason.startswith("user") else "project"
            return Retry(f"quota: {reason}", after=retry_after(response), everyone=True, budget=budget)
        if reason == "backendError":
            return Retry(reason, after=retry_after(response))
        return Denied(
            f"Delegate exactly {scope} to the service account in the Admin console ({reason or 'forbidden'}).", scope
        )
    verdict = judge_http(response)
    return replace(verdict, budget="user") if isinstance(verdict, Retry) and verdict.everyone else verdict


def _reason(response: httpx.Response) -> str:
    try:
        errors: Any = json.loads(response.content)["error"]["errors"]
        return str(errors[0]["reason"])
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return ""
