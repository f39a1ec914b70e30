"""Run sql/ in dependency order, in one transaction: raw -> staging -> core -> marts; of each table what changes.py says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from time import perf_counter

import duckdb

from . import coverage, drift, merge, model, new_fields, raw, slices, unpublished
from .changes import FEW, SHARE, SMALL, Changes
from .difference import few_rows
from .last_build import compare, remember, since_last_build
from .model import Model
from .warehouse import count, made, transaction, value

AT_ONCE = 100_000  # rows of the inputs up to which a table is joined and sorted in one statement
# What BI tools read without trouble (CONTRACT 3 and 6).
ALLOWED = re.compile(r"^(BOOLEAN|INTEGER|BIGINT|DOUBLE|DECIMAL\(18,[246]\)|VARCHAR|DATE|TIMESTAMP)$")


class BuildError(Exception):
    """A model failed. The message names its file and says what DuckDB said."""

    page = "build-failed"


@dataclass(slots=True)
class BuildReport:
    """What a build did. seconds, rows (made or changed) and how ('kept', 'narrow', 'whole') by table."""

    how: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    changed_rows: int = 0
    restated_values: int = 0
    quarantined: int = 0
    gaps: list[drift.Gap] = field(default_factory=list[drift.Gap])  # found for the first time
    new_fields: list[new_fields.NewFields] = field(default_factory=list[new_fields.NewFields])


def build(
    con: duckdb.DuckDBPyConnection,
    folder: Traversable | None = None,
    on_model: Callable[[str], None] | None = None,
    *,
    full: bool = False,
    slice_rows: int | None = None,
) -> BuildReport:
    """Bring every table up to date with raw and input: what changed since the last build, or everything (`full`).

    slice_rows: rows of an input that a statement may read at a time; by the memory limit if not given.
    input.* must have been loaded, raw tables declared. One transaction. Raises BuildError.
    """
    folder = folder or model.root()
    models = [m for m in model.load(folder) if m.kind != "view"]
    report = BuildReport()
    con.execute(
        "set preserve_insertion_order = false"
    )  # tables that have an order say so; keeping any other takes memory
    con.execute("set asof_loop_join_threshold = 0")  # by estimates, which may take a million rows for ten
    try:
        _build(con, models, report, on_model, full=full, slice_rows=slice_rows)
    finally:
        con.execute("set preserve_insertion_order = true")  # landing numbers lines as they come
        con.execute("reset asof_loop_join_threshold")
    return report


def _build(
    con: duckdb.DuckDBPyConnection,
    models: list[Model],
    report: BuildReport,
    on_model: Callable[[str], None] | None,
    *,
    full: bool,
    slice_rows: int | None,
) -> None:
    with transaction(con):
        merge.take_over(con)
        changes = since_last_build(con, models, full=full)
        changes.slice_rows = slice_rows or slices.rows_of_a_slice(con)
        report.gaps = drift.find(con)
        report.new_fields = [f for f in new_fields.find(con) if not f.first]
        coverage.refresh(con)
        if not changes.full:
            compare(changes, "meta.coverage")
        silent = raw.without_rows(con, {table for one in models for table in one.reads})
        for one in (model.heard(one, silent) for one in models):
            if on_model:
                on_model(one.table)
            began = perf_counter()
            try:
                _bring_up(con, one, changes, report)
            except duckdb.Error as error:
                raise BuildError(f"sql/{one.schema}/{one.name}.sql: {error}") from error
            report.seconds[one.table] = perf_counter() - began
        remember(changes, models)


def forbidden_types(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Columns of a table whose type BI tools cannot be trusted with, as 'column TYPE'."""
    return [f"{c} {t}" for c, t in merge.columns_of(con, table).items() if not ALLOWED.match(t)]


def _bring_up(con: duckdb.DuckDBPyConnection, one: Model, changes: Changes, report: BuildReport) -> None:
    touched = changes.touched(one)
    report.how[one.table] = "kept"
    if not changes.full and not touched and one.table in changes.there:
        return
    if changes.can_narrow(one, touched):
        dirty = changes.find_dirty(one, touched)
        if not dirty:
            return
        if dirty <= FEW or dirty <= SHARE * count(con, one.table):
            report.how[one.table] = "narrow"
            _narrow(con, one, changes, report)
            return
    report.how[one.table] = "whole"
    _whole(con, one, changes, report)


def _narrow(con: duckdb.DuckDBPyConnection, one: Model, changes: Changes, report: BuildReport) -> None:
    """Make the rows of the dirty keys anew and write those that differ."""
    con.execute(f"create or replace temp table fresh as {changes.narrowed(one)}")
    if one.kind == "merged":
        standing = few_rows(one.table, f"{one.scope} in (select key from dirty)")
        _merge(con, one, changes, report, f"(select * from {one.table} where {standing})")
        return
    if one.parts:
        report.quarantined += _quarantine(con, one, "fresh", "record_id in (select key from dirty)")
    if rows := changes.write(one):
        changes.keep_whole(one)
        report.rows[one.table] = rows
        if one.schema == "marts":
            unpublished.note(con, one, changes.rows[one.table], changes.there)


def _whole(con: duckdb.DuckDBPyConnection, one: Model, changes: Changes, report: BuildReport) -> None:
    """Make the table anew. A small one is compared with what stood, so that what depends on it need not be made anew as well."""
    if one.kind == "merged":
        rows = _make(con, "temp table fresh", one, changes)
        _merge(con, one, changes, report, one.table)
    else:
        is_small = not changes.full and one.table in changes.there and count(con, one.table) <= SMALL
        table = "fresh" if is_small else one.table
        rows = _make(con, f"{'temp ' if is_small else ''}table {table}", one, changes)
        if one.parts:
            report.quarantined += _quarantine(con, one, table, "true")
            rows = count(con, table)
        if is_small:
            changes.write_whole(one.table)
        else:
            changes.drawn_anew(one)
        if one.schema == "marts" and (one.table in changes.rows or not is_small):
            unpublished.note(con, one, changes.rows[one.table] if is_small else "", changes.there)
    if one.schema == "marts" and (wrong := forbidden_types(con, one.table)):
        raise BuildError(f"sql/marts/{one.name}.sql: types that BI tools cannot read: {', '.join(wrong)}; cast them")
    changes.there.add(one.table)
    report.rows[one.table] = rows


def _make(con: duckdb.DuckDBPyConnection, table: str, one: Model, changes: Changes) -> int:
    """Create what is told with the model's rows; how many they are. Many are joined first and sorted then, since each by itself needs memory."""
    parts = slices.needed(one, changes)
    if parts > 1:
        return slices.make(con, table, one, changes, parts)
    if not one.order:
        return made(con, f"create or replace {table} as {one.select}")
    if changes.rows_read(one) <= AT_ONCE:
        return made(con, f"create or replace {table} as from ({one.select}\n) order by {one.order}")
    con.execute(f"create or replace temp table unsorted as {one.select}")
    rows = made(con, f"create or replace {table} as from unsorted order by {one.order}")
    con.execute("drop table unsorted")
    return rows


def _merge(con: duckdb.DuckDBPyConnection, one: Model, changes: Changes, report: BuildReport, standing: str) -> None:
    merged = merge.merge(con, one, standing, reason=changes.reason)
    report.changed_rows += merged.changed_rows
    report.restated_values += merged.restated_values
    if merged.changes and (merged.changed_rows or merged.gone_rows):
        changes.note(one.table, merged.changes)
    elif merged.changed_rows:
        changes.everywhere.add(one.table)
    if one.schema == "marts" and (merged.changed_rows or merged.gone_rows):
        unpublished.note(con, one, merged.changes, changes.there)
    report.rows[one.table] = merged.changed_rows


def _quarantine(con: duckdb.DuckDBPyConnection, one: Model, table: str, within: str) -> int:
    """Rows that could not be read leave the table made and stand in meta.quarantine until they can. Returns how many are new."""
    is_any = f"""exists (from {table} where unreadable_reason is not null)
        or exists (from meta.quarantine where stage = 'staging' and stream = ? and resolved_at is null)"""
    if not value(con, f"select {is_any}", [one.name]):
        return 0
    con.execute(
        f"""update meta.quarantine as q set resolved_at = (select now from input.run)
            where q.stage = 'staging' and q.stream = ? and q.resolved_at is null and {within} and not exists (
                select 1 from {table} as s
                where s.unreadable_reason = q.reason and s.record_id = q.record_id
                    and s.source_id = q.source_id and s.workspace_id = q.workspace_id)""",
        [one.name],
    )
    row = con.execute(
        f"""insert into meta.quarantine
           select distinct
               s.source_id, s.workspace_id, ?, s.record_id, s.unreadable_reason, null, 'staging', p.run_id, p.now, null::timestamptz, null, p.now
           from {table} as s cross join input.run as p
           where s.unreadable_reason is not null and not exists (
               select 1 from meta.quarantine as q
               where q.stage = 'staging' and q.stream = ? and q.record_id = s.record_id and q.reason = s.unreadable_reason
                   and q.source_id = s.source_id and q.workspace_id = s.workspace_id and q.resolved_at is null)""",
        [one.name, one.name],
    ).fetchone()
    con.execute(f"delete from {table} where unreadable_reason is not null")
    return int(row[0]) if row else 0
