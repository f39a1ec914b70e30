"""The journal of an installation: how each run ended, what is known of each stream, which notices were sent.

It stands beside the warehouse in a SQLite file of its own, because it must be readable while a run holds the warehouse, and must
take note when the warehouse cannot even be opened. It decides nothing: a lost journal begins anew with the next run.
Never holds a record's content, a secret or an address.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
FILE = "status.sqlite"
KEPT = 500  # runs
LONGEST = 600  # characters of a message
TABLES = (
    """create table if not exists run (run_id text primary key, kind text, day text, started_at text, ended_at text, status text,
       exit integer, page text, message text)""",
    "create table if not exists fact (name text primary key, value blob)",
    "create table if not exists notice (channel text primary key, state text, told_at text, error text)",
)


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run. status: running, waiting (a backfill, for a night that goes first), ok, partial, blocked, failed, locked, stopped, cut off.
    Instants are UTC, by the real clock.

    day: the business day it was for. page: what docs/operate says of its failure. message: empty when there is nothing to tell.
    """

    run_id: str
    kind: str
    day: date | None
    started_at: datetime
    ended_at: datetime | None
    status: str
    exit: int | None = None
    page: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class StreamFact:
    """How far a stream has been read. until: UTC instant up to which it was, by the run's clock; of mailboxes the one least read.

    unread: windows that could not be read when they were last tried, the error of one of them and its page. forbidden: a
    permission is missing. optional: not every account offers the stream.
    """

    source: str
    workspace: str
    stream: str
    until: datetime | None
    optional: bool = False
    unread: int = 0
    forbidden: bool = False
    page: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Records of a stream that could not be read and are still waiting."""

    source: str
    workspace: str
    stream: str
    records: int
    reasons: str


@dataclass(frozen=True, slots=True)
class FindingFact:
    """A check that does not hold, in the tables last built. severity: error, warn, info."""

    check: str
    severity: str
    rows: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the last run to reach its end knew of the warehouse. clock: that run's."""

    clock: datetime
    streams: Sequence[StreamFact] = ()
    quarantine: Sequence[Quarantined] = ()
    findings: Sequence[FindingFact] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """The state that a channel was last told of, and when. error: why the last notice could not be sent, else empty."""

    state: str = ""
    told_at: datetime | None = None
    error: str = ""


class Journal:
    """The journal of a data folder. Writing never fails a run: where it cannot be written, nothing is noted."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE

    def begin(self, entry: RunEntry) -> None:
        """Note a run that has the warehouse. Whatever else is noted as running was killed: there is one writer."""

        def note(db: sqlite3.Connection) -> None:
            db.execute("update run set status = 'cut off', page = 'cut-off' where status = 'running'")
            _insert(db, entry)

        self._write(note)

    def wait(self, run_id: str) -> None:
        """Note that a run lends the warehouse to another: it begins again when that is over."""
        self._write(lambda db: db.execute("update run set status = 'waiting' where run_id = ?", [run_id]))

    def end(self, entry: RunEntry) -> None:
        """Note how a run ended, or that it could not begin."""

        def note(db: sqlite3.Connection) -> None:
            _insert(db, entry)
            newest = "select run_id from run order by started_at desc limit ?"
            db.execute(f"delete from run where run_id not in ({newest})", [KEPT])  # noqa: S608  a text of ours

        self._write(note)

    def drop(self, run_id: str) -> None:
        """Strike a run that turned out to be none: it was asked for what there is not."""
        self._write(lambda db: db.execute("delete from run where run_id = ?", [run_id]))

    def keep(self, facts: Facts) -> None:
        """Replace the facts."""
        value = msgspec.json.encode(facts)
        self._write(lambda db: db.execute("insert or replace into fact values ('last', ?)", [value]))

    def replace(self, channel: str, was: Sent, new: Sent) -> bool:
        """Note what a channel was told; False when another process has told it something since `was` was read.

        A journal that cannot be used keeps no notice back.
        """

        def note(db: sqlite3.Connection) -> bool:
            row = db.execute("select state, told_at, error from notice where channel = ?", [channel]).fetchone()
            if (_sent(row) if row else Sent()) != was:
                return False
            told = new.told_at.isoformat() if new.told_at else None
            db.execute("insert or replace into notice values (?, ?, ?, ?)", [channel, new.state, told, new.error])
            return True

        return self._write(note) is not False

    def runs(self, limit: int = 20) -> list[RunEntry]:
        """The last runs, the one that ended last first."""
        rows = self._read("select * from run order by coalesce(ended_at, started_at) desc, rowid desc limit ?", limit)
        return [_entry(row) for row in rows]

    def facts(self) -> Facts | None:
        """What the last run to reach its end knew; None before it."""
        for (value,) in self._read("select value from fact where name = 'last'"):
            with suppress(msgspec.MsgspecError):  # of another version: the next run writes it anew
                return msgspec.json.decode(value, type=Facts)
        return None

    def sent(self, channel: str) -> Sent:
        """What a channel was told last."""
        return next(
            map(_sent, self._read("select state, told_at, error from notice where channel = ?", channel)), Sent()
        )

    def failed_notices(self) -> dict[str, str]:
        """Why the last notice of a channel could not be sent, by channel."""
        return dict(self._read("select channel, error from notice where error <> ''"))

    def _read(self, query: str, *parameters: object) -> list[Any]:
        """Rows; none where there is no journal, or none that can be read."""
        # Read-only at first: a run may be writing, or the folder belong to somebody else. What a killed process left half written
        # only a connection that may write can take back.
        for mode in ("ro", "rw") if self.file.exists() else ():
            with suppress(sqlite3.Error), closing(self._connected(mode)) as db:
                return db.execute(query, parameters).fetchall()
        return []

    def _connected(self, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(f"{self.file.absolute().as_uri()}?mode={mode}", uri=True, timeout=10)

    def _write(self, note: Callable[[sqlite3.Connection], T]) -> T | None:
        """Run a note as one transaction. None where the journal cannot be written; a damaged one is begun anew."""
        for attempt in (1, 2):
            try:
                with closing(self._opened()) as db:
                    db.execute("begin immediate")
                    noted = note(db)
                    db.execute("commit")
                    return noted
            except sqlite3.OperationalError:  # no room, no permission, or held for longer than is waited
                return None
            except (sqlite3.DatabaseError, OSError):
                with suppress(OSError):
                    self.file.unlink(missing_ok=True)
                if attempt == 2:
                    return None
        return None

    def _opened(self) -> sqlite3.Connection:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        db = sqlite3.connect(self.file, timeout=10, isolation_level=None)
        for table in TABLES:
            db.execute(table)
        return db


def _insert(db: sqlite3.Connection, entry: RunEntry) -> None:
    ended = entry.ended_at.isoformat() if entry.ended_at else None
    day = entry.day.isoformat() if entry.day else None
    message = entry.message[:LONGEST]
    db.execute(
        "insert or replace into run values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            entry.run_id,
            entry.kind,
            day,
            entry.started_at.isoformat(),
            ended,
            entry.status,
            entry.exit,
            entry.page,
            message,
        ],
    )


def _entry(row: Sequence[Any]) -> RunEntry:
    run_id, kind, day, started, ended, *rest = row
    began = datetime.fromisoformat(started).astimezone(UTC)
    return RunEntry(
        run_id,
        kind,
        date.fromisoformat(day) if day else None,
        began,
        datetime.fromisoformat(ended) if ended else None,
        *rest,
    )


def _sent(row: Sequence[Any]) -> Sent:
    state, told_at, error = row
    return Sent(state, datetime.fromisoformat(told_at) if told_at else None, error)
