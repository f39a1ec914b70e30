"""Publishing into a database that is not a file of ours: MotherDuck, named as md:DATABASE (docs/decisions/0009-past-one-machine.md).

There is no file to swap, no mode to set and no earlier file to keep. In place of the swap stands one transaction: until it is committed readers
see what was there, and so they do when it fails. MotherDuck itself could not be tried; the transaction was, on a database of DuckDB's.
"""

from __future__ import annotations

from importlib.resources.abc import Traversable

import duckdb

from . import model
from .publish import PublishError, fill, look_at, names_of
from .warehouse import name, transaction, value

PREFIX = "md:"


def publish_into(con: duckdb.DuckDBPyConnection, place: str) -> dict[str, int]:
    """Replace what md:DATABASE holds; rows by table and view. The token is motherduck_token of the environment; the database must exist.

    Raises PublishError, and then what was there stands.
    """
    database = place.removeprefix(PREFIX)
    try:
        con.execute(f"attach '{place}'")
    except duckdb.Error as error:
        raise PublishError(
            f"cannot reach {place}: {error}. Check motherduck_token in the environment, that the database exists, and that DuckDB may "
            "load its extension motherduck. It holds what it held."
        ) from error
    try:
        return replace(con, database)
    finally:
        con.execute(f"detach {name(database)}")


def replace(con: duckdb.DuckDBPyConnection, database: str, folder: Traversable | None = None) -> dict[str, int]:
    """Replace what an attached database holds in main by the marts, in one transaction; rows by table and view. Raises PublishError."""
    models = [m for m in model.load(folder or model.root()) if m.schema == "marts"]
    home = str(value(con, "select current_database()"))
    try:
        with transaction(con):
            _drop_others(con, database, names_of(models))
            fill(con, database, models)
            con.execute(f"use {name(database)}.main")
            try:
                counts = look_at(con, database, models)
            finally:
                con.execute(f"use {name(home)}.main")
    except duckdb.Error as error:
        raise PublishError(f"{database} was not published, and holds what it held: {error}.") from error
    return counts


def _drop_others(con: duckdb.DuckDBPyConnection, database: str, wanted: set[str]) -> None:
    """Drop views, which are made anew, and tables that are published no longer. Other schemas are not ours."""
    rows = con.execute(
        """select table_type, table_name from information_schema.tables
           where table_catalog = ? and table_schema = 'main' order by table_type desc, table_name""",
        [database],
    ).fetchall()
    for kind, table in rows:
        if kind == "VIEW" or table not in wanted:
            con.execute(f"drop {'view' if kind == 'VIEW' else 'table'} {name(database)}.main.{name(table)}")
