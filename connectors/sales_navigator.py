"""LinkedIn Sales Navigator by the usage export that any of its administrators can download: CSV files in a folder.

LinkedIn takes no new partners for the API (learn.microsoft.com/linkedin/sales), so this is the open way. Who is a partner can have the
same records from its export jobs instead, UNVERIFIED: sales_navigator_jobs.py. Column names of the
export are not published: the settings say what each column is, and a header that they do not know is refused, not guessed.
A day is told whole by a file when it is over and the file was written after it. A sum over several days cannot be dated and is refused.
Where two files tell of the same person and day, the one whose name sorts last counts. A file that is taken away leaves what was read.
"""

from __future__ import annotations

import csv
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec
from pydantic import Field, SecretStr, model_validator

from .limits import Budget, Limiter, shared
from .network import SourceSettings
from .sales_navigator_jobs import SCOPE, ExportJobs
from .stream import Check, ConnectorError, Page, Price, Snapshot, Stream, System, Traffic, Window

Role = Literal["email", "day", "time", "action", "count", "ignore"]
DATE = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")
Rejected = tuple[str, str]


class FileRefused(ConnectorError):
    """A file of the folder is not what the settings say. Names file and column, and what to do."""

    page = "input-files"


class SalesNavigatorSettings(SourceSettings):
    """Section [sales_navigator]: a folder, and what the columns of its files are; or a contract and a token for its export jobs."""

    folder: Path | None = Field(None, description="Where the administrator's exports lie, *.csv.")
    columns: Annotated[dict[str, Role], Field(min_length=1)] = Field(
        {},
        description="What each column is: email, day, time, action (what was done), count (how often that was done), ignore.",
    )
    delimiter: str = Field(",", description="What parts the columns.", min_length=1, max_length=1)
    day_format: str = Field("%Y-%m-%d", description="How days are written.")
    time_format: str = Field("%m-%d-%Y %H:%M:%S", description="How instants are written, UTC.")
    contract: str | None = Field(
        None,
        description="In place of a folder, for partners of LinkedIn: the contract whose export jobs are read. Unverified, never tried;",
        pattern=r"^urn:li:contract:\d+$",
    )
    access_token: SecretStr | None = Field(
        None, description="the OAuth token of a member with a reporting role (r_sales_nav_analytics)."
    )
    seat_columns: tuple[str, str] = Field(
        ("seatId", "email"), description="In the export of seats, unverified: the columns of a seat's id and address."
    )
    days: int = Field(35, ge=1, le=90, description="Export jobs: how many days are read, up to yesterday (UTC).")
    poll_seconds: float = Field(5.0, gt=0, le=60, description="Export jobs: wait before a job is looked at again.")
    base_url: str = Field("https://api.linkedin.com/v2", description="Where the API is.", pattern=r"^https?://")
    requests_per_minute: int = Field(60, ge=1, description="Requests a minute; LinkedIn tells no limit.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        folder, jobs = (self.folder, self.columns or None), (self.contract, self.access_token)
        whole = [all(one is not None for one in part) for part in (folder, jobs)]
        if whole not in ([True, False], [False, True]) or whole != [
            any(o is not None for o in p) for p in (folder, jobs)
        ]:
            raise ValueError("give folder and columns, or contract and access_token")
        if self.contract:
            return self
        roles = list(self.columns.values())
        for role in ("email", "day", "time", "action"):
            if roles.count(role) > 1:
                raise ValueError(f"columns: more than one is called {role}")
        if "email" not in roles:
            raise ValueError("columns: none is called email, so nobody would be known")
        if ("action" in roles) == ("count" in roles):
            raise ValueError(
                "columns: give one called action (a row an action), or some called count (how often), not both"
            )
        return self


ACTIONS = Stream("tool_action", Snapshot(), key=("key",), happened_at="at", feeds="use of LinkedIn Sales Navigator")
DAYS = Stream("tool_day", Snapshot(), key=("day",), happened_at="day", feeds="on which days nobody used it")
BY_JOBS = tuple(replace(stream, scopes=(SCOPE,), optional=True) for stream in (ACTIONS, DAYS))
UNVERIFIED = "export jobs are unverified: never tried against LinkedIn, built from its documentation"


@dataclass(slots=True)
class _Told:
    """What files tell: records by person and day, with the file that tells them; days told whole; rows that cannot be read."""

    rows: dict[tuple[date, str], tuple[str, list[dict[str, object]]]] = field(default_factory=dict)
    days: set[date] = field(default_factory=set)
    rejected: list[Rejected] = field(default_factory=list)

    def add(self, day: date, email: str, file: str, records: Sequence[dict[str, object]]) -> None:
        known = self.rows.get((day, email))
        if known is None or known[0] != file:
            known = self.rows[day, email] = (file, [])
        known[1].extend(records)


class SalesNavigator:
    """The exports in one folder. now: the run's instant; days that are not over by then are left for later."""

    name = "sales_navigator"
    system: System = "tools"
    streams: Sequence[Stream] = (ACTIONS, DAYS)
    links: Mapping[str, str] = {}

    def __init__(
        self,
        settings: SalesNavigatorSettings,
        *,
        workspace: str,
        now: datetime,
        mailboxes: Sequence[str] = (),  # noqa: ARG002  every connector is constructed alike
    ) -> None:
        self.workspace = workspace
        self.now = now
        self._settings = settings
        self._jobs: ExportJobs | None = None
        self._exported: _Told | None = None  # by the jobs of this run, for both streams
        self._lock = threading.Lock()
        if settings.contract is None or settings.access_token is None:
            self._limiter = shared(self.name, str(settings.folder), {"files": Budget(1_000_000, 1.0)})
            return
        self.streams = BY_JOBS
        budgets = {"requests": Budget(settings.requests_per_minute, 60.0)}
        self._limiter = shared(self.name, f"{settings.contract}@{settings.base_url}", budgets)
        self._jobs = ExportJobs(
            base_url=settings.base_url,
            contract=settings.contract,
            access_token=settings.access_token.get_secret_value(),
            poll_seconds=settings.poll_seconds,
            seat_columns=settings.seat_columns,
            limiter=self._limiter,
            network=settings.network,
        )

    @property
    def limiter(self) -> Limiter:
        return self._limiter

    def partitions(self, stream: Stream) -> Sequence[str]:  # noqa: ARG002  none is partitioned
        return ("",)

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """All files of the folder, or the last days by export jobs.

        Raises FileRefused with everything that is wrong with files; of jobs ConnectorError, PermissionMissing.
        """
        told = self._by_jobs(self._jobs, traffic) if self._jobs else self._told()
        if window.stream == DAYS.name:
            yield Page([msgspec.json.encode({"day": f"{day}T00:00:00Z"}) for day in sorted(told.days)])
            return
        records: list[bytes] = []
        keys: set[str] = set()
        for (day, email), (_, found) in sorted(told.rows.items()):
            met: dict[str, int] = {}
            for one in found:
                name = f"{day}/{email}/{one['action']}"
                met[name] = met.get(name, 0) + 1
                key = name if "count" in one else f"{name}#{met[name]}"
                keys.add(key)
                records.append(msgspec.json.encode({"key": key, "day": str(day), "email": email, "count": 1, **one}))
        again = {f"{day}/{email}" for day, email in told.rows}
        over = {str(day) for day in told.days} if self._jobs else set[str]()  # a job tells all that there is of a day
        gone = [
            i
            for i in known.get(ACTIONS.name, ())
            if i not in keys and (i.split("/")[0] in over or "/".join(i.split("/")[:2]) in again)
        ]
        yield Page(records, gone=gone, rejected=told.rejected)

    def check(self) -> Iterator[Check]:
        """Are there files, and can they be read? Or: may the contract be exported?"""
        if self._jobs:
            try:
                yield Check(self.name, ACTIONS.name, True, f"{self._jobs.check(Traffic())}; {UNVERIFIED}")
            except ConnectorError as error:
                told = "Correct contract and access_token, or use a folder of exports."
                yield Check(self.name, ACTIONS.name, False, f"{error} ({UNVERIFIED})", told)
            return
        try:
            told = self._told()
            last = f"the last whole day is {max(told.days)}" if told.days else "no whole day yet"
            yield Check(self.name, ACTIONS.name, True, f"{len(self._files())} files in {self._settings.folder}, {last}")
        except ConnectorError as error:
            yield Check(self.name, ACTIONS.name, False, str(error), "Correct the file or [sales_navigator.columns].")

    def count(self, window: Window) -> int | None:  # noqa: ARG002  nobody counts them
        return None

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:  # noqa: ARG002  files cost nothing
        """Two jobs for both streams: each is made, looked at some times, and its file loaded."""
        requests = 12 if self._jobs and any(w.stream == ACTIONS.name for w in windows) else 0
        return Price(requests, {"requests": requests} if requests else {})

    def close(self) -> None:
        """Close all connections."""
        if self._jobs:
            self._jobs.close()

    def _by_jobs(self, jobs: ExportJobs, traffic: Traffic) -> _Told:
        with self._lock:
            if self._exported is None:
                today = self.now.astimezone(UTC).date()
                found = jobs.activities(today - timedelta(days=self._settings.days), today - timedelta(days=1), traffic)
                told = _Told(days=found.days - found.unsure, rejected=found.rejected)
                for email, action, at in sorted(found.done, key=lambda one: one[2]):
                    told.add(at.date(), email, "export job", [{"action": action, "at": at.isoformat()}])
                self._exported = told
            return self._exported

    def _files(self) -> list[Path]:
        folder = self._settings.folder
        if folder is None or not folder.is_dir():
            raise FileRefused(f"sales_navigator.folder: there is no folder {folder}. Make it, or correct the settings.")
        return sorted(p for p in folder.iterdir() if p.suffix.lower() == ".csv" and p.is_file())

    def _told(self) -> _Told:
        told = _Told()
        faults: list[str] = []
        for file in self._files():
            try:
                self._read_file(file, told)
            except FileRefused as error:
                faults.append(str(error))
            except (OSError, UnicodeDecodeError, csv.Error) as error:
                faults.append(
                    f"{file}: cannot be read as a CSV file in UTF-8 ({type(error).__name__}); export it again"
                )
        if faults:
            raise FileRefused("; ".join(faults))
        return told

    def _read_file(self, file: Path, told: _Told) -> None:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            lines = csv.reader(opened, delimiter=self._settings.delimiter, strict=True)
            roles = self._roles(file, next(lines, []))
            named = [date.fromisoformat(text) for text in DATE.findall(file.stem)]
            first, last = (min(named), max(named)) if named else (None, None)
            if not {"day", "time"} & {role for _, role in roles} and (first is None or first != last):
                raise FileRefused(
                    f"{file}: no column says which day a row is of, and the file's name does not name one day (YYYY-MM-DD). A sum of several "
                    "days cannot be told apart: export one day at a time, and name the file after it"
                )
            days = (
                {first + timedelta(days=n) for n in range((last - first).days + 1)} if first and last else set[date]()
            )
            rejected = len(told.rejected)
            for cells in lines:
                if any(cell.strip() for cell in cells):
                    found = self._row(file, lines.line_num, roles, cells, first, told)
                    days |= {found} if found else set()
            # Who wrote it may have done so before the day was over; and of a row that cannot be read nobody knows the day.
            written = datetime.fromtimestamp(file.stat().st_mtime, UTC).date()
            if len(told.rejected) == rejected:
                told.days |= {day for day in days if day < min(self.now.astimezone(UTC).date(), written)}

    def _roles(self, file: Path, header: Sequence[str]) -> list[tuple[str, Role]]:
        """What each column of the file is. Raises FileRefused for one that nobody has told, and for one that is not there."""
        told: Mapping[str, Role] = self._settings.columns
        known: dict[str, tuple[str, Role]] = {n.strip().lower(): (n.strip(), role) for n, role in told.items()}
        found = [name.strip() for name in header]
        if strange := [name for name in found if name.lower() not in known]:
            near = get_close_matches(strange[0].lower(), list(known), n=1)
            hint = f" (near: {known[near[0]][0]!r})" if near else ""
            raise FileRefused(
                f"{file}: the columns {strange} are not in [sales_navigator.columns]{hint}; say there what each is: email, day, time, action, "
                'count, or "ignore"'
            )
        if missing := [
            name for low, (name, role) in known.items() if role != "ignore" and low not in map(str.lower, found)
        ]:
            raise FileRefused(
                f"{file}: the columns {missing} of [sales_navigator.columns] are not in it; its header is {found}"
            )
        if len(set(map(str.lower, found))) < len(found):
            raise FileRefused(f"{file}: a column stands in its header twice: {found}")
        return [known[name.lower()] for name in found]

    def _row(
        self,
        file: Path,
        number: int,
        roles: Sequence[tuple[str, Role]],
        cells: Sequence[str],
        only: date | None,
        told: _Told,
    ) -> date | None:
        """Add a row; the day that it is of, None for one that cannot be read: it goes to quarantine."""
        try:
            day, email, records = self._parsed(roles, cells, only)
        except ValueError as error:
            told.rejected.append((f"{file.name}, line {number}: {error}", self._settings.delimiter.join(cells)))
            return None
        if day < self.now.astimezone(UTC).date():
            told.add(day, email, file.name, records)
        return day

    def _parsed(
        self, roles: Sequence[tuple[str, Role]], cells: Sequence[str], only: date | None
    ) -> tuple[date, str, list[dict[str, object]]]:
        """Day, person and what was done. only: the day of a file without a column for it. Raises ValueError."""
        if len(cells) != len(roles):
            raise ValueError(f"{len(cells)} cells under {len(roles)} columns")
        by_role = {role: cell.strip() for (_, role), cell in zip(roles, cells, strict=True)}
        email, day, when = by_role["email"].lower(), only, {}
        if "@" not in email:
            raise ValueError("no address of a person")
        if "time" in by_role:
            at = datetime.strptime(by_role["time"], self._settings.time_format).replace(tzinfo=UTC)
            day, when = at.date(), {"at": at.isoformat()}
        if "day" in by_role:
            day = datetime.strptime(by_role["day"], self._settings.day_format).date()  # noqa: DTZ007  a calendar date
        if day is None:
            raise ValueError("no day")
        if "action" in by_role:
            return day, email, [{"action": by_role["action"], **when}]
        records: list[dict[str, object]] = []
        for (name, role), cell in zip(roles, cells, strict=True):
            count = int(cell.strip().replace(",", "") or 0) if role == "count" else 0
            if count < 0:
                raise ValueError(f"{name} is below zero")
            if count:
                records.append({"action": name, "count": count, **when})
        return day, email, records
