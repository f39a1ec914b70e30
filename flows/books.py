"""Keeps the books of a run: its line in the journal, its events in the log, and the notices about what it leaves behind."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from flows import notify
from flows.exit_codes import Exit, exit_of
from flows.facts import collect
from flows.health import Health
from flows.journal import Journal, RunEntry
from flows.logs import event, of_run
from flows.look import look
from flows.pages import page_of
from flows.progress import watcher
from flows.redaction import Redactor
from flows.report import RunReport
from flows.settings import Settings
from transforms.warehouse import storage_fault

if TYPE_CHECKING:
    from flows.run import Run

NO_RUN = {"arguments", "forget"}  # pages of errors of whoever typed a command: no run, and nobody else is told


@contextmanager
def kept(settings: Settings, report: RunReport) -> Generator[Books]:
    """Keep the books while the block tries to run. Notices are sent at its end, when the warehouse is free again."""
    books = Books(settings, report)
    log = settings.log
    with of_run(
        report.run_id, settings.log_dir, books.clean, how=log.format, keep_days=log.keep_days, keep_mb=log.keep_mb
    ):
        try:
            yield books
        except BaseException as error:
            books.refused(error)
            books.tell(error)
            raise
        books.tell(None)


def refuse(settings: Settings, kind: str, error: BaseException) -> None:
    """Keep the books of a run that did not come as far as having any: its Prefect server does not answer."""
    now = datetime.now(UTC)
    report = RunReport(f"{kind}-{now:%Y%m%dT%H%M%S}", kind, settings.yesterday(now), now)
    with suppress(type(error)), kept(settings, report):
        raise error


class Books:
    """The books of one run. Faults in keeping them are logged; they never fail a run."""

    def __init__(self, settings: Settings, report: RunReport) -> None:
        self.settings = settings
        self.report = report
        self.clean = Redactor.of(settings)
        self._journal = Journal(settings.data_dir)
        self._closed = False

    def begin(self) -> None:
        """The run has the warehouse."""
        event("run started", kind=self.report.kind, day=str(self.report.day), clock=self.report.now.isoformat())
        self._journal.begin(self._entry("running"))

    def wait(self) -> None:
        """The run lends the warehouse to another."""
        event("warehouse lent")
        self._journal.wait(self.report.run_id)

    def close(self, run: Run, error: BaseException | None) -> Health | None:
        """The run is over, but still has the warehouse. The health it leaves behind; None where it could not be told."""
        if self._closed:
            return self.report.health
        self._closed = True
        error = error and (storage_fault(self.settings.warehouse_file, error) or error)
        if error is not None and page_of(error) in NO_RUN:
            self._journal.drop(self.report.run_id)
            return None
        try:
            with suppress(duckdb.Error):  # a full disk, a damaged file: what was known before stays
                self._journal.keep(collect(run, self._journal.facts(), self.clean))
            self._journal.end(self._entry(self._status(error), error))
            self.report.health = look(self.settings, self.report.now, inside=True)
        except Exception:
            logging.getLogger("salespulse").exception("the books could not be kept")
        self._log_end(error)
        return self.report.health

    def refused(self, error: BaseException) -> None:
        """The run could not even begin."""
        if self._closed or page_of(error) in NO_RUN:
            return
        self._closed = True
        self._journal.end(self._entry(self._status(error), error))
        self._log_end(error)

    def tell(self, error: BaseException | None) -> None:
        """Send the notices that are due, and say what became of them to whoever watches."""
        if (error is not None and page_of(error) in NO_RUN) or not self.settings.notify.is_on:
            return
        try:
            health = self.report.health or look(self.settings, self.report.now)
            for sentence in notify.tell(self.settings.notify, self._journal, health):
                watcher().note(sentence)
        except Exception:
            logging.getLogger("salespulse").exception("no notice could be made")

    def _status(self, error: BaseException | None) -> str:
        if isinstance(error, KeyboardInterrupt):
            return "stopped"
        if error is not None and exit_of(error) == Exit.LOCKED:
            return "locked"
        if error is None and self.report.kind == "forget" and not self.report.blocking:
            return "ok"  # it need not publish: a dry run does not
        return self.report.status

    def _entry(self, status: str, error: BaseException | None = None) -> RunEntry:
        report, over = self.report, status != "running"
        page, message = "", ""
        if status == "blocked":
            page, message = "check-failed", report.not_published
        elif status == "partial":
            page = next((w.page for w in report.failures), "")
        elif error is not None and status != "ok":
            page, message = page_of(error), str(error)
        code = (exit_of(error) if error else None) or (report.exit_code if over and status != "ok" else Exit.OK)
        ended = datetime.now(UTC) if over else None
        exit_code = int(code) if over else None
        return RunEntry(
            report.run_id, report.kind, report.day, report.started, ended, status, exit_code, page, self.clean(message)
        )

    def _log_end(self, error: BaseException | None) -> None:
        report = self.report
        status = self._status(error)
        level = {"ok": logging.INFO, "partial": logging.WARNING}.get(status, logging.ERROR)
        event(
            "run ended",
            level,
            status=status,
            published=str(report.published or ""),
            error=report.not_published if report.published is None else "",
            page=page_of(error) if error is not None else "",
            windows=len(report.windows),
            unread=len(report.unread),
            changed_rows=report.changed_rows,
            seconds=round((datetime.now(UTC) - report.started).total_seconds(), 1),
        )
