"""The warehouse file: one writer, UTC session, the schemas and bookkeeping tables that everything else relies on."""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import duckdb

SCHEMAS = ("raw", "staging", "core", "marts", "meta", "input")

BOOKKEEPING = """
create table if not exists meta.extract_window (
    window_id varchar, run_id varchar, source_id varchar, workspace_id varchar, stream varchar, partition varchar, kind varchar,
    window_start timestamptz, window_end timestamptz, status varchar, extracted_at timestamptz, landed_at timestamptz,
    rows_read bigint, rows_new bigint, rows_deleted bigint, rows_quarantined bigint, expected bigint, requests bigint,
    retries bigint, seconds double, cursor varchar, error varchar, landing_file varchar, landing_no bigint,
    primary key (window_id, run_id)
);
create table if not exists meta.quarantine (
    source_id varchar, workspace_id varchar, stream varchar, record_id varchar, reason varchar, payload varchar, stage varchar,
    run_id varchar, first_seen_at timestamptz, resolved_at timestamptz
);
create table if not exists meta.run (
    run_id varchar primary key, kind varchar, day date, started_at timestamptz, finished_at timestamptz, status varchar,
    published boolean, detail json
);
create table if not exists meta.restatement (
    table_name varchar, key varchar, metric varchar, old_value varchar, new_value varchar, reason varchar, run_id varchar,
    restated_at timestamptz
);
create table if not exists meta.data_quality (
    "check" varchar, severity varchar, failing_rows bigint, detail varchar, run_id varchar
);
create table if not exists input.source_setting (name varchar, value varchar);  -- a macro reads it
create table if not exists input.secret (name varchar, value varchar);  -- a macro reads it
create table if not exists meta.fact (name varchar primary key, value varchar);
create table if not exists meta.parameter (name varchar primary key, value varchar, default_value varchar, changed_at timestamptz);
create table if not exists meta.coverage (
    source_id varchar, workspace_id varchar, stream varchar, partition varchar, covered_from timestamptz, covered_until timestamptz
);
"""


class WarehouseError(Exception):
    """The warehouse cannot be used. The message says what to do."""


class WarehouseLocked(WarehouseError):
    """Another process writes to the warehouse."""


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """Open the file for writing, made with mode 0600 if it is new. Raises WarehouseLocked or WarehouseError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = os.umask(0o077)  # the .wal beside the file must not be readable by others either
    try:
        return duckdb.connect(str(path))
    except duckdb.Error as error:
        raise _explained(path, error) from error
    finally:
        os.umask(before)


@contextmanager
def open_warehouse(
    path: Path, *, memory_limit: str | None = None, threads: int | None = None
) -> Generator[duckdb.DuckDBPyConnection]:
    """The warehouse, ready to be written, closed (and thereby checkpointed) at the end.

    memory_limit: as DuckDB reads it, "1GB". Raises WarehouseLocked when another process has it, WarehouseError when the
    file cannot be opened.
    """
    con = connect(path)
    try:
        con.execute("set TimeZone = 'UTC'")
        con.execute("set temp_directory = ?", [str(path.parent / "tmp")])
        if memory_limit:
            con.execute("set memory_limit = ?", [memory_limit])
        if threads:
            con.execute("set threads = ?", [threads])
        prepare(con)
        yield con
    finally:
        con.close()


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing of schemas and bookkeeping tables, and the macros that landing and models use."""
    for schema in SCHEMAS:
        con.execute(f"create schema if not exists {schema}")
    con.execute(BOOKKEEPING)
    con.execute((resources.files("sql") / "macros.sql").read_text("utf-8"))


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Generator[None]:
    """All or nothing."""
    con.execute("begin transaction")
    try:
        yield
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")


def name(identifier: str) -> str:
    """An identifier, quoted. Names come from declarations in code, never from vendors; quoting is the second fence."""
    return '"' + identifier.replace('"', '""') + '"'


def value(con: duckdb.DuckDBPyConnection, query: str, parameters: list[object] | None = None) -> object:
    """The first column of the first row, or None."""
    row = con.execute(query, parameters or []).fetchone()
    return row[0] if row else None


def _explained(path: Path, error: duckdb.Error) -> WarehouseError:
    text = str(error)
    if "lock" not in text.lower():
        return WarehouseError(f"cannot open the warehouse {path}: {text}")
    pid = re.search(r"PID (\d+)", text)
    return WarehouseLocked(
        f"the warehouse {path} is being written by process {_described(pid.group(1)) if pid else 'another'}; "
        "wait until that run has ended, or stop it, and start again"
    )


def _described(pid: str) -> str:
    started = Path("/proc") / pid
    try:
        since = datetime.fromtimestamp(started.stat().st_mtime, UTC)
    except OSError:
        return pid
    return f"{pid} (running since {since:%Y-%m-%d %H:%M} UTC)"
