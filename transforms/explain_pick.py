"""Which cell is meant: a metric, a day, and what was given of the keys that tell a table's rows apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches

import duckdb

from . import dictionary_tables
from .dictionary_tables import Table
from .explain import Cell, ExplainError, find_rep, some
from .explain_table import table_of
from .warehouse import name

OPTIONS = (
    "rep", "team", "territory", "segment", "tool", "hour", "contact", "kind", "channel", "stage", "to-stage", "measure", "number", "target",
)  # fmt: skip


def pick(
    con: duckdb.DuckDBPyConnection, metric: str, day: date, given: Mapping[str, str], table: str | None = None
) -> Cell:
    """The cell that the options mean. given: values by option, a key of OPTIONS. Raises ExplainError: no such metric, several tables that
    fit, or a key that is missing, with the values there are."""
    having = [t for t in _tables(table) if metric in t.numbers]
    if not having:
        raise ExplainError(_unknown(metric, table))
    fitting = [t for t in having if given.keys() <= _allowed(t)]
    if not fitting:
        ways = "; ".join(f"in {t.name} by {_named(_needed(t)) or 'the day alone'}" for t in having)
        raise ExplainError(f"{metric} cannot be told by {_named(given)}; it is told {ways}")
    exact = _different(metric, [t for t in fitting if _needed(t) <= given.keys()])
    if len(exact) > 1:
        raise ExplainError(f"{metric} stands in {', '.join(t.name for t in exact)}: say which with --table")
    if not exact:
        raise ExplainError("\n".join(_missing(con, t, metric, day, given) for t in _different(metric, fitting)))
    return Cell(metric, exact[0].name, day, _keys(con, exact[0], given))


def _tables(table: str | None) -> list[Table]:
    return [table_of(table)] if table else list(dictionary_tables.load().values())


def _unknown(metric: str, table: str | None) -> str:
    made = [t.name for t in dictionary_tables.beside().values() if metric in t.numbers]
    if made and not table:
        return f"{metric} stands in {', '.join(made)} and is made of other numbers, which can be explained: meta_metric says of which"
    known = sorted({number for t in _tables(table) for number in t.numbers})
    near = get_close_matches(metric, known, n=5, cutoff=0.4) or known
    return f"there is no metric {metric!r}{f' in {table}' if table else ''}; the nearest: {', '.join(near)}"


def _needed(table: Table) -> set[str]:
    """Options without which no row of the table is meant."""
    return {option for option in table.keys.values() if option not in ("scope", "entity")}


def _allowed(table: Table) -> set[str]:
    return _needed(table) | ({"rep", "number"} if "scope" in table.keys else set())


def _different(metric: str, tables: list[Table]) -> list[Table]:
    """Of tables that show the very same metric by the same keys only the first: the others repeat it."""
    found: dict[object, Table] = {}
    for table in tables:
        same = table.numbers[metric].metric
        found.setdefault((same.name, *sorted(_needed(table))) if same else table.name, table)
    return list(found.values())


def _keys(con: duckdb.DuckDBPyConnection, table: Table, given: Mapping[str, str]) -> dict[str, str]:
    """The table's key columns and their values as text; a rep by rep_id, whatever the rep was called by. Without those not given."""
    known = {o: str(find_rep(con, value)) if o == "rep" else value for o, value in given.items()}
    if "scope" in table.keys:
        scope = next((s for s in ("rep", "number") if s in known), "org")
        known |= {"scope": scope, "entity": known.get(scope, "org")}
    return {column: known[option] for column, option in table.keys.items() if option in known}


def _missing(con: duckdb.DuckDBPyConnection, table: Table, metric: str, day: date, given: Mapping[str, str]) -> str:
    """What else has to be said, and what it can be on that day."""
    known = _keys(con, table, given)
    lines: list[str] = []
    for column, option in table.keys.items():
        if column in known:
            continue
        which = "".join(f" and {name(key)}::varchar = ?" for key in known)
        shown = (
            "(select arg_max(coalesce(d.email, d.name), d.valid_from) from core.dim_rep as d where d.rep_id = t.rep_id)"
            if option == "rep"
            else f"t.{name(column)}"
        )
        rows = con.execute(
            f"select distinct {shown} as v from marts.{name(table.name)} as t where {name(table.date)} = ?{which} order by v",
            [day, *known.values()],
        ).fetchall()
        values = [str(row[0]) for row in rows]
        lines.append(f"--{option} ({some(values) if values else f'no row on {day}'})")
    return f"{metric} in {table.name} needs {' and '.join(lines)}"


def _named(options: Mapping[str, str] | set[str]) -> str:
    return " ".join(f"--{option}" for option in OPTIONS if option in options)
