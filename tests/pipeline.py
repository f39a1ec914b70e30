"""The pipeline without Prefect: a world served over HTTP, read by the real connectors, landed, built, checked, published."""

from __future__ import annotations

import tomllib
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
from pydantic import BaseModel

import connectors
from connectors.landing_file import extract
from connectors.stream import ByIds, Changes, Connector, DateRange, Snapshot, Stream, Window, account_of
from flows.run import source_inputs
from flows.settings_tools import Tool, tool_inputs
from sandbox.server import running
from sandbox.settings_out import write_settings
from sandbox.world import World, parse
from sandbox.world_state import Clock
from transforms import build, checks, inputs, landing, publish, raw, state
from transforms.parameters import Parameters
from transforms.source_settings import told
from transforms.warehouse import open_warehouse

Row = dict[str, Any]


@dataclass(slots=True)
class Pipeline:
    """A warehouse fed from a sandbox. `nightly` reads everything that has to do with the days before `now`."""

    con: duckdb.DuckDBPyConnection
    folder: Path
    config: Mapping[str, Any]
    runs: int = 0

    def nightly(
        self, now: datetime, *, first: date, without: Sequence[str] = (), mailboxes: Sequence[str] | None = None
    ) -> None:
        """Read all sources and streams ("hubspot.crm_note") but those in `without`, and build. first: where the published days begin;
        mailboxes: all reps' if not given."""
        self.runs += 1
        run_id = f"r{self.runs}"
        self.con.execute("delete from input.source_setting")
        mailboxes = self._mailboxes() if mailboxes is None else mailboxes
        sources = [self._open(account, now, mailboxes) for account in self._accounts()]
        for source in sources:
            raw.declare(self.con, [(source.name, s.name) for s in source.streams])
        for name in connectors.NAMES:  # models read the raw tables of every connector there is
            raw.declare(self.con, [(name, s.name) for s in connectors.load(name)[0].streams])
        for source in sources:
            if source.name not in without:
                self._read(source, now, first, run_id, without)
            source.close()
        inputs.load(self.con, self._inputs(run_id, now, first, sources))
        build.build(self.con)
        broken = [c for c in checks.run_checks(self.con) if c.failing_rows]
        assert not broken, broken

    def published(self) -> Path:
        return publish.publish(self.con, self.folder / "sales_metrics.duckdb").path

    def day(self, email: str, day: str) -> Row:
        """The row of a rep's day."""
        rows = self.rows(
            "select d.* from marts.daily_rep_activity as d where d.activity_date = ? and d.rep_id in "
            "(select rep_id from core.dim_rep where email = ?)",
            [day, email],
        )
        assert len(rows) == 1, f"{len(rows)} rows for {email} on {day}"
        return rows[0]

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[Row]:
        cursor = self.con.execute(query, list(parameters))
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _accounts(self) -> Mapping[str, dict[str, Any]]:
        """The sections of sources, by account."""
        further = self.config.get("workspaces", {})
        found = {
            account_of(name, workspace): section[name]
            for workspace, section in [("main", self.config), *further.items()]
            for name in connectors.NAMES
            if name in section
        }
        return dict(sorted(found.items(), key=lambda one: connectors.NAMES.index(one[0].partition("/")[0])))

    def _section(self, account: str) -> BaseModel:
        """An account's settings, with what the file does not say."""
        section = dict(self._accounts()[account])
        for key in ("service_account_file", "folder"):
            if key in section:
                section[key] = self.folder / section[key]
        return connectors.load(account.partition("/")[0])[1](**section)

    def _open(self, account: str, now: datetime, mailboxes: Sequence[str]) -> Connector:
        name, _, workspace = account.partition("/")
        named = {m for other, s in self._accounts().items() if other != account for m in s.get("mailboxes", ())}
        own = [mailbox for mailbox in mailboxes if mailbox not in named]
        return connectors.opened(name, self._section(account), workspace=workspace or "main", now=now, mailboxes=own)

    def _mailboxes(self) -> list[str]:
        reps = inputs.read_files(self._files(), Parameters())["reps"]
        return sorted({rep["email"] for rep in reps if rep["mailbox"] is not False})

    def _files(self) -> dict[str, Path]:
        return {name: self.folder / file for name, file in self.config["inputs"].items()}

    def _read(self, source: Connector, now: datetime, first: date, run_id: str, without: Sequence[str]) -> None:
        asked = [stream for stream in source.streams if f"{source.name}.{stream.name}" not in without]
        for stream in sorted(asked, key=lambda s: isinstance(s.reading, ByIds)):
            partitions = source.partitions(stream) if stream.partitioned else ("",)
            windows = [self._window(source, stream, partition, now, first) for partition in partitions]
            files = [extract(source, *window, self.folder / "landing", run_id) for window in windows]
            refused = [o for o in landing.land_all(self.con, files).values() if isinstance(o, Exception)]
            assert not refused, refused

    def _window(
        self, source: Connector, stream: Stream, partition: str, now: datetime, first: date
    ) -> tuple[Window, dict[str, list[str]]]:
        place = (source.name, source.workspace, stream.name)
        done = [
            w
            for w in state.done_windows(self.con, source.name, source.workspace)
            if (w.stream, w.partition) == (stream.name, partition)
        ]
        cursor = done[-1].cursor if done else None
        start = datetime.combine(first - timedelta(days=1), time(), UTC)
        match stream.reading:
            case ByIds() as reading:
                known = {of: state.changed_ids(self.con, *place[:2], of, since=None) for of in reading.of}
                return Window(*place, "ids", None, now, partition), known
            case Snapshot():
                ids = state.known_ids(self.con, *place, partition=partition)
                return Window(*place, "snapshot", None, now, partition, cursor), {stream.name: ids}
            case Changes() as reading:
                # As flows.windows plans it: everything again when the last full listing is old.
                listed = max((w.end for w in done if w.kind == "full" and w.end), default=None)
                if done and done[-1].end and listed and now - listed < reading.relist:
                    return Window(*place, "changes", done[-1].end - reading.lookback, now, partition), {}
                return Window(*place, "full", None, now, partition), {}
            case DateRange():
                ids = state.known_ids(self.con, *place, partition=partition, start=start, end=now)
                return Window(*place, "range", start, now, partition, cursor), {stream.name: ids}

    def _inputs(self, run_id: str, now: datetime, first: date, sources: Sequence[Connector]) -> inputs.Inputs:
        company = self.config["company"]
        zone, currency = company["reporting_timezone"], company["reporting_currency"]
        return inputs.Inputs(
            run_id,
            now,
            first,
            parameters=Parameters(zone, currency, **self.config.get("parameters", {})),
            sources=[one for source in sources for one in source_inputs(source)],
            mailboxes=[
                (s.name, s.workspace, mailbox)
                for s in sources
                for mailbox in self._accounts()[account_of(s.name, s.workspace)].get("mailboxes", ())
            ],
            tools=tool_inputs([Tool.model_validate(tool) for tool in self.config.get("tools", [])]),
            internal_domains=company.get("internal_domains", []),
            internal_numbers=company.get("internal_numbers", []),
            test_domains=company.get("test_domains", []),
            excluded_pipelines=company.get("excluded_pipelines"),
            qualified_stages=company.get("qualified_stages", []),
            files=self._files(),
            source_settings=told(
                {a: self._section(a).model_dump() for a in (account_of(s.name, s.workspace) for s in sources)}
            ),
        )


@contextmanager
def serving(world: World | Mapping[str, Any], folder: Path) -> Generator[tuple[Pipeline, str]]:
    """A pipeline fed by a sandbox that serves the world; also the sandbox's URL, to move its clock."""
    known = world if isinstance(world, World) else parse(world)
    clock = Clock(known, known.now())
    with running(known, clock=clock) as url:
        write_settings(known, folder / "salespulse.toml", url, clock, limits=False)
        config = tomllib.loads((folder / "salespulse.toml").read_text("utf-8"))
        with open_warehouse(folder / "warehouse.duckdb", threads=1) as con:
            yield Pipeline(con, folder, config), url
