"""Where a run dies by its own hand: at the n-th thing of a step that touches a file or the warehouse."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import duckdb

FILE_EVENTS = {"open", "os.rename", "os.remove", "os.link", "os.mkdir", "os.chmod", "os.truncate"}


@dataclass
class Trap:
    """Counts, by step, what touches a file of `folder` and each end of a DuckDB statement; at `at` of `step` it kills its process.

    The statement's own work is not touched: the counter stands before and behind it, so that a kill can fall right
    before and right after a commit, a rename or a checkpoint.
    """

    folder: str
    step: str = ""
    at: int = 0
    now_in: str = "start"
    counts: Counter[str] = field(default_factory=Counter[str])

    def arm(self) -> None:
        sys.addaudithook(self._audit)
        for name in ("execute", "executemany", "close"):
            setattr(duckdb.DuckDBPyConnection, name, self._around(getattr(duckdb.DuckDBPyConnection, name)))

    def enter(self, step: str) -> None:
        self.now_in = step

    def pass_by(self) -> None:
        self.counts[self.now_in] += 1
        if self.now_in == self.step and self.counts[self.now_in] == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in FILE_EVENTS and any(isinstance(a, str) and a.startswith(self.folder) for a in arguments):
            self.pass_by()

    def _around(self, method: Any) -> Any:
        def counted(con: Any, *arguments: Any, **named: Any) -> Any:
            self.pass_by()
            outcome = method(con, *arguments, **named)
            self.pass_by()
            return outcome

        return counted
