"""Structured logs: one line an event, as JSON or text, to standard error on demand and always to a file of the run.

A line has time, level, run_id, source, stream, window, event, and what else there is to say. Secrets and mail addresses are taken out.
A run has a file of its own, so that two processes never turn over the same one.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Literal

from connectors.stream import Window
from flows.redaction import Redactor

Format = Literal["json", "text", "none"]
FIRST = ("time", "level", "run_id", "source", "stream", "window", "event")
TURNS = 4  # the files of one run together take at most this share of what all may take

log = logging.getLogger("salespulse")
log.propagate = False
log.setLevel(logging.INFO)
log.addHandler(logging.NullHandler())

ASKED: ContextVar[Format | None] = ContextVar("log_format", default=None)  # by --log-format; else the settings say
_run_id: ContextVar[str] = ContextVar("run_id", default="")
_clean: ContextVar[Redactor] = ContextVar("redactor", default=Redactor())  # noqa: B039  has no state that changes


def event(name: str, level: int = logging.INFO, window: Window | None = None, **fields: object) -> None:
    """Log one event. Fields without a value are left out."""
    where = {"source": window.source, "stream": window.stream, "window": window.window_id} if window else {}
    log.log(level, name, extra={"fields": {**where, **fields}})


def to_stderr(how: Format) -> None:
    """Log to standard error as well, in place of how it was done before."""
    for handler in [h for h in log.handlers if isinstance(h, _ToStderr)]:
        log.removeHandler(handler)
    if how != "none":
        handler = _ToStderr()
        handler.setFormatter(_Lines(how))
        log.addHandler(handler)


def wanted() -> bool:
    """Whether events go to standard error."""
    return any(isinstance(handler, _ToStderr) for handler in log.handlers)


@contextmanager
def of_run(run_id: str, folder: Path, clean: Redactor, *, how: Format, keep_days: int, keep_mb: int) -> Generator[None]:
    """What is logged in the block belongs to this run and goes to a file of its own below `folder`, older files being tidied away.

    A folder that cannot be written is no reason not to run: then there is no file.
    """
    to_stderr(ASKED.get() or how)
    tokens = _run_id.set(run_id), _clean.set(clean)
    handler: logging.Handler | None = None
    with suppress(OSError):
        tidy(folder, keep_days=keep_days, keep_bytes=keep_mb << 20)
        handler = _ToFile(
            folder / f"{run_id}.jsonl", maxBytes=(keep_mb << 20) // TURNS, backupCount=1, encoding="utf-8"
        )
        Path(handler.baseFilename).chmod(0o600)
        handler.namer = lambda name: name.removesuffix(".1").removesuffix(".jsonl") + ".1.jsonl"
        handler.setFormatter(_Lines("json"))
        log.addHandler(handler)
    try:
        yield
    finally:
        if handler:
            log.removeHandler(handler)
            handler.close()
        _run_id.reset(tokens[0])
        _clean.reset(tokens[1])


def tidy(folder: Path, *, keep_days: int, keep_bytes: int) -> None:
    """Delete log files that are older than so many days, then the oldest until the rest fits. Makes the folder."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    oldest = (datetime.now(UTC) - timedelta(days=keep_days)).timestamp()
    room = keep_bytes - keep_bytes // TURNS  # what the run that begins may write
    for file in sorted(folder.glob("*.jsonl"), key=lambda f: f.stat().st_mtime, reverse=True):
        facts = file.stat()
        room -= facts.st_size
        if facts.st_mtime < oldest or room < 0:
            file.unlink(missing_ok=True)


class _ToStderr(logging.StreamHandler[Any]):
    """Standard error as it is when the line is written."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


class _ToFile(RotatingFileHandler):
    """A log that cannot be written (a full disk) stops nothing and is told nowhere: the run tells what is full."""

    def handleError(self, record: logging.LogRecord) -> None:
        del record


class _Lines(logging.Formatter):
    """A record as a line of JSON, or of text."""

    def __init__(self, how: Format) -> None:
        super().__init__()
        self._how = how

    def format(self, record: logging.LogRecord) -> str:
        clean = _clean.get()
        given: Mapping[str, Any] = getattr(record, "fields", {})
        fields = {k: clean(v) if isinstance(v, str) else v for k, v in given.items() if v not in (None, "")}
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "run_id": _run_id.get() or None,
            "event": clean(record.getMessage()),
            **fields,
        }
        if record.exc_info:
            told["traceback"] = clean(self.formatException(record.exc_info))
        if self._how == "json":
            ordered = {k: told.get(k) for k in FIRST} | told
            return json.dumps(ordered, ensure_ascii=False, default=str)
        rest = " ".join(
            f"{k}={v}" for k, v in told.items() if k not in ("time", "level", "run_id", "event", "traceback")
        )
        line = f"{told['time']} {told['level']:7} {told['event']} {rest}".rstrip()
        return f"{line}\n{told['traceback']}" if "traceback" in told else line
