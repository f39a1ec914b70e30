"""How dense what was read is: records a day, requests a window. Plain queries, for saying what further reading will take."""

from __future__ import annotations

from datetime import datetime

import duckdb

from .raw import latest_view
from .warehouse import value

ENOUGH = 3.0  # days that must have been read for their records a day to say something of other days


def records_a_day(con: duckdb.DuckDBPyConnection, source: str, workspace: str, stream: str) -> dict[str, float]:
    """By partition, over the days that were read whole; without the partitions of which fewer than three days were."""
    if not _is_there(con, source, stream):
        return {}
    rows = con.execute(
        f"""with spans as (
                select partition, epoch(covered_until - covered_from) / 86400.0 as days,
                    (select count(*) from {latest_view(source, stream)} as r
                     where r._partition = c.partition and r.workspace_id = c.workspace_id and not r.is_deleted
                         and r.happened_at >= c.covered_from and r.happened_at < c.covered_until) as records
                from meta.coverage as c where source_id = ? and workspace_id = ? and stream = ?)
            select partition, sum(records) / sum(days) from spans group by partition having sum(days) >= ?""",
        [source, workspace, stream, ENOUGH],
    ).fetchall()
    return dict(rows)


def records_between(
    con: duckdb.DuckDBPyConnection, source: str, workspace: str, stream: str, start: datetime, end: datetime
) -> dict[str, int]:
    """By partition, records of [start, end) that are known."""
    if not _is_there(con, source, stream):
        return {}
    rows = con.execute(
        f"""select _partition, count(*) from {latest_view(source, stream)}
            where workspace_id = ? and not is_deleted and happened_at >= ? and happened_at < ? group by all""",
        [workspace, start, end],
    ).fetchall()
    return dict(rows)


def records_known(con: duckdb.DuckDBPyConnection, source: str, workspace: str, stream: str) -> int:
    """All of a stream."""
    if not _is_there(con, source, stream):
        return 0
    return con.execute(
        f"select count(*)::integer from {latest_view(source, stream)} where workspace_id = ? and not is_deleted",
        [workspace],
    ).fetchall()[0][0]


def requests_a_window(
    con: duckdb.DuckDBPyConnection, source: str, workspace: str, stream: str, kind: str
) -> float | None:
    """Of the windows of a kind that were read before; None if there are none."""
    found = value(
        con,
        """select avg(requests) from meta.extract_window
           where source_id = ? and workspace_id = ? and stream = ? and kind = ? and status = 'done'""",
        [source, workspace, stream, kind],
    )
    return found if isinstance(found, float) else None


def _is_there(con: duckdb.DuckDBPyConnection, source: str, stream: str) -> bool:
    query = "select count(*) from duckdb_views() where schema_name = 'raw' and view_name = ?"
    return value(con, query, [f"{source}_{stream}_latest"]) != 0
