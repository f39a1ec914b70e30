"""`salespulse status`: how fresh and how complete the numbers are, by source and day, and what the last runs did."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from flows.exit_codes import Exit
from flows.settings import Settings
from flows.settings_file import load_settings
from transforms import warehouse

STYLE = {"complete": "green", "partial": "yellow", "missing": "red"}


def show(console: Console, days: int) -> Exit:
    """Print the status from the warehouse, or from the published file while a run holds the warehouse."""
    settings = load_settings()
    if not settings.warehouse_file.exists() and not settings.published_file.exists():
        console.print(f"Nothing has run yet: there is no {settings.warehouse_file}. Start with `salespulse nightly`.")
        return Exit.OK
    with _opened(settings, console) as (con, is_warehouse):
        tables = {row[0] for row in con.execute("select table_name from duckdb_tables()").fetchall()}
        if "meta_source_day" in tables:
            _sources(con, console)
            _days(con, days, console)
        else:
            console.print("No run has come as far as building the tables yet.")
        if is_warehouse:
            _runs(con, console)
            _due(con, console)
        console.print(
            f"Published: {settings.published_database or _published(settings.published_file)}", highlight=False
        )
    return Exit.OK


@contextmanager
def _opened(settings: Settings, console: Console) -> Generator[tuple[duckdb.DuckDBPyConnection, bool]]:
    """A connection in which the daily tables are found by name, and whether it is the warehouse's."""
    file, is_warehouse = settings.published_file, False
    if settings.warehouse_file.exists():
        try:
            warehouse.connect(settings.warehouse_file).close()
            file, is_warehouse = settings.warehouse_file, True
        except warehouse.WarehouseLocked as error:
            console.print(f"A run is at work: {error}. What follows is from the published file.", style="yellow")
            if not file.exists():
                raise
    with duckdb.connect(str(file), read_only=True) as con:
        if is_warehouse:
            con.execute("use marts")
        yield con, is_warehouse


def _sources(con: duckdb.DuckDBPyConnection, console: Console) -> None:
    table = _table("source", "read without a gap until", "last read", "complete until")
    rows = con.execute(
        """select source, workspace, max(watermark), max(last_success_at),
                max(date) filter (where status = 'complete')
            from meta_source_day group by all order by all"""
    ).fetchall()
    for source, workspace, watermark, success, complete in rows:
        name = source if workspace == "main" else f"{source}/{workspace}"
        table.add_row(name, _instant(watermark), _instant(success), str(complete or "-"))
    console.print(table, "")


def _days(con: duckdb.DuckDBPyConnection, days: int, console: Console) -> None:
    rows = con.execute(
        """select date, source, status, rows from meta_source_day
            where date > (select max(date) from meta_source_day) - $days::integer
            order by date desc, source""",
        {"days": days},
    ).fetchall()
    sources = sorted({row[1] for row in rows})
    table = _table("day", *sources)
    cells = {(day, source): f"[{STYLE[status]}]{status}[/] {seen:,}" for day, source, status, seen in rows}
    for day in sorted({row[0] for row in rows}, reverse=True):
        table.add_row(f"{day:%a %Y-%m-%d}", *(cells.get((day, source), "") for source in sources))
    console.print(table, "")


def _runs(con: duckdb.DuckDBPyConnection, console: Console) -> None:
    table = _table("started", "run", "day", "ended", "")
    rows = con.execute(
        """select started_at at time zone 'UTC', kind, day, status, coalesce(detail ->> 'not_published', '')
           from meta.run order by started_at desc limit 5"""
    ).fetchall()
    for started, kind, day, status, why in rows:
        told = "cut off" if status == "running" else status
        table.add_row(_instant(started), kind, str(day), told, why)
    console.print(table, "")


def _due(con: duckdb.DuckDBPyConnection, console: Console) -> None:
    """Windows whose last attempt failed, and records that could not be read."""
    rows = con.execute(
        """select source_id, stream, status, count(*), max(error) from (
               select * from meta.extract_window
               qualify row_number() over (
                   partition by source_id, workspace_id, stream, partition, window_start order by landing_no desc) = 1
           ) where status <> 'done' group by all order by all"""
    ).fetchall()
    for source, stream, status, count, error in rows:
        console.print(f"{source} {stream}: {count} windows {status}: {error}", style="yellow", markup=False)
    waiting = warehouse.value(con, "select count(*) from meta.quarantine where resolved_at is null")
    if waiting:
        console.print(f"{waiting} records are in quarantine (meta.quarantine says why)", style="yellow")


def _published(file: Path) -> str:
    return f"{file} ({file.stat().st_size / 2**20:.1f} MB)" if file.exists() else f"not yet ({file})"


def _table(*headers: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header)
    return table


def _instant(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "-"
