"""How long what the sources sent is kept: landing files that have landed, and versions of records that are no longer the latest.

Numbers come from the latest versions, save where a model reads a raw table itself, for its history: such tables are left alone, and
so is every latest version. So nothing that is published changes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from . import model
from .raw import raw_table, stream_of, superseded_table


def drop_landing(con: duckdb.DuckDBPyConnection, folder: Path, days: int, now: datetime) -> int:
    """Delete landing files whose window landed more than `days` days before `now`. Returns how many.

    What has not landed stays. What was put aside because it could not land goes by the age of its file.
    """
    rows = con.execute(
        "select landing_file from meta.extract_window where status = 'done' and landing_file is not null and landed_at < ?",
        [now - timedelta(days=days)],
    ).fetchall()
    old = {row[0] for row in rows}
    files = [file for file in folder.rglob("*.jsonl") if file.name in old]
    oldest = (now - timedelta(days=days)).timestamp()
    files += [file for file in folder.rglob("*.refused") if file.stat().st_mtime < oldest]
    for file in files:
        file.unlink()
    return len(files)


def drop_versions(con: duckdb.DuckDBPyConnection, days: int, now: datetime) -> int:
    """Delete versions of records that are not the latest and were read more than `days` days before `now`. Returns how many.

    Records in quarantine go too, once they could be read.
    """
    con.execute(
        "delete from meta.quarantine where resolved_at is not null and first_seen_at < ?", [now - timedelta(days=days)]
    )
    in_full = {table for one in model.load(model.root()) for table in one.reads if table.startswith("raw.")}
    tables = con.execute(
        """select table_name from duckdb_tables() where schema_name = 'raw' and database_name = current_database()
               and not ends_with(table_name, '_superseded') order by 1"""
    ).fetchall()
    dropped = 0
    for (table,) in tables:
        if f"raw.{table}" in in_full:
            continue
        source, stream = stream_of(table)
        raw, superseded = raw_table(source, stream), superseded_table(source, stream)
        con.execute(
            f"""create or replace temp table outlived as select _seq from {raw}
                where _extracted_at < ? and _seq in (select _seq from {superseded})""",
            [now - timedelta(days=days)],
        )
        row = con.execute(f"delete from {raw} where _seq in (select _seq from outlived)").fetchone()
        con.execute(f"delete from {superseded} where _seq in (select _seq from outlived)")
        dropped += int(row[0]) if row else 0
    con.execute("drop table if exists outlived")
    return dropped
