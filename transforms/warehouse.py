"""The warehouse file: one writer, UTC session, the schemas and bookkeeping tables that everything else relies on."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from shutil import rmtree
from typing import Any

import duckdb

from connectors.landing_folder import COPIES

from .lock import holder_in

# Begins the names of folders for rows that wait out of memory (slices.py).
ASIDE = "rows-"
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
alter table meta.quarantine add column if not exists partition varchar;
alter table meta.quarantine add column if not exists last_seen_at timestamptz;
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
create table if not exists meta.field (
    source_id varchar, workspace_id varchar, stream varchar, field varchar, first_run_id varchar, first_seen_at timestamptz
);
create table if not exists meta.field_hour (
    source_id varchar, workspace_id varchar, stream varchar, field varchar, utc_hour timestamptz, records double, present double,
    readable double, first_readable_at timestamptz, last_readable_at timestamptz, first_unreadable_at timestamptz,
    last_unreadable_at timestamptz
);
create table if not exists meta.field_gap (
    source_id varchar, workspace_id varchar, stream varchar, part varchar, field varchar, gap_from timestamptz, gap_until timestamptz,
    last_good_at timestamptz, next_good_at timestamptz, records bigint, reason varchar
);
create table if not exists input.source (
    source_id varchar, workspace_id varchar, system varchar, lag_seconds integer, kept_seconds bigint, streams varchar[]
);
create table if not exists input.source_setting (name varchar, value varchar);  -- a macro reads it
create table if not exists input.secret (name varchar, value varchar);  -- a macro reads it
create table if not exists meta.fact (name varchar primary key, value varchar);
create table if not exists meta.parameter (name varchar primary key, value varchar, default_value varchar, changed_at timestamptz);
create table if not exists meta.coverage (
    source_id varchar, workspace_id varchar, stream varchar, partition varchar, covered_from timestamptz, covered_until timestamptz,
    is_gap boolean
);
"""


class WarehouseError(Exception):
    """The warehouse cannot be used. The message says what to do."""

    page = "damaged-warehouse"


class WarehouseLocked(WarehouseError):
    """Another process writes to the warehouse."""

    page = "warehouse-held"


class DiskFull(WarehouseError):
    """No room is left below the data folder."""

    page = "disk-full"


class NotWritable(WarehouseError):
    """The data folder, or a file in it, must not be written."""

    page = "not-writable"


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """Open the file for writing, made with mode 0600 if it is new. Raises WarehouseLocked or WarehouseError."""
    before = os.umask(0o077)  # the .wal beside the file must not be readable by others either
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _create(path)
        return duckdb.connect(str(path))
    except (duckdb.Error, OSError) as error:
        raise _explained(path, error) from error
    finally:
        os.umask(before)


def looked_at(path: Path) -> duckdb.DuckDBPyConnection:
    """Open the file for reading only. Raises WarehouseLocked while a run writes to it, or WarehouseError."""
    try:
        return duckdb.connect(str(path), read_only=True)
    except (duckdb.Error, OSError) as error:
        raise _explained(path, error) from error


def _create(path: Path) -> None:
    """A new file appears whole or not at all: DuckDB refuses one that was cut off before its header was written."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    duckdb.connect(str(draft)).close()
    with suppress(FileExistsError, FileNotFoundError):  # another process was quicker
        path.hardlink_to(draft)
    draft.unlink(missing_ok=True)


def connect_within(seconds: float, path: Path, on_wait: Callable[[str], None]) -> duckdb.DuckDBPyConnection:
    """As connect; while another process has the file, try again for so many seconds. on_wait: told once who has it.

    The lock is the kernel's (fcntl): it goes with the process that holds it, however that ends, so none is ever left behind.
    """
    until, told = time.monotonic() + seconds, False
    while True:
        try:
            return connect(path)
        except WarehouseLocked as error:
            left = until - time.monotonic()
            if left <= 0:
                raise
            if not told:
                on_wait(f"waiting up to {seconds:.0f} seconds: {error}")
                told = True
            time.sleep(min(1.0, left))


@contextmanager
def open_warehouse(
    path: Path,
    *,
    memory_limit: str | None = None,
    threads: int | None = None,
    wait: float = 0.0,
    on_wait: Callable[[str], None] = lambda _: None,
) -> Generator[duckdb.DuckDBPyConnection]:
    """The warehouse, ready to be written, closed (and thereby checkpointed) at the end.

    memory_limit: as DuckDB reads it, "1GB". wait: seconds for which another process may hold it. Raises WarehouseLocked
    when one still does, WarehouseError when the file cannot be opened, or what lies beneath it fails: a full disk, a read-only
    folder, a file that is cut off.
    """
    con = connect_within(wait, path, on_wait)
    try:
        _clear_leftovers(path)
        con.execute("set TimeZone = 'UTC'")
        con.execute("set temp_directory = ?", [str(path.parent / "tmp")])
        if memory_limit:
            con.execute("set memory_limit = ?", [memory_limit])
        if threads:
            con.execute("set threads = ?", [threads])
        prepare(con)
        yield con
    except duckdb.Error as error:
        if told := storage_fault(path, error):
            raise told from error
        raise
    finally:
        with suppress(duckdb.Error):  # after a fault of the disk it cannot checkpoint; the next one to open it does
            con.close()


def _clear_leftovers(path: Path) -> None:
    """What a killed run spilled to disk or began to create. Only whoever holds the warehouse comes here, so nobody is using it."""
    for file in (*(path.parent / "tmp").glob("duckdb_temp_*"), *path.parent.glob(f"{path.name}.*.new")):
        file.unlink(missing_ok=True)
    for prefix in (COPIES, ASIDE):
        for folder in (path.parent / "tmp").glob(f"{prefix}*"):
            rmtree(folder, ignore_errors=True)


def storage_fault(path: Path, error: BaseException) -> WarehouseError | None:
    """What a fault of the disk, or of a file on it, means for whoever runs this; None if the error is of another kind."""
    chain: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        chain.append(str(seen))
        seen = seen.__cause__ or seen.__context__
    text = " ".join(chain)
    if re.search(r"No space left|ENOSPC|File too large|Disk quota|not enough (disk )?space", text, re.IGNORECASE):
        return DiskFull(
            f"the disk of {path.parent} is full: {chain[0].strip()} Nothing was published and the published file is as it was. "
            "Make room and run again; what has landed is kept."
        )
    if re.search(r"Read-only file system|Permission denied", text):
        return NotWritable(
            f"cannot write below {path.parent}: {chain[0].strip()} The published file is as it was. "
            "Make the folder writable for the user that runs salespulse and run again."
        )
    if re.search(
        r"[Cc]orrupt|checksum|could not read enough bytes|not a valid DuckDB|Could not read|[Dd]eserializ", text
    ):
        return WarehouseError(
            f"the warehouse {path} is damaged: {chain[0].strip()} The published file is as it was. `salespulse rebuild` puts the "
            "damaged file aside and makes a new one from the landing files."
        )
    return None


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing of schemas and bookkeeping tables, and the macros that landing and models use."""
    for schema in SCHEMAS:
        con.execute(f"create schema if not exists {schema}")
    con.execute(BOOKKEEPING)
    con.execute((resources.files("sql") / "macros.sql").read_text("utf-8"))
    _upgrade(con)


def _upgrade(con: duckdb.DuckDBPyConnection) -> None:
    """What a warehouse made by an older product lacks of raw: by which version a version was superseded (raw.py)."""
    lacking = con.execute(
        """select table_name from duckdb_tables() where schema_name = 'raw' and database_name = current_database()
               and ends_with(table_name, '_superseded') and column_count = 1"""
    ).fetchall()
    for (table,) in lacking:
        con.execute(f"alter table raw.{name(table)} add column _by bigint")


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


def literal(text: str) -> str:
    """A string literal, where no parameter can stand. The text is our own or checked before, never a vendor's."""
    return "'" + text.replace("'", "''") + "'"


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows by columns, in one statement: row by row takes a millisecond or two each."""
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        con.execute(f"insert into {table} select {', '.join(['unnest(?)'] * len(columns))}", columns)


def value(con: duckdb.DuckDBPyConnection, query: str, parameters: list[object] | None = None) -> object:
    """The first column of the first row, or None."""
    row = con.execute(query, parameters or []).fetchone()
    return row[0] if row else None


def count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    """Rows of a relation."""
    return int(str(value(con, f"select count(*) from {relation}")))


def made(con: duckdb.DuckDBPyConnection, statement: str) -> int:
    """Run a CREATE TABLE AS, INSERT or DELETE; how many rows it wrote."""
    row = con.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _explained(path: Path, error: Exception) -> WarehouseError:
    text = str(error)
    if "conflicting lock" not in text.lower():
        return storage_fault(path, error) or WarehouseError(f"cannot open the warehouse {path}: {text}")
    return WarehouseLocked(
        f"the warehouse {path} is being written by process {holder_in(text)}; "
        "wait until that run has ended, or stop it, and start again"
    )


def tables(con: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    """Names of the tables of a schema of the open database."""
    rows = con.execute(
        "select table_name from duckdb_tables() where schema_name = ? and database_name = current_database() order by 1",
        [schema],
    ).fetchall()
    return [row[0] for row in rows]
