"""Landed files -> raw tables, exactly once.

A file is one window (docs/decisions/0001-interfaces.md). Landing is one transaction: new versions of its records into
raw.<source>_<stream>, tombstones for what is gone, and the window's row in meta.extract_window. The same file again changes
nothing. Files of different partitions of a stream (mailboxes) land together, since each landing looks through all that is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from connectors.landing_folder import on_disk
from connectors.stream import Window

from .landing_quarantine import quarantine
from .landing_scan import LandingError, LandingFile, open_file, parse, read_at
from .landing_write import append, bury
from .raw import declare, raw_table
from .warehouse import transaction, value

MOST_FILES, MOST_RECORDS = 2_000, 1_000_000  # of one transaction


@dataclass(frozen=True, slots=True)
class Landed:
    """What landing a file changed. already: the window had landed before and nothing was done."""

    window_id: str
    rows_read: int = 0
    rows_new: int = 0
    rows_deleted: int = 0
    rows_quarantined: int = 0
    already: bool = False


def land(con: duckdb.DuckDBPyConnection, file: Path) -> Landed:
    """Land one file. Raises LandingError when it is not a complete landing file; then nothing has changed."""
    outcome = land_all(con, [file])[file]
    if isinstance(outcome, LandingError):
        raise outcome
    return outcome


def land_all(con: duckdb.DuckDBPyConnection, files: Iterable[Path]) -> dict[Path, Landed | LandingError]:
    """Land files, those that can together in one transaction; what became of each. A file that cannot be used leaves nothing behind."""
    outcomes: dict[Path, Landed | LandingError] = {}
    fit: list[LandingFile] = []
    for path in files:
        try:
            file = open_file(path)
        except LandingError as error:
            outcomes[path] = error
            continue
        if _has_landed(con, file):
            outcomes[path] = Landed(file.window.window_id, already=True)
        else:
            fit.append(file)
    for batch in _batches(fit):
        try:
            outcomes |= _land(con, batch)
        except LandingError as error:
            if len(batch) == 1:
                outcomes[batch[0].path] = error
            else:  # one of them; the others land without it
                outcomes |= {p: o for file in batch for p, o in land_all(con, [file.path]).items()}
    return outcomes


def pending(con: duckdb.DuckDBPyConnection, folder: Path) -> list[Path]:
    """Complete landing files that are not in the warehouse: a run was cut off between reading and landing. Oldest first.

    By the clock of the run that read them: a file's own time is lost when it is restored from a backup, or rewritten in a bucket.
    """
    rows = con.execute("select landing_file from meta.extract_window where status = 'done'").fetchall()
    known = {row[0] for row in rows}
    files = [file for file in folder.rglob("*.jsonl") if file.name not in known]
    return sorted(files, key=lambda file: (read_at(file), file.stat().st_mtime_ns, file.name))


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
        landed = Landed(window.window_id)
        _record(con, window, run_id, status, extracted_at, landed, trailer, None, _next_number(con), error)


def _has_landed(con: duckdb.DuckDBPyConnection, file: LandingFile) -> bool:
    return bool(
        value(
            con,
            "select 1 from meta.extract_window where window_id = ? and run_id = ? and status = 'done'",
            [file.window.window_id, file.run_id],
        )
    )


def _batches(files: Sequence[LandingFile]) -> list[list[LandingFile]]:
    """Files that may land together, in their order: of one stream, each of another partition. Without partitions each by itself."""
    batches: list[list[LandingFile]] = []
    for file in files:
        w = file.window
        last = batches[-1] if batches else []
        fits = (
            bool(last and w.partition)
            and (w.source, w.workspace, w.stream)
            == (last[0].window.source, last[0].window.workspace, last[0].window.stream)
            and file.stream == last[0].stream
            and w.partition not in {f.window.partition for f in last}
            and len(last) < MOST_FILES
            and sum(f.trailer["records"] for f in last) < MOST_RECORDS
        )
        if fits:
            last.append(file)
        else:
            batches.append([file])
    return batches


def _land(con: duckdb.DuckDBPyConnection, files: Sequence[LandingFile]) -> dict[Path, Landed | LandingError]:
    declare(con, [(files[0].window.source, files[0].window.stream)])
    try:
        with transaction(con):
            number = _next_number(con)
            bad, new, gone = ({}, {}, {}) if _says_nothing(con, files) else _into_raw(con, files, number)
            landed = {
                f.path: Landed(
                    f.window.window_id, int(f.trailer["records"]), new.get(n, 0), gone.get(n, 0), bad.get(n, 0)
                )
                for n, f in enumerate(files)
            }
            for f in files:
                _record(
                    con,
                    f.window,
                    f.run_id,
                    "done",
                    f.extracted_at,
                    landed[f.path],
                    f.trailer,
                    f.path.name,
                    number,
                    None,
                )
    finally:
        for table in ("file", "mark", "record", "bad", "unread", "missed", "chosen", "gone"):
            con.execute(f"drop table if exists landing_{table}")
    return dict(landed)


Count = dict[int, int]  # of records, by file


def _into_raw(con: duckdb.DuckDBPyConnection, files: Sequence[LandingFile], number: int) -> tuple[Count, Count, Count]:
    """Records that went to quarantine, new versions, tombstones."""
    with on_disk([f.path for f in files], _scratch(con)) as paths:
        here = [replace(f, path=path) for f, path in zip(files, paths, strict=True)]
        parse(con, here)
        return quarantine(con, here), append(con, here, number), bury(con, here, number)


def _says_nothing(con: duckdb.DuckDBPyConnection, files: Sequence[LandingFile]) -> bool:
    """Nobody is in these files, and nobody is known who could be missed there. Of a night's windows a third are such."""
    if not all(file.is_empty for file in files):
        return False
    w = files[0].window
    waits = "select 1 from meta.quarantine where source_id = ? and workspace_id = ? and stream = ? and resolved_at is null limit 1"
    if value(con, waits, [w.source, w.workspace, w.stream]):
        return False
    known = f"select 1 from {raw_table(w.source, w.stream)} where source_id = ? and workspace_id = ? limit 1"
    return all(file.absence == "none" for file in files) or not value(con, known, [w.source, w.workspace])


def _scratch(con: duckdb.DuckDBPyConnection) -> Path:
    """Where DuckDB spills to as well: what a killed run leaves there is removed by the next one (warehouse.open_warehouse)."""
    return Path(str(value(con, "select current_setting('temp_directory')")))


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
    # A window that failed in this run may be read again in it. An "insert or replace" takes twice the time of both.
    con.execute("delete from meta.extract_window where window_id = ? and run_id = ?", [window.window_id, run_id])
    con.execute(
        "insert into meta.extract_window values (" + ", ".join("?" * 24) + ")",
        [
            window.window_id, run_id, window.source, window.workspace, window.stream, window.partition, window.kind,
            window.start, window.end, status, extracted_at, datetime.now(UTC),
            landed.rows_read, landed.rows_new, landed.rows_deleted, landed.rows_quarantined, trailer.get("expected"),
            trailer.get("requests"), trailer.get("retries"), trailer.get("seconds"), trailer.get("cursor"), error, file, number,
        ],
    )  # fmt: skip
