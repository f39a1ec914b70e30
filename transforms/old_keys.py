"""When the keys of a large table stand in its old part, so that a night need not search all of its history for keys that are not there.

A table that is laid down by date is searched for a night's keys from a boundary on, two months back, and before it in the months in which
one of them stands. These are told by lists: a hash of each key and the month for the rows before the boundary, which is read six times as
fast as the keys themselves. A key means the same in every table, so that tables share built."old <key>"; any other column has its own
built."old <table> <column>". A list is read for a key once a night. It may hold rows that are gone or another table's, and two keys may
share a hash: then a month is searched in vain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import duckdb

from .model import Model
from .warehouse import count, made, name, value

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
FACT = "old_keys "  # in meta.fact, with the table's name: the boundary of its rows in the lists
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
    """A table of which the keys of the old part are listed. boundary: date from which on rows are not; order: column that this is a date of."""

    table: str
    order: str
    boundary: date
    columns: tuple[str, ...]

    @property
    def is_recent(self) -> str:
        return f"{self.order} >= '{self.boundary}'"

    @property
    def is_old(self) -> str:
        return f"not coalesce({self.is_recent}, false)"


@dataclass(slots=True)
class Lists:
    """All lists. searched: see columns. of: the tables whose keys they tell. answered: lists that were read for keys of this night already."""

    con: duckdb.DuckDBPyConnection
    searched: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    of: dict[str, Old] = field(default_factory=dict[str, Old])
    answered: set[str] = field(default_factory=set[str])

    def load(self, models: Sequence[Model]) -> None:
        """The lists that there are, brought forward where their boundary lies long ago."""
        facts = self.con.execute("select name, value from meta.fact where starts_with(name, ?)", [FACT]).fetchall()
        drawn = {fact.removeprefix(FACT): date.fromisoformat(told) for fact, told in facts}
        today = self._today() if drawn else date.min
        for one in (m for m in models if m.table in drawn):
            old = Old(one.table, one.order, drawn[one.table], self._texts(one.table))
            if today - old.boundary > timedelta(days=MOST_DAYS):
                new = replace(old, boundary=today - timedelta(days=RECENT_DAYS))
                self._add(old, f"{old.table} where {old.is_recent} and {new.is_old}")
                self._remember(new)
                old = new
            self.of[one.table] = old

    def drop(self) -> None:
        """Everything is made anew."""
        old = "select table_name from duckdb_tables() where schema_name = 'built' and starts_with(table_name, 'old ')"
        for row in self.con.execute(old).fetchall():
            self.con.execute(f"drop table built.{name(row[0])}")
        self.con.execute("delete from meta.fact where starts_with(name, ?)", [FACT])

    def draw(self, model: Model) -> None:
        """List the keys of a table that was just made anew, if it is one that is searched, and large. What was known of it holds no more."""
        if self.of.pop(model.table, None):
            self.con.execute("delete from meta.fact where name = ?", [FACT + model.table])
        if model.table not in self.searched or count(self.con, model.table) < LARGE:
            return
        boundary = self._today() - timedelta(days=RECENT_DAYS)
        old = Old(model.table, model.order, boundary, self._texts(model.table))
        if old.columns:
            self._add(old, f"{old.table} where {old.is_old}")
            self._remember(old)

    def wrote(self, table: str, changed: str) -> None:
        """Rows were written: changed, with row_comes. The keys of those before the boundary join the lists."""
        old = self.of.get(table)
        rows = old and f"{changed} where row_comes and {old.is_old}"
        if old and rows and value(self.con, f"select exists (from {rows})"):
            self._add(old, rows)

    def recent(self, table: str, column: str, keys: str = "dirty") -> str:
        """The condition on a table's date that all rows meet whose column has one of the keys; "" if any date may be, or nobody knows."""
        old = self.of.get(table)
        if old is None or column not in old.columns:
            return ""
        spans = self.con.execute(
            f"""select min(span)::date::varchar, (max(span) + to_{SPAN}s(1))::date::varchar
                from (
                    select span, span - to_{SPAN}s(row_number() over (order by span)) as island
                    from (select distinct span from {self._found(_list(table, column), keys)} semi join sought using (key_hash))
                )
                group by island order by 1 nulls first limit {MOST_SPANS + 1}"""
        ).fetchall()
        if len(spans) > MOST_SPANS or any(first is None for first, _ in spans):
            return ""
        told = [f"({old.order} >= '{first}' and {old.order} < '{until}')" for first, until in spans]
        return f"({' or '.join([old.is_recent, *told])})"

    def among_recent(self, line: str, changed: str) -> str:
        """An `on` line that looks a changed row's value up in a table: in its recent rows alone, where they are all that have such a value."""
        found = LOOKUP.search(line)
        if not found:
            return line
        condition = self.recent(found["table"], found["column"], f"(select {found['key']} as key from {changed})")
        if not condition:
            return line
        return line.replace(
            f"from {found['table']} as", f"from (select * from {found['table']} where {condition}) as", 1
        )

    def _found(self, listed: str, keys: str) -> str:
        """Temp table of what a list says of some keys, temp table sought, and of others: it is read for those that nobody asked for tonight."""
        con, asked, found = self.con, name(f"asked {listed}"), name(f"found {listed}")
        con.execute(
            f"create or replace temp table sought as select distinct hash(key::varchar) as key_hash from {keys}"
        )
        if listed not in self.answered:
            self.answered.add(listed)
            con.execute(f"create or replace temp table {asked} (key_hash ubigint)")
            con.execute(f"create or replace temp table {found} (key_hash ubigint, span date)")
        if made(con, f"create or replace temp table unasked as from sought anti join {asked} using (key_hash)"):
            con.execute(f"insert into {found} from built.{name(listed)} where key_hash in (from unasked)")
            con.execute(f"insert into {asked} from unasked")
        return found

    def _add(self, old: Old, rows: str) -> None:
        span = f"case when isfinite({old.order}) then date_trunc('{SPAN}', {old.order})::date end"
        for column in old.columns:
            listed = _list(old.table, column)
            self.con.execute(f"create table if not exists built.{name(listed)} (key_hash ubigint, span date)")
            told = f"select hash({column}), {span} from {rows} except from built.{name(listed)}"
            if made(self.con, f"insert into built.{name(listed)} {told}"):
                self.answered.discard(listed)

    def _remember(self, old: Old) -> None:
        self.con.execute("insert or replace into meta.fact values (?, ?)", [FACT + old.table, old.boundary.isoformat()])

    def _texts(self, table: str) -> tuple[str, ...]:
        kinds: Mapping[str, str] = {row[0]: row[1] for row in self.con.execute(f"describe {table}").fetchall()}
        return tuple(c for c in self.searched[table] if kinds.get(c) == "VARCHAR")

    def _today(self) -> date:
        return date.fromisoformat(str(value(self.con, "select (now at time zone 'UTC')::date::varchar from input.run")))


def _list(table: str, column: str) -> str:
    return f"old {column}" if column.endswith("_key") else f"old {table} {column}"
