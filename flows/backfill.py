"""A backfill: the same steps over a stretch of the past, cut into windows, newest first.

Run again with the same arguments after it was cut off or a window failed, it reads only what is still missing. While it is at
work, a nightly run goes first, and the days that are whole by then are published at intervals: docs/decisions/0007-backfill.md.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile
from time import monotonic

from prefect import flow

from connectors.stream import Window, account_of
from flows import turns
from flows.progress import watcher
from flows.report import Finding, RunReport
from flows.run import Run, start_run
from flows.settings_of_run import settings_of_run
from flows.steps import Read, build, check, extract_and_land, land_leftovers, publish_file, reported
from flows.windows import first_instant, last_instant, plan_backfill, whole_from
from transforms import state


class UnknownScopeError(ValueError):
    """A backfill was asked for days, a source or a stream that there are not."""

    page = "arguments"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a backfill is asked for: days from first to last, both included; None: every source, every stream.

    source: a vendor, "hubspot", with all its accounts, or one of them as settings call it, "hubspot/us".
    """

    first: date
    last: date
    source: str | None = None
    stream: str | None = None

    @property
    def told(self) -> dict[str, str]:
        """As meta.run keeps it."""
        return {name: str(value) for name, value in asdict(self).items() if value is not None}

    def holds(self, window: Window) -> bool:
        return self.is_of(window.source, window.workspace) and self.stream in (None, window.stream)

    def is_of(self, source: str, workspace: str) -> bool:
        return self.source in (None, source, account_of(source, workspace))


@flow(name="backfill")
def backfill(
    start: date, end: date, source: str | None = None, stream: str | None = None, now: datetime | None = None
) -> RunReport:
    """Read the days from start to end, both included, newest first, then rebuild, check and publish.

    source, stream: only this one. now: the run's clock. Raises as nightly does, and UnknownScopeError.
    """
    scope = Scope(start, end, source, stream)
    with start_run("backfill", settings_of_run(), day=end, now=now, scope=scope.told) as run, reported(run):
        fill(run, scope)
    return run.report


def fill(run: Run, scope: Scope, read: Read | None = None) -> None:
    """The steps of a backfill. read: who reads windows side by side, what the settings say if not given. Raises UnknownScopeError."""
    check_scope(run, scope)
    land_leftovers(run)
    until = last_instant(scope.last, run.now)  # what is later is the nightly run's, however long this takes
    interim = Interim(run, scope)
    left = list(due(run, scope, until))
    while left := extract_and_land(run, left, read, lambda: turns.is_asked_for(run.settings.data_dir), interim):
        left = _let_the_night_go_first(run, scope, until, left)
        interim.begin_anew()
    interim.publish(scope.first)


def due(run: Run, scope: Scope, until: datetime) -> Iterator[Window]:
    """The windows of the backfill that have not been read by an earlier, unfinished attempt at it. until: where ranges end."""
    unfinished = unfinished_attempts(run)
    for connector in run.sources.values():
        done = state.done_windows(run.con, connector.name, connector.workspace)
        planned = plan_backfill(run.offer(connector), done, now=run.now, start=first_instant(scope.first), end=until)
        read = {(w.stream, w.partition, w.kind, w.start, w.end) for w in done if w.run_id in unfinished}
        for window in filter(scope.holds, planned):
            if (
                window.kind != "range"
                or (window.stream, window.partition, "range", window.start, window.end) not in read
            ):
                yield window


def unfinished_attempts(run: Run) -> set[str]:
    """Runs of the same backfill since it was last finished: what they read need not be read again."""
    rows = run.con.execute(
        "select run_id, status, detail from meta.run where kind = 'backfill' and run_id <> ? order by started_at desc",
        [run.run_id],
    ).fetchall()
    attempts = [(run_id, status) for run_id, status, detail in rows if json.loads(detail)["scope"] == run.report.scope]
    return {run_id for run_id, _ in takewhile(lambda attempt: attempt[1] != "ok", attempts)}


def check_scope(run: Run, scope: Scope) -> None:
    """Raises UnknownScopeError."""
    if scope.first > scope.last:
        raise UnknownScopeError(f"--from {scope.first} is after --to {scope.last}")
    if scope.first > run.now.date() + timedelta(days=1):
        raise UnknownScopeError(
            f"--from {scope.first} is in the future: the run's clock is {run.now:%Y-%m-%d %H:%M} UTC"
        )
    asked = [c for c in run.sources.values() if scope.is_of(c.name, c.workspace)]
    if scope.source is not None and not asked:
        raise UnknownScopeError(f"--source {scope.source} is not set up; there are {', '.join(run.sources)}")
    streams = {s.name for c in asked for s in c.streams}
    if scope.stream is not None and scope.stream not in streams:
        raise UnknownScopeError(f"there is no stream {scope.stream}; there are {', '.join(sorted(streams))}")


def _let_the_night_go_first(run: Run, scope: Scope, until: datetime, left: list[Window]) -> list[Window]:
    """Let go of the warehouse until the others are done. Returns what is left, as it is to be read after what they read."""
    watcher().step("a nightly run goes first")
    run.let_others_go_first()
    watcher().step("going on")
    watcher().over()
    pieces = {_piece(window) for window in left}
    return [window for window in due(run, scope, until) if _piece(window) in pieces]


def _piece(window: Window) -> tuple[object, ...]:
    """What stays of a window when it is planned again: of a range its time, of anything else only what it is of."""
    time_of_it = (window.start, window.end) if window.kind == "range" else ()
    return (window.source, window.workspace, window.stream, window.partition, *time_of_it)


class Interim:
    """Publishes what a backfill has read so far, complete days only: called whenever windows have landed."""

    def __init__(self, run: Run, scope: Scope) -> None:
        self._run = run
        self._scope = scope
        self._file_is_ours = False
        self._whole_from: date | None = None
        self._found: list[Finding] = []
        self._rest()

    def __call__(self, left: Collection[Window]) -> None:
        """left: the windows that have not been tried yet."""
        if not left or not self._is_time():
            return
        first = whole_from(left, self._scope.first)
        if first is None or first > self._scope.last or first == self._whole_from:
            return  # nothing that was not published before
        self._whole_from = first
        watcher().step(f"the days from {first} on are whole")
        self.publish(first)
        watcher().step("going on" if self._run.report.published else f"not published: {self._run.report.not_published}")
        watcher().over()
        # What a run reports is how it ended; this is not yet its end. What the build found no later one finds again.
        self._run.report.findings, self._run.report.published, self._run.report.not_published = self._found, None, ""
        self._rest()

    def publish(self, first: date) -> None:
        """Let the tables begin at `first`, build, check, publish."""
        state.extend_history(self._run.con, first)
        build(self._run)
        self._found = list(self._run.report.findings)
        check(self._run)
        publish_file(self._run, set_aside=not self._file_is_ours)
        self._file_is_ours = self._file_is_ours or self._run.report.published is not None

    def begin_anew(self) -> None:
        """Another run has published meanwhile: its file is set aside like any other."""
        self._file_is_ours = False

    def _is_time(self) -> bool:
        often = self._run.settings.backfill
        landed = len(self._run.report.windows) - self._landed
        minutes = (monotonic() - self._since) / 60
        return (often.publish_windows is not None and landed >= often.publish_windows) or (
            0 < often.publish_minutes <= minutes
        )

    def _rest(self) -> None:
        self._since, self._landed = monotonic(), len(self._run.report.windows)
