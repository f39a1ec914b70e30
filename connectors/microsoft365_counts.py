"""Microsoft 365 mail without its mailboxes: mails sent and received a day, by Graph's usage reports.

Docs: learn.microsoft.com/graph/api/reportroot-getemailactivityuserdetail, /graph/api/resources/adminreportsettings, /graph/throttling-limits.
A day's report is there for 30 days; "Report Refresh Date" names the newest day that is counted. The answer is a 302 to an address that opens
the file without a credential, for minutes: so none is sent there. 14 requests in 10 minutes for an application and tenant. A setting of the
tenant replaces names by hashes: then nothing can be told of anybody.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

import httpx

from .client import Client, NotFound
from .graph import error_code, graph_client
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
from .microsoft365_settings import Microsoft365Settings
from .one_account import OneAccount
from .stream import (
    Check,
    ConnectorError,
    FormatChanged,
    Page,
    PermissionMissing,
    Price,
    Stream,
    System,
    Traffic,
    Window,
)
from .verdict import Denied, Gone, Verdict, judge_http

PERMISSION = "Reports.Read.All"
PATH = "/reports/getEmailActivityUserDetail"
KEPT = 28  # days: Graph says 30, of which the newest two are not counted yet
NAME, DELETED, SENT, RECEIVED, REFRESHED = (
    *("User Principal Name", "Is Deleted", "Send Count", "Receive Count"),
    "Report Refresh Date",
)
ADDRESSES = 3  # of one report that are tried
LAST = "Report Period"  # the last column: without it the file ends within its header
Row = Mapping[str, str]


class Microsoft365Counts(OneAccount):
    """The usage reports of one tenant. mailboxes: of whom anything is kept."""

    name = "microsoft365"
    system: System = "mail_counts"
    streams: Sequence[Stream] = (ACCOUNTS, COUNTS)
    links: Mapping[str, str] = {}

    def __init__(
        self, settings: Microsoft365Settings, *, workspace: str, now: datetime, mailboxes: Sequence[str] = ()
    ) -> None:
        self.workspace = workspace
        self.now = now
        self._mailboxes = sorted({m.lower() for m in settings.mailboxes or mailboxes})
        self._days = min(settings.counts_days, KEPT)
        self._secure = settings.base.startswith("https:")
        budgets = {"reports": Budget(settings.reports_per_10_minutes, 600.0), "files": Budget(1_000, 1.0)}
        self._limiter = shared(self.name, f"reports@{workspace}@{settings.tenant}@{settings.base}", budgets)
        self._client = graph_client(self.name, settings, self._limiter, judge)
        self._files = Client(
            source=self.name,
            base_url=settings.base,
            auth=None,
            limiter=self._limiter,
            judge=judge_file,
            network=settings.network,
        )

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """Accounts, or the days that are due and counted. Raises ConnectorError, PermissionMissing."""
        rows = self._report("period='D30'", traffic)
        if window.stream == ACCOUNTS.name:
            yield Page(records=account_records(_names(rows), self._mailboxes))
            return
        newest = min(max(_refreshed(row) for row in rows), self.now.date() - timedelta(days=1))
        oldest = self.now.date() - timedelta(days=KEPT)
        landed = known.get(COUNTS.name, ())
        for day in days_due(landed, newest, self._days, cursor=window.cursor, asked=self._mailboxes):
            if day >= oldest:
                told = [_counted(row) for row in self._report(f"date={day}", traffic)]
                yield Page(records=[day_record(day, timedelta(), told, self._mailboxes)])
        yield Page(cursor=asked_of(self._mailboxes))

    def check(self) -> Iterator[Check]:
        """The report of the last 30 days."""
        try:
            yield report_check(self.name, _names(self._report("period='D30'", Traffic())), self._mailboxes)
        except ConnectorError as error:
            yield failed_check(self.name, error, f"{PERMISSION} with admin consent")

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:  # noqa: ARG002  what is due is known only then
        """A report a day, and one of all accounts."""
        reports = len(windows) * (1 if windows[0].stream == ACCOUNTS.name else self._days + 1)
        return Price(2 * reports, {"reports": reports})

    def close(self) -> None:
        """Close all connections."""
        super().close()
        self._files.close()

    def _report(self, of: str, traffic: Traffic) -> list[Row]:
        """A report's rows by column. Raises ConnectorError; PermissionMissing where the tenant conceals names."""
        path = f"{PATH}({of})"
        body = self._file(path, traffic)
        rows: list[Row] = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
        if rows and not any("@" in row[NAME] for row in rows):
            raise PermissionMissing(
                "microsoft365: the reports show hashes instead of user names, so nobody's mails can be told. Microsoft 365 admin center > "
                "Settings > Org settings > Services > Reports: switch off concealed user names, then run again.",
                scope="names in reports",
            )
        if not rows and of.startswith("period"):
            raise FormatChanged(f"microsoft365: GET {path}: a report without any account; the window stays due.")
        return rows

    def _file(self, path: str, traffic: Traffic) -> bytes:
        """The file of a report. An address that no longer opens it is asked for anew."""
        for _ in range(ADDRESSES):
            address = self._address(path, traffic)
            try:
                return self._files.fetch("GET", address, cost={"files": 1}, traffic=traffic, wrong=_not_a_report)
            except NotFound:
                traffic.retries += 1
            except ConnectorError as error:  # whoever has the address has the file, for minutes
                raise type(error)(str(error).replace(urlsplit(address).path, "/…")) from None
        raise ConnectorError(
            f"microsoft365: GET {path}: leads to an address that opens no file, {ADDRESSES} times. "
            "The window stays due and is read by the next run."
        )

    def _address(self, path: str, traffic: Traffic) -> str:
        found: list[str] = []
        self._client.fetch("GET", path, cost={"reports": 1}, traffic=traffic, moved=found.append)
        if not found:
            raise FormatChanged(f"microsoft365: GET {path}: an answer that leads to no file; the window stays due.")
        if self._secure and urlsplit(found[0]).scheme != "https":
            raise FormatChanged(f"microsoft365: GET {path}: leads to an address without TLS; it was not followed.")
        return found[0]


def _names(rows: Sequence[Row]) -> list[str]:
    return [row[NAME] for row in rows if row.get(DELETED, "").lower() != "true"]


def _counted(row: Row) -> Counted:
    """Raises FormatChanged for numbers that are none."""
    try:
        return Counted(row[NAME].lower(), int(row[SENT] or 0), int(row[RECEIVED] or 0))
    except ValueError as error:
        raise FormatChanged(f"microsoft365: {PATH}: {SENT} or {RECEIVED}: {error}; the window stays due.") from None


def _refreshed(row: Row) -> date:
    try:
        return date.fromisoformat(row[REFRESHED])
    except ValueError as error:
        raise FormatChanged(f"microsoft365: {PATH}: {REFRESHED}: {error}; the window stays due.") from None


def _not_a_report(response: httpx.Response) -> str:
    """Why the body is no report, "" if it is one: another page, columns that are not known, or cut off in the middle of a line."""
    try:
        header, *lines = csv.reader(io.StringIO(response.content.decode("utf-8-sig")))
    except UnicodeDecodeError:
        return "no UTF-8"
    except ValueError:
        return "an empty report"
    if missing := [column for column in (NAME, SENT, RECEIVED, REFRESHED, LAST) if column not in header]:
        return f"no report: it lacks {', '.join(missing)}"
    short = [line for line in lines if len(line) != len(header)]
    return f"cut off: {len(short[0])} values under {len(header)} columns" if short else ""


def judge_file(response: httpx.Response) -> Verdict:
    """An address that has had its minutes is refused, in whichever words: it says nothing about anybody's permission."""
    return Gone() if response.status_code in (401, 403) else judge_http(response)


def judge(response: httpx.Response) -> Verdict:
    """Graph's own answers about reports."""
    if response.status_code == 403:
        told = f"Grant the app registration {PERMISSION} (application permission) with admin consent"
        return Denied(f"{told} ({error_code(response) or 'forbidden'}).", PERMISSION)
    return judge_http(response)
