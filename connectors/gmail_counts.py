"""Gmail without its mailboxes: mails sent and received a day, by the usage reports of Google's Admin SDK.

Docs: developers.google.com/workspace/admin/reports/v1 (discovery admin.reports_v1 20260929; guides/manage-usage-users; appendix users-gmail).
`date` is a day of UTC-8. Reports come days late: a day that is not there yet is a 400 ("not yet available") or a warning, and stays due. int64
are texts. Kept for 450 days. The subject must be an administrator with the Reports privilege.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import httpx
import msgspec

from .client import Client, NotFound
from .gmail_answers import judge as judge_google
from .gmail_settings import GmailSettings
from .key_file import service_account_key
from .limits import Budget, shared
from .mail_counts import (
    ACCOUNTS,
    COUNTS,
    Counted,
    account_records,
    asked_of,
    day_record,
    days_due,
    failed_check,
    report_check,
)
from .one_account import OneAccount
from .paging import cursor_pages, value_at
from .service_account import ServiceAccountAuth
from .shape import decode, excerpt
from .stream import Check, ConnectorError, FormatChanged, Page, Price, Stream, System, Traffic, Window
from .verdict import Gone, Retry, Verdict

SCOPE = "https://www.googleapis.com/auth/admin.reports.usage.readonly"
SENT, RECEIVED = "gmail:num_emails_sent", "gmail:num_emails_received"
PACIFIC = timedelta(hours=-8)  # all year: the report's days know no summer time
KEPT = 450  # days
KIND = "admin#reports#usageReports"
LATE = 10  # days within which some report must be there


class _Entity(msgspec.Struct):
    userEmail: str


class _Parameter(msgspec.Struct):
    name: str
    intValue: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,18}$")] = "0"


class _Usage(msgspec.Struct):
    entity: _Entity
    parameters: list[_Parameter] = []

    def counted(self) -> Counted:
        told = {p.name: int(p.intValue) for p in self.parameters}
        return Counted(self.entity.userEmail.lower(), told.get(SENT, 0), told.get(RECEIVED, 0))


class _Report(msgspec.Struct):
    usageReports: list[_Usage] = []
    warnings: list[Any] = []


class GmailCounts(OneAccount):
    """The usage reports of one Google Workspace. mailboxes: of whom anything is kept."""

    name = "gmail"
    system: System = "mail_counts"
    streams: Sequence[Stream] = (ACCOUNTS, COUNTS)
    links: Mapping[str, str] = {}

    def __init__(
        self, settings: GmailSettings, *, workspace: str, now: datetime, mailboxes: Sequence[str] = ()
    ) -> None:
        self.workspace = workspace
        self.now = now
        self._mailboxes = sorted({m.lower() for m in settings.mailboxes or mailboxes})
        self._days = min(settings.counts_days, KEPT)
        budgets = {"queries": Budget(settings.counts_queries_per_minute, 60.0, settings.reserve)}
        self._limiter = shared(self.name, f"{workspace}@{settings.admin_base_url}", budgets)
        key = service_account_key(settings.service_account_file, "gmail.service_account_file")
        self._client = Client(
            source=self.name,
            base_url=settings.admin_base_url,
            auth=ServiceAccountAuth(key, SCOPE, settings.administrator, settings.token_url),
            limiter=self._limiter,
            judge=judge,
            network=settings.network,
            first_wait=4.0,  # the limit's window is a minute
        )

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """Accounts, or the days that are due. Raises ConnectorError, PermissionMissing."""
        if window.stream == ACCOUNTS.name:
            yield Page(records=account_records([c.mailbox for c in self._newest_report(traffic)], self._mailboxes))
            return
        landed = known.get(COUNTS.name, ())
        for day in days_due(landed, self._newest, self._days, cursor=window.cursor, asked=self._mailboxes):
            counted = self._report(day, traffic)
            if counted is not None:
                yield Page(records=[day_record(day, PACIFIC, counted, self._mailboxes)])
        yield Page(cursor=asked_of(self._mailboxes))

    def check(self) -> Iterator[Check]:
        """The newest report."""
        try:
            yield report_check(self.name, [c.mailbox for c in self._newest_report(Traffic())], self._mailboxes)
        except ConnectorError as error:
            yield failed_check(self.name, error, f"{SCOPE} and the Reports privilege to gmail.administrator")

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:  # noqa: ARG002  what is due is known only then
        """A query a day and thousand users."""
        queries = len(windows) * (1 if windows[0].stream == ACCOUNTS.name else self._days)
        return Price(queries, {"queries": queries})

    @property
    def _newest(self) -> date:
        """The last day that is over."""
        return (self.now + PACIFIC).date() - timedelta(days=1)

    def _newest_report(self, traffic: Traffic) -> list[Counted]:
        for late in range(LATE):
            if (found := self._report(self._newest - timedelta(days=late), traffic)) is not None:
                return found
        raise ConnectorError(
            f"gmail: no usage report of the last {LATE} days is there. Look at Reporting in the Admin console; nothing was landed."
        )

    def _report(self, day: date, traffic: Traffic) -> list[Counted] | None:
        """Counts of everybody on a day; None of a day that Google has not, or not wholly, counted yet."""
        path = f"/admin/reports/v1/usage/users/all/dates/{day}"
        asked = {"parameters": f"{SENT},{RECEIVED}", "maxResults": 1000}

        def fetch(token: str | None) -> bytes:
            params = {**asked, **({"pageToken": token} if token else {})}
            body = self._client.fetch("GET", path, params=params, cost={"queries": 1}, traffic=traffic)
            if value_at(body, "kind") != KIND:
                raise FormatChanged(f"gmail: GET {path}: no {KIND} in {excerpt(body)}; the window stays due.")
            return body

        found: list[Counted] = []
        try:
            for body in cursor_pages(fetch, "nextPageToken", f"gmail: usage report of {day}"):
                told = decode(body, _Report, f"gmail: GET {path}")
                if told.warnings:  # "not available", or in part
                    return None
                found += [usage.counted() for usage in told.usageReports]
        except NotFound:
            return None
        return found or None  # a report without anybody is none


def judge(response: httpx.Response) -> Verdict:
    """Google's own answers; a day that is not counted yet is nothing there."""
    if response.status_code == 400 and b"not yet available" in response.content:
        return Gone("not counted yet")
    verdict = judge_google(response, SCOPE)
    return replace(verdict, budget="") if isinstance(verdict, Retry) else verdict
