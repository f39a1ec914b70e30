"""An installation whose runs are processes that stop at every line they say, until they are told to go on."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import StringIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import duckdb
import httpx
from rich.console import Console

from connectors.landing_file import extract
from connectors.stream import Window
from flows import backfill, nightly, steps
from flows.progress import watched_by
from flows.run import start_run
from flows.settings_file import load_settings
from flows.tasks import Piece, Waves
from tests.kill.victim import FORKSERVER, Victim

SCOPE = backfill.Scope(date(2026, 3, 6), date(2026, 3, 19))
# Small windows, one of a source at a time, so that there is a middle of a backfill.
SMALL = {"SALESPULSE__CLOUDTALK__WINDOW_DAYS": "2"}


class Telling(StringIO):
    """Standard output of a run: whoever holds the other end of the line reads it, and says when the run goes on."""

    def __init__(self, line: Connection) -> None:
        super().__init__()
        self._line = line

    def write(self, text: str, /) -> int:
        self._line.send(text.strip())
        self._line.recv()
        return len(text)


class Process:
    """A run in a process of its own."""

    def __init__(self, kind: str, settings: Path, now: datetime, environment: Mapping[str, str]) -> None:
        self._line, there = FORKSERVER.Pipe()
        self._stands = False
        arguments = (kind, str(settings), now, SMALL | dict(environment), there)
        self._process = FORKSERVER.Process(target=_run, args=arguments, daemon=True)
        self._process.start()
        there.close()

    def until(self, words: str) -> str:
        """Let it run until it says a line with these words; it stands there. Returns the line."""
        while True:
            self.go_on()
            said = self._line.recv()
            self._stands = isinstance(said, str)
            assert isinstance(said, str), f"the run ended as {said} and never said {words!r}"
            if words in said:
                return said

    def go_on(self) -> None:
        """Let it run until it says the next line, which nobody waits for."""
        if self._stands:
            self._line.send("go")
            self._stands = False

    def end(self) -> tuple[str, str]:
        """Let it run to its end. Returns its status, and why it did not publish."""
        while True:
            self.go_on()
            said = self._line.recv()
            if not isinstance(said, str):
                break
            self._stands = True
        self._process.join()
        return said

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


@dataclass
class Installation:
    """Settings and data of one installation; what its warehouse and its published file hold."""

    settings: Path
    now: datetime
    url: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def published(self) -> Path:
        return self.settings.parent / "data" / "sales_metrics.duckdb"

    def start(self, kind: str, now: datetime | None = None, **environment: str) -> Process:
        """Begin a run; it stands at its first line until it is told to go on."""
        return Process(kind, self.settings, now or self.now, self.environment | environment)

    def run(self, kind: str, now: datetime | None = None, **environment: str) -> tuple[str, str]:
        return self.start(kind, now, **environment).end()

    def misbehave(self, *rules: dict[str, Any]) -> None:
        """From now on the sandbox follows these rules; none: it behaves."""
        httpx.delete(f"{self.url}/__sandbox__/faults").raise_for_status()
        if rules:
            httpx.post(f"{self.url}/__sandbox__/faults", json=list(rules)).raise_for_status()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return _rows(self.published, query)

    def warehouse(self, query: str) -> list[tuple[Any, ...]]:
        return _rows(self.published.with_name("warehouse.duckdb"), query)

    def tables(self, apart: frozenset[str]) -> dict[str, str]:
        """Fingerprints of what is published, and of the tables behind it, less the columns in which runs differ."""
        found = Victim(self.settings, self.now).fingerprints(apart)
        return {t: f for t, f in found.items() if t.startswith(("main.", "core."))}


def _rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(file), read_only=True) as con:
        return con.execute(query).fetchall()


def _run(kind: str, settings: str, now: datetime, environment: Mapping[str, str], line: Connection) -> None:
    one_at_a_time = {"SALESPULSE__CONCURRENCY": "1", "SALESPULSE__MAILBOXES_AT_ONCE": "1"}
    os.environ |= {"SALESPULSE_SETTINGS": settings, **one_at_a_time, **environment}
    scope = SCOPE.told if kind == "backfill" else None
    with (
        watched_by(Console(file=Telling(line), width=500)),
        start_run(kind, load_settings(), now=now, scope=scope) as run,
    ):
        if kind == "backfill":
            backfill.fill(run, SCOPE, in_turn)
        else:
            steps.land_leftovers(run)
            steps.extract_and_land(run, list(nightly.due(run)), in_turn)
            steps.build(run)
            steps.check(run)
            steps.publish_file(run)
    line.send((run.report.status, run.report.not_published))


def in_turn(
    waves: Waves,
    prepare: Callable[[Window], Piece],
) -> Iterator[Sequence[tuple[Window, Path | BaseException]]]:
    """As tasks.extract_all, without Prefect and threads, in the same order every time: of the CRM, which has no ranges of time,
    what there is, and one window at a time of the others."""
    while windows := _begun(waves):
        done: list[tuple[Window, Path | BaseException]] = []
        for window in windows:
            piece = prepare(window)
            try:
                done.append((window, extract(piece.connector, window, piece.known, piece.landing, piece.run_id)))
            except Exception as error:
                done.append((window, error))
        yield done
        for window in windows:
            waves.over(window)


def _begun(waves: Waves) -> list[Window]:
    running: Counter[str] = Counter(hubspot=-100)
    begun: list[Window] = []
    for window in waves.ready(running):
        running[window.source] += 1
        begun.append(window)
    return begun
