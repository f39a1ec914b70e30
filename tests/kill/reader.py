"""A dashboard that never looks away: opens the published file again and again while runs die around it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import duckdb

LOOK = "select max(activity_date)::varchar, count(*), sum(calls_made) from daily_rep_activity where rep_id <> -1"


@dataclass
class Seen:
    """What the dashboard saw: answers by how often, and the errors of opening."""

    answers: Counter[str] = field(default_factory=Counter[str])
    errors: list[str] = field(default_factory=list)


def look(file: Path) -> str:
    with duckdb.connect(str(file), read_only=True) as con:
        con.execute("set threads = 1")
        return str(con.execute(LOOK).fetchone())


def _look_on(file: Path, line: Connection) -> None:
    seen = Seen()
    while not line.poll(0.05):
        try:
            seen.answers[look(file)] += 1
        except duckdb.Error as error:
            seen.errors.append(str(error))
    line.send(seen)


@contextlib.contextmanager
def looking_at(file: Path) -> Iterator[Seen]:
    """While the block runs, another process reads the file; what it saw is filled in at the end."""
    seen = Seen()
    here, there = get_context("forkserver").Pipe()
    process = get_context("forkserver").Process(target=_look_on, args=(file, there), daemon=True)
    process.start()
    try:
        yield seen
    finally:
        here.send("enough")
        told = here.recv()
        seen.answers, seen.errors = told.answers, told.errors
        process.join()
