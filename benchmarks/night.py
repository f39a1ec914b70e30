"""A backfill and the nights after it, through everything: Prefect's own start, connectors, landing, build, checks, publishing.

    python -m benchmarks.night --reps 20 --days 60            the vendors' limits lifted
    python -m benchmarks.night --reps 20 --days 60 --limits   kept, by the product and by the sandbox
    python -m benchmarks.night --limits-at-night …           lifted while the backfill runs, then kept
    python -m benchmarks.night --everywhere …                 the company at ten vendors: its reps at one CRM, dialer and mail or at the other

A make-believe company behind the sandbox, which runs as a process of its own and is not measured. Every command is a process of its own:
wall, CPU (user + system, of its children too) and peak memory of the largest of them are the kernel's (wait4).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import duckdb

from sandbox.company import generate
from sandbox.company_everywhere import act_at_home, everywhere

NOW = datetime(2026, 3, 20, 2, tzinfo=UTC)
PRODUCT = [str(Path(sys.executable).parent / "salespulse")]
BY_SOURCE = """
    with last as (select arg_max(run_id, started_at) as run_id from meta.run where kind = 'nightly')
    select w.source_id, count(*) as windows, sum(w.requests)::bigint as requests, sum(w.retries)::bigint as tried_again,
        sum(w.rows_read)::bigint as records, round(sum(w.seconds), 1) as seconds
    from meta.extract_window as w inner join last as l on w.run_id = l.run_id group by w.source_id order by seconds desc
"""


@dataclass(frozen=True)
class Cost:
    what: str
    wall: float
    cpu: float
    megabytes: float


def measured(what: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> Cost:
    """Run a command to its end; wall, CPU and peak memory are the kernel's (wait4)."""
    with log.open("ab") as out:
        began = perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{log.read_text()[-3000:]}")
    cost = Cost(what, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
    print(f"{what}: {cost.wall:.1f} s wall, {cost.cpu:.1f} s CPU, {cost.megabytes:.0f} MB", flush=True)
    return cost


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--reps", type=int, default=20)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--nights", type=int, default=3, help="in which nothing changed")
    parser.add_argument("--limits", action="store_true", help="keep the vendors' limits")
    parser.add_argument("--limits-at-night", action="store_true", help="keep them once the backfill has run")
    parser.add_argument("--everywhere", action="store_true", help="a company at all vendors that are read over HTTP")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        world, settings = folder / "world.json", folder / "salespulse.toml"
        size = ["--reps", str(options.reps), "--days", str(options.days), "--now", NOW.isoformat()]
        if options.everywhere:
            document = generate(1, options.reps, options.days, NOW)
            everywhere(document, NOW, options.days)
            act_at_home(document, {rep["key"]: rep["seats"][0] for rep in document["reps"]}, "hubspot")
            world.write_text(json.dumps(document))
        else:
            subprocess.run([*PRODUCT, "sandbox", "generate", *size, str(world)], check=True, stdout=subprocess.DEVNULL)
        serve = ["--world", str(world), "--now", NOW.isoformat(), "--settings-out", str(settings)]
        kept, kept_at_night = options.limits, options.limits or options.limits_at_night
        with _sandbox(serve, limits=kept):
            fill(options, folder, settings, _environment(folder))
        with _sandbox(serve, limits=kept_at_night):
            nights(options, folder, settings, _environment(folder))


@contextmanager
def _sandbox(serve: list[str], *, limits: bool) -> Iterator[None]:
    with subprocess.Popen(
        [*PRODUCT, "sandbox", "serve", *serve, *([] if limits else ["--no-limits"])], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield
        finally:
            process.terminate()


def _environment(folder: Path) -> dict[str, str]:
    environment = {**os.environ, "PREFECT_HOME": str(folder / "prefect")}
    environment.pop("PREFECT_API_URL", None)
    return environment


def fill(options: argparse.Namespace, folder: Path, settings: Path, environment: dict[str, str]) -> None:
    common, log = _common(settings), folder / "log"
    first, last = (NOW - timedelta(days=options.days)).date(), (NOW - timedelta(days=1)).date()
    span = ["--from", str(first), "--to", str(last)]
    # A server's database is made at its first start: once in an installation, so apart.
    measured("Prefect's database, check of the settings", [*PRODUCT, "check", *common[:2]], environment, log)
    measured("backfill", [*PRODUCT, "backfill", *span, *common], environment, log)


def _common(settings: Path) -> list[str]:
    return ["--settings", str(settings), "--now", NOW.isoformat()]


def nights(options: argparse.Namespace, folder: Path, settings: Path, environment: dict[str, str]) -> None:
    common, log = _common(settings), folder / "log"
    measured("first night after it", [*PRODUCT, "nightly", *common], environment, log)
    told(settings)
    same = [
        measured("night without news", [*PRODUCT, "nightly", *common], environment, log) for _ in range(options.nights)
    ]
    with duckdb.connect(str(settings.parent / "data" / "warehouse.duckdb"), read_only=True) as con:
        landed = con.execute("select count(*), sum(requests), sum(rows_read) from meta.extract_window").fetchone()
        rows = con.execute(
            "select count(*) from core.fct_call union all select count(*) from core.fct_email"
        ).fetchall()
    print(f"\nwindows, requests, records: {landed}; calls, mails: {[n for (n,) in rows]}")
    middle = statistics.median(c.wall for c in same), statistics.median(c.cpu for c in same)
    print(f"night without news, median of {options.nights}: {middle[0]:.1f} s wall, {middle[1]:.1f} s CPU")


def told(settings: Path) -> None:
    """What the last night read of each source, and how long its windows took together: side by side, so the night is shorter than their sum."""
    with duckdb.connect(str(settings.parent / "data" / "warehouse.duckdb"), read_only=True) as con:
        print(con.sql(BY_SOURCE))


if __name__ == "__main__":
    main()
