"""Sales Navigator's export jobs: what seat holders did, as a file that LinkedIn makes on request. UNVERIFIED: never tried against LinkedIn.

Built from learn.microsoft.com/linkedin/sales: analytics-services/exporting-user-activity, exports-schema, and
api-reference/r_sales_nav_analytics/sales-analytics-export-jobs. POST makes a job (ENQUEUED), GET tells its state until it is COMPLETED
with a downloadUrl, or FAILED_DUE_TO_...; times are epoch milliseconds. The address carries its own right and leads to another host, so
the download has a client without a credential. Activities name a seat (seatId), the export of seats says whose it is; which of its
columns hold that is not known here, so the settings say it. LinkedIn tells no rate limits.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote, urlsplit

import httpx

from .auth import BearerAuth
from .client import Client
from .limits import Limiter
from .network import Network
from .paging import value_at
from .sales_navigator_answers import DUE, judge, judge_download
from .stream import ConnectorError, FormatChanged, Traffic

PATH = "/salesAnalyticsExportJobs"
HEADERS = {"X-RestLi-Protocol-Version": "2.0.0"}
TIME = "%m-%d-%Y %H:%M:%S"  # createdAt, UTC
LONGEST = 3600.0  # seconds that a job may take
SLOWEST = 60.0  # seconds between two looks at a job, at most
ACTIVITY = ("seatId", "activityType", "createdAt")


@dataclass(slots=True)
class Activities:
    """What was done in [first, last], whole UTC days. done: (address, activity's type, instant). unsure: days of which a row is missing."""

    done: list[tuple[str, str, datetime]] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    unsure: set[date] = field(default_factory=set)
    rejected: list[tuple[str, str]] = field(default_factory=list)


class ExportJobs:
    """The export jobs of one contract. poll_seconds: before the second look at a job; each further wait is twice as long.

    seat_columns: the columns of the seats' export that hold a seat's id and its holder's address.
    """

    def __init__(
        self,
        *,
        base_url: str,
        contract: str,
        access_token: str,
        poll_seconds: float,
        seat_columns: tuple[str, str],
        limiter: Limiter,
        network: Network,
    ) -> None:
        self._contract = contract
        self._poll = poll_seconds
        self._seat_columns = seat_columns
        self._plain = base_url.startswith("http://")
        auth, source = BearerAuth(access_token), "sales_navigator"
        self._api = Client(
            source=source, base_url=base_url, auth=auth, limiter=limiter, judge=judge, network=network, first_wait=2.0
        )
        self._files = Client(
            source=source, base_url="", auth=None, limiter=limiter, judge=judge_download, network=network
        )

    def activities(self, first: date, last: date, traffic: Traffic) -> Activities:
        """What was done from the first day to the last, both whole. Raises PermissionMissing, ConnectorError."""
        seats = self._seats(first, last, traffic)
        days = {first + timedelta(days=n) for n in range((last - first).days + 1)}
        told = Activities(days=days)
        for number, row in enumerate(self._export("exportActivityData", first, last, ACTIVITY, traffic), 2):
            try:
                at = datetime.strptime(row["createdAt"].strip(), TIME).replace(tzinfo=UTC)
            except ValueError as error:
                told.unsure |= days
                told.rejected.append((f"activity export, line {number}: {error}", _put_aside(row)))
                continue
            if at.date() not in days:  # LinkedIn calls its ranges closed: midnight of the day after is in them
                continue
            if email := seats.get(row["seatId"].strip()):
                told.done.append((email, row["activityType"].strip(), at))
            else:
                told.unsure.add(at.date())
                reason = f"activity export, line {number}: seat {row['seatId']} is nobody's in the export of seats"
                told.rejected.append((reason, _put_aside(row)))
        return told

    def check(self, traffic: Traffic) -> str:
        """Whether the member may export this contract, in words. Raises PermissionMissing, ConnectorError."""
        body = self._api.fetch(
            "GET", "/salesContracts", params={"q": "contractsByMember"}, headers=HEADERS, traffic=traffic
        )
        contracts = value_at(body, "elements")
        if not isinstance(contracts, list):
            raise FormatChanged("sales_navigator: GET /salesContracts: no elements in the answer.")
        for one in contracts:  # pyright: ignore[reportUnknownVariableType]
            if isinstance(one, dict) and one.get("contract") == self._contract:  # pyright: ignore[reportUnknownMemberType]
                if one.get("hasReportingAccess") is True:  # pyright: ignore[reportUnknownMemberType]
                    return f"{self._contract} may be exported"
                raise ConnectorError(f"sales_navigator: no reporting or administrator role on {self._contract}.")
        raise ConnectorError(f"sales_navigator: {self._contract} is none of this member's contracts.")

    def close(self) -> None:
        """Close all connections."""
        self._api.close()
        self._files.close()

    def _seats(self, first: date, last: date, traffic: Traffic) -> Mapping[str, str]:
        seat, email = self._seat_columns
        rows = self._export("exportSeatData", first, last, self._seat_columns, traffic)
        return {row[seat].strip(): row[email].strip().lower() for row in rows if "@" in row[email]}

    def _export(
        self, action: str, first: date, last: date, columns: Sequence[str], traffic: Traffic
    ) -> list[dict[str, str]]:
        """The rows of one export. Raises FormatChanged where it lacks a column."""
        start, end = (_millis(day) for day in (first, last + timedelta(days=1)))
        asked = {"contract": self._contract, "startAt": start, "endAt": end}
        body = self._api.fetch("POST", PATH, params={"action": action}, json=asked, headers=HEADERS, traffic=traffic)
        job = value_at(body, "value.id")
        if not isinstance(job, int):
            raise FormatChanged(f"sales_navigator: {action} made a job without an id ({job!r}).")
        url, count = self._done(action, job, traffic)

        def wrong(response: httpx.Response) -> str:
            return _no_export(response.content, count)

        text = self._files.fetch("GET", url, headers={"Accept": "text/csv"}, traffic=traffic, wrong=wrong)
        header, *rows = _rows(text)
        if missing := [name for name in columns if name not in header]:
            raise FormatChanged(
                f"sales_navigator: {action}: the columns {missing} are not in the export; its header is {header}. "
                "For those of seats, see seat_columns in [sales_navigator]."
            )
        return [dict(zip(header, row, strict=True)) for row in rows]

    def _done(self, action: str, job: int, traffic: Traffic) -> tuple[str, int | None]:
        """Wait for the job; where its file is, and how many rows it has."""
        what = f"sales_navigator: {action}, job {job}"
        waited, pause = 0.0, self._poll
        path = f"{PATH}/{job}?contract={quote(self._contract, safe='')}"
        while True:
            body = self._api.fetch("GET", path, headers=HEADERS, traffic=traffic)
            status = value_at(body, "status")
            if status == "COMPLETED":
                return self._address(what, body)
            if status == "FAILED_DUE_TO_DATA_DELAY":
                raise ConnectorError(f"{what}: {status}: LinkedIn does not have all data of these days yet. {DUE}")
            if status == "FAILED_DUE_TO_EXCEEDED_FILE_SIZE_ERROR":
                raise ConnectorError(f"{what}: {status}: the file would be too large. Lower days in [sales_navigator].")
            if status not in ("ENQUEUED", "PROCESSING"):
                raise ConnectorError(f"{what}: {str(status)[:100]}: LinkedIn did not make the file. {DUE}")
            if waited >= LONGEST:
                raise ConnectorError(f"{what}: still {status} after {waited / 60:.0f} minutes. {DUE}")
            time.sleep(pause)
            waited, pause = waited + pause, min(2 * pause, SLOWEST)

    def _address(self, what: str, body: bytes) -> tuple[str, int | None]:
        url, count, expires = (value_at(body, name) for name in ("downloadUrl", "rowCount", "expireAt"))
        told = urlsplit(url) if isinstance(url, str) else None
        if told is None or not told.hostname or told.scheme not in (("http", "https") if self._plain else ("https",)):
            raise FormatChanged(f"{what}: COMPLETED, but without an address to load its file from over TLS.")
        if isinstance(expires, int) and expires < time.time() * 1000:
            raise ConnectorError(f"{what}: its file has expired already. {DUE}")
        return str(url), count if isinstance(count, int) else None


def _put_aside(row: Mapping[str, str]) -> str:
    """Of a row that is put aside, what was read of it: other columns tell whom it was about."""
    return ",".join(row[name] for name in ACTIVITY)


def _millis(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _rows(text: bytes) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text.decode("utf-8-sig"), newline=""), strict=True) if any(row)] or [
        []
    ]


def _no_export(text: bytes, count: int | None) -> str:
    """Why a body cannot be the export, "" if it can: whole by the rows that the job told."""
    try:
        header, *rows = _rows(text)
    except (UnicodeDecodeError, csv.Error) as error:
        return f"no CSV: {type(error).__name__}"
    if any(len(row) != len(header) for row in rows):
        return "rows of another width than the header"
    return "" if count is None or count == len(rows) else f"{len(rows)} rows where {count} are announced"
