"""The product as its user meets it: a settings file and a command line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import httpx

from flows.cli import run

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
AT_NOON = "2026-03-20T12:00:00Z"


@dataclass
class Product:
    """The product with settings of its own, run by its command line."""

    url: str
    settings: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.settings.parent / "data"

    @property
    def published(self) -> Path:
        return self.data / "sales_metrics.duckdb"

    def __call__(self, *arguments: str) -> int:
        return run(["--settings", str(self.settings), *arguments])

    def nightly(self) -> int:
        return self("nightly", "--now", AT_NOON)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The same command in a process of its own, whose output can be read line by line."""
        command = [sys.executable, "-m", "flows.cli", "--settings", str(self.settings), *arguments]
        # Tests that are run in the background may have been told to ignore ctrl-C; a run by hand has not.
        heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        told = os.environ | self.environment
        return subprocess.Popen(
            command,
            env=told,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=heeds,  # noqa: PLW1509
        )

    def ends(self, *arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        """The same command in a process of its own, to its end: exit code, standard output and standard error."""
        command = [sys.executable, "-m", "flows.cli", "--settings", str(self.settings), *arguments]
        told = os.environ | self.environment | (environment or {})
        done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def copied(self, folder: Path) -> Product:
        """This installation as it is now, in another folder."""
        shutil.copytree(self.settings.parent, folder)
        return Product(self.url, folder / self.settings.name, self.environment)

    @contextmanager
    def held(self) -> Iterator[subprocess.Popen[str]]:
        """Another process has the warehouse; ends with the block."""
        holding = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
        command = [sys.executable, "-c", holding, str(self.data / "warehouse.duckdb")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            try:
                assert holder.stdout is not None
                assert holder.stdout.readline() == "held\n"
                yield holder
            finally:
                holder.kill()

    def rows(self, query: str, file: Path | None = None) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(file or self.published), read_only=True) as con:
            return con.execute(query).fetchall()

    def warehouse(self, query: str) -> list[tuple[Any, ...]]:
        return self.rows(query, self.data / "warehouse.duckdb")

    def daily(self) -> list[tuple[Any, ...]]:
        """daily_rep_activity without what tells runs apart."""
        return self.rows(
            """select * exclude (run_id, first_published_at, last_changed_at) from daily_rep_activity
               where rep_id <> -1 order by all"""
        )

    def landed(self, source: str, stream: str) -> Path:
        """The landing file of a stream that is read in one window."""
        (file,) = (self.data / "landing" / source / "main" / stream).glob("*.jsonl")
        return file

    def misbehave(self, *rules: dict[str, Any]) -> None:
        """From now on the sandbox follows these rules; none: it behaves."""
        httpx.delete(f"{self.url}/__sandbox__/faults").raise_for_status()
        if rules:
            httpx.post(f"{self.url}/__sandbox__/faults", json=list(rules)).raise_for_status()
