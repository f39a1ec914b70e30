"""LinkedIn Sales Navigator by the usage export that any of its administrators can download: CSV files in a folder.

LinkedIn takes no new partners for the API (learn.microsoft.com/linkedin/sales), so this is the open way: sales_navigator_files.py. Who is a
partner can have the same records from its export jobs instead, UNVERIFIED: sales_navigator_jobs.py.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from .limits import Budget, Limiter, shared
from .sales_navigator_actions import ACTIONS, DAYS, Told
from .sales_navigator_answers import SCOPE
from .sales_navigator_files import ExportFiles
from .sales_navigator_jobs import ExportJobs
from .sales_navigator_settings import SalesNavigatorSettings
from .stream import Check, ConnectorError, Page, Price, Stream, System, Traffic, Window

__all__ = ["SalesNavigator", "SalesNavigatorSettings"]

BY_JOBS = tuple(replace(stream, scopes=(SCOPE,), optional=True) for stream in (ACTIONS, DAYS))
UNVERIFIED = "export jobs are unverified: never tried against LinkedIn, built from its documentation"


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
        self._files = ExportFiles(settings, now)
        self._jobs: ExportJobs | None = None  # in place of the folder
        self._exported: Told | None = None  # by the jobs of this run, for both streams
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
        told = self._by_jobs(self._jobs, traffic) if self._jobs else self._files.told()
        if window.stream == DAYS.name:
            yield told.days_page()
        else:  # a job tells all that there is of a day
            yield told.actions_page(known.get(ACTIONS.name, ()), is_everything=self._jobs is not None)

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
            told = self._files.told()
            last = f"the last whole day is {max(told.days)}" if told.days else "no whole day yet"
            yield Check(
                self.name, ACTIONS.name, True, f"{len(self._files.listed())} files in {self._settings.folder}, {last}"
            )
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

    def _by_jobs(self, jobs: ExportJobs, traffic: Traffic) -> Told:
        with self._lock:
            if self._exported is None:
                today = self.now.astimezone(UTC).date()
                found = jobs.activities(today - timedelta(days=self._settings.days), today - timedelta(days=1), traffic)
                told = Told(days=found.days - found.unsure, rejected=found.rejected)
                for email, action, at in sorted(found.done, key=lambda one: one[2]):
                    told.add(at.date(), email, "export job", [{"action": action, "at": at.isoformat()}])
                self._exported = told
            return self._exported
