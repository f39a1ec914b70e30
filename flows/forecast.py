"""What a backfill will take, before it begins: windows, days, records, requests, quota, the least time; and what each is founded on.

Nothing is landed, built or published. The vendors are asked for totals where they give them, by one small request each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import duckdb
from rich.console import Console

from connectors.stream import ByIds, Connector, ConnectorError, DateRange, Price, Stream, Window
from flows.backfill import Scope, check_scope, due
from flows.books import Books
from flows.exit_codes import Exit
from flows.forecast_table import print_forecast
from flows.report import RunReport
from flows.run import Run, as_utc, mailboxes_of, mails_read_on, open_sources
from flows.settings import Settings
from flows.settings_file import load_settings
from flows.windows import last_instant
from transforms import density, warehouse

SAMPLE = timedelta(days=7)
SAMPLED = 3  # partitions that the vendor is asked about
AT_LEAST = "nothing to go by: at least"


@dataclass(frozen=True, slots=True)
class Line:
    """One stream. days: from its first window's start to its last one's end, 0 for one that is not read by time. records: that are
    not known yet, None where nothing tells; founded: on what."""

    source: str
    stream: str
    windows: int
    days: float
    records: int | None
    price: Price
    founded: str

    @property
    def is_least(self) -> bool:
        """Whether it may as well be much more."""
        return self.founded.startswith(AT_LEAST)


@dataclass(frozen=True, slots=True)
class Told:
    """Lines of one source, and under its limits: the least seconds, and the budget that decides ("" if none does)."""

    source: str
    lines: Sequence[Line]
    seconds: float
    budget: str
    left: Mapping[str, tuple[int | None, int | None, float]]  # by budget of the account: free, permitted, in seconds

    @property
    def price(self) -> Price:
        return sum((line.price for line in self.lines), Price(0, {}))


def dry_run(scope: Scope, now: datetime | None = None) -> Exit:
    """Print what the backfill would take. Raises as foretell does."""
    settings = load_settings()
    told = foretell(settings, scope, as_utc(now or datetime.now(UTC)))
    print_forecast(Console(), scope.told, told, settings)
    return Exit.OK


def foretell(settings: Settings, scope: Scope, clock: datetime) -> list[Told]:
    """What the backfill would take, by source. Raises UnknownScopeError, WarehouseLocked while a run is at work."""
    with ExitStack() as stack:
        run = _looking(stack, settings, clock, scope)
        check_scope(run, scope)
        windows = list(due(run, scope, last_instant(scope.last, run.now)))
        told = [
            _told(run, c, [w for w in windows if (w.source, w.workspace) == (c.name, c.workspace)])
            for c in run.sources.values()
        ]
    return [one for one in told if one.lines]


def _looking(stack: ExitStack, settings: Settings, clock: datetime, scope: Scope) -> Run:
    """A run that reads the warehouse, if there is one, and leaves no account of itself."""

    def hold(stack: ExitStack, wait: float) -> tuple[duckdb.DuckDBPyConnection, dict[str, Connector]]:
        del wait
        file = settings.warehouse_file
        if file.exists():
            con = stack.enter_context(warehouse.looked_at(file))
        else:
            con = stack.enter_context(duckdb.connect())
            warehouse.prepare(con)
        con.execute("set TimeZone = 'UTC'")
        sources = open_sources(settings, clock, mailboxes_of(settings, mails_read_on(con, settings, clock.date())))
        return con, {name: stack.enter_context(closing(c)) for name, c in sources}

    report = RunReport("dry-run", "backfill", scope.last, clock, scope=scope.told)
    run = Run(settings, report, Books(settings, report), hold)
    run.take(0.0)
    stack.enter_context(run)
    return run


def _told(run: Run, connector: Connector, windows: Sequence[Window]) -> Told:
    lines: list[Line] = []
    records: dict[str, int] = {}
    to_read = {window.stream for window in windows}
    for stream in connector.streams:
        parents = stream.reading.of if isinstance(stream.reading, ByIds) else ()
        for parent in parents:
            if parent not in to_read:  # what is known of it
                records[parent] = density.records_known(run.con, connector.name, connector.workspace, parent)
        of_stream = [window for window in windows if window.stream == stream.name]
        if not of_stream:
            continue
        lines += _lines(run, connector, stream, of_stream, records)
    price = sum((line.price for line in lines), Price(0, {}))
    forecast = connector.limiter.forecast(price.cost)
    left = {
        one.name: (one.free, one.permitted, one.seconds)
        for one in connector.limiter.remaining().values()
        if ":" not in one.name
    }
    return Told(connector.name, lines, forecast.seconds, forecast.budget, left)


def _lines(
    run: Run, connector: Connector, stream: Stream, windows: Sequence[Window], records: dict[str, int]
) -> Iterator[Line]:
    """The stream's line; adds to `records` what it is expected to hold."""
    if isinstance(stream.reading, DateRange):
        by_partition, founded = _of_ranges(run, connector, stream, windows)
        price = Price(0, {})
        for partition in dict.fromkeys(w.partition for w in windows):
            of_it = [w for w in windows if w.partition == partition]
            price += connector.price(of_it, {stream.name: by_partition.get(partition, 0)})
        total = None if founded == AT_LEAST else sum(by_partition.values())
        days = sum(_days(w) for w in windows if w.partition == windows[0].partition)
        yield Line(connector.name, stream.name, len(windows), days, total, price, founded)
        return
    if isinstance(stream.reading, ByIds):
        untold = [of for of in stream.reading.of if of not in records]
        founded = f"the totals of {_words(stream.reading.of)}"
        if untold:
            founded = f"{AT_LEAST}. A call each of {_words(untold)}, and nobody tells how many those are"
        price = connector.price(windows, records)
        yield Line(connector.name, stream.name, len(windows), 0.0, None, price, founded)
        return
    total, founded = _count(connector, windows[0]) if not stream.partitioned else (None, "")
    of_kind = (connector.name, connector.workspace, stream.name, windows[0].kind)
    if total is None:
        measured = density.requests_a_window(run.con, *of_kind)
        price = connector.price(windows, {})
        if measured is not None and measured * len(windows) > price.requests:
            scale = measured * len(windows) / price.requests
            price = Price(round(price.requests * scale), {n: round(u * scale) for n, u in price.cost.items()})
        founded = founded or ("earlier runs" if measured is not None else "short lists")
    else:
        price = connector.price(windows, {stream.name: total})
    known = total if total is not None else density.records_known(run.con, *of_kind[:3])
    if known or total is not None:
        records[stream.name] = known
    yield Line(connector.name, stream.name, len(windows), 0.0, total, price, founded)


def _of_ranges(run: Run, connector: Connector, stream: Stream, windows: Sequence[Window]) -> tuple[dict[str, int], str]:
    """Records to be read by partition, and on what that is founded: the vendor's total, days read before, a sample."""
    if not stream.partitioned:
        total, why = _sum_of_totals(connector, windows)
        if total is not None:
            return {"": total}, why
    place = (connector.name, connector.workspace, stream.name)
    by_day = density.records_a_day(run.con, *place)
    if by_day:
        usual = sum(by_day.values()) / len(by_day)
        known: dict[str, int] = {}
        if stream.partitioned:  # a mailbox's are listed, but what is known is not read again
            starts, ends = [w.start for w in windows if w.start], [w.end for w in windows if w.end]
            known = density.records_between(run.con, *place, min(starts), max(ends))
        read: dict[str, int] = {}
        for partition in dict.fromkeys(w.partition for w in windows):
            days = sum(_days(w) for w in windows if w.partition == partition)
            read[partition] = max(0, round(by_day.get(partition, usual) * days) - known.get(partition, 0))
        return read, f"{usual:,.0f} a day{' and mailbox' if stream.partitioned else ''} in what was read before"
    return _sampled(connector, windows)


def _sum_of_totals(connector: Connector, windows: Sequence[Window]) -> tuple[int | None, str]:
    """The vendor's total of each stretch without a gap."""
    total = 0
    stretches: list[Window] = []
    for window in sorted(windows, key=lambda w: w.start or datetime.min.replace(tzinfo=UTC)):
        if stretches and stretches[-1].end == window.start:
            stretches[-1] = replace(stretches[-1], end=window.end)
        else:
            stretches.append(window)
    for stretch in stretches:
        found, why = _count(connector, stretch)
        if found is None:
            return None, why
        total += found
    return total, "the vendor's total"


def _sampled(connector: Connector, windows: Sequence[Window]) -> tuple[dict[str, int], str]:
    """By the newest week of a few partitions, where the vendor gives a total of it."""
    partitions = list(dict.fromkeys(w.partition for w in windows))
    found: list[float] = []
    for partition in partitions[:SAMPLED]:
        newest = next(w for w in windows if w.partition == partition)
        if newest.end is None or newest.start is None:
            continue
        week = replace(newest, start=max(newest.start, newest.end - SAMPLE))
        total, _ = _count(connector, week)
        if total is not None:
            found.append(total / max(_days(week), 1.0))
    if not found:
        return {}, AT_LEAST
    usual = sum(found) / len(found)
    read = {p: round(usual * sum(_days(w) for w in windows if w.partition == p)) for p in partitions}
    return read, f"{usual:,.0f} a day and mailbox in the newest week of {len(found)} of {len(partitions)}"


def _count(connector: Connector, window: Window) -> tuple[int | None, str]:
    """The vendor's total and the words for it; None with what came back where it was refused."""
    try:
        total = connector.count(window)
    except ConnectorError as error:
        return None, f"{AT_LEAST} ({str(error)[:120]})"
    return total, "" if total is None else "the vendor's total"


def _words(streams: Iterable[str]) -> str:
    return ", ".join(stream.removeprefix("crm_") for stream in streams)


def _days(window: Window) -> float:
    return (window.end - window.start) / timedelta(days=1) if window.start and window.end else 0.0
