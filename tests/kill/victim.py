"""An installation whose runs are killed, and how its tables are held against those of one that was left alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from random import Random

import duckdb

from tests.kill.trap import Trap

FORKSERVER = get_context("forkserver")
FORKSERVER.set_forkserver_preload(["tests.kill.one_run", "tests.kill.reader"])
# What tells two runs apart: who wrote a row and when, and how many landings came before; of a payload its hash is compared, since
# a recording's link is another one at every read and no part of the hash.
OF_A_RUN = frozenset({
    "run_id", "_run_id", "first_published_at", "last_changed_at", "restated_at", "resolved_at", "first_seen_at", "_seq", "_by", "_landing_id",
    "_landed_at", "payload",
})  # fmt: skip
ABOUT_RUNS = {"meta_run", "meta_freshness", "meta_coverage"}
WRITES = "pwrite64,write,fdatasync,fsync,rename,unlink,unlinkat,ftruncate,link,mkdir"


@dataclass(frozen=True)
class Kill:
    """When a run dies. how: 'time' (share of the step's seconds), 'point' (of Trap), 'syscall' (the n-th that writes, by strace)."""

    step: str
    how: str
    at: float


@dataclass
class Ended:
    """How a run went. counts: points of Trap by step. seconds: by step."""

    killed: bool
    status: str = ""
    why: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass
class Victim:
    """Settings file and data folder of an installation."""

    settings: Path
    now: datetime
    kills: Counter[str] = field(default_factory=Counter[str])

    @property
    def data(self) -> Path:
        return self.settings.parent / "data"

    @property
    def published(self) -> Path:
        return self.data / "sales_metrics.duckdb"

    def copy(self, folder: Path, now: datetime) -> Victim:
        shutil.copytree(self.settings.parent, folder)
        return Victim(folder / self.settings.name, now)

    def run(self, kind: str = "nightly", kill: Kill | None = None, usual: Ended | None = None) -> Ended:
        """One run, killed as told, or left alone. usual: seconds and counts of a run that was left alone."""
        trap = Trap(str(self.data))
        if kill and kill.how == "point":
            trap.step, trap.at = kill.step, int(kill.at)
        here, there = FORKSERVER.Pipe()
        from tests.kill.one_run import one_run

        process = FORKSERVER.Process(
            target=one_run, args=(str(self.settings), kind, self.now, trap, there), daemon=True
        )
        process.start()
        there.close()
        ended = Ended(killed=True)
        tracer: subprocess.Popen[str] | None = None
        with suppress(EOFError, ConnectionError):
            while isinstance(told := here.recv(), str):
                if kill and kill.step == told and kill.how == "syscall":
                    tracer = _traced(process.pid or 0, int(kill.at))
                here.send("go")
                if kill and kill.step == told and kill.how == "time":
                    process.join((usual.seconds.get(told, 0.0) if usual else 0.0) * kill.at)
                    with suppress(ProcessLookupError):  # it was quicker
                        os.kill(process.pid or 0, signal.SIGKILL)
            ended = _ended(*told)
        process.join()
        if tracer:
            tracer.communicate()
        if process.exitcode == -signal.SIGKILL:
            ended.killed = True
            self.kills[f"{kill.step} {kill.how}" if kill else "?"] += 1
        elif process.exitcode:
            raise AssertionError(f"the run after {dict(self.kills)} failed; its output is above")
        return ended

    def leftovers(self) -> list[str]:
        """Drafts and temporary files that somebody forgot."""
        names = [str(f.relative_to(self.data)) for f in self.data.rglob("*") if f.is_file()]
        return [n for n in names if n.endswith((".part", ".next", ".next.wal", ".wal", ".tmp"))]

    def fingerprints(self, without: frozenset[str]) -> dict[str, str]:
        """By table of warehouse and published file: rows and a hash over them in sorted order, less columns that tell runs apart."""
        found: dict[str, str] = {}
        for file in (self.data / "warehouse.duckdb", self.published):
            with duckdb.connect(str(file), read_only=True) as con:
                con.execute("set TimeZone = 'UTC'")
                for schema, table in con.execute(
                    """select table_schema, table_name from information_schema.tables
                       where table_schema in ('raw', 'staging', 'core', 'marts', 'main') and table_type = 'BASE TABLE'"""
                ).fetchall():
                    if table not in ABOUT_RUNS:
                        found[f"{schema}.{table}"] = _fingerprint(con, f'"{schema}"."{table}"', without)
        return found

    def windows(self) -> list[tuple[object, ...]]:
        """What meta.extract_window says has been read of each stream: how it went, from when, until when. Every done window has its file.

        A run after a kill reads from where the killed one stopped, so the windows themselves are others; what they add up to is not.
        """
        with duckdb.connect(str(self.data / "warehouse.duckdb"), read_only=True) as con:
            rows = con.execute(
                """select source_id, stream, partition, list(distinct status), max(window_end)::varchar,
                       min(window_start) filter (where kind = 'range')::varchar
                   from meta.extract_window group by all order by all"""
            ).fetchall()
            landed = con.execute("select landing_file from meta.extract_window where status = 'done'").fetchall()
        files = sorted(f.name for f in (self.data / "landing").rglob("*.jsonl"))
        assert sorted(row[0] for row in landed) == files, "windows and landing files differ"
        return rows


@dataclass(frozen=True)
class Nights:
    """An installation before the night that is killed; one after it, undisturbed; and how it went there. apart: columns that differ."""

    first: Victim
    second: Victim
    usual: Ended
    apart: frozenset[str] = OF_A_RUN


def points(random: Random, usual: Ended, step: str, count: int, hows: tuple[str, ...]) -> list[Kill]:
    """Kills in a step, spread over its points, its seconds and its system calls."""
    kills: list[Kill] = []
    for n in range(count):
        how = hows[n % len(hows)]
        at = {
            "point": random.randint(1, max(1, usual.counts.get(step, 1))),
            "time": random.random(),
            "syscall": random.randint(1, 40),
        }
        kills.append(Kill(step, how, at[how]))
    return kills


def _ended(status: str, why: str, reached: dict[str, float], seconds: float, counts: dict[str, int]) -> Ended:
    order = list(reached)
    until = dict(zip(order, [*(reached[s] for s in order[1:]), seconds], strict=True))
    return Ended(False, status, why, counts, {s: until[s] - reached[s] for s in order})


def _traced(pid: int, number: int) -> subprocess.Popen[str]:
    """strace that kills the process in its `number`-th system call that writes. Returns when it is attached."""
    command = ["strace", "-f", "-p", str(pid), "-e", f"trace={WRITES}", "-o", os.devnull]
    tracer = subprocess.Popen(
        [*command, "-e", f"inject={WRITES}:signal=SIGKILL:when={number}"], stderr=subprocess.PIPE, text=True
    )
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    assert "attached" in said, said
    return tracer


def _fingerprint(con: duckdb.DuckDBPyConnection, table: str, without: frozenset[str]) -> str:
    columns = [r[0] for r in con.execute(f"describe {table}").fetchall()]
    kept = ", ".join(f'"{c}"' for c in columns if c not in without)
    row = con.execute(
        f"select count(*), md5(string_agg(line, chr(10) order by line)) from (select row({kept})::varchar as line from {table})"
    ).fetchone()
    return str(row)
