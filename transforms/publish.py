"""The file that BI tools open: built beside, verified, swapped in one step (CONTRACT 1).

It holds copies of the marts in the schema main, and views over them; readers of the old file keep it until they close it.
A large file is a copy of the last one with the rows that changed put in their place (unpublished.py), so that a night writes no history.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources.abc import Traversable
from pathlib import Path

import duckdb

from . import contract, model, unpublished
from .build import forbidden_types
from .merge import TAIL_COMMENTS, columns_of
from .model import Model
from .warehouse import literal, name, transaction, value


class PublishError(Exception):
    """The new file was not fit to be published; the old one stands. The message says what was wrong with it."""

    page = "published-file"


@dataclass(frozen=True, slots=True)
class Published:
    """The file that was swapped in."""

    path: Path
    tables: int
    rows: int
    bytes: int


def publish(
    con: duckdb.DuckDBPyConnection,
    target: Path,
    *,
    mode: int = 0o600,
    keep: int = 7,
    set_aside: bool = True,
    folder: Traversable | None = None,
    small_file: int = unpublished.SMALL_FILE,
) -> Published:
    """Write the marts of the warehouse to `target`. Raises PublishError, and then `target` is as it was before.

    keep: how many earlier files stay. set_aside: whether the one that is replaced becomes one of them. small_file: bytes below which the
    file is written anew rather than continued.
    """
    models = [m for m in model.load(folder or model.root()) if m.schema == "marts"]
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(target.name + ".next")
    for leftover in (draft, draft.with_name(draft.name + ".wal")):
        leftover.unlink(missing_ok=True)
    try:
        is_anew = not unpublished.may_be_continued(con, target, models, small_file)
        if is_anew:
            _write(con, draft, models)
        else:
            _continue(con, target, draft, models)
        counts = _verify(draft, models)
        if not is_anew and not _has_all_rows(
            con, counts, models
        ):  # never seen; what is published must not rest on that
            is_anew = True
            draft.unlink()
            _write(con, draft, models)
            counts = _verify(draft, models)
        with draft.open("rb+") as handle:
            os.fsync(handle.fileno())
        draft.chmod(mode)
        if set_aside:
            _keep_previous(target, keep)
        draft.replace(target)
        _sync_folder(target.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    unpublished.published(con, target, models, anew=is_anew)
    return Published(target, len(counts), sum(counts.values()), target.stat().st_size)


def _write(con: duckdb.DuckDBPyConnection, draft: Path, models: Sequence[Model]) -> None:
    """A new file."""
    # One transaction for all: one for each of a thousand comments takes longer than the data.
    with _attached(con, draft, f" (storage_version '{contract.STORAGE_VERSION}')"), transaction(con):
        fill(con, "draft", models)


def _continue(con: duckdb.DuckDBPyConnection, target: Path, draft: Path, models: Sequence[Model]) -> None:
    """A copy of the file that stands, with what changed since."""
    draft.touch(0o600)
    shutil.copyfile(target, draft)
    with _attached(con, draft), transaction(con):
        unpublished.write(con, "draft", models)


@contextmanager
def _attached(con: duckdb.DuckDBPyConnection, draft: Path, options: str = "") -> Generator[None]:
    before = os.umask(0o077)
    try:
        con.execute(f"attach '{str(draft).replace(chr(39), chr(39) * 2)}' as draft{options}")
    finally:
        os.umask(before)
    try:
        yield
    finally:
        con.execute("checkpoint draft")
        con.execute("detach draft")


def _has_all_rows(con: duckdb.DuckDBPyConnection, counts: Mapping[str, int], models: Sequence[Model]) -> bool:
    tables = (m for m in models if m.kind != "view")
    return all(counts[m.name] == value(con, f"select count(*) from {m.table}") for m in tables)


def fill(con: duckdb.DuckDBPyConnection, database: str, models: Sequence[Model]) -> None:
    """Write tables, views, dictionary and comments into the schema main of an attached database, in place of what they replace."""
    home = str(value(con, "select current_database()"))
    try:
        for one in (m for m in models if m.kind != "view"):
            order = f"order by {', '.join(name(k) for k in one.grain)}" if one.grain else "order by all"
            con.execute(
                f"create or replace table {name(database)}.main.{name(one.name)} as select * from {one.table} {order}"
            )
        con.execute(f"use {name(database)}.main")
        for one in (m for m in models if m.kind == "view"):
            con.execute(f"create or replace view {name(one.name)} as {_without_header(one.sql)}")
        _write_dictionary(con, models)
        _comment(con, models)
    finally:
        con.execute(f"use {name(home)}.main")


def _without_header(sql: str) -> str:
    lines = sql.splitlines()
    while lines and lines[0].startswith("--"):
        lines.pop(0)
    return "\n".join(lines)


def _write_dictionary(con: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> None:
    con.execute(
        "create or replace table meta_contract (contract_version varchar, duckdb_version varchar, storage_version varchar, schema_hash varchar)"
    )
    con.execute(
        "create or replace table meta_column (table_name varchar, column_name varchar, type varchar, comment varchar, metric_name varchar)"
    )
    metrics: set[str] = set()
    if any(m.name == "meta_metric" for m in models):
        metrics = {row[0] for row in con.execute("select metric_name from meta_metric").fetchall()}
    rows: list[list[str | None]] = []
    for table, comments in _column_comments(con, models).items():
        types = columns_of(con, name(table))
        rows += [[table, c, types[c], text, _metric_of(table, c, metrics)] for c, text in comments.items()]
    fields = ("table_name", "column_name", "type", "comment", "metric_name")
    con.execute(
        "insert into meta_column select unnest(from_json($1, $2), recursive := true)",
        [
            json.dumps([dict(zip(fields, row, strict=True)) for row in rows]),
            json.dumps([dict.fromkeys(fields, "varchar")]),
        ],
    )
    shape = "\n".join(f"{row[0]}.{row[1]} {row[2]}" for row in sorted(rows, key=lambda r: (str(r[0]), str(r[1]))))
    con.execute(
        "insert into meta_contract values (?, ?, ?, ?)",
        [
            contract.CONTRACT_VERSION,
            duckdb.__version__,
            contract.STORAGE_VERSION,
            hashlib.sha256(shape.encode()).hexdigest()[:16],
        ],
    )


def _metric_of(table: str, column: str, metrics: Collection[str]) -> str | None:
    """The column's entry in meta_metric; the tables that speak of metrics have none themselves."""
    if table.startswith("meta_") or table == "metric_long":
        return None
    return next((m for m in (f"{table}.{column}", column) if m in metrics), None)


def _column_comments(con: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> dict[str, dict[str, str]]:
    """Comment of every column of every table and view. A column without one is an error of the model."""
    found: dict[str, dict[str, str]] = {}
    for one in models:
        said = {**one.columns, **(TAIL_COMMENTS if one.kind == "merged" else {})}
        columns = columns_of(con, name(one.name))
        silent = [c for c in columns if not said.get(c)]
        if silent or not one.comment:
            raise PublishError(f"sql/marts/{one.name}.sql: no comment for {', '.join(silent) or 'the table itself'}")
        found[one.name] = {c: said[c] for c in columns}
    return {**found, **contract.OWN_COLUMNS}


def _comment(con: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> None:
    kinds = {m.name: ("view" if m.kind == "view" else "table", m.comment) for m in models}
    kinds |= {table: ("table", text) for table, text in contract.OWN_COMMENTS.items()}
    said = [f"comment on {kind} {name(table)} is {literal(text)}" for table, (kind, text) in kinds.items()]
    columns = con.execute("select table_name, column_name, comment from meta_column").fetchall()
    said += [f"comment on column {name(t)}.{name(column)} is {literal(text)}" for t, column, text in columns]
    con.execute("; ".join(said))


def _verify(draft: Path, models: Sequence[Model]) -> dict[str, int]:
    """Open the draft as a reader would and look at everything in it. Returns rows by table and view."""
    if draft.with_name(draft.name + ".wal").exists():
        raise PublishError(f"{draft.name} was not closed properly: a .wal file is left beside it")
    with duckdb.connect(str(draft), read_only=True) as reader:
        return look_at(reader, draft.name, models)


def names_of(models: Sequence[Model]) -> set[str]:
    """Tables and views of what is published."""
    return {m.name for m in models} | set(contract.OWN_COMMENTS)


def look_at(reader: duckdb.DuckDBPyConnection, what: str, models: Sequence[Model]) -> dict[str, int]:
    """Look at everything in the current database. Returns rows by table and view. Raises PublishError, which calls it `what`."""
    there = {
        row[0]
        for row in reader.execute(
            "select table_name from information_schema.tables where table_schema = 'main' and table_catalog = current_database()"
        ).fetchall()
    }
    wanted = names_of(models)
    if there != wanted:
        raise PublishError(f"{what}: tables differ from what was to be published: {', '.join(sorted(there ^ wanted))}")
    counts: dict[str, int] = {}
    for table in sorted(there):
        counts[table] = reader.execute(f"select count(*) from {name(table)}").fetchall()[0][0]
        if wrong := forbidden_types(reader, name(table)):
            raise PublishError(f"{table}: types that BI tools cannot read: {', '.join(wrong)}")
    silent = reader.execute(
        """select told from (
               select database_name, schema_name, internal, comment, table_name || '.' || column_name as told from duckdb_columns()
               union all select database_name, schema_name, internal, comment, table_name from duckdb_tables()
               union all select database_name, schema_name, internal, comment, view_name from duckdb_views()
           ) where database_name = current_database() and schema_name = 'main' and not internal and coalesce(comment, '') = ''"""
    ).fetchall()
    if silent:
        raise PublishError(f"{what}: no comment on {', '.join(str(row[0]) for row in silent)}")
    return counts


def _keep_previous(target: Path, keep: int) -> None:
    """A hard link to the file that is about to be replaced, named by its time; only the newest `keep` stay."""
    if not target.exists():
        return
    folder = target.parent / "previous"
    if keep:
        folder.mkdir(mode=0o700, exist_ok=True)
        made = datetime.fromtimestamp(target.stat().st_mtime).strftime("%Y%m%dT%H%M%S")  # noqa: DTZ006  local, as in ls
        link = folder / f"{target.stem}.{made}{target.suffix}"
        link.unlink(missing_ok=True)
        link.hardlink_to(target)
    for old in sorted(folder.glob(f"{target.stem}.*{target.suffix}"))[: -keep or None]:
        old.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
