"""The build of a large warehouse and its published file: whole, after one more normal day, without news.   python -m benchmarks.increment

Each step is a process of its own, so that its memory is its own. The floor is a plain scan and aggregate of the same facts by DuckDB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import connectors
from benchmarks import large_company
from transforms import build, inputs, landing, publish, raw
from transforms.warehouse import open_warehouse

ROOT = Path(__file__).parent.parent
STEPS = ("land", "whole", "publish", "floor", "land-day", "day", "publish-day", "floor-day", "same")
CRM_STREAMS = ("crm_call", "crm_email", "crm_meeting", "crm_task", "crm_note", "crm_contact", "crm_company", "crm_deal")
FLOOR = """
select count(*), sum(n), sum(s) from (
    select rep_id, activity_date, count(*) as n, sum(talk_s) as s from core.fct_call where {when} group by all
    union all
    select rep_id, activity_date, count(*), sum(n_ext_recipients) from core.fct_email where {when} group by all
    union all
    select host_rep_id, held_date, count(*), 0 from core.fct_meeting where {held} group by all
)"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--reps", type=int, default=100)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--memory", default="3GB", help="DuckDB's memory_limit")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--slowest", type=int, default=8)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--step", default="")
    options = parser.parse_args()
    if options.step:
        print(json.dumps(step(options)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        found = {name: measured(options, folder, name) for name in STEPS}
    show(options, found)
    if options.out:
        options.out.write_text(json.dumps(found, indent=1))


def measured(options: argparse.Namespace, folder: Path, name: str) -> dict[str, object]:
    """Run a step as a process: what it said, and its wall time and peak memory by the kernel."""
    command = [sys.executable, "-m", "benchmarks.increment", "--step", name, "--reps", str(options.reps), "--days", str(options.days),
               "--memory", options.memory, "--folder", str(folder)]  # fmt: skip
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"step {name} failed")
    cpu = usage.ru_utime + usage.ru_stime
    result = {"wall": time.perf_counter() - began, "cpu": cpu, "megabytes": usage.ru_maxrss / 1024, **json.loads(said)}
    print(
        f"{name}: {result['wall']:.1f} s, {cpu:.1f} s of CPU, {result['megabytes']:.0f} MB, {result.get('rows', '')}",
        flush=True,
    )
    return result


def step(options: argparse.Namespace) -> dict[str, object]:
    folder: Path = options.folder
    with open_warehouse(folder / "warehouse.duckdb", memory_limit=options.memory, threads=2) as con:
        if options.step in ("land", "land-day"):
            for source in connectors.NAMES:
                raw.declare(con, [(source, s.name) for s in connectors.load(source)[0].streams])
            day = options.step == "land-day"
            files = (
                large_company.write_day(folder, options.reps)
                if day
                else large_company.write_history(folder, options.reps, options.days)
            )
            rows, seconds = 0, 0.0
            for file in files:  # written one by one: all of them at once would take as much disk as the warehouse
                began = time.perf_counter()
                rows += landing.land(con, file).rows_new
                seconds += time.perf_counter() - began
                file.unlink()
            _cover(con, options.reps, day)
            return {"rows": rows, "seconds": seconds}
        if options.step.startswith("floor"):
            day = (
                f"activity_date >= date '{large_company.LAST_DAY - timedelta(days=1)}'"
                if options.step == "floor-day"
                else "true"
            )
            began = time.perf_counter()
            row = con.execute(FLOOR.format(when=day, held=day.replace("activity_date", "held_date"))).fetchone()
            return {"seconds": time.perf_counter() - began, "rows": row and row[1]}
        if options.step.startswith("publish"):
            began = time.perf_counter()
            done = publish.publish(con, folder / "published.duckdb", keep=0)
            return {"seconds": time.perf_counter() - began, "rows": done.rows, "bytes": done.bytes}
        return _build(con, options)


def _build(con, options):  # type: ignore[no-untyped-def]
    now = large_company.RUN_AT - timedelta(days=1 if options.step == "whole" else 0)
    sources = [inputs.SourceInput(s, "main", connectors.load(s)[0].system) for s in connectors.NAMES]
    first = large_company.LAST_DAY - timedelta(days=options.days)
    files = {"reps": options.folder / "reps.csv"}
    inputs.load(
        con,
        inputs.Inputs(f"bench-{options.step}", now, first, sources=sources, internal_domains=["acme.com"], files=files),
    )
    began = time.perf_counter()
    report = build.build(con)
    seconds = time.perf_counter() - began
    slow = sorted(report.seconds.items(), key=lambda item: -item[1])[: options.slowest]
    calls = con.execute(
        "select count(*), (select sum(calls_made) from marts.daily_org_activity) from core.fct_call"
    ).fetchone()
    return {
        "seconds": seconds, "rows": report.changed_rows, "restated": report.restated_values, "check": calls,
        "slowest": [(t, round(s, 2), report.how[t], report.rows.get(t)) for t, s in slow],
    }  # fmt: skip


def _cover(con, reps: int, is_day: bool) -> None:  # type: ignore[no-untyped-def]
    """What the planner's windows would have left behind: every stream read whole up to the run, every mailbox by itself."""
    now = large_company.RUN_AT - timedelta(days=0 if is_day else 1)
    con.execute("delete from meta.extract_window where run_id like 'cover%'")
    rows = [
        ("hubspot", s, "")
        for s in (
            "crm_call",
            "crm_email",
            "crm_meeting",
            "crm_task",
            "crm_note",
            "crm_contact",
            "crm_company",
            "crm_deal",
        )
    ]
    rows += [("cloudtalk", "dialer_call", ""), *(("gmail", "mail_message", f"rep{r}@acme.com") for r in range(reps))]
    con.executemany(
        """insert into meta.extract_window (window_id, run_id, source_id, workspace_id, stream, partition, kind, window_start, window_end,
               status, extracted_at, landed_at, landing_no) values (?, ?, ?, 'main', ?, ?, 'full', null, ?, 'done', ?, ?, 0)""",
        [[f"{s}.{t}.{p}", f"cover{now:%d}", s, t, p, now, now, datetime.now(UTC)] for s, t, p in rows],
    )


def show(options: argparse.Namespace, found: dict[str, dict[str, object]]) -> None:
    print(f"\n{options.reps} reps, {options.days} days, memory_limit {options.memory}\n")
    print("| step | s in the step | wall s | CPU s | peak MB | rows |\n|---|---|---|---|---|---|")
    for name, one in found.items():
        print(
            f"| {name} | {one.get('seconds', 0):.2f} | {one['wall']:.1f} | {one['cpu']:.1f} | {one['megabytes']:.0f} | {one.get('rows')} |"
        )
    for name in ("whole", "day", "same"):
        print(f"\nslowest of {name}:")
        for table, seconds, how, rows in found[name]["slowest"]:  # type: ignore[union-attr]
            print(f"  {seconds:>7.2f} s  {how:<6}  {rows or 0:>10,}  {table}")


if __name__ == "__main__":
    main()
