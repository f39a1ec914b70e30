"""The `salespulse` command.

Every command imports what it needs when it runs, so that help and wrong settings are quick.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Group, Parameter
from rich.console import Console

from flows import logs
from flows.cli_arguments import LOOK, RUN, TRY, Clock, Some, Wait
from flows.cli_quarantine import quarantine
from flows.cli_sandbox import sandbox
from flows.exit_codes import Exit, guarded

app = App(
    name="salespulse",
    help="""Sales productivity numbers, every night: CRM, dialer and mail APIs to a DuckDB file that BI tools open.

Settings come from `--settings FILE`, else from the file that SALESPULSE_SETTINGS names, else from ./salespulse.toml; the
environment overrules single keys, as in SALESPULSE__HUBSPOT__TOKEN=….

Exit codes: 0 done; 1 failed; 2 wrong settings or arguments; 3 published, but a source could not be read whole; 4 an invariant
does not hold, nothing published; 5 another process holds the warehouse; 6 disk full or warehouse damaged; 7 and 8, of `status`:
numbers are late, something failed; 9 the Prefect server does not answer. What to do: docs/operate.
""",
    version=lambda: version("salespulse"),
    version_flags=["--version"],
    help_flags=["--help", "-h"],
    group_commands=Group("Help", sort_key=4),
)
app.command(quarantine)
app.command(sandbox)


def _is_address(_: type, text: str) -> None:
    if not re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", text.strip()):
        raise ValueError("not a mail address like ann@acme.com")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `salespulse` script."""
    raise SystemExit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns its exit code (see exit_codes)."""
    os.umask(0o077)  # folders that are made on the way too are for the owner alone
    try:
        code = app.meta(arguments, exit_on_error=False, result_action="return_value")
    except CycloptsError:  # told already
        return Exit.SETTINGS
    return int(code or 0)


@app.meta.default
def with_settings(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    settings: Path | None = None,
    log_format: Literal["json", "text"] | None = None,
) -> int:
    """Run a command with the settings that were named.

    Parameters
    ----------
    settings
        Settings file; may stand before or after the command.
    log_format
        Log events to standard error, a line each, in place of the lines that tell how a run goes.
    """
    if log_format is not None:
        logs.ASKED.set(log_format)
        logs.to_stderr(log_format)
    if settings is not None:
        os.environ["SALESPULSE_SETTINGS"] = str(settings.absolute())
    logging.getLogger("stamina").setLevel(logging.ERROR)  # retries are counted in reports; a line each is noise here
    command, bound, _ = app.parse_args(tokens, exit_on_error=False)
    return guarded(lambda: command(*bound.args, **bound.kwargs))


@app.command(group=TRY)
def demo(*, folder: Path = Path("demo"), reps: Some = 40, days: Some = 35, seed: int = 1) -> int:
    """Make up a company, run one night over it, and show yesterday's numbers.

    Parameters
    ----------
    folder
        Where settings, data and the published file go; made anew.
    reps
        How many people the company has in sales.
    days
        How many days back it has been at work.
    seed
        The same seed gives the same company.
    """
    from flows.demo import show

    return show(folder, reps=reps, days=days, seed=seed)


@app.command(group=RUN)
def nightly(*, day: date | None = None, now: Clock = None, wait: Wait = 0.0) -> int:
    """Read what is new from every source, rebuild the tables, check and publish them.

    Parameters
    ----------
    day
        The business day that the run is for; yesterday if not given.
    now
        The run's clock, like 2026-03-20T06:00:00Z; the real one if not given.
    wait
        Seconds to wait for another run that holds the warehouse; if not given, it leaves at once with exit code 5.
    """
    from flows.terminal import run_flow

    return run_flow("nightly", wait, day=day, now=now)


@app.command(group=RUN)
def backfill(
    *,
    start: Annotated[date, Parameter(name="--from")],
    end: Annotated[date, Parameter(name="--to")],
    source: str | None = None,
    stream: str | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    now: Clock = None,
    wait: Wait = 0.0,
) -> int:
    """Read a stretch of the past, newest days first, then rebuild, check and publish. Run again, it goes on where it stopped.

    A nightly run that comes meanwhile goes first. Days that are whole are published on the way ([backfill] of the settings).

    Parameters
    ----------
    start
        First day, like 2026-01-01. The tables begin there from then on.
    end
        Last day.
    source
        Only this source, as its section of the settings is called, like hubspot; hubspot/us: this account of several.
    stream
        Only this stream, like dialer_call.
    dry_run
        Only say how many requests, days and how much quota it will take.
    now
        The run's clock, like 2026-03-20T06:00:00Z; the real one if not given.
    wait
        Seconds to wait for another run that holds the warehouse; if not given, it leaves at once with exit code 5.
    """
    if dry_run:
        from flows.backfill import Scope
        from flows.forecast import dry_run as tell

        return tell(Scope(start, end, source, stream), now)
    from flows.terminal import run_flow

    return run_flow("backfill", wait, start=start, end=end, source=source, stream=stream, now=now)


@app.command(group=RUN)
def publish(*, now: Clock = None, wait: Wait = 0.0) -> int:
    """Rebuild, check and publish from what has landed, without asking any source.

    Parameters
    ----------
    now
        The run's clock, like 2026-03-20T06:00:00Z; the real one if not given.
    wait
        Seconds to wait for another run that holds the warehouse; if not given, it leaves at once with exit code 5.
    """
    from flows.terminal import run_flow

    return run_flow("publish", wait, now=now)


@app.command(group=RUN)
def rebuild(*, now: Clock = None, wait: Wait = 0.0) -> int:
    """Put a damaged warehouse aside and make a new one from the landing files, without asking any source."""
    from flows.terminal import rebuild as anew

    return anew(wait, now)


@app.command(group=RUN)
def land(file: Path, /) -> int:
    """Land one landing file again: how a fault at a customer's is replayed.

    Parameters
    ----------
    file
        A .jsonl file below data/landing.
    """
    from flows.terminal import land_file

    return land_file(file)


@app.command(name="forget", group=RUN)
def forget_person(
    email: Annotated[str, Parameter(validator=_is_address)],
    /,
    *,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Erase a person, by mail address, from everything that is kept, publish anew, and prove it. Later readings leave them out.

    Parameters
    ----------
    email
        A contact's address, or a rep's.
    dry_run
        Only say what would be erased.
    """
    from flows.forget import run as erase

    return erase(Console(highlight=False), email, dry_run=dry_run)


@app.command(group=LOOK)
def check() -> int:
    """Try the settings and the credentials of every source, with a real call for each permission."""
    from flows.check import check_sources

    return check_sources(Console())


@app.command(group=LOOK)
def status(
    *,
    days: int = 7,
    streams: Annotated[bool, Parameter(negative=())] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
    notify: Annotated[bool, Parameter(negative=())] = False,
    now: Clock = None,
) -> int:
    """Show what is fresh, what is late, what failed and what to do. Exit code 0 fresh, 7 late, 8 failed.

    Parameters
    ----------
    days
        Of how many days to show whether they are complete, at most 14.
    streams
        Show every stream of every source.
    as_json
        As JSON, for machines.
    notify
        Send the notices that are due, as [notify] in the settings says: for cron, since nobody else notices that no run happens.
    now
        The clock by which ages are told, like 2026-03-20T06:00:00Z; the real one if not given.
    """
    from flows.status import show

    return show(Console(), now=now, days=days, streams=streams, as_json=as_json, tell=notify)


@app.command(group=LOOK)
def explain(
    metric: str,
    /,
    *,
    day: date,
    rep: str | None = None,
    team: str | None = None,
    territory: str | None = None,
    segment: str | None = None,
    tool: str | None = None,
    hour: str | None = None,
    contact: str | None = None,
    kind: str | None = None,
    channel: str | None = None,
    stage: str | None = None,
    to_stage: str | None = None,
    measure: str | None = None,
    number: str | None = None,
    target: str | None = None,
    table: str | None = None,
    all_: Annotated[bool, Parameter(name="--all", negative=())] = False,
) -> int:
    """Show why a number is what it is: the records behind it, which of them count and why not, and how it changed over time.

    Parameters
    ----------
    metric
        A number of the daily tables, like calls_made, connect_rate or open_deals (meta_metric lists them).
    day
        The date of the row.
    rep
        A rep's row: mail address, name or rep_id.
    team
        A team's row. Without rep, team, territory and segment: the organisation's.
    territory
        A territory's row.
    segment
        A segment's row.
    tool
        A tool's row of daily_tool_usage.
    hour
        An hour's row of hourly_call, 0 to 23.
    contact
        A contact's row of guard_email_pressure: contact_key as published.
    kind
        one_to_one or sequence, of cohort_email_reply.
    channel
        call, email or both, of cohort_first_touch_response.
    stage
        from_stage_key of cohort_stage_conversion.
    to_stage
        to_stage_key of it.
    measure
        A measure of guard_call_quality, like connect_rate: of a rep, of one of our numbers, else of the organisation.
    number
        One of our own numbers, as digits, in guard_call_quality.
    target
        The metric that a target is for, in target_attainment.
    table
        The table, where several have a number of that name.
    all_
        Show every record, however many.
    """
    from flows.explain import show

    given = {
        "rep": rep, "team": team, "territory": territory, "segment": segment, "tool": tool, "hour": hour, "contact": contact, "kind": kind,
        "channel": channel, "stage": stage, "to-stage": to_stage, "measure": measure, "number": number, "target": target,
    }  # fmt: skip
    said = {option: value for option, value in given.items() if value is not None}
    return show(Console(highlight=False), metric, day, said, table=table, everything=all_)


if __name__ == "__main__":
    main()
