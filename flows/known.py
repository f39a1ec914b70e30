"""Ids that landed before, as far as reading a window makes use of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from connectors.stream import ByIds, Changes, DateRange, Snapshot, Stream, Window
from flows.run import Run
from flows.windows import recent_from
from transforms import state

Place = tuple[str, str, str, str]  # source, workspace, stream, partition


class Known:
    """Looks up the ids for the windows of a run, which land in this order."""

    def __init__(self, run: Run, windows: Sequence[Window]) -> None:
        self._run = run
        self._last_landings = _last_landings(run)
        self._first: dict[Place, Window] = {}
        for window in windows:
            if window.partition:
                self._first.setdefault(_place(window), window)
        self._found: dict[Place, list[str]] = {}

    def of(self, window: Window, stream: Stream) -> Mapping[str, Sequence[str]]:
        """By stream: whose ids reading the window asks for, and those ids."""
        at = (self._run.con, window.source, window.workspace)
        match stream.reading:
            case ByIds() as reading:
                days = timedelta(days=self._run.settings.thresholds.reprocess_days)
                recent = recent_from(window, self._run.now, days) if reading.select == "recent" else None
                since = self._last_landings.get(_place(window))
                return {p: state.changed_ids(*at, p, since=since, recent_from=recent) for p in reading.of}
            case DateRange() if stream.partitioned:
                # From the window's start on: newer ones too, which a listing without a date filter shows first.
                return {stream.name: self._of_partition(window, window.start)}
            case DateRange():
                return {stream.name: state.known_ids(*at, stream.name, start=window.start, end=window.end)}
            case Snapshot() if stream.partitioned:
                return {stream.name: self._of_partition(window, None)}
            case Snapshot():
                return {stream.name: state.known_ids(*at, stream.name)}
            case Changes():
                return {}

    def _of_partition(self, window: Window, start: datetime | None) -> list[str]:
        """Of a partition's first window: looked up for all partitions at once. Nothing of it lands before."""
        at = (self._run.con, window.source, window.workspace, window.stream)
        if self._first.get(_place(window)) != window:
            return state.known_ids(*at, partition=window.partition, start=start)
        if _place(window) not in self._found:
            alike = [p for p, w in self._first.items() if p[:3] == _place(window)[:3] and w.start == window.start]
            by_partition = state.ids_by_partition(*at, start=start)
            self._found |= {place: by_partition.get(place[3], []) for place in alike}
        del self._first[_place(window)]
        return self._found.pop(_place(window))


def _place(window: Window) -> Place:
    return window.source, window.workspace, window.stream, window.partition


def _last_landings(run: Run) -> Mapping[Place, int]:
    """The number of the landing that read each place whole last.

    Not the last one of its run: a backfill that let a night go first lands other streams after what that night landed.
    """
    return {
        (c.name, c.workspace, w.stream, w.partition): w.landing_no
        for c in run.sources.values()
        for w in state.done_windows(run.con, c.name, c.workspace)
    }
