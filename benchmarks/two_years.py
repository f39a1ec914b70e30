"""A backfill of a company too large for the sandbox, through everything: HTTP, landing, build, checks, publishing.

    python -m benchmarks.two_years --reps 200 --days 730              the vendors' limits lifted
    python -m benchmarks.two_years --reps 200 --days 730 --speed 5    kept by both sides, five times as large as documented

Its vendors are a process of their own that is not measured but shares the machine (stored_vendors.py).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb

from benchmarks import large_company as company
from benchmarks.night import measured
from sandbox.lifted import LIFTED

NOW = "2026-03-20T02:00:00Z"
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
    parser.add_argument("--speed", type=float, help="of the vendors' limits; lifted if not given")
    parser.add_argument("--folder", type=Path, help="where to work, and to leave everything")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(exist_ok=True)
        environment = {**os.environ, "PREFECT_HOME": str(folder / "prefect"), **limits(options.speed)}
        environment.pop("PREFECT_API_URL", None)
        first, last = company.LAST_DAY - timedelta(days=options.days), company.LAST_DAY - timedelta(days=1)
        common = ["--settings", str(folder / "salespulse.toml"), "--now", NOW]
        with serving(folder, options.reps, options.days, options.speed):
            log = folder / "log"
            measured("Prefect's database, check of the settings", ["check", *common[:2]], environment, log)
            span = ["--from", str(first), "--to", str(last)]
            measured(
                f"backfill of {options.reps} reps and {options.days} days",
                ["backfill", *span, *common],
                environment,
                log,
            )
        told(folder / "data")


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
def serving(folder: Path, reps: int, days: int, speed: float | None) -> Generator[None]:
    command = [sys.executable, "-m", "benchmarks.stored_vendors", str(folder), str(reps), str(days)]
    with subprocess.Popen([*command, *([str(speed)] if speed else [])], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        if process.stdout.readline() != "ready\n":
            raise SystemExit("the vendors did not start")
        try:
            yield
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
