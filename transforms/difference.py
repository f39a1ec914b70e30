"""How a table differs from what it should be, found by a hash of each row, and only that is written.

Comparing 64-bit hashes of rows takes a tenth of the time of EXCEPT ALL over the columns. Two different rows of a table that stand in
for one another would have to have the same hash: at a million changed rows a year that is to be expected once in ten million years.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from .warehouse import name, value


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
    if not value(con, f"select {_sum('standing', 'row_hash')} is distinct from {_sum(f'{fresh} as f', 'hash(f)')}"):
        return Difference(0, "")
    con.execute(
        f"create or replace temp table going as from standing where row_hash not in (select hash(f) from {fresh} as f)"
    )
    con.execute(
        f"""create or replace temp table coming as
            select f.* from {fresh} as f where hash(f) not in (select row_hash from standing)"""
    )
    if not _adds_up(con, fresh):  # rows that stand several times and now in another number
        con.execute("create or replace temp table going as from standing")
        con.execute(f"create or replace temp table coming as from {fresh}")
    con.execute(
        f"""create or replace temp table {changed} as
            select *, false as row_comes from {table} where rowid in (select row_no from going)
            union all
            select *, true from coming"""
    )
    con.execute(f"delete from {table} where rowid in (select row_no from going)")
    con.execute(f"insert into {table} from coming")
    rows = int(str(value(con, f"select count(*) from {changed}")))
    for leftover in ("standing", "going", "coming"):
        con.execute(f"drop table {leftover}")
    return Difference(rows, changed)


def few_rows(table: str, where: str) -> str:
    """The condition for a few rows of a large table: found by what it asks for, the other columns are read of these rows alone."""
    return f"rowid in (select rowid from {table} where {where})"


def _adds_up(con: duckdb.DuckDBPyConnection, fresh: str) -> bool:
    kept = f"{_sum('standing', 'row_hash')} - {_sum('going', 'row_hash')} + {_sum('coming as c', 'hash(c)')}"
    return bool(value(con, f"select {kept} = {_sum(f'{fresh} as f', 'hash(f)')}"))


def _sum(relation: str, hashed: str) -> str:
    """Sum of the hashes; no row adds 0, so that the number of rows shows too."""
    return f"(select coalesce(sum({hashed}::hugeint + 1), 0) from {relation})"
