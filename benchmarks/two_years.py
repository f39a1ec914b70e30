"""A backfill of a company too large for the sandbox, through everything: HTTP, landing, build, checks, publishing.

    python -m benchmarks.two_years --reps 200 --days 730              the vendors' limits lifted
    python -m benchmarks.two_years --reps 200 --days 730 --speed 5    kept by both sides, five times as large as documented
    python -m benchmarks.two_years --reps 200 --days 73 --rounds 3    medians; beside the floor and dlt (`make bench` installs it)

And a night after it in which nothing changed. Its vendors are a process of their own that is not measured but shares the machine
(stored_vendors.py). The floor asks what salespulse asked and drops the answers; dlt extracts and loads (dlt_backfill.py).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import duckdb
import httpx

from benchmarks import large_company as company
from benchmarks.__main__ import BENCH_PYTHON
from benchmarks.night import PRODUCT, Cost, measured
from sandbox.lifted import LIFTED

NOW = "2026-03-20T02:00:00Z"
AGAIN = 35  # days: parameters.reprocess_days
BACKFILL, NIGHT = "backfill", "night without news"
URL = re.compile(r"http://127\.0\.0\.1:\d+")
READ = """select source_id, count(*) as windows, sum(requests)::bigint as requests, sum(retries)::bigint as tried_again,
    sum(rows_read)::bigint as records, sum(rows_quarantined)::bigint as quarantined, round(sum(seconds)) as seconds
    from meta.extract_window group by all order by all"""
TOLD = """select count(*) as rep_days, sum(calls_made)::bigint as calls, sum(emails_sent)::bigint as mails, min(activity_date) as first_day,
    count(*) filter (where is_complete) as complete from daily_rep_activity"""
# What `salespulse` is told of limits so many times the documented ones.
DOCUMENTED = {
    "hubspot": {"requests_per_10_seconds": 190, "search_per_second": 5},
    "cloudtalk": {"requests_per_minute": 60},
    "gmail": {
        "units_per_minute_user": 6_000,
        "units_per_minute_project": 1_200_000,
        "units_per_day_project": 80_000_000,
    },
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--reps", type=int, default=200)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--speed", type=float, help="of the vendors' limits, by salespulse alone; lifted if not given")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--without", action="append", default=[], choices=["floor", "dlt"], help="may be repeated")
    parser.add_argument("--folder", type=Path, help="where to work, and to leave everything")
    options = parser.parse_args()
    contenders = {"salespulse": of_salespulse, "floor": of_the_floor, "dlt": of_dlt}
    asked = [
        name for name in contenders if name not in options.without and not (options.speed and name != "salespulse")
    ]
    costs: dict[tuple[str, str], list[Cost]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(exist_ok=True)
        with serving(folder, options.reps, options.days, options.speed) as url:
            task = Task(folder, url, options.reps, options.days, options.speed)
            for turn in range(options.rounds):
                for name in asked:
                    print(f"round {turn + 1}: {name}", flush=True)
                    for cost in contenders[name](task):
                        costs.setdefault((cost.what, name), []).append(cost)
            told(folder / "data")
    show(costs)


@dataclass(frozen=True)
class Task:
    """What is read, from where, and where it goes."""

    folder: Path
    url: str
    reps: int
    days: int
    speed: float | None

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def first(self) -> date:
        return company.LAST_DAY - timedelta(days=self.days)

    @contextmanager
    def writing_down(self, name: str) -> Generator[None]:
        """What is asked meanwhile is what the floor asks again."""
        httpx.put(f"{self.url}/__stored__/asked/{name}").raise_for_status()
        yield
        httpx.delete(f"{self.url}/__stored__/asked").raise_for_status()


def of_salespulse(task: Task) -> Iterator[Cost]:
    """From nothing, through everything that a user's command does."""
    shutil.rmtree(task.folder / "data", ignore_errors=True)
    (task.folder / "data").mkdir()
    environment = {**os.environ, "PREFECT_HOME": str(task.folder / "prefect"), **limits(task.speed)}
    environment.pop("PREFECT_API_URL", None)
    common = ["--settings", str(task.folder / "salespulse.toml"), "--now", NOW]
    span = ["--from", str(task.first), "--to", str(company.LAST_DAY - timedelta(days=1))]
    # A server's database is made at its first start: once in an installation, so apart.
    measured("check of the settings", [*PRODUCT, "check", *common[:2]], environment, task.log)
    with task.writing_down(BACKFILL):
        yield measured(BACKFILL, [*PRODUCT, "backfill", *span, *common], environment, task.log)
    if task.speed is None:
        measured("first night", [*PRODUCT, "nightly", *common], environment, task.log)
        with task.writing_down(NIGHT):
            yield measured(NIGHT, [*PRODUCT, "nightly", *common], environment, task.log)


def of_the_floor(task: Task) -> Iterator[Cost]:
    """The same requests and nothing else."""
    for what in (BACKFILL, NIGHT):
        command = [sys.executable, "-m", "benchmarks.floor_requests", task.url, str(task.folder / f"{what}.requests")]
        yield measured(what, command, os.environ, task.log)


def of_dlt(task: Task) -> Iterator[Cost]:
    """Extract and load alone. At night: as many days as salespulse reads again."""
    with tempfile.TemporaryDirectory() as place:
        environment = {**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false"}
        since = {BACKFILL: task.first, NIGHT: company.LAST_DAY - timedelta(days=AGAIN)}
        for what, step in ((BACKFILL, "full"), (NIGHT, "night")):
            where = [task.url, place, str(task.reps), str(since[what]), step]
            command = [str(BENCH_PYTHON), "-m", "benchmarks.dlt_backfill", *where]
            yield measured(what, command, environment, task.log)


def show(costs: Mapping[tuple[str, str], Sequence[Cost]]) -> None:
    """The medians as a table."""
    print("| | | runs | wall s | CPU s | peak MB |\n|---|---|---|---|---|---|")
    for (what, name), found in sorted(costs.items()):
        wall, cpu, memory = (median(getattr(cost, of) for cost in found) for of in ("wall", "cpu", "megabytes"))
        print(f"| {what} | {name} | {len(found)} | {wall:.1f} | {cpu:.1f} | {memory:.0f} |")


def limits(speed: float | None) -> dict[str, str]:
    if speed is None:
        return {
            f"SALESPULSE__{s}__{key}".upper(): str(LIFTED[s][key]) for s, keys in DOCUMENTED.items() for key in keys
        }
    return {
        f"SALESPULSE__{source}__{key}".upper(): str(int(most * speed))
        for source, keys in DOCUMENTED.items()
        for key, most in keys.items()
    }


@contextmanager
def serving(folder: Path, reps: int, days: int, speed: float | None) -> Generator[str]:
    """The vendors' URL."""
    command = [sys.executable, "-m", "benchmarks.stored_vendors", str(folder), str(reps), str(days)]
    with subprocess.Popen([*command, *([str(speed)] if speed else [])], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        if process.stdout.readline() != "ready\n":
            raise SystemExit("the vendors did not start")
        try:
            yield URL.findall((folder / "salespulse.toml").read_text("utf-8"))[0]
        finally:
            process.terminate()


def told(data: Path) -> None:
    """What was read of each source, what is published, and how large the files are."""
    with duckdb.connect(str(data / "warehouse.duckdb"), read_only=True) as con:
        print(con.sql(READ))
    with duckdb.connect(str(data / "sales_metrics.duckdb"), read_only=True) as con:
        print(con.sql(TOLD))
    landed = sum(file.stat().st_size for file in (data / "landing").rglob("*.jsonl"))
    sizes = {"landing": landed, **{f: (data / f).stat().st_size for f in ("warehouse.duckdb", "sales_metrics.duckdb")}}
    print({name: f"{size / 2**30:.2f} GB" for name, size in sizes.items()})


if __name__ == "__main__":
    main()
