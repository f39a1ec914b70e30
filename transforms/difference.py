"""How a table differs from what it should be, found by a hash of each row, and only that is written.

Comparing 64-bit hashes of rows takes a tenth of the time of EXCEPT ALL over the columns. Two different rows of a table that stand in
for one another would have to have the same hash: at a million changed rows a year that is to be expected once in ten million years.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from .warehouse import made, name, value


@dataclass(frozen=True, slots=True)
class Difference:
    """rows: how many rows go or come. changed: temp table of them; its column row_comes tells which."""

    rows: int
    changed: str


def write(con: duckdb.DuckDBPyConnection, table: str, fresh: str, where: str = "") -> Difference:
    """Make the rows of a table that meet a condition what the relation `fresh` has, of the same columns in the same order."""
    changed = name(f"changed {table}")
    asked = few_rows(table, where) if where else "true"
    con.execute(
        f"create or replace temp table standing as select rowid as row_no, hash(t) as row_hash from {table} as t where {asked}"
    )
    # Of a whole table that is the same, sums tell it without holding a hash a row.
    is_same = f"select {_sum('standing', 'row_hash')} is not distinct from {_sum(f'{fresh} as f', 'hash(f)')}"
    if not where and value(con, is_same):
        return Difference(0, "")
    # Hashes that stand more or less often than they should: all their rows go, and come as often as they should.
    differing = made(
        con,
        f"""create or replace temp table differing as
            select row_hash from (select row_hash, 1 as n from standing union all select hash(f), -1 from {fresh} as f)
            group by row_hash having sum(n) <> 0""",
    )
    rows = 0
    if differing:
        going = "select row_no from standing where row_hash in (select row_hash from differing)"
        rows = made(
            con,
            f"""create or replace temp table {changed} as
                select *, false as row_comes from {table} where rowid in ({going})
                union all
                select f.*, true from {fresh} as f where hash(f) in (select row_hash from differing)""",
        )
        con.execute(f"delete from {table} where rowid in ({going})")
        con.execute(f"insert into {table} select * exclude (row_comes) from {changed} where row_comes")
    for leftover in ("standing", "differing"):
        con.execute(f"drop table {leftover}")
    return Difference(rows, changed if rows else "")


def few_rows(table: str, *ways: str) -> str:
    """The condition for a few rows of a large table: found by what it asks for, the other columns are read of these rows alone.

    ways: conditions of which any is enough. Each is a search by itself: a scan takes one list of keys with it, and weighs every row for two.
    """
    return f"rowid in ({row_ids(table, *ways)})"


def row_ids(table: str, *ways: str) -> str:
    """SELECT of the ids of these rows."""
    return " union all ".join(f"select rowid from {table} where {way}" for way in ways)


def _sum(relation: str, hashed: str) -> str:
    """Sum of the hashes; no row adds 0, so that the number of rows shows too."""
    return f"(select coalesce(sum({hashed}::hugeint + 1), 0) from {relation})"
