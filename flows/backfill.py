"""A backfill: the same steps over a stretch of the past, cut into windows, newest first.

Run again with the same arguments after it was cut off or a window failed, it reads only what is still missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile

from prefect import flow

from connectors.stream import Window
from flows.report import RunReport
from flows.run import Run, start_run
from flows.settings_of_run import settings_of_run
from flows.steps import build, check, extract_and_land, land_leftovers, publish_file, reported
from flows.windows import first_instant, last_instant, plan_backfill
from transforms import state


class UnknownScopeError(ValueError):
    """A backfill was asked for days, a source or a stream that there are not."""

    page = "arguments"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a backfill is asked for: days from first to last, both included; None: every source, every stream."""

    first: date
    last: date
    source: str | None = None
    stream: str | None = None

    def holds(self, window: Window) -> bool:
        return self.source in (None, window.source) and self.stream in (None, window.stream)


@flow(name="backfill")
def backfill(
    start: date, end: date, source: str | None = None, stream: str | None = None, now: datetime | None = None
) -> RunReport:
    """Read the days from start to end, both included, then rebuild, check and publish.

    source, stream: only this one. now: the run's clock. Raises as nightly does, and UnknownScopeError.
    """
    scope = Scope(start, end, source, stream)
    told = {name: str(value) for name, value in asdict(scope).items() if value is not None}
    with start_run("backfill", settings_of_run(), day=end, now=now, scope=told) as run, reported(run):
        windows = list(due(run, scope))
        land_leftovers(run)
        extract_and_land(run, windows)
        state.extend_history(run.con, start)
        build(run)
        check(run)
        publish_file(run)
    return run.report


def due(run: Run, scope: Scope) -> Iterator[Window]:
    """The windows of the backfill that have not been read by an earlier, unfinished attempt at it."""
    _check_scope(run, scope)
    unfinished = unfinished_attempts(run)
    for connector in run.sources.values():
        done = state.done_windows(run.con, connector.name, connector.workspace)
        planned = plan_backfill(
            run.offer(connector),
            done,
            now=run.now,
            start=first_instant(scope.first),
            end=last_instant(scope.last, run.now),
        )
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


def _check_scope(run: Run, scope: Scope) -> None:
    if scope.first > scope.last:
        raise UnknownScopeError(f"--from {scope.first} is after --to {scope.last}")
    if scope.first > run.now.date() + timedelta(days=1):
        raise UnknownScopeError(
            f"--from {scope.first} is in the future: the run's clock is {run.now:%Y-%m-%d %H:%M} UTC"
        )
    if scope.source is not None and scope.source not in run.sources:
        raise UnknownScopeError(f"--source {scope.source} is not set up; there are {', '.join(run.sources)}")
    streams = {s.name for c in run.sources.values() if scope.source in (None, c.name) for s in c.streams}
    if scope.stream is not None and scope.stream not in streams:
        raise UnknownScopeError(f"there is no stream {scope.stream}; there are {', '.join(sorted(streams))}")
