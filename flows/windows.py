"""Which windows are due: pure functions of what a source offers, what has landed, and the run's clock.

All instants are UTC; windows are half-open [start, end). Windows of a DateRange stream are cut at multiples of its span
since 1970, so that the same piece of time is the same window (and the same window_id) at every run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from connectors.stream import ByIds, Changes, DateRange, Kind, Snapshot, Stream, ToldNow, Window
from transforms.state import DoneWindow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A rep's local day begins up to 14 hours before midnight UTC and ends up to 12 hours after it: a day either side holds both.
ZONE_MARGIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Source:
    """What a connector offers, with the partitions of each partitioned stream, as the planner needs it. told_now: stream.told_now, by
    stream."""

    name: str
    workspace: str
    streams: Sequence[Stream]
    partitions: Mapping[str, Sequence[str]]
    told_now: Mapping[str, ToldNow] = field(default_factory=dict)


def first_instant(history_start: date) -> datetime:
    """The instant from which everything must be read so that `history_start` is a whole day in every time zone."""
    return datetime.combine(history_start, time(), UTC) - ZONE_MARGIN


def last_instant(last_day: date, now: datetime) -> datetime:
    """The instant up to which everything must be read so that `last_day` is a whole day in every time zone."""
    return min(now, datetime.combine(last_day, time(), UTC) + timedelta(days=1) + ZONE_MARGIN)


def plan(
    source: Source,
    done: Sequence[DoneWindow],
    *,
    now: datetime,
    reread_from: datetime,
    history_from: datetime,
    settles: timedelta = timedelta(),
) -> list[Window]:
    """The windows that a nightly run has to read, newest first within a stream.

    done: the source's complete windows, in the order in which they landed; the end of one that is not a range is the
    clock of the run that read it. reread_from: from here on every range is read
    again. history_from: from here on every range must have been read once; what is missing (a window that failed, nights
    without a run) is due. settles: so long after it happened every range must have been read, or what was edited or showed
    late meanwhile, and was left to nights that did not come or failed, is missing. How far back that is looked for is bounded,
    so that a longer time in the settings does not have all history read again. Of what the source says by itself that it now tells
    otherwise (a folder of files), every range is due.
    """
    windows: list[Window] = []
    for stream, partition, before in _pieces(source, done):
        if isinstance(stream.reading, DateRange):
            read = [(w.start, w.end, w.extracted_at) for w in before if w.start and w.end]
            covered = _merge((start, end) for start, end, _ in read)
            settled = _merge((start, min(end, at - settles)) for start, end, at in read)
            again_from = min(reread_from, max((end for _, end, _ in read), default=now) - settles)
            cuts = _cuts(history_from, now, stream.reading.span)
            due = [
                (a, b)
                for a, b in cuts
                if b > again_from
                or not _within(a, b, covered)
                or (b > again_from - settles and not _within(a, b, settled))
                or _told_otherwise(source, stream, a, b, before)
            ]
            windows += [_range(source, stream, partition, a, b, before) for a, b in reversed(due)]
        else:
            windows.append(_whole(source, stream, partition, before, now))
    return windows


def plan_backfill(
    source: Source, done: Sequence[DoneWindow], *, now: datetime, start: datetime, end: datetime
) -> list[Window]:
    """The windows of a backfill over [start, end), newest first, so that the days most asked for arrive first.

    Streams that cannot be read by time (changes, snapshots) are brought up to date as in a nightly run, once.
    """
    windows: list[Window] = []
    ranges: list[Window] = []
    for stream, partition, before in _pieces(source, done):
        if isinstance(stream.reading, DateRange):
            cuts = _cuts(start, min(end, now), stream.reading.span)
            ranges += [_range(source, stream, partition, a, b, before) for a, b in cuts]
        else:
            windows.append(_whole(source, stream, partition, before, now))
    return [*windows, *sorted(ranges, key=lambda w: w.start or EPOCH, reverse=True)]


def whole_from(left: Iterable[Window], first: date) -> date | None:
    """The first day from which on a backfill, whose windows `left` are still to be read, has read everything; no earlier than
    `first`. None: of no day, since what is not read by ranges of time belongs to all of them.
    """
    ends = [window.end if window.kind == "range" else None for window in left]
    until = max((end for end in ends if end is not None), default=None)
    if None in ends:
        return None
    if until is None:
        return first
    margin = until + ZONE_MARGIN
    day = margin.date() if margin.time() == time() else margin.date() + timedelta(days=1)
    return max(day, first)


def waits_for(stream: Stream) -> Sequence[str]:
    """The streams whose windows must all have been tried before this one is read, in the same run."""
    return stream.reading.of if isinstance(stream.reading, ByIds) else ()


def recent_from(window: Window, now: datetime, days: timedelta) -> datetime:
    """From when on parents are recent for a window that is read by ids: as of its last reading, so that nights without one leave out
    none of what changed meanwhile."""
    return min(window.start or now, now) - days


def _pieces(source: Source, done: Sequence[DoneWindow]) -> Iterator[tuple[Stream, str, list[DoneWindow]]]:
    by_piece: dict[tuple[str, str], list[DoneWindow]] = {}
    for window in done:
        by_piece.setdefault((window.stream, window.partition), []).append(window)
    for stream in source.streams:
        for partition in source.partitions[stream.name] if stream.partitioned else ("",):
            yield stream, partition, by_piece.get((stream.name, partition), [])


def _cuts(start: datetime, end: datetime, span: timedelta) -> list[tuple[datetime, datetime]]:
    """[start, end) cut at multiples of span since 1970."""
    edges = [start]
    edge = EPOCH + ((start - EPOCH) // span + 1) * span
    while edge < end:
        edges.append(edge)
        edge += span
    return list(zip(edges, [*edges[1:], end], strict=True)) if start < end else []


def _merge(intervals: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(piece for piece in intervals if piece[0] < piece[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _within(start: datetime, end: datetime, covered: Sequence[tuple[datetime, datetime]]) -> bool:
    return any(a <= start and end <= b for a, b in covered)


def _told_otherwise(
    source: Source, stream: Stream, start: datetime, end: datetime, before: Sequence[DoneWindow]
) -> bool:
    says = source.told_now[stream.name](start, end) if stream.name in source.told_now else None
    read = next((w.cursor for w in reversed(before) if (w.start, w.end) == (start, end)), None)
    return says is not None and says != read


def _range(
    source: Source, stream: Stream, partition: str, start: datetime, end: datetime, before: Sequence[DoneWindow]
) -> Window:
    cursor = next((w.cursor for w in reversed(before) if w.cursor is not None), None)
    return Window(source.name, source.workspace, stream.name, "range", start, end, partition, cursor)


def _whole(source: Source, stream: Stream, partition: str, before: Sequence[DoneWindow], now: datetime) -> Window:
    """The one window of a stream that is not read by ranges of time. Its end is the watermark that the next run uses."""
    last = max(before, key=lambda w: w.end or EPOCH, default=None)
    cursor = last.cursor if last else None
    kind: Kind
    start = None
    match stream.reading:
        case Snapshot():
            kind = "snapshot"
        case ByIds():
            kind, start = "ids", last.end if last else None
        case Changes() as reading:
            full = max((w.end for w in before if w.kind == "full" and w.end), default=None)
            kind = "full" if full is None or now - full >= reading.relist else "changes"
            if kind == "changes" and last and last.end:
                start = min(last.end, now) - reading.lag - reading.lookback
        case DateRange():
            raise ValueError(f"{stream.name} is read by ranges of time")
    return Window(source.name, source.workspace, stream.name, kind, start, now, partition, cursor)
