"""Why a number is what it is: the records behind a cell of a daily table, which of them count, and how the cell changed over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import duckdb

from .dictionary_tables import Number, Table
from .warehouse import name

CENTS = (0, -1, -2, -3, -4)  # exponents that need no rounding: prices of seats have four places
SOME = 20  # possible values that an error names
ADDS = 3  # where in a row of records stands what it adds


class ExplainError(Exception):
    """There is nothing to explain. The message says what there is."""

    page = "arguments"


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of one row. table: as published, without schema. keys: the row's key but for the date, by column, as text."""

    metric: str
    table: str
    day: date
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The records behind a cell.

    shows, rows: names and values of what there is of each record: record (its key), at (UTC), rep, adds (to the number; None when it does
    not count), left_out_because, then what tells what it is, then keys in the source systems.
    total: what the records, or the parts by `rule`, add up to. value: what the table says; None when the source was silent.
    parts: what a rate, a score or a signal is made of. kinds: what each link leads to (connectors' `links`).
    """

    cell: Cell
    definition: str
    rule: str
    value: Any
    total: Any
    statuses: Mapping[str, str]
    shows: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    restated: Sequence[Sequence[Any]] = ()
    parts: Sequence[Explanation] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)

    @property
    def adds_up(self) -> bool:
        if self.value is None:
            return True
        if isinstance(self.value, float) and isinstance(self.total, float | int | Decimal):
            return math.isclose(self.value, self.total, rel_tol=1e-9, abs_tol=1e-9)
        return bool(self.total == self.value)

    @property
    def counted(self) -> int:
        return sum(1 for row in self.rows if row[ADDS] is not None)


def find_rep(con: duckdb.DuckDBPyConnection, wanted: str) -> int:
    """rep_id of a rep by address, name or rep_id. Raises ExplainError."""
    rows = con.execute(
        """select distinct rep_id from core.dim_rep
           where lower(email) = lower($1) or lower(name) = lower($1) or rep_id::varchar = $1""",
        [wanted],
    ).fetchall()
    if len(rows) != 1:
        what = "several reps have" if rows else "no rep has"
        raise ExplainError(f"{what} the address, name or id {wanted!r}; dim_rep lists them all")
    return int(rows[0][0])


def row_of(con: duckdb.DuckDBPyConnection, table: Table, cell: Cell, columns: Sequence[str]) -> dict[str, Any]:
    """What the table says in that row. Raises ExplainError when it has no such row."""
    which = "".join(f" and {name(key)}::varchar = ?" for key in table.keys)
    cursor = con.execute(
        f"select {', '.join(name(c) for c in columns)} from marts.{name(table.name)} where {name(table.date)} = ?{which}",
        [cell.day, *(cell.keys[key] for key in table.keys)],
    )
    row = cursor.fetchone()
    if row is None:
        raise ExplainError(no_row(con, table, cell))
    return dict(zip(columns, row, strict=True))


def no_row(con: duckdb.DuckDBPyConnection, table: Table, cell: Cell) -> str:
    """That there is no such row, and what there is that day, else which days there are."""
    whom = ", ".join(f"{key} {cell.keys[key]}" for key in table.keys) or "the organisation"
    said = f"{table.name} has no row for {whom} on {cell.day}"
    there = f"from marts.{name(table.name)}"
    for key in table.keys:
        values = con.execute(
            f"select distinct {name(key)}::varchar as v {there} where {name(table.date)} = ? order by v", [cell.day]
        ).fetchall()
        if values and (cell.keys[key],) not in values:
            return f"{said}; there are {key} {some([value for (value,) in values])}"
    first, last = con.execute(f"select min({name(table.date)}), max({name(table.date)}) {there}").fetchone() or (
        None,
        None,
    )
    return f"{said}; its days are {first} to {last}" if first else said


def some(values: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(values) - SOME} more" if len(values) > SOME else ""
    return f"{', '.join(values[:SOME])}{more}"


def restated(con: duckdb.DuckDBPyConnection, grain: Sequence[str], cell: Cell) -> list[tuple[Any, ...]]:
    """How the published number changed over time. grain: the table's key, in its order, the date's column not among cell.keys."""
    key = "|".join(cell.keys.get(column, str(cell.day)) for column in grain)
    return con.execute(
        """select restated_at, old_value, new_value, reason, run_id from meta.restatement
           where table_name = $1 and key = $2 and metric = $3 order by restated_at""",
        [cell.table, key, cell.metric],
    ).fetchall()


def total_of(con: duckdb.DuckDBPyConnection, number: Number, rows: Sequence[Sequence[Any]]) -> Any:
    """What the counted records come to: their sum, the number of different values, the greatest, or a quantile."""
    counted = [row[ADDS] for row in rows if row[ADDS] is not None]
    how = number.how
    if how == "distinct":
        return len(set(counted))
    if how == "max":
        return max(counted, default=None)
    if how != "sum":
        found = con.execute("select quantile_cont(v, ?) from (select unnest(?::double[]) as v)", [float(how), counted])
        return (found.fetchone() or (None,))[0]
    return in_unit(sum(counted), number.unit)


def in_unit(total: Any, unit: str) -> Any:
    """Money to the cent, halves away from zero, as DuckDB rounds it."""
    cents = unit == "reporting currency" and isinstance(total, Decimal) and total.as_tuple().exponent not in CENTS
    return total.quantize(Decimal("0.01"), ROUND_HALF_UP) if cents else total
