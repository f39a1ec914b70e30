"""The steps that every kind of run is made of: extract and land, build, check, publish."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from connectors.landing_file import read_header
from connectors.landing_folder import clear_unfinished
from connectors.stream import (
    ConnectorError,
    Page,
    PermissionMissing,
    Stream,
    Window,
    account_of,
)
from flows.known import Known
from flows.logs import event
from flows.memory import FEW, give_back, sparing
from flows.pages import page_of
from flows.progress import watched, watcher
from flows.report import Finding, NotPublishedError, WindowResult
from flows.run import Run
from flows.tasks import Piece, Waves, extract_all, label_of, publish_artifact
from flows.windows import waits_for
from transforms import build as models
from transforms import checks, inputs, landing, publish, publish_into, retention
from transforms.forgotten import Forgotten
from transforms.warehouse import transaction

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# As tasks.extract_all.
Read = Callable[[Waves, Callable[[Window], Piece]], Iterator[Sequence[tuple[Window, Path | BaseException]]]]


@contextmanager
def reported(run: Run) -> Generator[None]:
    """Tell Prefect what the run did, however it ends. Raises NotPublishedError when it published nothing."""
    try:
        with watched():
            yield
    except BaseException as error:
        run.report.not_published = f"{type(error).__name__}: {error}"
        run.books.close(run, error)
        publish_artifact(run.report.kind, run.report.markdown())
        raise
    refused = None if run.report.published else NotPublishedError(run.report)
    run.books.close(run, refused)
    publish_artifact(run.report.kind, run.report.markdown())
    if refused:
        raise refused


def land_leftovers(run: Run) -> None:
    """Land the complete files of a run that was cut off between reading and landing. What is no landing file is put aside.

    The run holds the warehouse, so nobody else is writing: an unfinished file is of a reader that was killed, and is removed.
    """
    clear_unfinished(run.settings.landing_dir)
    read: list[tuple[Window, Path]] = []
    for file in landing.pending(run.con, run.settings.landing_dir):
        try:
            read.append((read_header(file).window, file))
        except ConnectorError as error:
            run.report.findings.append(
                Finding("landing", "warn", 1, f"{error} It was put aside as {_put_aside(file)}.")
            )
    _land(run, read)


def extract_and_land(
    run: Run,
    windows: Sequence[Window],
    read: Read | None = None,
    stop: Callable[[], bool] = lambda: False,
    between: Callable[[Collection[Window]], None] = lambda _: None,
) -> list[Window]:
    """Read the windows and land each as it comes. A window that fails is noted, stays due, and stops no other.

    read: who reads them side by side; what the settings say if not given: Prefect's tasks, in threads or on a Dask cluster. stop: asked
    before windows begin; once it says so, those in hand are landed and the others returned. between: called with the windows that
    are left, whenever some have landed.
    """
    if read is None and run.settings.run.task_runner == "dask":
        from flows.cluster import reading_on

        with reading_on(run) as on_cluster:
            return extract_and_land(run, windows, on_cluster, stop, between)
    read = read or extract_all
    streams = {(c.name, c.workspace, s.name): s for c in run.sources.values() for s in c.streams}
    seen, settings = watcher(), run.settings

    def stream_of(window: Window) -> Stream:
        return streams[window.source, window.workspace, window.stream]

    known = Known(run, windows)
    forgotten = Forgotten.load(run.settings.forgotten_file)

    def prepare(window: Window) -> Piece:
        seen.begun(window)
        stream = stream_of(window)
        clean = (
            forgotten.cleaner(window.source, window.workspace, stream.key, stream.personal)
            if forgotten.tokens
            else None
        )
        return Piece(
            run.sources[account_of(window.source, window.workspace)],
            window,
            known.of(window, stream),
            run.settings.landing_dir,
            run.run_id,
            clean,
            on_page(window),
        )

    def on_page(window: Window) -> Callable[[Page], None]:
        return lambda page: seen.page(window.source, len(page.records))

    event("windows planned", windows=len(windows))
    seen.planned(windows, {source.name: source.limiter for source in run.sources.values()})
    waves = Waves(
        windows,
        lambda w: waits_for(stream_of(w)),
        lambda w: settings.mailboxes_at_once if stream_of(w).limited_apart else settings.concurrency,
        stop,
    )
    left = dict.fromkeys(windows)
    with run.timed("extract and land"):
        for done in read(waves, prepare):
            _land(run, [(window, outcome) for window, outcome in done if not isinstance(outcome, BaseException)])
            for window, outcome in done:
                if isinstance(outcome, BaseException):
                    _note_failure(run, window, stream_of(window), outcome)
                del left[window]
            between(left)
    return list(left)


def build(run: Run) -> None:
    """Rebuild the tables from everything that has landed. Raises BuildError, InputError."""
    watcher().step("building the tables")
    landed = sum(w.new + w.deleted for w in run.report.windows)
    sparing(run.con, on=run.report.kind == "nightly" and landed <= FEW)
    give_back(run.con, run.settings.memory_limit)
    with run.timed("build"):
        inputs.load(run.con, run.inputs())
        made = models.build(run.con)
    run.report.changed_rows += made.changed_rows
    run.report.quarantined += made.quarantined
    run.report.findings += [
        Finding(
            "field_lost",
            "warn",
            gap.records,
            f"{gap.source} {gap.stream}: {gap.reason}. Numbers that need it are NULL there.",
        )
        for gap in made.gaps
    ]
    run.report.findings += [
        Finding(
            "new_fields",
            "info",
            len(new.fields),
            f"{new.source} {new.stream} now sends {', '.join(new.fields)}; kept in raw, used by nothing",
        )
        for new in made.new_fields
    ]
    row = run.con.execute(
        """select count(distinct split_part(key, '|', 1)) from meta.restatement
           where run_id = ? and table_name = 'daily_rep_activity' and reason <> 'day_completed'""",
        [run.run_id],
    ).fetchone()
    run.report.restated_days = row[0] if row else 0


def check(run: Run) -> None:
    """Hold the tables against the invariants."""
    watcher().step("checking them")
    with run.timed("check"):
        results = checks.run_checks(run.con)
    run.report.findings += [
        Finding(r.name, r.severity, r.failing_rows, f"{r.sentence} {r.examples}") for r in results if r.failing_rows
    ]


def publish_file(run: Run, keep: int | None = None, *, set_aside: bool = True) -> None:
    """Swap in the new file, unless an invariant does not hold. Raises PublishError.

    keep: earlier files that stay, else as set. set_aside: keep the one that is replaced, too.
    """
    if broken := run.report.blocking:
        names = ", ".join(f.check for f in broken)
        run.report.not_published = f"{names}; {run.settings.published_file} is still that of the last good run"
        return
    watcher().step("publishing")
    settings = run.settings
    with run.timed("publish"):
        done = publish.publish(
            run.con,
            settings.published_file,
            mode=int(settings.published_mode, 8),
            keep=settings.keep_published if keep is None else keep,
            set_aside=set_aside,
        )
    if settings.published_database:
        with run.timed(f"publish to {settings.published_database}"):
            try:
                publish_into.publish_into(run.con, settings.published_database)
            except publish.PublishError as error:
                raise publish.PublishError(f"{error} Of this run the file {done.path.name} is published.") from error
    run.report.published = done.path


def drop_outlived(run: Run) -> None:
    """Delete what the settings say need not be kept any longer. Nothing that is published depends on it. Ages are by the real clock."""
    settings, now = run.settings, datetime.now(UTC)
    with run.timed("retention"), transaction(run.con):
        if settings.keep_raw_days is not None:
            retention.drop_versions(run.con, settings.keep_raw_days, now)
        if settings.keep_landing_days is not None:
            retention.drop_landing(run.con, settings.landing_dir, settings.keep_landing_days, now)


def _land(run: Run, read: Sequence[tuple[Window, Path]]) -> None:
    """Land what was read: files of a stream one after the other, in the order in which they came, so that mailboxes land together."""
    outcomes = landing.land_all(run.con, [file for _, file in sorted(read, key=lambda one: one[0].stream)])
    for window, file in read:
        landed = outcomes[file]
        if isinstance(landed, landing.LandingError):
            _failed(run, window, "failed", f"{landed} It was put aside as {_put_aside(file)}.", page_of(landed))
        elif not landed.already:
            requests, retries, seconds = _traffic(run, file)
            result = WindowResult(
                window,
                "done",
                rows=landed.rows_read,
                new=landed.rows_new,
                deleted=landed.rows_deleted,
                quarantined=landed.rows_quarantined,
                requests=requests,
                retries=retries,
                seconds=seconds,
            )
            run.report.windows.append(result)
            watcher().window(label_of(window), result)
            event("window read", window=window, rows=result.rows, new=result.new, deleted=result.deleted,
                  quarantined=result.quarantined, requests=requests, retries=retries, seconds=round(seconds, 2))  # fmt: skip


def _put_aside(file: Path) -> str:
    """Rename a file that cannot be landed, so that no later run tries it again. Returns its new name."""
    return file.rename(file.with_name(f"{file.name}.refused")).name


def _traffic(run: Run, file: Path) -> tuple[int, int, float]:
    """Requests, retries and seconds of the window that landed from this file."""
    row = run.con.execute(
        "select requests, retries, seconds from meta.extract_window where landing_file = ?", [file.name]
    ).fetchone()
    return row or (0, 0, 0.0)


def _note_failure(run: Run, window: Window, stream: Stream, error: BaseException) -> None:
    page = page_of(error)
    if isinstance(error, PermissionMissing):
        _failed(run, window, "forbidden", str(error), page, optional=stream.optional)
    elif isinstance(error, OSError):
        told = f"its landing file could not be written: {error}. The next run reads the window again."
        _failed(run, window, "failed", told, "disk-full" if error.errno in FULL else "not-writable")
    elif isinstance(error, ConnectorError):
        _failed(run, window, "failed", str(error), page)
    else:
        page = "schema-drift" if isinstance(error, msgspec.MsgspecError) else page
        _failed(run, window, "failed", f"unexpected {type(error).__name__}: {error}. Please report this.", page)


def _failed(
    run: Run, window: Window, status: Literal["failed", "forbidden"], error: str, page: str, *, optional: bool = False
) -> None:
    landing.record_failure(run.con, window, run.run_id, status, error, extracted_at=datetime.now(UTC))
    result = WindowResult(window, status, error=error, optional=optional, page=page)
    run.report.windows.append(result)
    watcher().window(label_of(window), result)
    level = logging.INFO if optional else logging.WARNING
    event("window not read", level, window=window, status=status, error=error, page=page)
