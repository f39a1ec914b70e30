"""The records behind a metric that the dictionary counts itself: daily_rep_, team_, territory_, segment_ and org_activity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from .dictionary import Fact, Metric
from .explain import ADDS, Cell
from .warehouse import name

WHOSE = {
    "rep_id": "f.{rep}::varchar = $2",
    "team_id": "d.team_id = $2",
    "territory_id": "f.territory_id = $2",
    "segment": "f.segment = $2",
}


def records(
    con: duckdb.DuckDBPyConnection, metric: Metric, fact: Fact, cell: Cell
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Records of the fact on that day, those that count first. Their place must have spoken, as for the table itself."""
    there = {row[0] for row in con.execute(f"describe {fact.table}").fetchall()}
    adds = metric.distinct or metric.value or "1"
    shown = [c for c in fact.shows if c in there]
    reason = "exclusion_reason" if "exclusion_reason" in there else "null::varchar"
    links = "".join(f", {sql} as {name(what)}" for what, sql in fact.links.items())
    columns = ", ".join(
        ["f.record", f"f.{fact.at} as at", "d.rep_name as rep", "f.adds", "f.left_out_because"]
        + [f"f.{name(c)}" for c in (*shown, *fact.links)]
    )
    where = " and ".join(WHOSE[key].format(rep=fact.rep) for key in cell.keys) or "true"
    status = metric.status or fact.status
    spoke = f"s.{status} <> 'missing'" if metric.status else "true"
    cursor = con.execute(
        f"""with judged as (
                select
                    *,
                    {fact.key}::varchar as record,
                    case when {metric.counts} then {adds} end as adds,
                    case when not coalesce(({metric.counts}), false) then coalesce({reason}, 'does not meet the rule') end as left_out_because
                    {links}
                from {fact.table}
                where {fact.date} = $1
            )
            select {columns}
            from judged as f
            inner join core.rep_day as d on f.{fact.rep} = d.rep_id and f.{fact.date} = d.activity_date
            inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date
            where {spoke} and {where}
            order by f.adds is null, f.{fact.at}, f.record""",
        [cell.day, *cell.keys.values()],
    )
    return [c[0] for c in cursor.description or []], cursor.fetchall()


def spoke(con: duckdb.DuckDBPyConnection, metric: Metric, cell: Cell) -> dict[str, str]:
    """How far the sources of this very metric were read for a rep's day; nothing of other rows, which have many reps'."""
    if not metric.status or "rep_id" not in cell.keys:
        return {}
    row = con.execute(
        f"select {metric.status} from core.rep_day_status where rep_id::varchar = ? and activity_date = ?",
        [cell.keys["rep_id"], cell.day],
    ).fetchone()
    return {metric.status: row[0]} if row else {}


def total(metric: Metric, rows: Sequence[Sequence[Any]]) -> Any:
    """What the records add up to, in the metric's own type."""
    counted = [row[ADDS] for row in rows if row[ADDS] is not None]
    if metric.distinct:
        return len(set(counted))
    added = sum(counted)
    return round(added) if metric.type == "bigint" else added
