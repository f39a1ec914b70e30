"""The large company's records as files, sorted as a vendor lists them, with where each line begins: a server then answers by seeking.

Rendered once by DuckDB and never held in memory; what is looked up are arrays of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks import large_company as company

BY_ID = {  # HubSpot's types, and by how much their ids are above the act's number
    "crm_call": ("calls", 10_000_000_000),
    "crm_email": ("emails", 20_000_000_000),
    "crm_meeting": ("meetings", 30_000_000_000),
    "crm_task": ("tasks", 40_000_000_000),
    "crm_note": ("notes", 50_000_000_000),
}
CONTACTS, COMPANIES = 60_000_000, 70_000_000
MAILBOX = 10_000_000_000  # what a rep's number is multiplied by in the key of a mail; a second since 1970 is smaller


@dataclass(frozen=True, slots=True)
class Stored:
    """Lines in order of `keys`; more: further numbers of each line, by name."""

    lines: mmap | bytes
    begins: Any  # one more than there are lines
    keys: Any
    more: dict[str, Any]

    @property
    def size(self) -> int:
        return len(self.keys)

    def within(self, first: int, last: int) -> tuple[int, int]:
        """The lines whose keys are from first to last, as a half-open range of numbers."""
        return int(np.searchsorted(self.keys, first)), int(np.searchsorted(self.keys, last, side="right"))

    def page(self, start: int, end: int) -> bytes:
        """Lines as the members of a JSON list."""
        if start >= end:
            return b""
        return self.lines[self.begins[start] : self.begins[end] - 1].replace(b"\n", b",")


def render(folder: Path, reps: int, days: int) -> dict[str, Stored]:
    """Everything of the days before company.LAST_DAY, by stream."""
    con = duckdb.connect(config={"memory_limit": "3GB", "temp_directory": str(folder / "spill")})
    first = company.LAST_DAY - timedelta(days=days)
    found: dict[str, Stored] = {}
    for feed in company.FEEDS:
        if feed.stream == "crm_association":
            continue
        acts = company.acts(feed, reps, first, company.LAST_DAY - timedelta(days=1))
        table = f"(select *, epoch(ts)::bigint as second from ({acts}) where n < {feed.most})"
        key = {"dialer_call": "second", "mail_message": f"rep * {MAILBOX} + second"}.get(feed.stream, "id")
        found[feed.stream] = _stored(con, folder, feed.stream, f"{feed.select}, {key} as key, id, contact from {table}")
    newest = company.pool(company.LAST_DAY) + company.POOL - company.NEW_A_DAY
    for stream, select in company.customers(reps, company.pool(first), newest, "s"):
        key = "json_extract_string(line, '$.id')::bigint"
        found[stream] = _stored(con, folder, stream, f"select line, {key} as key from ({select})")
    for source, stream, select in company.static(reps):
        del source
        lines = [line.encode() for (line,) in con.execute(select).fetchall()]
        begins = np.cumsum([0, *(len(line) + 1 for line in lines)])
        found[stream] = Stored(b"\n".join(lines) + b"\n", begins, np.arange(len(lines)), {})
    con.close()
    return found


def _stored(con: duckdb.DuckDBPyConnection, folder: Path, stream: str, select: str) -> Stored:
    file = folder / f"{stream}.jsonl"
    con.execute(f"create or replace temp table drawn as {select} order by key")
    con.execute(
        f"copy (select line from drawn) to '{file}' (format csv, header false, quote '', escape '', delimiter '\x01')"
    )
    numbers = con.execute("select * exclude (line), octet_length(line::blob) + 1 as length from drawn").fetchnumpy()
    begins = np.concatenate([[0], np.cumsum(numbers.pop("length"))])
    with file.open("rb") as opened:
        lines = mmap(opened.fileno(), 0, access=ACCESS_READ)
    assert len(lines) == begins[-1], f"{file}: {len(lines)} bytes, {begins[-1]} expected"
    return Stored(lines, begins, numbers.pop("key"), numbers)


class Mailboxes:
    """Messages of each rep's mailbox, newest first, and by id."""

    def __init__(self, mails: Stored) -> None:
        self._mails = mails
        self._ids = mails.more["id"]
        self._order = np.argsort(self._ids)
        self._sorted = self._ids[self._order]

    def listed(self, rep: int, after: int, before: int) -> Sequence[int]:
        """Ids of messages sent in [after, before), seconds since 1970."""
        start, end = self._mails.within(rep * MAILBOX + after, rep * MAILBOX + before - 1)
        found: Sequence[int] = self._ids[start:end][::-1].tolist()
        return found

    def message(self, identifier: int) -> bytes | None:
        at = int(np.searchsorted(self._sorted, identifier))
        if at == len(self._sorted) or self._sorted[at] != identifier:
            return None
        row = int(self._order[at])
        line = self._mails.page(row, row + 1)
        return line[line.index(b'"message":') + 10 : -1]


def seconds(text: str) -> int:
    """Of "2026-03-16 09:00:00", UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
