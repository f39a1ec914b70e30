"""What could not be read: what there is of it, and reading it again after a fix.

Records that landing could not read stand in meta.quarantine with their text; they are landed again, from a landing file like any other.
Of those that a connector cuts down nothing stands there but their id: they leave when they are read again (landing_quarantine.py).
Records that staging could not read are in raw: the build reads them again by itself whenever its SQL or the record has changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

import duckdb

from connectors.stream import LandingHeader, Stream, Window

from . import landing
from .landing import LandingError
from .landing_quarantine import LEFT_OUT
from .landing_scan import MARK

Write = Callable[[LandingHeader, Sequence[bytes]], Path]

OPEN = """from meta.quarantine
          where resolved_at is null and ($source is null or source_id = $source)
              and ($stream is null or stream = $stream or (stage = 'staging' and contains(stream, $stream)))"""


@dataclass(frozen=True, slots=True)
class Kept:
    """Records that could not be read for the same reason. stage: landing or staging (then stream is a staging table's name)."""

    source: str
    workspace: str
    stream: str
    stage: str
    reason: str
    records: int
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Retried:
    """What reading again gave: records tried, new versions in raw, records that still cannot be read; of these, those not kept but by id."""

    source: str
    stream: str
    tried: int
    new: int
    left: int
    unkept: int


def listed(con: duckdb.DuckDBPyConnection, source: str | None = None, stream: str | None = None) -> list[Kept]:
    """What waits, by source, stream and reason."""
    rows = con.execute(
        f"""select source_id, workspace_id, stream, stage, reason, count(*), min(first_seen_at) {OPEN}
            group by all order by all""",
        {"source": source, "stream": stream},
    ).fetchall()
    return [Kept(*row) for row in rows]


def shown(
    con: duckdb.DuckDBPyConnection, source: str | None, stream: str | None, most: int
) -> list[tuple[str, str, str, str, str]]:
    """(source, stream, record id, reason, text) of records that wait, oldest first. The text of those in raw is not repeated here."""
    return con.execute(
        f"""select source_id, stream, coalesce(record_id, ''), reason, coalesce(payload, '') {OPEN}
            order by first_seen_at, source_id, stream, record_id, payload limit $most""",
        {"source": source, "stream": stream, "most": most},
    ).fetchall()


def retry(
    con: duckdb.DuckDBPyConnection, source: str, workspace: str, stream: Stream, write: Write, run_id: str
) -> Retried:
    """Land the stream's quarantined records again, each as of when it was read last. Again and again it changes nothing more.

    write: makes a landing file of a header and lines.

    Each file is complete before its records leave the quarantine: a run that is cut off in between finds and lands it.
    """
    rows = con.execute(
        """select distinct coalesce(partition, ''), coalesce(last_seen_at, first_seen_at), payload from meta.quarantine
           where stage = 'landing' and resolved_at is null and source_id = ? and workspace_id = ? and stream = ? order by all""",
        [source, workspace, stream.name],
    ).fetchall()
    new = left = 0
    for (partition, seen_at), group in groupby(rows, key=lambda row: (row[0], row[1])):
        texts = [row[2] for row in group]
        lines = [line for text in texts if (line := _as_line(text))]
        window = Window(source, workspace, stream.name, "retry", None, seen_at, partition)
        if not lines:
            left += len(texts)
            continue
        file = write(LandingHeader(run_id, window, stream, seen_at), lines)
        con.execute(
            """update meta.quarantine set resolved_at = now()
               where stage = 'landing' and resolved_at is null and source_id = ? and workspace_id = ? and stream = ?
                   and coalesce(partition, '') = ? and coalesce(last_seen_at, first_seen_at) = ? and list_contains(?, payload)""",
            [source, workspace, stream.name, partition, seen_at, [text for text in texts if _as_line(text)]],
        )
        outcome = landing.land_all(con, [file])[file]
        if isinstance(outcome, LandingError):
            raise outcome
        new, left = new + outcome.rows_new, left + outcome.rows_quarantined + len(texts) - len(lines)
    unkept = sum(text.startswith(LEFT_OUT) for _, _, text in rows)
    return Retried(source, stream.name, len(rows), new, left, unkept)


def _as_line(text: str) -> bytes:
    """The text as one line of a landing file; nothing if it cannot be one, as of a record of which only the id was kept."""
    if "\n" in text or "\r" in text:
        try:
            text = json.dumps(json.loads(text))
        except ValueError:
            return b""
    line = text.encode(errors="surrogatepass")
    return b"" if line.startswith(MARK.encode()) else line
