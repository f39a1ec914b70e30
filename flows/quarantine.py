"""`salespulse quarantine`: what could not be read, and reading it again."""

from __future__ import annotations

import secrets
from contextlib import closing
from datetime import UTC, datetime
from functools import partial

from rich.console import Console
from rich.table import Table

from connectors.landing_file import write_lines
from flows.exit_codes import Exit
from flows.run import mailboxes_of, open_sources
from flows.settings_file import load_settings
from transforms import quarantine, raw
from transforms.warehouse import open_warehouse


def show_list(console: Console, source: str | None, stream: str | None) -> Exit:
    """One line a reason."""
    settings = load_settings()
    with open_warehouse(settings.warehouse_file) as con:
        found = quarantine.listed(con, source, stream)
    table = Table("source", "stream", "records", "since", "why", box=None, pad_edge=False, header_style="bold")
    for kept in found:
        table.add_row(kept.source, kept.stream, f"{kept.records:,}", f"{kept.first_seen_at:%Y-%m-%d}", kept.reason)
    console.print(table if found else "Nothing is in quarantine.")
    return Exit.OK


def show_records(console: Console, source: str | None, stream: str | None, most: int) -> Exit:
    """The records themselves, as the vendor sent them; of those that are cut down, what was kept."""
    settings = load_settings()
    with open_warehouse(settings.warehouse_file) as con:
        found = quarantine.shown(con, source, stream, most)
    for where, what, record_id, reason, text in found:
        console.print(f"{where} {what} {record_id}: {reason}", style="bold", markup=False, soft_wrap=True)
        console.print(text or "(stands in raw under this id)", markup=False, soft_wrap=True)
    if not found:
        console.print("Nothing is in quarantine.")
    return Exit.OK


def retry(console: Console, source: str | None, stream: str | None) -> Exit:
    """Land what waits once more."""
    settings = load_settings()
    now = datetime.now(UTC)
    run_id = f"retry-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
    with open_warehouse(settings.warehouse_file, memory_limit=settings.memory_limit, threads=settings.threads) as con:
        waiting = {
            (k.source, k.workspace, k.stream) for k in quarantine.listed(con, source, stream) if k.stage == "landing"
        }
        unkept = 0
        staged = sum(k.records for k in quarantine.listed(con, source, stream) if k.stage == "staging")
        for _, connector in open_sources(settings, now, mailboxes_of(settings, now.date())):
            with closing(connector):
                for one in connector.streams:
                    if (connector.name, connector.workspace, one.name) in waiting:
                        raw.declare(con, [(connector.name, one.name)])
                        done = quarantine.retry(
                            con,
                            connector.name,
                            connector.workspace,
                            one,
                            partial(write_lines, settings.landing_dir),
                            run_id,
                        )
                        console.print(
                            f"{done.source} {done.stream}: {done.tried:,} tried, {done.new:,} new or changed, {done.left:,} still cannot be read"
                        )
                        unkept += done.unkept
    if unkept:
        console.print(
            f"Of {unkept:,} nothing was kept but their ids, so they must be read again from the source. The next run does so with whole lists "
            f"and with the last {settings.thresholds.reprocess_days} days; `salespulse backfill --from … --to …` with earlier ones."
        )
    if staged:
        console.print(f"{staged:,} records stand in raw: `salespulse publish` reads them again.")
    console.print("`salespulse publish` rebuilds the tables." if waiting else "Nothing waits to be landed.")
    return Exit.OK
