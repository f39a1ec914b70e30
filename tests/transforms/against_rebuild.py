"""What a warehouse holds, and what it would hold had everything been made anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from transforms import build, model
from transforms.merge import TAIL
from transforms.warehouse import open_warehouse


def contents(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, str]]:
    """Rows and a digest of every table that a build makes, whatever the order of its rows, less who wrote them when."""
    found: dict[str, tuple[int, str]] = {}
    for one in model.load(model.root()):
        if one.kind == "view" or one.name.startswith("meta_"):
            continue
        exclude = f"exclude ({', '.join(TAIL)})" if one.kind == "merged" else ""
        row = con.execute(
            f"""select count(*), coalesce(md5(string_agg(line, '|' order by line)), '')
                from (select md5(to_json(t)::varchar) as line from (select * {exclude} from {one.table}) as t)"""
        ).fetchone()
        assert row
        found[one.table] = (row[0], row[1])
    return found


def rebuilt(warehouse: Path, copy: Path, slice_rows: int | None = None) -> dict[str, tuple[int, str]]:
    """The contents of a copy of the warehouse after a full rebuild."""
    shutil.copyfile(warehouse, copy)
    with open_warehouse(copy) as con:
        build.build(con, full=True, slice_rows=slice_rows)
        return contents(con)
