"""The raw tables: what landed, every version of every record, and which versions are no longer the latest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from .warehouse import literal, name, transaction

LINES_OF_A_LANDING = 1_000_000_000  # room for the records of one landing in the running number of versions


# A stream's name begins with the system that it belongs to; a source's own name may have underscores too.
STREAM = re.compile(r"_(?=(?:crm|dialer|mail|seq|sequencer|tool|told)_)")


def stream_of(table: str) -> tuple[str, str]:
    """(source, stream) of a raw table's or view's name, with or without its schema."""
    bare = table.removeprefix("raw.").removesuffix("_latest")
    parts = STREAM.split(bare, maxsplit=1)
    source, stream = parts if len(parts) == 2 else bare.split("_", 1)
    return source, stream


def raw_table(source: str, stream: str) -> str:
    """Qualified, quoted name of the raw table of a stream."""
    return f"raw.{name(f'{source}_{stream}')}"


def latest_view(source: str, stream: str) -> str:
    """The view of the newest version of each record; deleted ones included."""
    return raw_table(source, f"{stream}_latest")


def superseded_table(source: str, stream: str) -> str:
    """Versions that are not the latest, by far the fewest: listed beside the table, so that nobody has to sort it.

    _by: the version with which that became known; NULL for what a product before 2026-12 listed.
    """
    return raw_table(source, f"{stream}_superseded")


def without_rows(con: duckdb.DuckDBPyConnection, reads: Iterable[str]) -> frozenset[str]:
    """Those of the raw tables of which nothing has ever landed. reads: names of tables and views, of which some are of raw."""
    there = sorted({table.removesuffix("_latest") for table in reads if table.startswith("raw.")})
    if not there:
        return frozenset()
    asked = " union all ".join(f"select {literal(table)} where not exists (from {table})" for table in there)
    return frozenset(row[0] for row in con.execute(asked).fetchall())


def declare(con: duckdb.DuckDBPyConnection, streams: Iterable[tuple[str, str]]) -> None:
    """Make sure that the raw tables and their _latest views exist, for (source, stream) names. Not within a transaction."""
    views = "select view_name from duckdb_views() where schema_name = 'raw' and database_name = current_database()"
    there = {row[0] for row in con.execute(views).fetchall()}
    lacking = [(source, stream) for source, stream in streams if f"{source}_{stream}_latest" not in there]
    if lacking:
        with transaction(con):  # else each of hundreds of statements waits for the disk
            for source, stream in lacking:
                _declare(con, source, stream)


def _declare(con: duckdb.DuckDBPyConnection, source: str, stream: str) -> None:
    table, old = raw_table(source, stream), superseded_table(source, stream)
    con.execute(
        f"""create table if not exists {table} (
            source_id varchar, workspace_id varchar, record_id varchar, payload json, payload_hash varchar,
            source_updated_at timestamptz, happened_at timestamptz, is_deleted boolean, _partition varchar,
            _extracted_at timestamptz, _window_start timestamptz, _window_end timestamptz, _run_id varchar,
            _landing_id varchar, _seq bigint)"""
    )
    con.execute(f"create table if not exists {old} (_seq bigint, _by bigint)")
    con.execute(
        f"""create view if not exists {latest_view(source, stream)} as
            select v.* from {table} as v where not exists (select 1 from {old} as o where o._seq = v._seq)"""
    )


def version_hash(record: str, volatile: Iterable[str]) -> str:
    """SQL that tells one version of a record from another. record: an SQL expression; volatile: paths that have no say."""
    patch: dict[str, Any] = {}
    for path in volatile:
        *way, last = path.split(".")
        place = patch
        for part in way:
            place = place.setdefault(part, {})
        place[last] = None
    if patch:  # one patch for all: each would read the record anew
        record = f"json_merge_patch({record}, '{json.dumps(patch).replace(chr(39), chr(39) * 2)}')"
    return f"md5({record}::varchar)"


def changed(con: duckdb.DuckDBPyConnection, statement: str, parameters: Mapping[str, object]) -> int:
    """Run a statement that writes; how many rows it wrote. DuckDB refuses parameters that a statement does not use: they are left out."""
    used = {key: item for key, item in parameters.items() if f"${key}" in statement}
    row = con.execute(statement, used).fetchone()
    return int(row[0]) if row else 0
