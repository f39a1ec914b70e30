"""Forgetting a person in raw and in the bookkeeping. What is derived is then built anew (docs/security.md).

Addresses and numbers become tokens that lead back to nobody, names go; records stay, so that the company's counts stay.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from .forget_landing import Facts, StreamFacts, replaced
from .forget_person import Person
from .forgotten import Forgotten
from .raw import LINES_OF_A_LANDING, raw_table, stream_of, superseded_table, version_hash
from .warehouse import name, tables, value

BATCH = 10_000
BOOKS = ("meta", "built")  # schemas whose rows no build makes anew
SHOWN = "meta_restatement"


def clean_raw(
    con: duckdb.DuckDBPyConnection,
    person: Person,
    forgotten: Forgotten,
    facts: Facts,
    derived: Mapping[str, str],
    *,
    write: bool,
) -> tuple[dict[str, int], bool]:
    """Versions that named the person, by raw table, and whether the id of a record changed (a mailbox's: then all is built anew).

    The cleaned versions get new running numbers, so that the next build makes anew what hangs on them, and only that.
    """
    number = int(str(value(con, "select coalesce(max(landing_no), 0) + 1 from meta.extract_window")))
    found: dict[str, int] = {}
    rekeyed = False
    for table in tables(con, "raw"):
        columns = {row[0] for row in con.execute(f"describe raw.{name(table)}").fetchall()}
        if "payload" not in columns:
            continue
        source, stream = stream_of(table)
        fact = facts.get((source, stream), StreamFacts())
        rows = list(_cleaned_rows(con, table, person, forgotten, source, fact, derived))
        if rows:
            found[f"raw.{table}"] = len(rows)
            rekeyed = rekeyed or any(row["was"] != row["record_id"] for row in rows)
            if write:
                _replace_rows(con, source, stream, rows, fact, number * LINES_OF_A_LANDING + sum(found.values()))
    if write and found:
        con.execute(
            """insert into meta.extract_window by name
               select 'forget.' || $number as window_id, 'forget' as run_id, '' as source_id, '' as workspace_id, 'forget' as stream,
                   '' as partition, 'forget' as kind, 'done' as status, $at::timestamptz as extracted_at,
                   $at::timestamptz as landed_at, $number::bigint as landing_no""",
            {"number": number, "at": datetime.now(UTC)},
        )
    return found, rekeyed


def clean_books(
    con: duckdb.DuckDBPyConnection, forgotten: Forgotten, derived: Mapping[str, str], *, write: bool
) -> dict[str, int]:
    """Rows of the bookkeeping that named the person, by table: quarantined payloads, keys of restatements, names of windows."""
    found: dict[str, int] = {}
    for schema in BOOKS:
        for table in tables(con, schema):
            qualified = f"{schema}.{name(table)}"
            texts = [row[0] for row in con.execute(f"describe {qualified}").fetchall() if row[1] in ("VARCHAR", "JSON")]
            changed = 0
            for column in texts:
                changed += _clean_column(con, qualified, name(column), forgotten, derived, write=write)
            if changed:
                found[f"{schema}.{table}"] = changed
    if write and "meta.restatement" in found and SHOWN in tables(con, "marts"):
        con.execute(
            f"delete from marts.{SHOWN}"
        )  # by their number alone a build does not see that lines of earlier runs differ
    return found


def drop_own_restatements(con: duckdb.DuckDBPyConnection, run_id: str, derived: Mapping[str, str]) -> None:
    """Lines that the build after forgetting has written about keys that are no more: they would name them."""
    shown = [f"marts.{SHOWN}"] if SHOWN in tables(con, "marts") else []
    for old in derived:
        for table in ("meta.restatement", *shown):
            con.execute(f"delete from {table} where run_id = ? and contains(key, ?)", [run_id, old])


def compact(path: Path, con: duckdb.DuckDBPyConnection | None = None) -> None:
    """Write the warehouse anew into a file of its own and swap it in: DuckDB leaves the bytes of deleted rows in free blocks.

    The file must not be open. con: for tests.
    """
    draft = path.with_name(path.name + ".compact")
    for leftover in (draft, draft.with_name(draft.name + ".wal")):
        leftover.unlink(missing_ok=True)
    before = os.umask(0o077)
    try:
        with con or duckdb.connect() as own:
            own.execute("set TimeZone = 'UTC'")
            own.execute(f"attach {_quoted(path)} as old (read_only)")
            own.execute(f"attach {_quoted(draft)} as fresh")
            own.execute("copy from database old to fresh")
            own.execute("checkpoint fresh")
            own.execute("detach fresh")
            own.execute("detach old")
    finally:
        os.umask(before)
    draft.chmod(0o600)
    with draft.open("rb+") as handle:
        os.fsync(handle.fileno())
    draft.replace(path)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)


def _cleaned_rows(
    con: duckdb.DuckDBPyConnection,
    table: str,
    person: Person,
    forgotten: Forgotten,
    source: str,
    fact: StreamFacts,
    derived: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    """The versions that change, as columns of their replacement; `was` and `seq` are of the old one."""
    needles = [*person.addresses, *(n[-9:] for n in person.numbers), *(last.lower() for _, last in person.names)]
    cursor = con.cursor()
    cursor.execute(
        f"""select _seq, record_id, workspace_id, payload::varchar, _partition, _landing_id
            from (select *, lower(payload::varchar) as told, regexp_replace(payload::varchar, '[^0-9"]', '', 'g') as figures
                  from raw.{name(table)})
            where len(list_filter($needles, lambda n: contains(told, n) or contains(figures, n))) > 0
                or contains(told, '\\u') or list_contains($ids, record_id) or list_contains($needles, lower(_partition))""",
        {"needles": needles, "ids": [record_id for _, _, record_id in person.records]},
    )
    while rows := cursor.fetchmany(BATCH):
        for seq, record_id, workspace, payload, partition, landing_id in rows:
            cleaned = forgotten.clean_line(
                payload.encode(), source=source, workspace=workspace, key=fact.key, personal=fact.personal
            ).decode()
            fresh = {
                "record_id": forgotten.clean_text(record_id or ""),
                "partition": forgotten.clean_text(partition or ""),
                "landing_id": replaced(landing_id or "", derived),
            }
            if cleaned != payload or fresh != {
                "record_id": record_id,
                "partition": partition,
                "landing_id": landing_id,
            }:
                yield {"seq": seq, "was": record_id, "payload": cleaned, **fresh}
    cursor.close()


def _replace_rows(
    con: duckdb.DuckDBPyConnection,
    source: str,
    stream: str,
    rows: Sequence[Mapping[str, Any]],
    fact: StreamFacts,
    start: int,
) -> None:
    frame = pd.DataFrame(rows).astype({"payload": object, "record_id": object})
    frame["fresh_seq"] = range(start, start + len(frame))
    hashed = version_hash("payload", fact.volatile)
    con.register("cleaned_frame", frame)
    table = raw_table(source, stream)
    con.execute(f"create or replace temp table cleaned as select *, {hashed} as hash from cleaned_frame")
    con.unregister("cleaned_frame")
    con.execute(
        f"""update {table} as r set payload = c.payload::json, payload_hash = c.hash, record_id = c.record_id,
                _partition = c.partition, _landing_id = c.landing_id, _seq = c.fresh_seq
            from cleaned as c where r._seq = c.seq"""
    )
    con.execute(
        f"update {superseded_table(source, stream)} as o set _seq = c.fresh_seq from cleaned as c where o._seq = c.seq"
    )
    con.execute("drop table cleaned")


def _clean_column(
    con: duckdb.DuckDBPyConnection,
    table: str,
    column: str,
    forgotten: Forgotten,
    derived: Mapping[str, str],
    *,
    write: bool,
) -> int:
    """Rows whose text changed. Columns of keys are dealt with like any other: the books are small."""
    texts = [
        row[0]
        for row in con.execute(f"select distinct {column}::varchar from {table} where {column} is not null").fetchall()
    ]
    fresh = {text: replaced(forgotten.clean_text(text), derived) for text in texts}
    changes = {old: new for old, new in fresh.items() if old != new}
    rows = 0
    for old, new in changes.items():
        if write:
            done = con.execute(f"update {table} set {column} = ? where {column}::varchar = ?", [new, old]).fetchone()
        else:
            done = con.execute(f"select count(*) from {table} where {column}::varchar = ?", [old]).fetchone()
        rows += int(done[0]) if done else 0
    return rows


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
