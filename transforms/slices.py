"""A table too large to be made in one go is made in slices of its keys: each slice is a narrow build of these keys (changes.py).

Joins, sorts and aggregates of one statement share what memory there is, and DuckDB gives up where it does not suffice. A slice needs a
fraction of it, so that memory_limit bounds the build of any history; the price is to read the inputs once a slice. A key's slice
follows from its hash: a list of the keys would itself need the memory, once for each input that is searched.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from .changes import Changes
from .model import Model
from .warehouse import ASIDE, literal, made, name, value

# Of memory_limit for each row of the inputs: what the hungriest models were seen to need, and some.
BYTES_OF_A_ROW = 1200
UNITS = {"bytes": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}


def rows_of_a_slice(con: duckdb.DuckDBPyConnection) -> int:
    """How many rows of its inputs a model may read at a time under the memory_limit."""
    amount, _, unit = str(value(con, "select current_setting('memory_limit')")).partition(" ")
    return int(float(amount) * UNITS[unit.lower()] / BYTES_OF_A_ROW)


def needed(model: Model, changes: Changes) -> int:
    """Slices in which to make a model, by the rows of its inputs; 1 if they are few or cannot be read by keys."""
    # Staging reads record by record: it needs no memory.
    if model.schema == "staging" or not model.scope or model.slices == "none":
        return 1
    by_keys = [table for table in model.reads if changes.kept(model, table)]
    # Of a _latest view the table is counted: its versions beyond the latest are few.
    rows = sum(changes.size(table.removesuffix("_latest")) for table in by_keys)
    return max(-(-rows // changes.slice_rows), 1)


def make(con: duckdb.DuckDBPyConnection, table: str, model: Model, changes: Changes, slices: int) -> int:
    """Create the table with the model's rows, slice by slice, in the model's order; how many they are.

    What has to wait lies in files of the folder for what does not fit into memory: temporary tables keep their room until the build's
    one transaction ends, and would add up to more than the warehouse.
    """
    kind = str(con.execute(f"describe select {model.scope} from ({model.select})").fetchall()[0][1])
    with _aside(con) as folder:
        # Most inputs are asked whether a key is of the slice; what asks for more of the keys needs a list of them.
        keys = folder / "keys.parquet"
        if is_listed := any("dirty" in changes.kept(model, table, str) for table in model.keep):
            every = " union all ".join(f"select * from ({part}) as part(key)" for part in _keys(model))
            _write(con, f"select distinct key from ({every}) where key is not null", keys)
        count = 0
        for number in range(slices):
            of_slice = partial(is_in_slice, kind=kind, number=number, slices=slices, field=model.slices)
            if is_listed:
                con.execute(f"create or replace temp table dirty as from {_file(keys)} where {of_slice('key')}")
            rows = changes.narrowed(model, of_slice)
            if model.order:
                _write(con, rows, folder / f"rows-{number}.parquet")
            else:
                count += made(
                    con,
                    f"create or replace {table} as {rows}" if number == 0 else f"insert into {_named(table)} {rows}",
                )
        if model.order:
            columns = ", ".join(f"{column}::{of} as {column}" for column, of in _columns(con, model.select))
            count = made(
                con,
                f"create or replace {table} as select {columns} from {_file(folder / 'rows-*.parquet')} order by {model.order}",
            )
    return count


@contextmanager
def _aside(con: duckdb.DuckDBPyConnection) -> Generator[Path]:
    """A folder for the while, beside what DuckDB itself puts out of memory. A killed run's goes when the warehouse is opened."""
    home = Path(str(value(con, "select current_setting('temp_directory')")))
    home.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=ASIDE, dir=home) as folder:
        yield Path(folder)


def _write(con: duckdb.DuckDBPyConnection, rows: str, file: Path) -> None:
    """Parquet knows no HUGEINT, which sums are: such a column would come back as DOUBLE."""
    columns = ", ".join(
        f"{column}::decimal(38, 0) as {column}" if kind == "HUGEINT" else column for column, kind in _columns(con, rows)
    )
    con.execute(f"copy (select {columns} from ({rows})) to {literal(str(file))} (format parquet, compression lz4)")


def _columns(con: duckdb.DuckDBPyConnection, rows: str) -> list[tuple[str, str]]:
    return [(name(str(column)), str(kind)) for column, kind, *_ in con.execute(f"describe {rows}").fetchall()]


def _file(files: Path) -> str:
    return f"read_parquet({literal(str(files))})"


def is_in_slice(key: str, *, kind: str, number: int, slices: int, field: str = "") -> str:
    """As the type of the table's own column: an input may have the key as an integer of another width, or as an instant for a date.

    field: the part of a composed key that alone decides, so that a slice has all of an input that hangs together by it, and no more.
    No equality: the optimizer takes one with a computed value for a few rows, and plans loops that compare every row with every other.
    """
    decides = f"(({key})::{kind}).{field}" if field else f"({key})::{kind}"
    part = f"hash({decides}) % {slices}"
    return f"(({key}) is not null and {part} >= {number} and {part} < {number + 1})"


def _keys(model: Model) -> list[str]:
    """SELECTs of all keys that any row of any input touches. What looks into the model's own table finds no others."""
    found: list[str] = []
    for table, lines in model.on.items():
        plain = [line for line in lines if not line.lower().startswith(("select", "with"))]
        for line in plain or [line for line in lines if not re.search(rf"\b{re.escape(model.table)}\b", line)]:
            if plain:
                found.append(f"select {line} from {table}")
            else:
                found.append(re.sub(r"\b(from|join)(\s+)changed\b", rf"\1\2{table}", line))
    return found


def _named(table: str) -> str:
    """The table's name in "temp table x" or "table x"."""
    return table.rpartition(" ")[2]
