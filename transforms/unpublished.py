"""What the published file lacks: noted by every build, written by the next publishing, so that a night copies what changed and no more.

Of each merged table, and of one that is replaced in part, built."unpublished <table>" lists the keys whose rows differ from the file that was
published last; a table that has no such list is copied whole. The lists belong to one file: meta.fact `published_as` says which, by its
size, time and inode, and what was promised in it. Another file in its place, an older warehouse, a new definition or comment: everything is
written anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Sequence
from pathlib import Path

import duckdb

from . import contract
from .merge import TAIL_COMMENTS
from .model import Model
from .warehouse import name, tables, transaction, value

FACT = "published_as"
# A smaller file is written anew every time, in the order of its keys and without holes.
SMALL_FILE = 1 << 20
GROWTH = (
    1.5  # to what part of its size when last written anew a file may grow before it is again: replaced rows leave holes
)


def note(con: duckdb.DuckDBPyConnection, model: Model, changed: str, there: Container[str]) -> None:
    """Add the keys of changed rows, old and new, of a merged table; `changed` is "" when any row may have changed. there: tables that exist."""
    if f"built.{_table(model)}" not in there:
        return
    if not changed:
        con.execute(f"drop table {_list(model)}")
    else:
        con.execute(f"insert into {_list(model)} select distinct {', '.join(_key(model))} from {changed}")


def forget(con: duckdb.DuckDBPyConnection) -> None:
    """Let the next file be written anew, so that nothing of rows that are gone is left in it."""
    con.execute("delete from meta.fact where name = ?", [FACT])


def may_be_continued(con: duckdb.DuckDBPyConnection, target: Path, models: Sequence[Model], small: int) -> bool:
    """Whether the file there is the one that was published last, promises the same, and is worth being continued."""
    told = value(con, "select value from meta.fact where name = ?", [FACT])
    if not told or not target.exists():
        return False
    facts, size = json.loads(str(told)), target.stat().st_size
    return (
        facts["file"] == _file(target)
        and facts["promise"] == _promise(models)
        and small <= size <= facts["anew"] * GROWTH
    )


def published(con: duckdb.DuckDBPyConnection, target: Path, models: Sequence[Model], *, anew: bool) -> None:
    """The file there holds what the marts hold: nothing is unpublished."""
    told = value(con, "select value from meta.fact where name = ?", [FACT])
    size = target.stat().st_size if anew or not told else json.loads(str(told))["anew"]
    facts = {"file": _file(target), "promise": _promise(models), "anew": size}
    with transaction(con):
        con.execute("create schema if not exists built")
        for one in models:
            if _key(one):
                con.execute(
                    f"create or replace table {_list(one)} as select {', '.join(_key(one))} from {one.table} limit 0"
                )
        con.execute("insert or replace into meta.fact values (?, ?)", [FACT, json.dumps(facts)])
        con.execute("update meta.run set published = true where run_id in (select run_id from input.run)")


def write(con: duckdb.DuckDBPyConnection, database: str, models: Sequence[Model]) -> None:
    """Bring the tables of an attached copy of the last file up to date. Its views, comments and dictionary stand: they promise the same."""
    lists = set(tables(con, "built"))
    for one in models:
        if one.kind == "view":
            continue
        there = f"{name(database)}.main.{name(one.name)}"
        order = f"order by {', '.join(map(name, one.grain))}" if one.grain else "order by all"
        if _table(one) not in lists:
            con.execute(f"delete from {there}")
            con.execute(f"insert into {there} by name select * from {one.table} {order}")
        elif value(con, f"select 1 from {_list(one)} limit 1"):
            among = _among(con, one)
            con.execute(f"delete from {there} where {among}")
            con.execute(f"insert into {there} by name select * from {one.table} where {among} {order}")


def _among(con: duckdb.DuckDBPyConnection, model: Model) -> str:
    """Condition on the rows of the listed keys; by the span of their first part too, mostly the date by which rows lie: others are skipped."""
    keys, first = ", ".join(_key(model)), _key(model)[0]
    low, high = con.execute(f"select min({first})::varchar, max({first})::varchar from {_list(model)}").fetchall()[0]
    span = f"{first} between {_literal(low)} and {_literal(high)}"
    return f"{span} and ({keys}) in (select ({keys}) from {_list(model)})"


def _key(model: Model) -> list[str]:
    """Columns by which changed rows are listed; none of a table that is copied whole every time."""
    columns = (
        model.grain if model.kind == "merged" else (model.scope,) if model.kind == "replaced" and model.scope else ()
    )
    return [name(column) for column in columns]


def _list(model: Model) -> str:
    return f"built.{name(_table(model))}"


def _table(model: Model) -> str:
    return f"unpublished {model.name}"


def _file(path: Path) -> list[str | int]:
    found = path.stat()
    return [str(path.resolve()), found.st_size, found.st_mtime_ns, found.st_ino]


def _promise(models: Sequence[Model]) -> str:
    own = (
        contract.CONTRACT_VERSION,
        contract.STORAGE_VERSION,
        contract.OWN_COMMENTS,
        contract.OWN_COLUMNS,
        TAIL_COMMENTS,
    )
    told = [
        duckdb.__version__,
        repr(own),
        *(repr((m.table, m.kind, m.sql, m.comment, sorted(m.columns.items()))) for m in models),
    ]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
