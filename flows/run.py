"""One run: its clock, its warehouse, its sources, and the account of what it does."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from types import TracebackType
from typing import Self

import duckdb

import connectors
from connectors import limits, token_store
from connectors.stream import Connector, account_of, kept_by, lag_of, systems_of, told_now
from flows import turns
from flows.books import Books, kept
from flows.logs import event
from flows.memory import share_arenas, sparing
from flows.progress import watcher
from flows.report import RunReport
from flows.settings import Settings
from flows.settings_tools import apps_of, tool_inputs
from flows.windows import Source
from transforms import model, raw, state
from transforms.inputs import Inputs, SourceInput, read_files
from transforms.source_settings import told
from transforms.warehouse import open_warehouse

PATIENCE: ContextVar[float] = ContextVar("patience", default=0.0)  # seconds to wait for a run that holds the warehouse
MAIN = "main"  # the workspace of a source whose settings do not name it


@dataclass(slots=True)
class Run:
    """What the steps of a run share. `now` is the run's clock (UTC); everything it decides, it decides by that.

    hold: opens the warehouse and the sources for as long as the stack is open.
    """

    settings: Settings
    report: RunReport
    books: Books
    hold: Callable[[ExitStack, float], tuple[duckdb.DuckDBPyConnection, dict[str, Connector]]]
    con: duckdb.DuckDBPyConnection = field(init=False)
    sources: dict[str, Connector] = field(init=False)
    held: ExitStack = field(default_factory=ExitStack)

    def take(self, wait: float) -> None:
        """Open the warehouse and the sources. wait: seconds for which another run may hold it. Raises WarehouseLocked."""
        with ExitStack() as stack:
            self.con, self.sources = self.hold(stack, wait)
            self.held = stack.pop_all()

    def let_others_go_first(self) -> None:
        """Close the warehouse and the sources until whoever asked for it is done, then open them again. Nothing may be under way."""
        self.books.wait()
        self.close()
        turns.wait_until_done(self.settings.data_dir)
        self.take(turns.HANDING_OVER)
        self.books.begin()

    def close(self) -> None:
        """Let go of the warehouse and the sources."""
        self.held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """As close. An error passes the warehouse, which says what one of the disk means."""
        return self.held.__exit__(kind, error, trace)

    @property
    def run_id(self) -> str:
        return self.report.run_id

    @property
    def now(self) -> datetime:
        return self.report.now

    @property
    def day(self) -> date:
        return self.report.day

    @contextmanager
    def timed(self, step: str) -> Generator[None]:
        """Add the time that the block takes to the report, less what steps within it take."""
        seconds = self.report.seconds
        began, before = perf_counter(), sum(seconds.values())
        event("step began", step=step)
        try:
            yield
        finally:
            within = sum(seconds.values()) - before
            took = perf_counter() - began - within
            seconds[step] = seconds.get(step, 0.0) + took
            event("step ended", step=step, seconds=round(took, 2))

    def offer(self, connector: Connector) -> Source:
        """What the planner needs to know of a source."""
        partitions = {s.name: connector.partitions(s) for s in connector.streams if s.partitioned}
        return Source(connector.name, connector.workspace, connector.streams, partitions, told_now(connector))

    def inputs(self) -> Inputs:
        """What a build needs from outside the sources."""
        company = self.settings.company
        history = state.history_start(self.con)
        return Inputs(
            run_id=self.run_id,
            now=self.now,
            history_start=history or self.day,
            parameters=self.settings.thresholds,
            sources=[one for c in self.sources.values() for one in source_inputs(c)],
            mailboxes=named_mailboxes(self.settings),
            tools=tool_inputs(self.settings.tools),
            internal_domains=company.internal_domains,
            internal_numbers=company.internal_numbers,
            test_domains=company.test_domains,
            excluded_pipelines=company.excluded_pipelines,
            qualified_stages=company.qualified_stages,
            call_outcomes={k: (v.outcome, v.connected, v.negative) for k, v in company.call_outcomes.items()},
            files=self.settings.inputs.files,
            source_settings=property_names(self.settings),
        )


@contextmanager
def start_run(
    kind: str, settings: Settings, *, day: date | None = None, now: datetime | None = None, scope: object = None
) -> Generator[Run]:
    """Open the warehouse and the sources for one run, and keep its account in meta.run: 'running', then how it ended.

    scope: what the run was asked for beyond its day, kept in meta.run. Raises, before anything is read, WarehouseLocked
    when another run is at work and InputError when a CSV file of the user's has faults.
    """
    os.umask(0o077)  # folders that are made on the way too are for the owner alone
    share_arenas()
    clock = as_utc(now or datetime.now(UTC))
    business_day = day or settings.yesterday(clock)
    run_id = f"{kind}-{business_day:%Y%m%d}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
    report = RunReport(run_id, kind, business_day, clock, scope=scope)

    def hold(stack: ExitStack, wait: float) -> tuple[duckdb.DuckDBPyConnection, dict[str, Connector]]:
        con = stack.enter_context(
            open_warehouse(
                settings.warehouse_file,
                memory_limit=settings.memory_limit,
                threads=settings.threads,
                wait=wait,
                on_wait=lambda told: watcher().step(_who_lets_go(kind, settings, told)),
            )
        )
        sparing(con, on=kind == "nightly")
        report.now = max(report.now, _clock_of_others(con, report.started))
        sources = open_sources(settings, report.now, mailboxes_of(settings, mails_read_on(con, settings, clock.date())))
        return con, {name: stack.enter_context(closing(c)) for name, c in sources}

    with kept(settings, report) as books, _in_turn(kind, settings) as wait:
        run = Run(settings, report, books, hold)
        run.take(wait)
        with run:
            raw.declare(run.con, sorted(declared_streams(run.sources.values())))
            _note(run.con, report, "running")
            books.begin()
            try:
                yield run
            except BaseException as error:
                report.not_published = report.not_published or f"{type(error).__name__}: {error}"
                books.close(run, error)
                with suppress(duckdb.Error):  # a full disk takes no note either; the error that says so goes on
                    _note(run.con, report, report.status)
                raise
            books.close(run, None)
            _note(run.con, report, report.status)


@contextmanager
def _in_turn(kind: str, settings: Settings) -> Generator[float]:
    """Everybody goes before a backfill. Yields for how many seconds another run may hold the warehouse: whatever they were told,
    a nightly run waits for a backfill, which lets go, and a backfill for those before it, also for one that has not opened the warehouse yet."""
    folder, patience = settings.data_dir, PATIENCE.get()
    if kind == "backfill":
        with turns.backfilling(folder):
            if turns.is_asked_for(folder):
                watcher().step("another run is at work, or about to be: the backfill begins when that has ended")
                turns.wait_until_done(folder)
                patience = max(patience, turns.HANDING_OVER)
            yield patience
        return
    with turns.going_first(folder):
        yield max(patience, turns.HANDING_OVER) if kind == "nightly" and turns.is_backfilled(folder) else patience


def _who_lets_go(kind: str, settings: Settings, told: str) -> str:
    if kind == "backfill" or not turns.is_backfilled(settings.data_dir):
        return told
    return (
        f"a backfill is at work: it lets go of the warehouse when the windows that it has in hand have landed; {told}"
    )


def _clock_of_others(con: duckdb.DuckDBPyConnection, since: datetime) -> datetime:
    """The latest clock of the runs that ended since: tables made by an earlier one would take days away from readers."""
    row = con.execute(
        "select max((detail ->> 'now')::timestamptz) from meta.run where finished_at >= ?", [since]
    ).fetchone()
    return row[0].astimezone(UTC) if row and row[0] else datetime.min.replace(tzinfo=UTC)


def as_utc(instant: datetime) -> datetime:
    """The instant in UTC; one without a zone is taken to be UTC."""
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def open_sources(settings: Settings, now: datetime, mailboxes: Sequence[str]) -> Generator[tuple[str, Connector]]:
    """A connector for every source that is set up, in the registry's order. Runs that share a data folder share its limits."""
    for account in settings.sources:
        yield account, open_source(settings, account, now, mailboxes)


def open_source(settings: Settings, account: str, now: datetime, mailboxes: Sequence[str]) -> Connector:
    """A connector for one account, "hubspot" or "hubspot/us". Raises KeyError for one that is not set up."""
    limits.keep_in(settings.data_dir / "limits.sqlite")
    token_store.keep_in(settings.data_dir / "tokens")
    section = settings.sources[account]
    name, _, workspace = account.partition("/")
    if "apps" in type(section).model_fields and not getattr(section, "apps", None):  # those that the tools ask about
        section = section.model_copy(update={"apps": apps_of(settings.tools, name)})
    here = (name, workspace or MAIN)
    elsewhere = {mailbox.lower() for *other, mailbox in named_mailboxes(settings) if tuple(other) != here}
    own = [mailbox for mailbox in mailboxes if mailbox not in elsewhere]
    return connectors.opened(name, section, workspace=here[1], now=now, mailboxes=own)


def named_mailboxes(settings: Settings) -> list[tuple[str, str, str]]:
    """The mailboxes that mail sources name, as (source, workspace, address): read there and nowhere else."""
    return [
        (account.partition("/")[0], account.partition("/")[2] or MAIN, mailbox)
        for account, section in settings.sources.items()
        for mailbox in getattr(section, "mailboxes", ())
    ]


def property_names(settings: Settings) -> dict[str, str]:
    """What models must know of the sources' settings; see transforms.source_settings."""
    return told({account: section.model_dump() for account, section in settings.sources.items()})


def mails_read_on(con: duckdb.DuckDBPyConnection, settings: Settings, today: date) -> date:
    """When the mail source that is furthest behind was read last; `today` at the latest."""
    rows = con.execute(
        """select source_id, workspace_id, max(extracted_at) from meta.extract_window
           where status = 'done' and stream in ('mail_message', 'mail_count') group by all"""
    ).fetchall()
    read = [at.date() for source, workspace, at in rows if account_of(source, workspace) in settings.sources]
    return min([today, *read])


def mailboxes_of(settings: Settings, read_on: date) -> list[str]:
    """Whose mail is read: the reps of reps.csv, save those marked `mailbox = no` and those who left before the days that are
    still read again. read_on: when mails were read last, or today. Raises InputError."""
    last = read_on - timedelta(days=settings.thresholds.reprocess_days + 1)
    reps = read_files(settings.inputs.files, settings.thresholds)["reps"]
    read = (rep for rep in reps if rep["mailbox"] is not False and (rep["end_date"] or last) >= last)
    return sorted({rep["email"] for rep in read})


def declared_streams(sources: Iterable[Connector]) -> set[tuple[str, str]]:
    """(source, stream) of what is read here and of what any model reads: also a source that is not set up has its tables."""
    read = {table for one in model.load(model.root()) for table in one.reads if table.startswith("raw.")}
    by_models = {raw.stream_of(table) for table in read}
    return by_models | {(c.name, s.name) for c in sources for s in c.streams}


def source_inputs(connector: Connector) -> list[SourceInput]:
    """What models must know of a source, once for each system that it feeds."""
    kept = kept_by(connector.streams)
    lag = int(lag_of(connector.streams).total_seconds())
    kept_seconds = None if kept is None else int(kept.total_seconds())
    streams = [stream.name for stream in connector.streams]
    return [
        SourceInput(connector.name, connector.workspace, system, lag, kept_seconds, streams)
        for system in systems_of(connector)
    ]


def _note(con: duckdb.DuckDBPyConnection, report: RunReport, status: str) -> None:
    finished = None if status == "running" else datetime.now(UTC)
    con.execute(
        """insert into meta.run by name
           select ? as run_id, ? as kind, ?::date as day, ?::timestamptz as started_at, ?::timestamptz as finished_at,
               ? as status, ? as published, ?::json as detail
           on conflict do update set finished_at = excluded.finished_at, status = excluded.status,
               published = published or excluded.published, detail = excluded.detail""",
        [
            *(report.run_id, report.kind, report.day, report.started, finished, status),
            *(report.published is not None, json.dumps(report.detail())),
        ],
    )
