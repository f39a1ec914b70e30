"""Runs a flow from the command line: with bars or lines, its report at the end, and an exit code."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from flows import logs
from flows.exit_codes import Exit, let_go
from flows.private_server import STARTED_BY_US, ServerNotStartedError, private_server
from flows.settings_file import load_settings
from flows.settings_of_run import settings_of_run

if TYPE_CHECKING:
    from flows.report import RunReport
    from flows.settings import Settings


class PrefectUnreachableError(Exception):
    """The Prefect server that the environment names does not answer, or the one that is started for a single run does not start."""

    page = "prefect-unreachable"


def run_flow(name: str, wait: float = 0.0, **arguments: Any) -> Exit:
    """Run the flow `nightly`, `backfill` or `publish`. Wrong settings are told before Prefect is imported.

    wait: seconds for which another run may hold the warehouse.
    """
    settings = settings_of_run()
    logs.to_stderr(logs.ASKED.get() or settings.log.format)
    # Prefect's own log is for the server's pages; a terminal has the bars and the report.
    os.environ["PREFECT_LOGGING_LEVEL"] = os.environ.get("SALESPULSE_LOG", "CRITICAL")
    console = Console()
    with private_server() as ready:
        report = _reported(settings, name, ready, console, wait, arguments)
    report.print(console)
    return report.exit_code


def _reported(
    settings: Settings,
    name: str,
    ready: Callable[[], None],
    console: Console,
    wait: float,
    arguments: Mapping[str, Any],
) -> RunReport:
    import httpx

    from flows.books import refuse
    from flows.progress import watched_by
    from flows.report import NotPublishedError
    from flows.run import PATIENCE

    PATIENCE.set(wait)
    with watched_by(console):
        try:
            flow = _flow(name)
            ready()
            return flow(**arguments)
        except NotPublishedError as error:
            let_go(error)
            return error.report
        except (ServerNotStartedError, RuntimeError, httpx.TransportError) as error:
            told = _unreachable(error)
            if told is None:
                raise
            refuse(settings, name, told)
            raise told from None


def _unreachable(error: Exception) -> PrefectUnreachableError | None:
    """What Prefect says where it cannot reach its server, before a run has begun or in the middle of it."""
    text = str(error)
    if isinstance(error, RuntimeError) and "Failed to reach API" not in text:
        return None
    from prefect.settings import PREFECT_API_URL

    url = None if STARTED_BY_US in os.environ else PREFECT_API_URL.value()
    where = f"at {url} " if url else "that is started for a single run "
    return PrefectUnreachableError(
        f"The Prefect server {where}does not answer ({type(error).__name__}: {text}). The published file is as it was, and what had been "
        "read is kept. Start the server and run again; without PREFECT_API_URL no server is needed."
    )


def _flow(name: str) -> Any:
    match name:
        case "nightly":
            from flows.nightly import nightly as flow
        case "backfill":
            from flows.backfill import backfill as flow
        case _:
            from flows.republish import republish as flow
    return flow


def rebuild(wait: float, now: datetime | None) -> Exit:
    """Put the warehouse aside, land every landing file into a new one, build, check and publish."""
    settings = settings_of_run()
    from flows.rebuild import begin_anew

    aside = begin_anew(settings)
    if aside:
        Console().print(f"the old warehouse was put aside as {aside}", highlight=False, markup=False, soft_wrap=True)
    return run_flow("publish", wait, now=now)


def land_file(file: Path) -> Exit:
    """Land one file into the warehouse of the settings, and say what it changed."""
    settings = load_settings()
    from flows.forget import cleaned
    from transforms import landing
    from transforms.warehouse import open_warehouse

    with (
        open_warehouse(settings.warehouse_file, memory_limit=settings.memory_limit, threads=settings.threads) as con,
        cleaned(settings, file) as fit,
    ):
        landed = landing.land(con, fit)
    console = Console()
    if landed.already:
        console.print(f"{landed.window_id} has landed before: nothing changed")
    else:
        console.print(
            f"{landed.window_id}: {landed.rows_read:,} records, {landed.rows_new:,} new or changed, "
            f"{landed.rows_deleted:,} deleted, {landed.rows_quarantined:,} quarantined. `salespulse publish` rebuilds the tables."
        )
    return Exit.OK
