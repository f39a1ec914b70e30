"""Why a number is what it is: the records behind a cell of a daily table, which of them count, and how the cell changed over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any

import duckdb

from . import dictionary
from .dictionary import Fact, Metric
from .warehouse import name

TABLES = {
    "rep": ("marts.daily_rep_activity", "rep_id"),
    "team": ("marts.daily_team_activity", "team_id"),
    "territory": ("marts.daily_territory_activity", "territory_id"),
    "segment": ("marts.daily_segment_activity", "segment"),
    "org": ("marts.daily_org_activity", ""),
}


class ExplainError(Exception):
    """There is nothing to explain. The message says what there is."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of one daily table. entity: rep_id, team_id, territory or segment; '' for the organisation."""

    metric: str
    scope: str  # a key of TABLES
    entity: str
    day: date


@dataclass(frozen=True, slots=True)
class Explanation:
    """The records behind a cell.

    shows, rows: names and values of what there is of each record: record (its key), at (UTC), rep, adds (to the number; None when it does
    not count), left_out_because, then what tells what it is, then keys in the source systems.
    total: what the records add up to. value: what the table says; None when the source was silent. parts: of a rate, its two halves.
    """

    cell: Cell
    metric: Metric
    value: Any
    total: Any
    statuses: Mapping[str, str]
    shows: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    restated: Sequence[Sequence[Any]] = ()
    parts: Sequence[Explanation] = field(default_factory=tuple)

    @property
    def adds_up(self) -> bool:
        return self.value is None or self.total == self.value


def find_metric(wanted: str) -> Metric:
    """The metric of that name. Raises ExplainError with the nearest names."""
    known = {m.name: m for m in dictionary.load().metrics}
    if wanted in known:
        return known[wanted]
    near = get_close_matches(wanted, known, n=5, cutoff=0.4) or sorted(known)
    raise ExplainError(f"there is no metric {wanted!r}; the nearest: {', '.join(near)}")


def find_rep(con: duckdb.DuckDBPyConnection, wanted: str) -> int:
    """rep_id of a rep by address, name or rep_id. Raises ExplainError."""
    rows = con.execute(
        """select distinct rep_id, name from core.dim_rep
           where lower(email) = lower($1) or lower(name) = lower($1) or rep_id::varchar = $1""",
        [wanted],
    ).fetchall()
    ids = {row[0] for row in rows}
    if len(ids) != 1:
        what = "several reps have" if ids else "no rep has"
        raise ExplainError(f"{what} the address, name or id {wanted!r}; dim_rep lists them all")
    return ids.pop()


def explain(con: duckdb.DuckDBPyConnection, cell: Cell) -> Explanation:
    """Everything behind a cell, from the warehouse. Raises ExplainError when the table has no such row or column."""
    metric = find_metric(cell.metric)
    table, key = TABLES[cell.scope]
    if metric.is_rate:
        halves = [
            explain(con, Cell(part.strip(), cell.scope, cell.entity, cell.day))
            for side in (metric.numerator, metric.denominator)
            for part in side.split("+")
        ]
        n, d = halves[0].value, sum(h.value or 0 for h in halves[1:])
        rate = n / d if n is not None and d else None
        return Explanation(cell, metric, rate, rate, halves[0].statuses, parts=halves)
    assert metric.fact is not None
    value = _value(con, metric, table, key, cell)
    shows, rows = _records(con, metric, metric.fact, cell)
    total = _total(metric, rows)
    return Explanation(
        cell, metric, value, total, _statuses(con, cell), shows, rows, _restated(con, metric, table, cell)
    )


def _value(con: duckdb.DuckDBPyConnection, metric: Metric, table: str, key: str, cell: Cell) -> Any:
    if metric.distinct and cell.scope == "rep":
        table = "marts.daily_rep_contact_distincts"
    there = {row[0] for row in con.execute(f"describe {table}").fetchall()}
    if metric.name not in there:
        raise ExplainError(f"{table} has no column {metric.name}: it cannot be told by {cell.scope}")
    which = f" and {name(key)}::varchar = $2" if key else ""
    row = con.execute(
        f"select {name(metric.name)} from {table} where activity_date = $1{which}",
        [cell.day, *([cell.entity] if key else [])],
    ).fetchone()
    if row is None:
        raise ExplainError(f"{table} has no row for {cell.entity or 'the organisation'} on {cell.day}")
    return row[0]


def _records(
    con: duckdb.DuckDBPyConnection, metric: Metric, fact: Fact, cell: Cell
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Records of the fact on that day, those that count first. Their place must have spoken, as for the table itself."""
    there = {row[0] for row in con.execute(f"describe {fact.table}").fetchall()}
    adds = metric.distinct or metric.value or "1"
    shown = [c for c in fact.shows if c in there]
    reason = "exclusion_reason" if "exclusion_reason" in there else "null::varchar"
    links = ", ".join(f"{sql} as {name(what)}" for what, sql in fact.links.items())
    columns = ", ".join(
        ["f.record", f"f.{fact.at} as at", "d.rep_name as rep", "f.adds", "f.left_out_because"]
        + [f"f.{name(c)}" for c in (*shown, *fact.links)]
    )
    where = {
        "rep": f"f.{fact.rep}::varchar = $2",
        "team": "d.team_id = $2",
        "territory": "f.territory_id = $2",
        "segment": "f.segment = $2",
        "org": "true",
    }[cell.scope]
    status = metric.status or fact.status
    spoke = f"s.{status} <> 'missing'" if metric.status else "true"
    cursor = con.execute(
        f"""with judged as (
                select
                    *,
                    {fact.key}::varchar as record,
                    case when {metric.counts} then {adds} end as adds,
                    case when not coalesce(({metric.counts}), false) then coalesce({reason}, 'does not meet the rule') end as left_out_because
                    {", " + links if links else ""}
                from {fact.table}
                where {fact.date} = $1
            )
            select {columns}
            from judged as f
            inner join core.rep_day as d on f.{fact.rep} = d.rep_id and f.{fact.date} = d.activity_date
            inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date
            where {spoke} and {where}
            order by f.adds is null, f.{fact.at}, f.record""",
        [cell.day, *([cell.entity] if cell.scope != "org" else [])],
    )
    return [c[0] for c in cursor.description or []], cursor.fetchall()


def _total(metric: Metric, rows: Sequence[Sequence[Any]]) -> Any:
    counted = [row[3] for row in rows if row[3] is not None]
    if metric.distinct:
        return len(set(counted))
    total = sum(counted)
    return round(total) if metric.type == "bigint" else total


def _statuses(con: duckdb.DuckDBPyConnection, cell: Cell) -> dict[str, str]:
    """How far the sources were read for the row: of a rep each source, else the row's own."""
    table, key = TABLES[cell.scope]
    columns = ["crm_status", "dialer_status", "email_status"] if cell.scope == "rep" else ["source_status"]
    which = f" and {name(key)}::varchar = $2" if key else ""
    row = con.execute(
        f"select {', '.join(columns)} from {table} where activity_date = $1{which}",
        [cell.day, *([cell.entity] if key else [])],
    ).fetchone()
    return dict(zip(columns, row, strict=True)) if row else {}


def _restated(con: duckdb.DuckDBPyConnection, metric: Metric, table: str, cell: Cell) -> list[tuple[Any, ...]]:
    key = f"{cell.day}|{cell.entity}" if cell.entity else str(cell.day)
    return con.execute(
        """select restated_at, old_value, new_value, reason, run_id from meta.restatement
           where table_name = $1 and key = $2 and metric = $3 order by restated_at""",
        [table.removeprefix("marts."), key, metric.name],
    ).fetchall()
