"""Run sql/ in dependency order, in one transaction: raw -> staging -> core -> marts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from time import perf_counter

import duckdb

from . import coverage, merge, model
from .model import Model
from .warehouse import transaction, value

# What BI tools read without trouble (CONTRACT 3 and 6).
ALLOWED = re.compile(r"^(BOOLEAN|INTEGER|BIGINT|DOUBLE|DECIMAL\(18,[246]\)|VARCHAR|DATE|TIMESTAMP)$")


class BuildError(Exception):
    """A model failed. The message names its file and says what DuckDB said."""


@dataclass(slots=True)
class BuildReport:
    """What a build did. seconds and rows by table."""

    seconds: dict[str, float] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    changed_rows: int = 0
    restated_values: int = 0
    quarantined: int = 0


def build(
    con: duckdb.DuckDBPyConnection, folder: Traversable | None = None, on_model: Callable[[str], None] | None = None
) -> BuildReport:
    """Rebuild everything from raw and input. input.* must have been loaded, raw tables declared. Raises BuildError."""
    folder = folder or model.root()
    models = model.load(folder)
    report = BuildReport()
    with transaction(con):
        coverage.refresh(con)
        for one in models:
            if on_model:
                on_model(one.table)
            began = perf_counter()
            try:
                _make(con, one, report)
            except duckdb.Error as error:
                raise BuildError(f"sql/{one.schema}/{one.name}.sql: {error}") from error
            report.seconds[one.table] = perf_counter() - began
    return report


def forbidden_types(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Columns of a table whose type BI tools cannot be trusted with, as 'column TYPE'."""
    return [f"{c} {t}" for c, t in merge.columns_of(con, table).items() if not ALLOWED.match(t)]


def _make(con: duckdb.DuckDBPyConnection, one: Model, report: BuildReport) -> None:
    if one.kind == "view":
        return
    if one.parts:
        con.execute(
            f"create or replace table {one.table} as " + " union all by name ".join(f"({part}\n)" for part in one.parts)
        )
        report.quarantined += _quarantine(con, one)
    elif one.kind == "merged":
        merged = merge.merge(con, one)
        report.changed_rows += merged.changed_rows
        report.restated_values += merged.restated_values
    else:
        con.execute(f"create or replace table {one.table} as {one.sql}")
    if one.schema == "marts" and (wrong := forbidden_types(con, one.table)):
        raise BuildError(f"sql/marts/{one.name}.sql: types that BI tools cannot read: {', '.join(wrong)}; cast them")
    report.rows[one.table] = int(str(value(con, f"select count(*) from {one.table}")))


def _quarantine(con: duckdb.DuckDBPyConnection, one: Model) -> int:
    """Rows that could not be read leave the table and stand in meta.quarantine until they can. Returns how many are new."""
    con.execute(
        f"""update meta.quarantine as q set resolved_at = (select now from input.run)
            where q.stage = 'staging' and q.stream = ? and q.resolved_at is null and not exists (
                select 1 from {one.table} as s
                where s.unreadable_reason = q.reason and s.record_id = q.record_id
                    and s.source_id = q.source_id and s.workspace_id = q.workspace_id)""",
        [one.name],
    )
    row = con.execute(
        f"""insert into meta.quarantine
            select s.source_id, s.workspace_id, ?, s.record_id, s.unreadable_reason, null, 'staging', p.run_id, p.now, null
            from {one.table} as s cross join input.run as p
            where s.unreadable_reason is not null and not exists (
                select 1 from meta.quarantine as q
                where q.stage = 'staging' and q.stream = ? and q.record_id = s.record_id and q.reason = s.unreadable_reason
                    and q.source_id = s.source_id and q.workspace_id = s.workspace_id and q.resolved_at is null)""",
        [one.name, one.name],
    ).fetchone()
    con.execute(f"delete from {one.table} where unreadable_reason is not null")
    return int(row[0]) if row else 0
