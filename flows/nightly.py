"""The nightly run: read what is due from every source, rebuild, check, publish."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from prefect import flow

from connectors.stream import Window
from flows.report import RunReport
from flows.run import Run, start_run
from flows.settings_of_run import settings_of_run
from flows.steps import build, check, drop_outlived, extract_and_land, land_leftovers, publish_file, reported
from flows.windows import first_instant, plan
from transforms import state


@flow(name="nightly")
def nightly(day: date | None = None, now: datetime | None = None) -> RunReport:
    """One nightly run.

    day: the business day it is for; yesterday in the reporting time zone when not given. now: the run's clock, an instant
    with its zone; the real one when not given. Raises NotPublished, WrongSettingsError, WarehouseLocked.
    """
    with start_run("nightly", settings_of_run(), day=day, now=now) as run, reported(run):
        land_leftovers(run)
        extract_and_land(run, list(due(run)))
        build(run)
        check(run)
        publish_file(run)
        drop_outlived(run)
    return run.report


def due(run: Run) -> Iterator[Window]:
    """The windows that this night has to read. The first night decides where history starts; a backfill extends it."""
    days = timedelta(days=run.settings.thresholds.reprocess_days)
    history = state.history_start(run.con) or state.extend_history(run.con, run.day - days)
    for connector in run.sources.values():
        yield from plan(
            run.offer(connector),
            state.done_windows(run.con, connector.name, connector.workspace),
            now=run.now,
            reread_from=first_instant(run.day - days),
            history_from=first_instant(history),
            settles=days,
        )
