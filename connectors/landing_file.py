"""Landing files: one window of one stream, as the vendor sent it (docs/decisions/0001-interfaces.md).

A file appears under its name only when it is whole and on disk (landing_folder.appearing); what was cut off is a `.part` nobody reads.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from .landing_folder import appearing, first_line, opened
from .left_out import id_of
from .stream import (
    ByIds,
    Changes,
    Connector,
    ConnectorError,
    DateRange,
    FormatChanged,
    LandingHeader,
    Page,
    PermissionMissing,
    Reading,
    Snapshot,
    Stream,
    Traffic,
    Window,
)

MARK = b'{"salespulse_'
LONGEST = 4 * 2**20  # bytes of a record; landing reads lines of twice that
READINGS: Mapping[str, type[Reading]] = {kind.__name__: kind for kind in (DateRange, Changes, Snapshot, ByIds)}


def landing_path(folder: Path, window: Window, run_id: str) -> Path:
    """Where a window's file lies below the landing folder."""
    return folder / window.source / window.workspace / window.stream / f"{window.window_id}.{run_id}.jsonl"


def extract(
    connector: Connector,
    window: Window,
    known: Mapping[str, Sequence[str]],
    folder: Path,
    run_id: str,
    on_page: Callable[[Page], None] | None = None,
    clean: Callable[[bytes], bytes] | None = None,
) -> Path:
    """Read a window to its end into a landing file below `folder` (mode 0600) and return the file's path.

    known: see Connector.read. on_page: called after each page is written, for progress. clean: takes out of each line what
    must not be kept, before it is written.
    Raises ConnectorError or PermissionMissing; then there is no file, and an earlier one of the same run is untouched.
    """
    stream = next((s for s in connector.streams if s.name == window.stream), None)
    if stream is None:
        raise ConnectorError(
            f"{window.source} has no stream {window.stream}; it has {[s.name for s in connector.streams]}"
        )
    path = landing_path(folder, window, run_id)
    header = LandingHeader(run_id=run_id, window=window, stream=stream, extracted_at=connector.now)
    try:
        with appearing(path) as file:
            _write(file, header, connector, known, on_page, clean or bytes)
    except PermissionMissing as error:
        raise _forbidden(error, stream) from error
    except (msgspec.DecodeError, RecursionError) as error:  # JSON, but not that of an answer to what was asked
        raise FormatChanged(
            f"{window.window_id}: an answer has another shape than {window.source} documents: {error}. Nothing was landed; the next "
            "run reads the window again. If this goes on, the vendor's format has changed: a newer salespulse may know it."
        ) from error
    return path


def write_lines(folder: Path, header: LandingHeader, lines: Sequence[bytes]) -> Path:
    """A landing file of records that were read before, each a line without its end. Raises as extract does, and of lines that are none."""
    path = landing_path(folder, header.window, header.run_id)
    with appearing(path) as file:
        file.write(header_line(header))
        _write_records(file, header.window, lines)
        trailer = {"salespulse_trailer": 1, "records": len(lines), "rejected": 0, "expected": None, "cursor": None}
        file.write(msgspec.json.encode(trailer) + b"\n")
    return path


def read_header(path: Path) -> LandingHeader:
    """The first line of a landing file. Raises ConnectorError when it is none."""
    try:
        told: dict[str, Any] = msgspec.json.decode(first_line(path))
        stream: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in told["stream"].items()}
        reading: dict[str, Any] = dict(stream["reading"])
        stream["reading"] = msgspec.convert(reading, READINGS[reading.pop("type")])
        return LandingHeader(
            run_id=told["run_id"],
            window=msgspec.convert(told["window"], Window),
            stream=Stream(**stream),
            extracted_at=msgspec.convert(told["extracted_at"], datetime),
            salespulse_landing=told["salespulse_landing"],
            notes=told["notes"],
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ConnectorError(f"{path} is not a landing file: {error}. Delete it; its window is read again.") from error


def is_complete(path: Path) -> bool:
    """Does the file end with its trailer?"""
    try:
        with opened(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - (1 << 20)))
            tail = file.read()
    except OSError:
        return False
    return tail.endswith(b"\n") and tail.rstrip(b"\n").rpartition(b"\n")[2].startswith(b'{"salespulse_trailer":')


@dataclass(slots=True)
class _Totals:
    records: int = 0
    seen: int = 0
    gone: int = 0
    rejected: int = 0
    expected: int | None = None
    cursor: str | None = None

    def add(self, page: Page) -> None:
        self.records += len(page.records)
        self.seen += len(page.seen)
        self.gone += len(page.gone)
        self.rejected += len(page.rejected)
        self.expected = page.expected if page.expected is not None else self.expected
        self.cursor = page.cursor if page.cursor is not None else self.cursor


def _write(
    file: BinaryIO,
    header: LandingHeader,
    connector: Connector,
    known: Mapping[str, Sequence[str]],
    on_page: Callable[[Page], None] | None,
    clean: Callable[[bytes], bytes],
) -> None:
    began, traffic, totals = time.monotonic(), Traffic(), _Totals()
    file.write(header_line(header))
    for page in connector.read(header.window, known, traffic):
        if any(len(record) > LONGEST for record in page.records):
            page = _without_long(page, header.stream.key)  # noqa: PLW2901
        _write_records(
            file, header.window, page.records if clean is bytes else [clean(record) for record in page.records]
        )
        for key, ids in (("seen", page.seen), ("gone", page.gone)):
            file.writelines(clean(msgspec.json.encode({f"salespulse_{key}": found})) + b"\n" for found in ids)
        for reason, text in page.rejected:
            file.write(clean(msgspec.json.encode({"salespulse_rejected": text, "reason": reason})) + b"\n")
        totals.add(page)
        if on_page:
            on_page(page)
    trailer = {
        "salespulse_trailer": 1,
        "records": totals.records,
        "seen": totals.seen,
        "gone": totals.gone,
        "rejected": totals.rejected,
        "expected": totals.expected,
        "cursor": totals.cursor,
        "requests": traffic.requests,
        "retries": traffic.retries,
        "seconds": round(time.monotonic() - began, 3),
    }
    file.write(msgspec.json.encode(trailer) + b"\n")


def _without_long(page: Page, key: Sequence[str]) -> Page:
    """The page with records that are too long to land among the rejected, so that one of them does not cost the window.

    What is known of them stays, for they are still there.
    """
    reason = f"longer than {LONGEST:,} bytes"
    long = [record for record in page.records if len(record) > LONGEST]
    seen = [found for record in long if (found := id_of(record, key)) is not None]
    return replace(
        page,
        records=[record for record in page.records if len(record) <= LONGEST],
        seen=[*page.seen, *seen],
        rejected=[*page.rejected, *((reason, record[:1000].decode("utf-8", "replace")) for record in long)],
    )


def _write_records(file: BinaryIO, window: Window, records: Sequence[bytes]) -> None:
    if not records:
        return
    lines = b"\n".join(records) + b"\n"
    if lines.count(b"\n") != len(records) or lines.startswith(MARK) or b"\n" + MARK in lines:
        raise ConnectorError(
            f"{window.window_id}: a record holds a line break or looks like a line of our own ({MARK.decode()}...). "
            "The connector must compact its records (paging.records_of does). Report this; nothing was landed."
        )
    file.write(lines)


def header_line(header: LandingHeader) -> bytes:
    """The marker key comes first, because readers tell our lines from records by how they begin."""
    told: dict[str, Any] = msgspec.to_builtins(header)
    told["stream"]["reading"]["type"] = type(header.stream.reading).__name__
    version = told.pop("salespulse_landing")
    return msgspec.json.encode({"salespulse_landing": version, **told}) + b"\n"


def _forbidden(error: PermissionMissing, stream: Stream) -> PermissionMissing:
    """The error with what this stream needs and feeds, where the connector did not say so itself."""
    scope = error.scope or ", ".join(stream.scopes)
    feeds = error.feeds or stream.feeds
    message = str(error)
    if scope and scope not in message:
        message += f" Needed: {scope}."
    if feeds and feeds not in message:
        message += f" Without it: {feeds}."
    return PermissionMissing(message, scope=scope, feeds=feeds)
