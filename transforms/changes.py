"""How what changed since the last build narrows the next one (docs/decisions/0003-incremental-build.md).

A model says in its header which key its rows hang together by (`-- scope: key`), and for each table it reads which keys a changed
row there touches (`-- on table: expression`, or a SELECT from `changed`). Then only those keys are made anew. A table that changed
and of which the model says nothing means: make the model anew as a whole. So forgetting a line costs time, never a wrong number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import duckdb

from . import columns, difference, old_keys
from .difference import few_rows, row_ids
from .model import Model
from .warehouse import count, literal, made, name

SMALL = 20_000_000  # rows up to which a table made anew as a whole is compared with what stood, so that little changes stay little
FEW = 100_000  # keys up to which a narrow build is always worth it
PUT_DOWN = 300_000  # rows of a table from which what is found in it is put down, so that plans know how little it is
SHARE = 0.3  # of a table's rows; with more keys than that the whole is cheaper


OF_DIRTY = re.compile(r"([\w.]+) in \(select key from dirty\)")
SPAN_OF_DIRTY = re.compile(
    r"\(select (?P<end>(?:min|max)\([.\w]+\)(?: [-+] \d+)?) from (?P<of>dirty|core\.\w+ where \w+ in \(select key from dirty\))\)"
)


def _is_dirty(key: str) -> str:
    return f"({key}) in (select key from dirty)"


@dataclass(frozen=True, slots=True)
class Whole:
    """rows: relation of all rows that a table has now for some values of a column. keys: SELECT of these values."""

    rows: str
    keys: str


@dataclass(slots=True)
class Changes:
    """What is known so far in a build.

    full: everything is made anew. slice_rows: see build. reason: why values of complete days change, for meta.restatement.
    there: tables that exist. everywhere: tables of which any row may have changed. rows: table -> temp table of its changed rows, old
    and new. columns: table -> its columns, where row_comes tells the new from the old. parts: (table, columns) -> what of its changed
    rows matters to these. whole: table -> column -> where all rows of the changed values of that column stand, so that nobody
    searches fifty million for them. lists: which keys stand in the old part of large tables. sizes: rows of tables that were counted.
    """

    con: duckdb.DuckDBPyConnection
    full: bool
    reason: str = "late_data"
    slice_rows: int = 0
    there: set[str] = field(default_factory=set)
    everywhere: set[str] = field(default_factory=set)
    rows: dict[str, str] = field(default_factory=dict)
    whole: dict[str, dict[str, Whole]] = field(default_factory=dict)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    parts: dict[tuple[str, str], str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict[str, int])
    lists: old_keys.Lists = field(init=False)

    def __post_init__(self) -> None:
        self.lists = old_keys.Lists(self.con)

    def size(self, table: str) -> int:
        """Rows of an input: who reads it comes after it was made, so that it is counted once."""
        if table not in self.sizes:
            self.sizes[table] = count(self.con, table)
        return self.sizes[table]

    def rows_read(self, model: Model) -> int:
        """Rows of all that the model reads; of a _latest view those of the table, for versions beyond the latest are few."""
        return sum(self.size(table.removesuffix("_latest")) for table in model.reads)

    def touched(self, model: Model) -> dict[str, str]:
        """Tables that the model reads of which something changed that it may be using: their changed rows, "" for any.

        Bookkeeping that is not compared counts as changed at every run.
        """
        found: dict[str, str] = {}
        if "meta.restatement" in model.on and model.table in self.there:
            self._compare_runs("meta.restatement", model.table)
        for table in sorted(model.reads):
            if table in self.rows and table not in self.everywhere:
                if rows := self._that_matter(model, table):
                    found[table] = rows
            elif table in self.everywhere or (table.startswith("meta.") and table != "meta.coverage"):
                found[table] = ""
        return found

    def _compare_runs(self, books: str, shown: str) -> None:
        """Which runs a book that only grows has lines of that its mart has not: this run, and any of which the number of lines differs."""
        kept = name(f"changed {books}")
        self.con.execute(
            f"""create or replace temp table {kept} as
                select run_id from input.run
                union
                select run_id from (
                    select run_id, 1 as n from {books} union all select run_id, -1 from {shown}
                ) group by run_id having sum(n) <> 0"""
        )
        self.rows[books] = kept

    def can_narrow(self, model: Model, touched: Mapping[str, str]) -> bool:
        return (
            not self.full
            and bool(model.scope)
            and model.table in self.there
            and all(rows and t in model.on for t, rows in touched.items())
        )

    def find_dirty(self, model: Model, touched: Mapping[str, str]) -> int:
        """Temp table dirty(key): the keys of the model that the changes touch. Returns how many."""
        parts = [
            _rewritten(self.lists.among_recent(line, rows), {"changed": rows})
            if line.lower().startswith(("select", "with"))
            else f"select {line} from {rows}"
            for table, rows in touched.items()
            for line in model.on[table]
        ]
        union = " union all ".join(f"select * from ({part}) as part(key)" for part in parts)
        return made(
            self.con, f"create or replace temp table dirty as select distinct key from ({union}) where key is not null"
        )

    def _that_matter(self, model: Model, table: str) -> str:
        """Changed rows of a table, less those that differ only in columns that the model does not use; "" if there are no others."""
        rows = self.rows[table]
        there = self.columns.get(table)
        if not there:
            return rows
        asked = columns.used(model.select, [*model.on.get(table, ()), model.keep.get(table, "")], there)
        if asked is None:
            return rows
        wanted = ", ".join(map(name, asked))
        if (table, wanted) not in self.parts:
            part = name(f"changed {table} {len(self.parts)}")
            any_differs = made(
                self.con,
                f"""create or replace temp table {part} as
                    select {wanted or "1 as row_is_there"} from {rows} group by all
                    having count_if(row_comes) <> count_if(not row_comes)""",
            )
            self.parts[table, wanted] = part if any_differs else ""
        return self.parts[table, wanted]

    def kept(self, model: Model, table: str, is_asked: Callable[[str], str] = _is_dirty) -> str:
        """Condition on the rows of an input for the dirty keys; "" where all of them matter. is_asked: see narrowed."""
        if table in model.keep:
            return OF_DIRTY.sub(lambda found: is_asked(found[1]), model.keep[table])
        lines = model.on.get(table, ())
        plain = [line for line in lines if not line.lower().startswith(("select", "with"))]
        # With a SELECT beside them other rows matter too, and nobody said which.
        return " or ".join(map(is_asked, plain)) if len(plain) == len(lines) else ""

    def narrowed(self, model: Model, is_asked: Callable[[str], str] = _is_dirty) -> str:
        """The model's SELECT, its inputs kept to what concerns some of its keys.

        is_asked: the condition that the key which an expression gives is one of them; by default those in temp table dirty.
        """
        sql = model.select
        for table, lines in model.on.items():
            keep = self._with_spans(self.kept(model, table, is_asked))
            if keep:
                is_few = is_asked is _is_dirty
                plain = is_few and len(lines) == 1 and table not in model.keep
                at_hand = self.whole.get(table, {}).get(lines[0]) if plain else None
                if at_hand:
                    rows = self._from_at_hand(table, lines[0], at_hand)
                else:
                    rows = f"select * from {table} where {self._few_rows(table, keep) if is_few else keep}"
                asked = re.compile(rf"\b(from|join)(\s+){re.escape(table)}\b(?!\.)")
                is_worth = is_few and (len(asked.findall(sql)) > 1 or self.size(table) > PUT_DOWN)
                kept = self._at_once(model, table, rows) if is_worth else ""
                if not kept:
                    kept = name(f"kept {table}")
                    self.con.execute(f"create or replace temp view {kept} as {rows}")
                sql = asked.sub(rf"\1\2{kept}", sql)
        return f"select * from ({sql}\n) where {is_asked(model.scope)}"

    def _at_once(self, model: Model, table: str, rows: str) -> str:
        """Rows that a model asks for, found once: a temp table of the columns that it may use."""
        kept = name(f"kept rows of {table}")
        there = [row[0] for row in self.con.execute(f"describe {table}").fetchall()]
        used = columns.used(model.select, [], there)
        wanted = "*" if used is None else ", ".join(map(name, used)) or "1 as row_is_there"
        self.con.execute(f"create or replace temp table {kept} as select {wanted} from ({rows})")
        return kept

    def _with_spans(self, keep: str) -> str:
        """A condition with the first and last dirty keys in it as constants: what lies apart from them is then skipped, not compared."""

        def told(found: re.Match[str]) -> str:
            query = f"select any_value(x)::varchar, typeof(any_value(x)) from (select {found['end']} as x from {found['of']})"
            end, kind = self.con.execute(query).fetchall()[0]
            return "null" if end is None else f"{literal(end)}::{kind}"

        return SPAN_OF_DIRTY.sub(told, keep)

    def _few_rows(self, table: str, where: str) -> str:
        """difference.few_rows of a table, each way sought where its keys stand; a view has no rows of its own, and a span needs no search.

        By an estimate of what a search finds DuckDB may join the wrong way round, and read the whole table for a few rows.
        """
        if table not in self.there or "select" not in where:
            return where
        every = enumerate(old_keys.ways(where))
        ways = [self._sought(table, way, name(f"sought {table} {number}")) for number, way in every]
        if self.size(table) <= PUT_DOWN:
            return few_rows(table, *ways)
        rows = name(f"rows {table}")
        self.con.execute(f"create or replace temp table {rows} as from ({row_ids(table, *ways)}) as part(row_no)")
        return f"rowid in (select row_no from {rows})"

    def _sought(self, table: str, way: str, keys: str) -> str:
        """One way with the span of time in which its keys stand. keys: temp table for those that are no dirty keys themselves."""
        found = old_keys.WAY.fullmatch(way)
        if not found or table not in self.lists.of:
            return way
        column, among = found["column"], "dirty"
        if found["of"]:
            inner = old_keys.OF_TABLE.fullmatch(found["of"])
            span = inner and self.lists.recent(inner["table"], inner["column"])
            self.con.execute(
                f"create or replace temp table {keys} as select key from ({found['of']}{f' and {span}' if span else ''}) as part(key)"
            )
            way, among = f"{found['before'] or ''}{column} in (select key from {keys})", keys
        return self._in_its_time(table, way, column, among)

    def _in_its_time(self, table: str, where: str, column: str, keys: str = "dirty") -> str:
        """A condition that seeks keys by a column, with the span of time in which they stand, where that is known."""
        span = self.lists.recent(table, column, keys)
        return f"{where} and {span}" if span else where

    def _from_at_hand(self, table: str, column: str, at_hand: Whole) -> str:
        """Rows of the dirty keys: those at hand, and of other keys, if there are any, those of the table."""
        rest = name(f"rest {table}")
        others = made(self.con, f"create or replace temp table {rest} as from dirty where key not in ({at_hand.keys})")
        rows = f"select * from {at_hand.rows} where {column} in (select key from dirty)"
        if others:
            sought = self._in_its_time(table, f"{column} in (select key from {rest})", column, rest)
            rows += f" union all by name select * from {table} where {few_rows(table, sought) if table in self.there else sought}"
        return rows

    def write(self, model: Model) -> int:
        """Make the rows of the dirty keys what temp table fresh has, and keep what differed as changed rows. How many those are."""
        where = self._in_its_time(model.table, f"{model.scope} in (select key from dirty)", model.scope)
        return self._wrote(model.table, difference.write(self.con, model.table, "fresh", where))

    def write_whole(self, table: str) -> int:
        """The same for all rows of the table."""
        return self._wrote(table, difference.write(self.con, table, "fresh"))

    def _wrote(self, table: str, found: difference.Difference) -> int:
        if found.rows:
            self.note(table, found.changed)
            self.lists.wrote(table, found.changed)
        return found.rows

    def drawn_anew(self, model: Model) -> None:
        """The table was made anew, and nothing compared."""
        self.everywhere.add(model.table)
        self.lists.draw(model)

    def note(self, table: str, changed: str) -> None:
        """Keep the changed rows of a table that tell which of them come."""
        self.rows[table] = changed
        there = self.con.execute(f"select * exclude (row_comes) from {changed} limit 0").description or []
        self.columns[table] = tuple(column[0] for column in there)

    def keep_whole(self, model: Model) -> None:
        """Temp table dirty: the model's keys that differ; and all rows of these keys as they are now, for the models that follow."""
        con, changed, rows = self.con, self.rows[model.table], name(f"fresh {model.table}")
        con.execute(f"create or replace temp table dirty as select distinct {model.scope} as key from {changed}")
        con.execute(f"create or replace temp table {rows} as from fresh where {model.scope} in (select key from dirty)")
        by = {model.scope} | (set(model.grain) if len(model.grain) == 1 else set())
        # Beside a record that differs may stand another account's of the same id, which does not: its rows are at hand as well.
        keys = "select {0} from {1} union all select {0} from {2}"
        self.whole[model.table] = {column: Whole(rows, keys.format(column, changed, rows)) for column in by}


def _rewritten(sql: str, tables: dict[str, str]) -> str:
    for token, table in tables.items():
        sql = re.sub(rf"\b(from|join)(\s+){token}\b", rf"\1\2{table}", sql)
    return sql
