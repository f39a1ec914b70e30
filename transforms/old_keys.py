"""When the keys of a large table stand in its old part, so that a night need not search all of its history for keys that are not there.

A table that is laid down by date is searched for a night's keys from a boundary on, two months back, and before it in the months in which
one of them stands. These are told by built."old <table> <column>": a hash of the column and the month for the rows before the boundary,
which is read six times as fast as the keys themselves. It may hold rows that are gone, and two keys may share a hash: then a month is
searched in vain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import duckdb

from .model import Model
from .warehouse import name, value

LARGE = 2_000_000  # rows from which a table is worth it
RECENT_DAYS, MOST_DAYS = 60, 120  # age of the boundary when it is drawn, and at which it is drawn again
COLUMN = re.compile(r"[a-z_]\w*")
# An `on` line that asks a table which of its rows have a changed row's value.
LOOKUP = re.compile(
    r"\bfrom (?P<table>core\.\w+) as (?P<t>\w+) inner join changed as (?P<c>\w+)"
    r" on (?P=t)\.(?P<column>\w+) = (?P=c)\.(?P<key>\w+)"
)
# One way of a `keep` line that seeks rows by a column: its keys are the dirty ones, or `of` tells them.
WAY = re.compile(r"(?P<before>[^()]+ and )?\(?(?P<column>\w+)\)? in \((?:select key from dirty|(?P<of>select .+))\)")
OF_TABLE = re.compile(
    r"select (?:\w+\.)?\w+ from (?P<table>core\.\w+)(?: as \w+)? where (?:[^()]+ and )?"
    r"\(?(?:\w+\.)?(?P<column>\w+)\)? in \(select key from dirty\)"
)
FACT = "old_spans "  # in meta.fact, with the table's name: the boundary of its lists
SPAN, MOST_SPANS = "month", 12  # of time: how finely they are told apart, and up to how many


def columns(models: Sequence[Model]) -> dict[str, tuple[str, ...]]:
    """Of each table that is laid down by date, the columns by which keys are searched in it."""
    asked: dict[str, set[str]] = {m.table: {m.scope} for m in models if m.order and m.scope and m.kind == "replaced"}
    for m in models:
        for table, lines in m.on.items():
            if table in asked and table not in m.keep:
                asked[table].update(lines)
            for way in filter(None, map(WAY.fullmatch, ways(m.keep.get(table, "")))):
                inner = OF_TABLE.fullmatch(way["of"] or "")
                for sought, column in ((table, way["column"]), *([(inner["table"], inner["column"])] if inner else [])):
                    if sought in asked:
                        asked[sought].add(column)
            for found in filter(None, map(LOOKUP.search, lines)):
                if found["table"] in asked:
                    asked[found["table"]].add(found["column"])
    return {table: tuple(sorted(c for c in found if COLUMN.fullmatch(c))) for table, found in asked.items()}


def ways(where: str) -> list[str]:
    """The parts between which there is an "or", less those in brackets."""
    found, depth = [""], 0
    for piece in re.split(r"([()]| or )", where):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if piece == " or " and not depth:
            found.append("")
        else:
            found[-1] += piece
    return found


@dataclass(frozen=True, slots=True)
class Old:
    """The lists of one table. boundary: date from which on rows are not in them; order: column that this is a date of."""

    table: str
    order: str
    boundary: date
    columns: tuple[str, ...]

    @property
    def is_recent(self) -> str:
        return f"{self.order} >= '{self.boundary}'"


def load(con: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> dict[str, Old]:
    """The lists that there are, brought forward where their boundary lies long ago."""
    facts = con.execute("select name, value from meta.fact where starts_with(name, ?)", [FACT]).fetchall()
    drawn = {fact.removeprefix(FACT): date.fromisoformat(told) for fact, told in facts}
    asked, today = columns(models), _today(con) if drawn else date.min
    found: dict[str, Old] = {}
    for one in (m for m in models if m.table in drawn):
        old = Old(one.table, one.order, drawn[one.table], _text(con, one.table, asked[one.table]))
        if today - old.boundary > timedelta(days=MOST_DAYS):
            new = replace(old, boundary=today - timedelta(days=RECENT_DAYS))
            for column in old.columns:
                _add(con, old, column, f"{old.table} where {old.is_recent} and not coalesce({new.is_recent}, false)")
            _remember(con, new)
            old = new
        found[one.table] = old
    return found


def draw(con: duckdb.DuckDBPyConnection, model: Model, asked: Iterable[str]) -> None:
    """Make the lists of a table that was just made anew, if it is large."""
    forget(con, model.table)
    if int(str(value(con, f"select count(*) from {model.table}"))) < LARGE:
        return
    boundary = _today(con) - timedelta(days=RECENT_DAYS)
    old = Old(model.table, model.order, boundary, _text(con, model.table, asked))
    if not old.columns:
        return
    for column in old.columns:
        con.execute(f"create or replace table {_list(old.table, column)} (key_hash ubigint, span date)")
        _add(con, old, column, f"{old.table} where not coalesce({old.is_recent}, false)")
    _remember(con, old)


def forget(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Of a table that is made anew the lists say nothing any more."""
    con.execute("delete from meta.fact where name = ?", [FACT + table])


def wrote(con: duckdb.DuckDBPyConnection, old: Old, changed: str) -> None:
    """Rows were written: changed, with row_comes. Those before the boundary join the lists."""
    for column in old.columns:
        _add(con, old, column, f"{changed} where row_comes and not coalesce({old.is_recent}, false)")


def recent(con: duckdb.DuckDBPyConnection, old: Old | None, column: str, keys: str = "dirty") -> str:
    """The condition on a table's date that all rows meet whose column has one of the keys; "" if any date may be, or nobody knows."""
    if old is None or column not in old.columns:
        return ""
    spans = con.execute(
        f"""select min(span)::date::varchar, (max(span) + to_{SPAN}s(1))::date::varchar
            from (
                select span, span - to_{SPAN}s(row_number() over (order by span)) as island
                from (select distinct span from {_list(old.table, column)} where key_hash in (select hash(key::varchar) from {keys}))
            )
            group by island order by 1 nulls first limit {MOST_SPANS + 1}"""
    ).fetchall()
    if len(spans) > MOST_SPANS or any(first is None for first, _ in spans):
        return ""
    told = [f"({old.order} >= '{first}' and {old.order} < '{until}')" for first, until in spans]
    return f"({' or '.join([old.is_recent, *told])})"


def among_recent(con: duckdb.DuckDBPyConnection, lists: Mapping[str, Old], line: str, changed: str) -> str:
    """An `on` line that looks a changed row's value up in a table: in its recent rows alone, where they are all that have such a value."""
    found = LOOKUP.search(line)
    if not found or found["table"] not in lists:
        return line
    condition = recent(con, lists[found["table"]], found["column"], f"(select {found['key']} as key from {changed})")
    if not condition:
        return line
    return line.replace(f"from {found['table']} as", f"from (select * from {found['table']} where {condition}) as", 1)


def _add(con: duckdb.DuckDBPyConnection, old: Old, column: str, rows: str) -> None:
    span = f"case when isfinite({old.order}) then date_trunc('{SPAN}', {old.order})::date end"
    con.execute(f"insert into {_list(old.table, column)} select distinct hash({column}), {span} from {rows}")


def _remember(con: duckdb.DuckDBPyConnection, old: Old) -> None:
    con.execute("insert or replace into meta.fact values (?, ?)", [FACT + old.table, old.boundary.isoformat()])


def _text(con: duckdb.DuckDBPyConnection, table: str, asked: Iterable[str]) -> tuple[str, ...]:
    kinds: Mapping[str, str] = {row[0]: row[1] for row in con.execute(f"describe {table}").fetchall()}
    return tuple(c for c in asked if kinds.get(c) == "VARCHAR")


def _today(con: duckdb.DuckDBPyConnection) -> date:
    return date.fromisoformat(str(value(con, "select (now at time zone 'UTC')::date::varchar from input.run")))


def _list(table: str, column: str) -> str:
    return f"built.{name(f'old {table} {column}')}"
