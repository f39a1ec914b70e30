"""Reading landing files: their ends, then their lines, by DuckDB. No record becomes a Python object."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from connectors.landing_folder import first_line, opened
from connectors.stream import Window

from .raw import version_hash
from .warehouse import insert, literal

MARK = '{"salespulse_'
LONGEST_LINE = 8 * 2**20  # bytes; a longer record is no activity record
TAIL = 1 << 20


class LandingError(Exception):
    """A landing file cannot be used as it is. The message says which and why."""

    page = "landing-refused"


@dataclass(frozen=True, slots=True)
class LandingFile:
    """A complete landing file: where it is, and what its first and last line say."""

    path: Path
    window: Window
    run_id: str
    extracted_at: datetime
    stream: Mapping[str, Any]
    trailer: Mapping[str, Any]
    is_empty: bool = False  # no line between the two

    @property
    def absence(self) -> str:
        """Which known records of its partition are gone if the file does not hold them: 'all', 'range' (of its days) or 'none'."""
        reading: Mapping[str, Any] = self.stream.get("reading") or {}
        # Files of earlier versions do not say it of changes: there it meant that what is absent was deleted.
        means = reading.get("absence_means") or ("deleted" if self.window.kind == "full" else "kept")
        if self.window.kind in ("full", "snapshot"):
            return "all" if means == "deleted" else "none"
        return "range" if self.window.kind == "range" else "none"

    @property
    def listings(self) -> list[str]:
        """Kinds of windows of its stream that leave out nothing that is there."""
        reading: Mapping[str, Any] = self.stream.get("reading") or {}
        means = reading.get("absence_means")
        return ["range", *(["full"] if means != "kept" else []), *(["snapshot"] if means == "deleted" else [])]


def open_file(path: Path) -> LandingFile:
    """Header and trailer of a landing file, without reading what lies between. Raises LandingError."""
    try:
        with opened(path) as f:
            first = f.readline(LONGEST_LINE)
            size = f.seek(0, os.SEEK_END)
            f.seek(max(0, size - TAIL))
            last = f.read().rstrip(b"\n").rpartition(b"\n")[2]
        header, trailer = json.loads(first), json.loads(last)
    except (OSError, ValueError) as error:
        raise LandingError(
            f"{path} is not a landing file, or was cut off: {error}. Delete it; its window is read again."
        ) from error
    if header.get("salespulse_landing") != 1 or trailer.get("salespulse_trailer") != 1:
        raise LandingError(
            f"{path} has no header or no trailer: it was not written to its end. Delete it; its window is read again."
        )
    window: dict[str, Any] = dict(header["window"])
    for key in ("start", "end"):
        window[key] = datetime.fromisoformat(window[key]) if window.get(key) else None
    extracted_at = datetime.fromisoformat(header["extracted_at"])
    is_empty = size <= len(first) + len(last) + 1 and trailer.get("records") == 0
    return LandingFile(path, Window(**window), str(header["run_id"]), extracted_at, header["stream"], trailer, is_empty)


def read_at(path: Path) -> str:
    """The clock of the run that read a file, as UTC text that sorts; "" of a file that is none."""
    try:
        told = datetime.fromisoformat(json.loads(first_line(path, LONGEST_LINE))["extracted_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return told.astimezone(UTC).isoformat(timespec="microseconds")


def parse(con: duckdb.DuckDBPyConnection, files: Sequence[LandingFile]) -> None:
    """Temp tables of files of one stream.

    landing_file: one row a file, file_no from 0. landing_mark: the marker lines. landing_record: what landing must know of each record,
    without the record itself. line_no runs over all files. Raises LandingError when a file does not hold what its trailer says.
    """
    con.execute(
        """create or replace temp table landing_file (
            file_no integer, path varchar, partition varchar, absence varchar, window_start timestamptz, window_end timestamptz,
            extracted_at timestamptz, run_id varchar, landing_id varchar, is_whole boolean,
            is_retry boolean)"""
    )
    insert(
        con,
        "landing_file",
        [
            [
                *(number, str(f.path), f.window.partition, f.absence, f.window.start, f.window.end),
                *(f.extracted_at, f.run_id, f"{f.window.window_id}.{f.run_id}"),
                *(f.window.kind in ("full", "snapshot"), f.window.kind == "retry"),
            ]
            for number, f in enumerate(files)
        ],
    )
    paths = {"files": [str(f.path) for f in files]}
    try:
        con.execute(f"create or replace temp table landing_mark as select * from {scan(marks=True)}", paths)
        con.execute(f"create or replace temp table landing_record as {_records(files[0].stream)}", paths)
    except duckdb.InvalidInputException:  # its text quotes the line, which is a customer's
        raise LandingError(
            f"{', '.join(str(f.path) for f in files)}: a line is longer than {LONGEST_LINE:,} bytes, or no UTF-8 text. "
            "Delete the file; its window is read again."
        ) from None
    found = dict(con.execute("select file_no, count(*) from landing_record group by all").fetchall())
    for number, file in enumerate(files):
        if found.get(number, 0) != file.trailer["records"]:
            raise LandingError(
                f"{file.path} holds {found.get(number, 0)} records, its trailer says {file.trailer['records']}. "
                "Delete it; its window is read again."
            )


def scan(*, marks: bool) -> str:
    """SQL that reads the lines of $files: the marker lines, or the records. Read twice rather than held in memory once."""
    # A control character cannot stand raw in JSON, so it never splits a line into columns.
    return f"""(
        select l.line_no, f.file_no, l.line
        from (
            select row_number() over () as line_no, line, filename
            from read_csv($files, columns = {{'line': 'varchar'}}, header = false, auto_detect = false, delim = '\x01', quote = '',
                          escape = '', strict_mode = false, max_line_size = {LONGEST_LINE}, buffer_size = {2 * LONGEST_LINE},
                          parallel = false, filename = true)
        ) as l
        inner join landing_file as f on l.filename = f.path
        where {"" if marks else "not "}starts_with(l.line, '{MARK}')
    )"""


def _records(stream: Mapping[str, Any]) -> str:
    """SELECT of landing_record, by what the stream says of its records."""
    keys = list(stream["key"])
    paths = [*keys, stream.get("updated_at"), stream.get("happened_at"), stream.get("deleted")]
    asked = ", ".join(literal(_path(path)) for path in paths if path)
    at = {path: number for number, path in enumerate([path for path in paths if path], start=1)}

    def told(path: str | None) -> str:
        return f"told[{at[path]}]" if path else "null::varchar"

    hashed = version_hash("line", stream.get("volatile") or ())
    key = ", ".join(f"nullif({told(path)}, '')" for path in keys)
    whole = " and ".join(f"nullif({told(path)}, '') is not null" for path in keys)
    return f"""
        select
            line_no,
            file_no,
            is_json,
            case when {whole} then concat_ws('/', {key}) end as record_id,
            payload_hash,
            read_instant({told(stream.get("updated_at"))}) as source_updated_at,
            read_instant({told(stream.get("happened_at"))}) as happened_at,
            coalesce(lower({told(stream.get("deleted"))}) in ('true', '1'), false) as is_deleted
        from (
            select
                line_no,
                file_no,
                is_json,
                case when is_json then {hashed} end as payload_hash,
                case when is_json then json_extract_string(line, [{asked}]) end as told
            from (select line_no, file_no, line, json_valid(line) as is_json from {scan(marks=False)})
        )"""


def _path(dotted: str) -> str:
    return "$" + "".join(f'."{part}"' for part in dotted.split("."))
