"""Looks at an installation from outside: its journal, its published file, who has its warehouse. Opens nothing for writing."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from connectors.stream import account_of
from flows.health import Health, PublishedFacts, Seen, judge
from flows.journal import Journal
from flows.redaction import Redactor
from flows.settings import Settings
from transforms.lock import holder

DAYS = 14


def look(settings: Settings, now: datetime, *, inside: bool = False) -> Health:
    """The health of an installation at an instant (UTC).

    inside: a run of this process has the warehouse, whose file may then not be touched (see transforms.lock).
    """
    journal = Journal(settings.data_dir)
    return judge(
        Seen(
            now=now,
            sources=list(dict.fromkeys(account.partition("/")[0] for account in settings.sources)),
            published=published_facts(settings.published_file),
            stale_after=settings.stale_after,
            runs=journal.runs(),
            facts=journal.facts(),
            holder=None if inside else _holder(settings.warehouse_file),
            has_warehouse=inside or settings.warehouse_file.exists(),
            free_bytes=_free(settings.published_file.parent),
            failed_notices={c: e for c, e in journal.failed_notices().items() if c in settings.notify.channels},
        )
    )


def published_facts(file: Path) -> PublishedFacts:
    """What the published file says of itself."""
    if not file.exists():
        return PublishedFacts(str(file))
    size = file.stat().st_size
    try:
        with duckdb.connect(str(file), read_only=True) as con:
            ((at, complete),) = con.execute(
                """select max(published_at), max(max_complete_date) from meta_freshness where table_name = 'daily_org_activity'"""
            ).fetchall()
            days: dict[str, dict[date, str]] = {}
            for source, workspace, day, status in con.execute(
                """select source, workspace, date, status from meta_source_day
                   where date > (select max(date) from meta_source_day) - $days::integer order by all""",
                {"days": DAYS},
            ).fetchall():
                days.setdefault(account_of(source, workspace), {})[day] = status
            warnings = con.execute(
                "select check_name, sum(failing_rows)::bigint from meta_data_quality group by all order by all"
            ).fetchall()
    except duckdb.Error as error:
        return PublishedFacts(str(file), exists=True, bytes=size, error=str(error).strip().split("\n")[0])
    instant = at.replace(tzinfo=UTC) if at else None
    return PublishedFacts(str(file), True, "", size, instant, complete, days, dict(warnings))


def _holder(file: Path) -> str | None:
    """The process that has the warehouse, without an address that its command line may name (`salespulse forget`)."""
    found = holder(file)
    return found and Redactor()(found)


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
