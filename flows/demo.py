"""`salespulse demo`: a made-up company, one real nightly run over HTTP, yesterday's numbers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from flows.exit_codes import Exit
from flows.sandbox_commands import generate_world
from flows.settings import ENV_FILE, ENV_PREFIX
from flows.settings_file import load_settings
from flows.terminal import run_flow

MARK = ".salespulse-demo"  # only a folder that the demo made is ever deleted
HEADLINES = """
select
    coalesce(team_name, 'Everybody') as team, crm_active_reps, calls_made, emails_sent, conversations,
    tools_active, is_complete or team_id = 'zz' as is_complete
from (
    select team_id, team_name, crm_active_reps, calls_made, emails_sent, conversations, tools_active, is_complete
    from daily_team_activity where activity_date = $day and team_id <> '-1'
    union all by name
    select 'zz' as team_id, null as team_name, crm_active_reps, calls_made, emails_sent, conversations,
        tools_active, is_complete
    from daily_org_activity where activity_date = $day
)
order by team_id = 'zz', team_name
"""


def show(folder: Path, *, reps: int, days: int, seed: int) -> Exit:
    """Run the demo in `folder` and print its numbers. Stops the sandbox that it started, whatever happens."""
    console = Console()
    if not _cleared(folder):
        console.print(f"{folder} holds something that the demo did not make; name another with --folder", style="red")
        return Exit.SETTINGS
    clock = last_working_noon(datetime.now(UTC))
    world, settings = folder / "world.json", folder / "salespulse.toml"
    console.print(f"[bold]A made-up company[/], whose clock says {clock:%A %Y-%m-%d %H:%M} UTC", highlight=False)
    generate_world(world, reps=reps, days=days, seed=seed, now=clock)
    # What the environment says is of a real company: its secrets are not the demo's, and its published file least of all.
    for name in [one for one in os.environ if one.upper().startswith(ENV_PREFIX)]:
        del os.environ[name]
    with _sandbox(world, settings):
        os.environ[ENV_FILE] = str(settings.absolute())
        console.print("\n[bold]One nightly run over it[/], over HTTP as with real accounts")
        code = run_flow("nightly", now=clock)
    published = load_settings(settings).published_file
    if code in (Exit.OK, Exit.PARTIAL):
        _headlines(console, published, (clock - timedelta(days=1)).date())
        _how_to_open(console, published)
        look = f"\nWhat is fresh, late or failed:  .venv/bin/salespulse --settings {settings} status --now {clock:%Y-%m-%dT%H:%MZ}"
        console.print(look, markup=False, highlight=False, soft_wrap=True)
    return code


def last_working_noon(now: datetime) -> datetime:
    """The last noon (UTC) that is past and follows a day from Monday to Friday: by then that day is over in America too."""
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
    while noon > now or (noon - timedelta(days=1)).isoweekday() > 5:
        noon -= timedelta(days=1)
    return noon


def _cleared(folder: Path) -> bool:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        if not (folder / MARK).exists():
            return False
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("made by `salespulse demo`, which deletes this folder when it runs again\n")
    return True


@contextmanager
def _sandbox(world: Path, settings: Path) -> Generator[None]:
    """The sandbox as a process of its own, so that it does not share the interpreter's lock with the run."""
    command = [sys.executable, "-m", "flows.cli", "sandbox", "serve", "--world", str(world), "--no-limits"]
    process = subprocess.Popen(  # noqa: S603  our own interpreter and module
        [*command, "--settings-out", str(settings)], stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if "ready" not in line:
            raise RuntimeError("the sandbox did not start; what it said stands above")
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _headlines(console: Console, published: Path, day: date) -> None:
    table = Table(
        title=f"\n{day:%A %Y-%m-%d}, the five headline metrics by team", title_justify="left", box=None, padding=(0, 1)
    )
    for header in ("team", "in CRM", "calls", "emails", "conversations", "tools", ""):
        table.add_column(header, justify="left" if header in ("team", "") else "right", no_wrap=True)
    with duckdb.connect(str(published), read_only=True) as con:
        rows = con.execute(HEADLINES, {"day": day}).fetchall()
    for team, *counts, complete in rows:
        cells = ("-" if n is None else f"{n:,}" for n in counts)
        table.add_row(team, *cells, "" if complete else "not complete yet")
    console.print(table)
    console.print(
        "in CRM: reps who worked in the CRM; calls made; emails sent; conversations: contacts with a two-way "
        "exchange; tools: uses of a tool by a rep",
        style="dim",
    )


def _how_to_open(console: Console, published: Path) -> None:
    code = f"import duckdb; duckdb.connect('{published}', read_only=True).sql('from daily_rep_activity').show()"
    console.print(
        f"\nThe published file: {published}\nOpen it:  duckdb -readonly {published}\n"
        f'     or:  .venv/bin/python -c "{code}"\n'
        "What each column means: from meta_column; how fresh it is: from meta_freshness",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
