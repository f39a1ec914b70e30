"""Gmail: metadata of sent and received mail, one mailbox a rep, through a service account with domain-wide delegation.

Docs: developers.google.com/workspace/gmail/api (discovery revision 20261005). Quota since 2026-05-01: 6,000 units a minute
and user, 1,200,000 a minute and project; messages.get 20, messages.list 5, history.list 2, getProfile 1 (settings, because
older projects have other prices). A batch of n calls costs n calls but is one round trip. Under the scope gmail.metadata
`q` and sendAs are refused; asking for both scopes makes the metadata refusals apply all the same, so exactly one is asked.
Only headers that the metrics need are asked for, one by one; `fields` keeps the snippet from ever being sent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import httpx

from .client import Client
from .gmail_answers import judge
from .gmail_ids import LIST_SIZE
from .gmail_mailbox import Mailbox
from .gmail_quota import MailboxQuota, add_budget, budget_of, project_budgets
from .gmail_settings import GmailSettings
from .key_file import service_account_key
from .limits import shared
from .mail_counts import COUNTS
from .one_account import OneAccount
from .service_account import ServiceAccountAuth
from .stream import (
    Check,
    ConnectorError,
    DateRange,
    Page,
    Price,
    Snapshot,
    Stream,
    System,
    Traffic,
    Window,
)
from .verdict import Verdict

__all__ = ["Gmail", "GmailSettings"]

SCOPES = {name: f"https://www.googleapis.com/auth/gmail.{name}" for name in ("metadata", "readonly")}

MESSAGES = Stream(
    name="mail_message",
    # The listing is cheap and what is known is not read again, so one window may be long.
    reading=DateRange(span=timedelta(days=35)),
    key=("mailbox", "message.id"),
    happened_at="message.internalDate",
    volatile=("message.historyId", "message.sizeEstimate"),
    partitioned=True,
    limited_apart=True,
    feeds="emails sent, replies, bounces and conversations by mail of this mailbox's owner",
)
ACCOUNT = Stream(
    name="mail_account",
    reading=Snapshot(),
    key=("mailbox",),
    partitioned=True,
    limited_apart=True,
    feeds="aliases of this mailbox (known under gmail.readonly only)",
)


class Gmail(OneAccount):
    """The mailboxes of one Google Workspace. mailboxes: whose, when the settings name none."""

    name = "gmail"
    system: System = "mail"
    streams: Sequence[Stream] = (ACCOUNT, MESSAGES, COUNTS)  # COUNTS: by GmailCounts
    links: Mapping[str, str] = {"email": "https://mail.google.com/mail/u/0/#search/rfc822msgid:{id}"}

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
        self._limiter = shared(self.name, f"{settings.base_url} {workspace}", project_budgets(settings))
        for mailbox in self._mailboxes:
            add_budget(self._limiter, mailbox, settings)
        self._client = Client(
            source=self.name,
            base_url=settings.base_url,
            auth=None,
            limiter=self._limiter,
            judge=self._judge,
            network=settings.network,
        )

    def partitions(self, stream: Stream) -> Sequence[str]:
        del stream
        return self._mailboxes

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """The pages of one mailbox's window; see connectors.stream.Connector."""
        box = self._mailbox(window.partition, traffic)
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
            self._mailbox(first, Traffic()).profile()
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
        return self._mailbox(window.partition, Traffic()).count(window)

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
        return Price(requests, {"project": units, **({budget_of(boxes[0]): units} if len(boxes) == 1 else {})})

    @cached_property
    def _account(self) -> ServiceAccountAuth:
        return ServiceAccountAuth(self._key, SCOPES[self._settings.scope], token_url=self._settings.token_url)

    def _mailbox(self, mailbox: str, traffic: Traffic) -> Mailbox:
        settings = self._settings
        if mailbox not in self._auths:
            add_budget(self._limiter, mailbox, settings)
            self._auths[mailbox] = self._account.acting_for(mailbox)
        auth, quota = self._auths[mailbox], MailboxQuota(self._limiter, mailbox)

        def fetch(method: str, path: str, units: int, **request: Any) -> bytes:
            """A call on behalf of the mailbox, charged to it and to the project."""
            return self._client.fetch(method, path, cost=quota.cost(units), traffic=traffic, auth=auth, **request)

        return Mailbox(mailbox, fetch, quota, settings)

    def _judge(self, response: httpx.Response) -> Verdict:
        return judge(response, SCOPES[self._settings.scope])
