"""`salespulse status`: what is fresh, what is late, what failed and what to do, in one look; for people or, as JSON, for machines."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows import notify
from flows.exit_codes import Exit
from flows.health import Health, age, name_of
from flows.journal import Journal, RunEntry, StreamFact
from flows.look import look
from flows.problems import tell_problems
from flows.settings import Settings
from flows.settings_file import load_settings

VERDICT = {"fresh": "bold green", "late": "bold yellow", "failed": "bold red"}
DAY_STYLE = {"complete": "green", "partial": "yellow", "missing": "red"}


def show(console: Console, *, now: datetime | None, days: int, streams: bool, as_json: bool, tell: bool) -> Exit:
    """Print the status. days: how many of the last days. streams: every stream, not only sources. tell: send notices that are due."""
    settings = load_settings()
    instant = now.replace(tzinfo=UTC) if now and now.tzinfo is None else now or datetime.now(UTC)
    health = look(settings, instant.astimezone(UTC))
    said = notify.tell(settings.notify, Journal(settings.data_dir), health) if tell else []
    if as_json:
        console.print(
            json.dumps(as_document(health), indent=1, default=str), soft_wrap=True, markup=False, highlight=False
        )
    else:
        _head(console, health, settings)
        _sources(console, health, streams=streams)
        _days(console, health, days)
        tell_problems(console, health.problems)
    for sentence in said:
        Console(stderr=True).print(sentence, markup=False, highlight=False, soft_wrap=True)
    if tell and not settings.notify.is_on:
        Console(stderr=True).print(
            "nobody is told: [notify] in the settings names neither a webhook nor an address", markup=False
        )
    return health.exit_code


def as_document(health: Health) -> dict[str, Any]:
    """The status as plain JSON. Instants are UTC, ISO 8601; ages in seconds. Fields are only ever added."""
    seen, file = health.seen, health.seen.published
    return {
        "verdict": health.verdict,
        "exit_code": int(health.exit_code),
        "now": seen.now.isoformat(),
        "stale_after_hours": seen.stale_after.total_seconds() / 3600,
        "problems": [{**asdict(p), "todo": p.todo, "link": p.link} for p in health.problems],
        "published": {
            "path": file.path,
            "exists": file.exists,
            "error": file.error,
            "bytes": file.bytes,
            "at": file.at.isoformat() if file.at else None,
            "age_seconds": (seen.now - file.at).total_seconds() if file.at else None,
            "complete_until": file.complete_until.isoformat() if file.complete_until else None,
            "days": {
                source: {day.isoformat(): status for day, status in found.items()}
                for source, found in file.days.items()
            },
            "warnings": dict(file.warnings),
        },
        "running": _run_document(seen.running),
        "last_run": _run_document(seen.last),
        "warehouse_holder": seen.holder,
        "streams": [_stream_document(health, s) for s in (seen.facts.streams if seen.facts else ())],
        "quarantine": [asdict(q) for q in (seen.facts.quarantine if seen.facts else ())],
        "failing_checks": [asdict(f) for f in (seen.facts.findings if seen.facts else ())],
    }


def _run_document(run: RunEntry | None) -> dict[str, Any] | None:
    if run is None:
        return None
    ended = run.ended_at.isoformat() if run.ended_at else None
    return {
        **asdict(run),
        "day": str(run.day or "") or None,
        "started_at": run.started_at.isoformat(),
        "ended_at": ended,
    }


def _stream_document(health: Health, stream: StreamFact) -> dict[str, Any]:
    until = stream.until
    return {
        **asdict(stream),
        "until": until.isoformat() if until else None,
        "age_seconds": (health.seen.now - until).total_seconds() if until else None,
        "state": state_of(health, stream),
    }


def state_of(health: Health, stream: StreamFact) -> str:
    """fresh, late, failed or not offered."""
    if stream.optional and (stream.forbidden or stream.until is None):
        return "not offered"
    if stream.unread:
        return "failed"
    return "late" if health.seen.is_late(stream.until) else "fresh"


def _head(console: Console, health: Health, settings: Settings) -> None:
    seen, file, last = health.seen, health.seen.published, health.seen.last
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    facts.add_column(no_wrap=True)
    facts.add_column()
    counts = ", ".join(f"{len(health.of(s))} {s}" for s in ("failed", "late") if health.of(s))
    facts.add_row(
        "Status", Text.assemble((health.verdict.upper(), VERDICT[health.verdict]), f"  {counts}" if counts else "")
    )
    if file.at:
        complete = (
            f", complete until {file.complete_until:%a %Y-%m-%d}" if file.complete_until else ", no day complete yet"
        )
        facts.add_row("Published", f"{_instant(file.at)}, {age(seen.now - file.at)} ago{complete}")
        facts.add_row("", Text(f"{file.path} ({file.bytes / 2**20:.1f} MB)", style="dim"))
    else:
        facts.add_row("Published", Text(f"not yet ({file.path})" if not file.exists else f"unreadable ({file.path})"))
    facts.add_row("Last run", _told(last) if last else "none yet: start with `salespulse nightly`")
    if seen.holder:
        facts.add_row("At work", Text(f"process {seen.holder} has the warehouse"))
    hours = f"{seen.stale_after.total_seconds() / 3600:g} hours"
    facts.add_row("Late", f"after {hours}; scheduled: {settings.schedule.cron} ({settings.schedule_timezone})")
    console.print(facts, "", highlight=False)


def _told(run: RunEntry) -> str:
    day = f" for {run.day}" if run.day else ""
    ended = f", ended {_instant(run.ended_at)}" if run.ended_at else f", began {_instant(run.started_at)}"
    return f"{run.kind}{day}: {'cut off' if run.status == 'running' else run.status}{ended}"


def _sources(console: Console, health: Health, *, streams: bool) -> None:
    facts = health.seen.facts
    if facts is None:
        return
    table = _table("source", "streams", "read until", "age", "")
    for source in sorted({name_of(s) for s in facts.streams}):
        of_source = [s for s in facts.streams if name_of(s) == source]
        table.add_row(source, *_summary(health, of_source))
        for s in of_source if streams else ():
            table.add_row("", s.stream, _instant(s.until), _age(health, s.until), _state(state_of(health, s)))
    console.print(table, "", highlight=False)


def _summary(health: Health, streams: list[StreamFact]) -> tuple[str | Text, ...]:
    states = {s.stream: state_of(health, s) for s in streams}
    offered = [s for s in streams if states[s.stream] != "not offered"]
    fresh = sum(states[s.stream] == "fresh" for s in offered)
    until = min((s.until for s in offered if s.until), default=None)
    worst = next((state for state in ("failed", "late") if state in states.values()), "fresh")
    return f"{fresh} of {len(offered)} fresh", _instant(until), _age(health, until), _state(worst)


def _days(console: Console, health: Health, days: int) -> None:
    by_source = health.seen.published.days
    last = max((day for found in by_source.values() for day in found), default=None)
    if last is None or days < 1:
        return
    shown: list[date] = [last - timedelta(days=n) for n in range(days - 1, -1, -1)]
    table = _table("complete", *(f"{day:%a %d}" for day in shown))
    for source, found in sorted(by_source.items()):
        table.add_row(source, *(_cell(found.get(day)) for day in shown))
    console.print(table, "", highlight=False)


def _cell(status: str | None) -> Text:
    words = {"complete": "yes", "partial": "partly", "missing": "no"}
    return Text(words.get(status or "", "-"), style=DAY_STYLE.get(status or "", "dim"))


def _state(state: str) -> Text:
    styles = {"fresh": "green", "late": "yellow", "failed": "red"}
    return Text(state, style=styles.get(state, "dim"))


def _table(*headers: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for header in headers:
        table.add_column(header, no_wrap=True)
    return table


def _age(health: Health, instant: datetime | None) -> str:
    return age(health.seen.now - instant) if instant else "-"


def _instant(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "-"
