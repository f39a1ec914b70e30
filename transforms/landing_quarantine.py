"""What of parsed landing files goes to quarantine, and what leaves it because it was read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from connectors.stream import Window

from .landing_scan import MARK, LandingFile, scan
from .raw import changed
from .warehouse import value

LEFT_OUT = f'{MARK}left_out"'  # how the text of a record begins that a connector kept nothing of but its id (connectors/left_out.py)


def quarantine(con: duckdb.DuckDBPyConnection, files: Sequence[LandingFile]) -> dict[int, int]:
    """Records without a key or that are no JSON, and what the connector rejected: kept with the reason, never landed. New ones by file."""
    window = files[0].window
    parameters = {
        "source": window.source, "workspace": window.workspace, "stream": window.stream, "files": [str(f.path) for f in files],
    }  # fmt: skip
    if not _any_bad(con):
        con.execute("create or replace temp table landing_bad (file_no integer, payload varchar)")
        con.execute("create or replace temp table landing_unread as from landing_bad")
        _release(con, window)
        return {}
    _find_bad(con, parameters)
    _release(con, window)
    con.execute(
        "create or replace temp table landing_unread as select file_no, payload from landing_bad"
    )  # those known before too
    again = """q.stage = 'landing' and q.source_id = $source and q.workspace_id = $workspace and q.stream = $stream
                and coalesce(q.partition, '') = f.partition and q.payload = b.payload"""
    changed(
        con,
        f"""update meta.quarantine as q set last_seen_at = greatest(q.last_seen_at, q.first_seen_at, f.extracted_at)
            from landing_bad as b, landing_file as f where f.file_no = b.file_no and {again} and q.resolved_at is null""",
        parameters,
    )
    changed(
        con,
        f"""delete from landing_bad as b where exists (
            select 1 from meta.quarantine as q inner join landing_file as f on f.file_no = b.file_no where {again} and q.resolved_at is null)""",
        parameters,
    )
    # What was read again in vain waits since it was seen first, and not since it was seen last, as of when it is read again.
    changed(
        con,
        f"""insert into meta.quarantine by name
            select
                $source as source_id, $workspace as workspace_id, $stream as stream, b.record_id, b.reason, b.payload, 'landing' as stage,
                f.run_id, f.partition, f.extracted_at as last_seen_at,
                least(f.extracted_at, (
                    select min(q.first_seen_at) from meta.quarantine as q
                    where f.is_retry and {again} and coalesce(q.last_seen_at, q.first_seen_at) = f.extracted_at)) as first_seen_at
            from landing_bad as b inner join landing_file as f on b.file_no = f.file_no""",
        parameters,
    )
    return dict(con.execute("select file_no, count(*) from landing_bad group by all").fetchall())


def _any_bad(con: duckdb.DuckDBPyConnection) -> bool:
    """Mostly nothing is: then the files need not be read once more."""
    rejected = """exists (from landing_mark where starts_with(line, '{"salespulse_rejected"'))"""
    return bool(value(con, f"select {rejected} or exists (from landing_record where record_id is null)"))


def _find_bad(con: duckdb.DuckDBPyConnection, parameters: Mapping[str, object]) -> None:
    """Temp table landing_bad: what is not landed, and why."""
    con.execute(
        f"""create or replace temp table landing_bad as
            select
                r.file_no, case when r.is_json then 'the record has no id' else 'not valid JSON' end as reason, l.line as payload,
                null::varchar as record_id
            from landing_record as r inner join {scan(marks=False)} as l on r.line_no = l.line_no
            where r.record_id is null
            union all
            select
                file_no, line ->> '$.reason' as reason, line ->> '$.salespulse_rejected' as payload,
                case when starts_with(payload, '{LEFT_OUT}') and json_valid(payload) then payload ->> '$.salespulse_left_out' end as record_id
            from landing_mark
            where starts_with(line, '{{"salespulse_rejected"')
            -- Came twice, and is one; but of what nothing tells apart there may be several.
            qualify
                (record_id is null and starts_with(payload, '{LEFT_OUT}'))
                or row_number() over (partition by file_no, payload order by line_no) = 1""",
        {"files": parameters["files"]},
    )


def _release(con: duckdb.DuckDBPyConnection, window: Window) -> None:
    """Records of which only the id was kept leave the quarantine once they were read again: they land, or a whole list lacks them."""
    waiting = f"""q.stage = 'landing' and q.source_id = $source and q.workspace_id = $workspace and q.stream = $stream
                and q.resolved_at is null and starts_with(q.payload, '{LEFT_OUT}')"""
    facts = {"source": window.source, "workspace": window.workspace, "stream": window.stream}
    if con.execute(f"select 1 from meta.quarantine as q where {waiting} limit 1", facts).fetchone() is None:
        return
    con.execute(
        f"""update meta.quarantine as q set resolved_at = now()
            where
                {waiting}
                and not exists (select 1 from landing_bad as b where b.payload = q.payload)
                and exists (
                    select 1 from landing_file as f
                    where
                        f.partition = coalesce(q.partition, '') and f.extracted_at >= coalesce(q.last_seen_at, q.first_seen_at)
                        and (
                            f.is_whole
                            or exists (select 1 from landing_record as r where r.file_no = f.file_no and r.record_id = q.record_id)
                        )
                )""",
        facts,
    )
