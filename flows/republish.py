"""Rebuild, check and publish from what has landed: after a change of settings, of reps.csv or of the models."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from flows.report import RunReport
from flows.run import start_run
from flows.settings_of_run import settings_of_run
from flows.steps import build, check, land_leftovers, publish_file, reported


@flow(name="publish")
def republish(now: datetime | None = None) -> RunReport:
    """The last steps of a nightly run, without asking any source. Raises as nightly does."""
    with start_run("publish", settings_of_run(), now=now) as run, reported(run):
        land_leftovers(run)
        build(run)
        check(run)
        publish_file(run)
    return run.report
