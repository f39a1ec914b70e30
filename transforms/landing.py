"""Landed files -> raw tables, exactly once.

A file is one window (docs/decisions/0001-interfaces.md). Landing it is one transaction: new versions of its records into
raw.<source>_<stream>, tombstones for what is gone, and the window's row in meta.extract_window. The same file again changes
nothing. DuckDB does the reading and the parsing; no record becomes a Python object.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from connectors.stream import Window

from .warehouse import name, transaction, value

MARK = '{"salespulse_'
LONGEST_LINE = 8 * 2**20  # bytes; a longer record is no activity record
LINES_OF_A_LANDING = 1_000_000_000  # room for the records of one file in the running number of versions
TAIL = 1 << 20

# The newest version of each record is its latest; what was read later wins between versions that the source does not date.
# Versions that are not the latest, by far the fewest, are listed beside the table, so that nobody has to sort it.
AGE = "coalesce({0}.source_updated_at, '-infinity'::timestamptz), {1}"


class LandingError(Exception):
    """A landing file cannot be used as it is. The message says which and why."""


@dataclass(frozen=True, slots=True)
class Landed:
    """What landing a file changed. already: the window had landed before and nothing was done."""

    window_id: str
    rows_read: int = 0
    rows_new: int = 0
    rows_deleted: int = 0
    rows_quarantined: int = 0
    already: bool = False


def raw_table(source: str, stream: str) -> str:
    """Qualified, quoted name of the raw table of a stream."""
    return f"raw.{name(f'{source}_{stream}')}"


def _superseded(source: str, stream: str) -> str:
    return f"raw.{name(f'{source}_{stream}_superseded')}"


def declare(con: duckdb.DuckDBPyConnection, streams: Iterable[tuple[str, str]]) -> None:
    """Make sure that the raw tables and their _latest views exist, for (source, stream) names."""
    for source, stream in streams:
        table = raw_table(source, stream)
        con.execute(
            f"""create table if not exists {table} (
                source_id varchar, workspace_id varchar, record_id varchar, payload json, payload_hash varchar,
                source_updated_at timestamptz, happened_at timestamptz, is_deleted boolean, _partition varchar,
                _extracted_at timestamptz, _window_start timestamptz, _window_end timestamptz, _run_id varchar,
                _landing_id varchar, _seq bigint)"""
        )
        old = _superseded(source, stream)
        con.execute(f"create table if not exists {old} (_seq bigint)")
        con.execute(
            f"""create view if not exists raw.{name(f"{source}_{stream}_latest")} as
                select v.* from {table} as v where not exists (select 1 from {old} as o where o._seq = v._seq)"""
        )


def land(con: duckdb.DuckDBPyConnection, file: Path) -> Landed:
    """Land one file. Raises LandingError when it is not a complete landing file; then nothing has changed."""
    header, trailer = _ends(file)
    window, run_id = _window(header), str(header["run_id"])
    if value(
        con,
        "select 1 from meta.extract_window where window_id = ? and run_id = ? and status = 'done'",
        [window.window_id, run_id],
    ):
        return Landed(window.window_id, already=True)
    stream: Mapping[str, Any] = header["stream"]
    declare(con, [(window.source, window.stream)])
    try:
        with transaction(con):
            landing_no = _next_number(con)
            extracted_at = datetime.fromisoformat(header["extracted_at"])
            context = _context(window, run_id, extracted_at, landing_no)
            _parse(con, file, stream)
            _check_count(con, file, trailer)
            bad = _quarantine(con, file, window, run_id, extracted_at)
            new = _append(con, file, context)
            gone = _bury(con, window, stream, context)
            landed = Landed(window.window_id, int(trailer["records"]), new, gone, bad)
            _record(con, window, run_id, "done", extracted_at, landed, trailer, file.name, landing_no, None)
    finally:
        for table in ("landing_mark", "landing_record", "landing_chosen", "landing_gone"):
            con.execute(f"drop table if exists {table}")
    return landed


def pending(con: duckdb.DuckDBPyConnection, folder: Path) -> list[Path]:
    """Complete landing files that are not in the warehouse: a run was cut off between reading and landing. Oldest first."""
    rows = con.execute("select landing_file from meta.extract_window where status = 'done'").fetchall()
    known = {row[0] for row in rows}
    files = [file for file in folder.rglob("*.jsonl") if file.name not in known]
    return sorted(files, key=lambda file: (file.stat().st_mtime_ns, file.name))


def record_failure(
    con: duckdb.DuckDBPyConnection,
    window: Window,
    run_id: str,
    status: str,
    error: str,
    *,
    extracted_at: datetime,
    seconds: float = 0.0,
    requests: int = 0,
    retries: int = 0,
) -> None:
    """Note that a window could not be read: status 'failed' (stays due) or 'forbidden' (a permission is missing)."""
    trailer = {"seconds": seconds, "requests": requests, "retries": retries}
    with transaction(con):
        _record(
            con, window, run_id, status, extracted_at, Landed(window.window_id), trailer, None, _next_number(con), error
        )


def _ends(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and trailer of a landing file, without reading what lies between."""
    try:
        with file.open("rb") as f:
            first = f.readline(LONGEST_LINE)
            f.seek(max(0, f.seek(0, os.SEEK_END) - TAIL))
            last = f.read().rstrip(b"\n").rpartition(b"\n")[2]
        header, trailer = json.loads(first), json.loads(last)
    except (OSError, ValueError) as error:
        raise LandingError(
            f"{file} is not a landing file, or was cut off: {error}. Delete it; its window is read again."
        ) from error
    if header.get("salespulse_landing") != 1 or trailer.get("salespulse_trailer") != 1:
        raise LandingError(
            f"{file} has no header or no trailer: it was not written to its end. Delete it; its window is read again."
        )
    return header, trailer


def _window(header: Mapping[str, Any]) -> Window:
    w: dict[str, Any] = dict(header["window"])
    for key in ("start", "end"):
        w[key] = datetime.fromisoformat(w[key]) if w.get(key) else None
    return Window(**w)


def _path(dotted: str) -> str:
    return "$" + "".join(f'."{part}"' for part in dotted.split("."))


def _literal(text: str) -> str:
    """An SQL string. Used for JSON paths of stream declarations only."""
    return "'" + text.replace("'", "''") + "'"


def _scan(marks: bool) -> str:
    """SQL that reads the file's lines: the marker lines, or the records. Read twice rather than held in memory once."""
    # A control character cannot stand raw in JSON, so it never splits a line into columns.
    return f"""(
        select line_no, line from (
            select row_number() over () as line_no, line
            from read_csv($file, columns = {{'line': 'varchar'}}, header = false, auto_detect = false, delim = '\x01', quote = '',
                          escape = '', strict_mode = false, max_line_size = {LONGEST_LINE}, buffer_size = {2 * LONGEST_LINE},
                          parallel = false)
        ) where {"" if marks else "not "}starts_with(line, '{MARK}')
    )"""


def _parse(con: duckdb.DuckDBPyConnection, file: Path, stream: Mapping[str, Any]) -> None:
    """landing_mark: the marker lines. landing_record: what landing must know of each record, without the record itself."""
    keys = list(stream["key"])
    paths = [*keys, stream.get("updated_at"), stream.get("happened_at"), stream.get("deleted")]
    asked = ", ".join(_literal(_path(path)) for path in paths if path)
    at = {path: number for number, path in enumerate([path for path in paths if path], start=1)}

    def told(path: str | None) -> str:
        return f"told[{at[path]}]" if path else "null::varchar"

    hashed = "line"
    for path in stream.get("volatile") or ():
        patch = "null"
        for part in reversed(path.split(".")):
            patch = f"{{{json.dumps(part)}: {patch}}}"
        hashed = f"json_merge_patch({hashed}, {_literal(patch)})"
    key = ", ".join(f"nullif({told(path)}, '')" for path in keys)
    whole = " and ".join(f"nullif({told(path)}, '') is not null" for path in keys)
    con.execute(f"create or replace temp table landing_mark as select * from {_scan(marks=True)}", {"file": str(file)})
    con.execute(
        f"""create or replace temp table landing_record as
            select
                line_no,
                is_json,
                case when {whole} then concat_ws('/', {key}) end as record_id,
                payload_hash,
                read_instant({told(stream.get("updated_at"))}) as source_updated_at,
                read_instant({told(stream.get("happened_at"))}) as happened_at,
                coalesce(lower({told(stream.get("deleted"))}) in ('true', '1'), false) as is_deleted
            from (
                select
                    line_no,
                    is_json,
                    case when is_json then md5({hashed}) end as payload_hash,
                    case when is_json then json_extract_string(line, [{asked}]) end as told
                from (select line_no, line, json_valid(line) as is_json from {_scan(marks=False)})
            )""",
        {"file": str(file)},
    )


def _check_count(con: duckdb.DuckDBPyConnection, file: Path, trailer: Mapping[str, Any]) -> None:
    found = value(con, "select count(*) from landing_record")
    if found != trailer["records"]:
        raise LandingError(
            f"{file} holds {found} records, its trailer says {trailer['records']}. Delete it; its window is read again."
        )


def _quarantine(con: duckdb.DuckDBPyConnection, file: Path, window: Window, run_id: str, at: datetime) -> int:
    """Records without a key or that are no JSON, and what the connector rejected: kept with the reason, never landed."""
    return _changed(
        con,
        f"""insert into meta.quarantine
            select $source, $workspace, $stream, null, found.reason, found.payload, 'landing', $run, $at, null
            from (
                select case when r.is_json then 'the record has no id' else 'not valid JSON' end as reason, l.line as payload
                from landing_record as r inner join {_scan(marks=False)} as l on r.line_no = l.line_no
                where r.record_id is null
                union all
                select line ->> '$.reason', line ->> '$.salespulse_rejected'
                from landing_mark
                where starts_with(line, '{{"salespulse_rejected"')
            ) as found
            where not exists (
                select 1 from meta.quarantine as q
                where q.stage = 'landing' and q.stream = $stream and q.source_id = $source and q.payload = found.payload
                    and q.resolved_at is null
            )""",
        {
            "source": window.source, "workspace": window.workspace, "stream": window.stream, "run": run_id, "at": at,
            "file": str(file),
        },
    )  # fmt: skip


def _append(con: duckdb.DuckDBPyConnection, file: Path, context: Mapping[str, object]) -> int:
    """Append the records that differ from their latest version. A stale version is kept once, and never becomes the latest."""
    source, stream = str(context["source"]), str(context["stream"])
    table, latest = raw_table(source, stream), raw_table(source, f"{stream}_latest")
    _changed(
        con,
        f"""create or replace temp table landing_chosen as
            with fresh as (
                select * from landing_record where record_id is not null
                qualify row_number() over (partition by record_id order by source_updated_at desc nulls last, line_no desc) = 1
            ),
            known as (
                select record_id, payload_hash, source_updated_at, is_deleted, _extracted_at, _seq from {latest}
                where source_id = $source and workspace_id = $workspace and record_id in (select record_id from fresh)
            ),
            aged as (
                select
                    f.*,
                    k._seq as latest_seq,
                    $number::bigint * {LINES_OF_A_LANDING} + f.line_no as own_seq,
                    k.record_id is not null and ({AGE.format("f", "$at::timestamptz")}) < ({AGE.format("k", "k._extracted_at")}) as is_stale,
                    k.payload_hash is distinct from f.payload_hash or k.is_deleted is distinct from f.is_deleted as is_other
                from fresh as f
                left join known as k on f.record_id = k.record_id
            )
            select * from aged as a
            where
                a.is_other and (
                    not a.is_stale
                    or not exists (
                        select 1 from {table} as r
                        where
                            r.source_id = $source and r.workspace_id = $workspace and r.record_id = a.record_id
                            and r.payload_hash = a.payload_hash and r.is_deleted = a.is_deleted
                    )
                )""",
        context,
    )
    con.execute(
        f"""insert into {_superseded(source, stream)}
            select case when is_stale then own_seq else latest_seq end from landing_chosen where latest_seq is not null"""
    )
    return _changed(
        con,
        f"""insert into {table}
            select
                $source, $workspace, c.record_id, l.line::json, c.payload_hash, c.source_updated_at, c.happened_at, c.is_deleted,
                $partition, $at, $start, $end, $run, $landing, c.own_seq
            from {_scan(marks=False)} as l
            inner join landing_chosen as c on l.line_no = c.line_no""",
        {**context, "file": str(file)},
    )


def _bury(
    con: duckdb.DuckDBPyConnection, window: Window, stream: Mapping[str, Any], context: Mapping[str, object]
) -> int:
    """Tombstones: what the vendor says is gone, and what a listing that is the whole truth no longer holds."""
    absent = "false"
    if window.kind == "full" or (window.kind == "snapshot" and _absence_deletes(stream)):
        absent = "l._partition = $partition"
    elif window.kind == "range":
        absent = "l._partition = $partition and l.happened_at >= $start and l.happened_at < least($end, $at)"
    elif not value(con, "select 1 from landing_mark where starts_with(line, '{\"salespulse_gone\"') limit 1"):
        return 0  # nothing can be gone: spare the look at all that is known
    _changed(
        con,
        f"""create or replace temp table landing_gone as
            with named as (
                select line ->> '$.salespulse_gone' as gone, line ->> '$.salespulse_seen' as seen
                from landing_mark where starts_with(line, '{{"salespulse_gone"') or starts_with(line, '{{"salespulse_seen"')
            ),
            present as (
                select record_id from landing_record where record_id is not null
                union
                select seen from named where seen is not null
            )
            select
                l._seq as latest_seq,
                $number::bigint * {LINES_OF_A_LANDING} + {LINES_OF_A_LANDING // 2} + row_number() over (order by l.record_id) as own_seq
            from {raw_table(window.source, f"{window.stream}_latest")} as l
            where
                l.source_id = $source and l.workspace_id = $workspace and not l.is_deleted
                and (
                    l.record_id in (select gone from named where gone is not null)
                    or ({absent} and l.record_id not in (select record_id from present))
                )""",
        context,
    )
    con.execute(f"insert into {_superseded(window.source, window.stream)} select latest_seq from landing_gone")
    table = raw_table(window.source, window.stream)
    return _changed(
        con,
        f"""insert into {table}
            select
                l.source_id, l.workspace_id, l.record_id, l.payload, l.payload_hash, l.source_updated_at, l.happened_at, true,
                l._partition, $at, $start, $end, $run, $landing, g.own_seq
            from {table} as l
            inner join landing_gone as g on l._seq = g.latest_seq""",
        context,
    )


def _absence_deletes(stream: Mapping[str, Any]) -> bool:
    reading: Mapping[str, Any] = stream.get("reading") or {}
    return reading.get("absence_means") == "deleted"


def _context(window: Window, run_id: str, at: datetime, number: int) -> dict[str, object]:
    return {
        "source": window.source,
        "workspace": window.workspace,
        "stream": window.stream,
        "partition": window.partition,
        "start": window.start,
        "end": window.end,
        "run": run_id,
        "landing": f"{window.window_id}.{run_id}",
        "at": at,
        "number": number,
    }


def _changed(con: duckdb.DuckDBPyConnection, statement: str, parameters: object) -> int:
    used = parameters
    if isinstance(parameters, Mapping):  # DuckDB refuses parameters that a statement does not use
        used = {key: item for key, item in parameters.items() if f"${key}" in statement}
    row = con.execute(statement, used).fetchone()
    return int(row[0]) if row else 0


def _next_number(con: duckdb.DuckDBPyConnection) -> int:
    return int(str(value(con, "select coalesce(max(landing_no), 0) + 1 from meta.extract_window")))


def _record(
    con: duckdb.DuckDBPyConnection,
    window: Window,
    run_id: str,
    status: str,
    extracted_at: datetime,
    landed: Landed,
    trailer: Mapping[str, Any],
    file: str | None,
    number: int,
    error: str | None,
) -> None:
    con.execute(
        "insert or replace into meta.extract_window values (" + ", ".join("?" * 24) + ")",
        [
            window.window_id, run_id, window.source, window.workspace, window.stream, window.partition, window.kind,
            window.start, window.end, status, extracted_at, datetime.now(UTC),
            landed.rows_read, landed.rows_new, landed.rows_deleted, landed.rows_quarantined, trailer.get("expected"),
            trailer.get("requests"), trailer.get("retries"), trailer.get("seconds"), trailer.get("cursor"), error, file, number,
        ],
    )  # fmt: skip
