"""What raw and input are beside what they were when the last build ended, and what is kept for the next one to compare with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import resources

import duckdb

from . import old_keys
from .changes import Changes, Whole
from .model import Model
from .raw import LINES_OF_A_LANDING
from .warehouse import made, name, value

WHOLE_IF_CHANGED = ("input.parameter", "input.source_setting", "input.secret", "input.metric")


def since_last_build(con: duckdb.DuckDBPyConnection, models: Sequence[Model], *, full: bool) -> Changes:
    """Compare raw and input with what they were when the last build ended."""
    con.execute("create schema if not exists built")
    before = dict(con.execute("select name, value from meta.fact where name like 'built_%'").fetchall())
    definitions, settings = _fingerprint(models), _settings(con)
    reason = "late_data"
    if "built_definitions" in before and before["built_definitions"] != definitions:
        reason = "definition_changed"
    elif "built_settings" in before and before["built_settings"] != settings:
        reason = "parameters_changed"
    changes = Changes(con, full or reason != "late_data" or "built_definitions" not in before, reason)
    changes.there = _tables(con)
    changes.lists.searched = old_keys.columns(models)
    if changes.full:
        changes.lists.drop()
    else:
        changes.lists.load(models)
        _raw(changes, models, int(before["built_landing_no"]))
        for table in _inputs(con):
            compare(changes, table)
    return changes


def compare(changes: Changes, table: str) -> None:
    """Note how a small table differs from its copy of the last build."""
    copy = f"built.{name(table)}"
    if f"built.{table}" not in changes.there or _shape(changes.con, copy) != _shape(changes.con, table):
        changes.everywhere.add(table)
    else:
        kept = name(f"changed {table}")
        differing = made(
            changes.con,
            f"""create or replace temp table {kept} as
                (from {copy} except all from {table}) union all (from {table} except all from {copy})""",
        )
        if differing:
            changes.rows[table] = kept


def remember(changes: Changes, models: Sequence[Model]) -> None:
    """Keep what the next build compares with. In the build's own transaction, so that neither is ever without the other."""
    con = changes.con
    for table in [*_inputs(con), "meta.coverage"]:
        con.execute(f"create or replace table built.{name(table)} as from {table}")
    facts = {
        "built_definitions": _fingerprint(models),
        "built_settings": _settings(con),
        "built_landing_no": str(value(con, "select coalesce(max(landing_no), 0) from meta.extract_window")),
    }
    con.executemany("insert or replace into meta.fact values (?, ?)", [list(pair) for pair in facts.items()])
    for row in con.execute("select table_name from duckdb_tables() where database_name = 'temp'").fetchall():
        con.execute(f"drop table temp.{name(row[0])}")


def _tables(con: duckdb.DuckDBPyConnection) -> set[str]:
    """schema.table of every table."""
    rows = con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
    ).fetchall()
    return {f"{schema}.{table}" for schema, table in rows}


def _raw(changes: Changes, models: Sequence[Model], landing_no: int) -> None:
    """New versions are the rows with a running number after the last build's; a record's latest version is among them or has not changed."""
    con = changes.con
    for table in sorted({t for m in models for t in m.reads if t.startswith("raw.")}):
        base = f"raw.{name(table.removeprefix('raw.').removesuffix('_latest'))}"
        new = f"from {base} where _seq >= {(landing_no + 1) * LINES_OF_A_LANDING}"
        if value(con, f"select count(*) from (select 1 {new} limit 1)"):
            kept = name(f"changed {table}")
            con.execute(f"create or replace temp table {kept} as select distinct record_id {new}")
            changes.rows[table] = kept
            if table.endswith("_latest") and value(con, f"select count(distinct workspace_id) from {base}") == 1:
                fresh = f"(select * {new.replace(base, table)})"
                changes.whole[table] = {"record_id": Whole(fresh, f"select record_id from {fresh}")}


def _inputs(con: duckdb.DuckDBPyConnection) -> list[str]:
    rows = con.execute(
        "select table_name from duckdb_tables() where schema_name = 'input' and database_name = current_database() order by 1"
    ).fetchall()
    return [f"input.{row[0]}" for row in rows if f"input.{row[0]}" not in WHOLE_IF_CHANGED]


def _settings(con: duckdb.DuckDBPyConnection) -> str:
    """A digest of what touches every number: the thresholds, and names that macros look up."""
    there = _tables(con)
    told = [
        str(con.execute(f"select * from {table} order by all").fetchall())
        for table in WHOLE_IF_CHANGED
        if table in there
    ]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _fingerprint(models: Sequence[Model]) -> str:
    """A digest of every definition and of the engine: a new version of the product makes everything anew."""
    macros = (resources.files("sql") / "macros.sql").read_text("utf-8")
    told = [duckdb.__version__, macros, old_keys.FACT, *(f"{m.table} {m.select}" for m in models)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _shape(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in con.execute(f"describe {table}").fetchall()]
