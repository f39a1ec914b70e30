"""What the warehouse knows of the sources: which windows are done, which records are known. Plain queries for the planner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from .raw import LINES_OF_A_LANDING, raw_table
from .warehouse import value


@dataclass(frozen=True, slots=True)
class DoneWindow:
    """A window that has landed. Instants are UTC."""

    stream: str
    partition: str
    kind: str
    start: datetime | None
    end: datetime | None
    extracted_at: datetime
    cursor: str | None
    run_id: str
    landing_no: int = 0


def done_windows(con: duckdb.DuckDBPyConnection, source: str, workspace: str) -> list[DoneWindow]:
    """Complete windows of a source, in the order in which they landed."""
    rows = con.execute(
        """select stream, partition, kind, window_start, window_end, extracted_at, cursor, run_id, landing_no
           from meta.extract_window where source_id = ? and workspace_id = ? and status = 'done' and kind <> 'retry'
           order by landing_no""",
        [source, workspace],
    ).fetchall()
    return [DoneWindow(*row) for row in rows]


def known_ids(
    con: duckdb.DuckDBPyConnection,
    source: str,
    workspace: str,
    stream: str,
    *,
    partition: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[str]:
    """Ids of the records that have landed and are not deleted, optionally of one partition, that happened in [start, end)."""
    rows = con.execute(
        f"""select record_id from {raw_table(source, stream + "_latest")}
            where source_id = $source and workspace_id = $workspace and not is_deleted
                and ($partition is null or _partition = $partition)
                and ($start is null or happened_at >= $start) and ($end is null or happened_at < $end)
            order by record_id""",
        {"source": source, "workspace": workspace, "partition": partition, "start": start, "end": end},
    ).fetchall()
    return [row[0] for row in rows]


def ids_by_partition(
    con: duckdb.DuckDBPyConnection, source: str, workspace: str, stream: str, *, start: datetime | None
) -> dict[str, list[str]]:
    """As known_ids, of every partition at once: a question a mailbox takes 10 ms, and there are hundreds."""
    rows = con.execute(
        f"""select _partition, list(record_id order by record_id) from {raw_table(source, stream + "_latest")}
            where source_id = $source and workspace_id = $workspace and not is_deleted
                and ($start is null or happened_at >= $start)
            group by _partition""",
        {"source": source, "workspace": workspace, "start": start},
    ).fetchall()
    return dict(rows)


def changed_ids(
    con: duckdb.DuckDBPyConnection,
    source: str,
    workspace: str,
    stream: str,
    *,
    since: int | None,
    recent_from: datetime | None = None,
) -> list[str]:
    """Ids of records with a version that landed after landing number `since` (all when None), or that happened since `recent_from`."""
    rows = con.execute(
        f"""select record_id from {raw_table(source, stream + "_latest")}
            where source_id = $source and workspace_id = $workspace and not is_deleted
                and (
                    _seq // {LINES_OF_A_LANDING} > coalesce($since, 0)
                    or coalesce(happened_at >= $recent, false)
                )
            order by record_id""",
        {"source": source, "workspace": workspace, "since": since, "recent": recent_from},
    ).fetchall()
    return [row[0] for row in rows]


def history_start(con: duckdb.DuckDBPyConnection) -> date | None:
    """The first date that the published tables cover, or None before the first run."""
    found = value(con, "select value::date from meta.fact where name = 'history_start'")
    return found if isinstance(found, date) else None


def extend_history(con: duckdb.DuckDBPyConnection, first: date) -> date:
    """Let the published tables begin at `first`, or where they begin already if that is earlier. Returns which."""
    start = min(first, history_start(con) or first)
    con.execute("insert or replace into meta.fact values ('history_start', ?)", [start.isoformat()])
    return start
