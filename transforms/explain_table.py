"""The records behind a number of any daily table, by the rule that sql/metrics.toml tells of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import duckdb

from . import dictionary_tables, explain_activity
from .dictionary_tables import Number, Records, Table
from .explain import Cell, ExplainError, Explanation, in_unit, restated, row_of, total_of
from .warehouse import name

# Where a mail can be found by its Message-ID: in a mailbox that was read.
MAIL_AT = """
create or replace temp macro mail_at(k) as (
    select min(b.source_id || ':' || b.workspace_id || ':' || b.message_key)
    from core.mailbox_copy as b where b.message_key = k and b.has_message_id
)"""


def table_of(wanted: str) -> Table:
    """The daily table of that name. Raises ExplainError with the nearest names."""
    known = dictionary_tables.load()
    if wanted in known:
        return known[wanted]
    near = get_close_matches(wanted, known, n=5, cutoff=0.4) or sorted(known)
    raise ExplainError(f"there is no daily table {wanted!r}; the nearest: {', '.join(near)}")


def explain(con: duckdb.DuckDBPyConnection, cell: Cell) -> Explanation:
    """Everything behind a cell, from the warehouse. Raises ExplainError when the table has no such row or column."""
    table = table_of(cell.table)
    if cell.metric not in table.numbers:
        raise ExplainError(f"{table.name} has no number {cell.metric}; it has {', '.join(table.numbers)}")
    columns = [n.name for n in table.numbers.values() if n.is_column]
    row = row_of(con, table, cell, [*columns, *table.status])
    con.execute("set variable day = ?::date", [cell.day])
    con.execute(MAIL_AT)
    return _Row(con, table, cell, row).explain(cell.metric)


@dataclass(slots=True)
class _Row:
    """One row of a table; each of its numbers is explained once."""

    con: duckdb.DuckDBPyConnection
    table: Table
    cell: Cell
    row: dict[str, Any]
    done: dict[str, Explanation] = field(default_factory=dict)

    def explain(self, wanted: str) -> Explanation:
        if wanted not in self.done:
            number = self.table.numbers[wanted]
            if number.formula:
                self.done[wanted] = self._made(number)
            elif number.how == "metric":
                self.done[wanted] = self._of_metric(number)
            elif number.records:
                self.done[wanted] = self._counted(number, number.records)
            else:
                self.done[wanted] = self._of_activity(number)
        return self.done[wanted]

    def _made(self, number: Number) -> Explanation:
        parts = [self.explain(part) for part in number.parts(self.table.numbers)]
        known = {p.cell.metric: None if p.value is None else p.total for p in parts} | dict(self.cell.keys)
        given = ", ".join(f"? as {name(part)}" for part in known)
        found = self.con.execute(
            f"select {number.formula} from (select {given or 'true'}) cross join input.parameter", list(known.values())
        ).fetchone()
        return self._told(number, number.formula, in_unit((found or (None,))[0], number.unit), parts=parts)

    def _counted(self, number: Number, records: Records) -> Explanation:
        shows, rows = _records(self.con, self.table, number, records, self.cell)
        total = total_of(self.con, number, rows)
        rule = f"rows of {dictionary_tables.counted_from(number)}"
        rule += f" where {number.counts}" if number.counts != "true" else ""
        rule += f", {HOW.get(number.how, f'quantile {number.how} of')} {number.value}" if number.value else ""
        kinds = {link: records.objects.get(link, "") for link in records.links}
        return self._told(number, rule, total, shows=shows, rows=rows, kinds=kinds)

    def _of_activity(self, number: Number) -> Explanation:
        """A metric of the dictionary, in the daily tables that the dictionary itself makes."""
        assert number.metric is not None and number.metric.fact is not None
        shows, rows = explain_activity.records(self.con, number.metric, number.metric.fact, self.cell)
        fact = number.metric.fact
        rule = f"rows of {fact.table} where {number.counts}" + (f", sum of {number.value}" if number.value else "")
        total = explain_activity.total(number.metric, rows)
        kinds = dict.fromkeys(fact.links, fact.object)
        spoke = explain_activity.spoke(self.con, number.metric, self.cell)
        return self._told(number, rule, total, spoke, shows=shows, rows=rows, kinds=kinds)

    def _of_metric(self, number: Number) -> Explanation:
        """Of a target: the very metric that it was set for."""
        keys = {"rep_id": self.cell.keys["rep_id"]}
        part = explain(self.con, Cell(self.cell.keys["metric"], "daily_rep_activity", self.cell.day, keys))
        total = None if part.total is None else float(part.total)
        return self._told(number, f"{part.cell.metric} of daily_rep_activity", total, parts=[part])

    def _told(
        self, number: Number, rule: str, total: Any, spoke: Mapping[str, str] | None = None, **more: Any
    ) -> Explanation:
        cell = Cell(number.name, self.cell.table, self.cell.day, self.cell.keys)
        value = self.row[number.name] if number.is_column else total
        statuses = {column: self.row[column] for column in self.table.status} | dict(spoke or {})
        changes = restated(self.con, _grain(self.table), cell)
        return Explanation(cell, number.definition, rule, value, total, statuses, restated=changes, **more)


HOW = {"sum": "sum of", "distinct": "different values of", "max": "greatest"}


def _grain(table: Table) -> Sequence[str]:
    """The table's key as its mart orders it, as meta.restatement writes it down."""
    return (table.date, "hour_local", "rep_id") if "hour_local" in table.keys else (table.date, *table.keys)


def _records(
    con: duckdb.DuckDBPyConnection, table: Table, number: Number, records: Records, cell: Cell
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The row's records, those that count first."""
    source = records.source
    columns = {row[0] for row in con.execute(f"describe select * from {source}").fetchall()}
    reason = "r.exclusion_reason" if "exclusion_reason" in columns else "null::varchar"
    where = {key: records.keys.get(key, key) for key in (table.date, *cell.keys)}
    told_apart = [key for key in cell.keys if where[key]]
    picked = "".join(f" and {where[key]}::varchar = ?" for key in told_apart)
    adds = number.value or "1"
    rep = f"(select arg_max(d.name, d.valid_from) from core.dim_rep as d where d.rep_id = r.{records.rep})"
    links = "".join(f", {sql} as {name(what)}" for what, sql in records.links.items())
    shown = "".join(f", r.{name(c)}" for c in records.shows)
    cursor = con.execute(
        f"""select
                ({records.key})::varchar as record,
                {records.at} as at,
                {rep if records.rep in columns else "null"} as rep,
                case when {number.counts} then {adds} end as adds,
                case when not coalesce(({number.counts}), false) then coalesce({reason}, 'does not meet the rule') end as left_out_because
                {shown}{links}
            from {source} as r
            cross join input.parameter as p
            where {where[table.date]} = ? and ({records.where}){picked}
            order by adds is null, 2, 1""",
        [cell.day, *(cell.keys[key] for key in told_apart)],
    )
    return [c[0] for c in cursor.description or []], cursor.fetchall()
