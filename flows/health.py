"""What is fresh, what is late, what failed and what to do: judged from the journal, the published file and the clock. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Literal

from connectors.stream import account_of
from flows.exit_codes import Exit
from flows.journal import Facts, Quarantined, RunEntry, StreamFact
from flows.pages import REMEDY, path

Severity = Literal["failed", "late", "note"]
ORDER: Sequence[Severity] = ("failed", "late", "note")
WARNINGS = {
    "user_without_rep": "users whom no rep's address matches",
    "amount_without_rate": "amounts in a currency without a rate",
    "price_without_rate": "tools priced in a currency without a rate",
    "call_outcome_unknown": "calls with an outcome that is not mapped",
    "source_of_no_tool": "sources of tool use that no [[tools]] names",
}


@dataclass(frozen=True, slots=True)
class PublishedFacts:
    """The published file. at: clock of the run that made it. days: status by account and date. warnings: rows by check name."""

    path: str
    exists: bool = False
    error: str = ""
    bytes: int = 0
    at: datetime | None = None
    complete_until: date | None = None
    days: Mapping[str, Mapping[date, str]] = field(default_factory=dict[str, Mapping[date, str]])
    warnings: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a judgement is made from. holder: the process that has the warehouse. stale_after: how old numbers may be."""

    now: datetime
    sources: Sequence[str]
    published: PublishedFacts
    stale_after: timedelta
    runs: Sequence[RunEntry] = ()  # the one that ended last first
    facts: Facts | None = None
    holder: str | None = None
    has_warehouse: bool = True
    free_bytes: int | None = None
    failed_notices: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def running(self) -> RunEntry | None:
        """The run that is at work."""
        return next((run for run in self.runs if run.status == "running"), None) if self.holder else None

    @property
    def last(self) -> RunEntry | None:
        """The last run that is over."""
        running = self.running
        return next((run for run in self.runs if run is not running), None)

    def is_late(self, instant: datetime | None) -> bool:
        return instant is None or self.now - instant > self.stale_after


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. subject: what it is about, the same as long as the state is the same. brief: names and numbers
    only, fit to be sent anywhere; detail: what came back, in its own words. page: of docs/operate."""

    severity: Severity
    page: str
    subject: str
    brief: str
    detail: str = ""

    @property
    def todo(self) -> str:
        return REMEDY[self.page]

    @property
    def link(self) -> str:
        return path(self.page)


@dataclass(frozen=True, slots=True)
class Health:
    """What was seen, and the judgement: problems, the worst first."""

    seen: Seen
    problems: Sequence[Problem]

    @property
    def verdict(self) -> Literal["fresh", "late", "failed"]:
        worst = self.problems[0].severity if self.problems else "note"
        return "fresh" if worst == "note" else worst

    @property
    def exit_code(self) -> Exit:
        return {"fresh": Exit.OK, "late": Exit.STALE, "failed": Exit.UNHEALTHY}[self.verdict]

    def of(self, severity: Severity) -> list[Problem]:
        return [p for p in self.problems if p.severity == severity]


def judge(seen: Seen) -> Health:
    """Hold what was seen against the clock."""
    found = [*_runs(seen), *_streams(seen), *_published(seen), *_late(seen), *_storage(seen), *_notes(seen)]
    return Health(seen, sorted(found, key=lambda p: (ORDER.index(p.severity), p.page)))


def _runs(seen: Seen) -> Iterator[Problem]:
    last = seen.last
    if last is None:
        return
    name = f"the last run ({last.kind}{f' for {last.day}' if last.day else ''})"
    match last.status:
        case "running" | "cut off":
            brief = f"{name} was cut off: it began {last.started_at:%Y-%m-%d %H:%M} UTC"
            yield Problem("failed", "cut-off", "run:cut-off", brief)
        case "stopped":
            yield Problem("note", "cut-off", "run:stopped", f"{name} was stopped by hand")
        case "locked":
            yield Problem(
                "failed", last.page, "run:locked", f"{name} could not begin: the warehouse was held", last.message
            )
        case "blocked":
            broken = [
                f"{f.check}: {f.rows:,} rows"
                for f in (seen.facts.findings if seen.facts else ())
                if f.severity == "error"
            ]
            brief = f"{name} published nothing: a check does not hold ({', '.join(broken)})"
            yield Problem("failed", last.page, f"run:{last.page}", brief, last.message)
        case "failed":
            yield Problem("failed", last.page, f"run:{last.page}", f"{name} failed", last.message)
        case _:
            return


def _streams(seen: Seen) -> Iterator[Problem]:
    """Streams that could not be read when they were last tried, those of one source and cause together."""
    bad = [s for s in (seen.facts.streams if seen.facts else ()) if s.unread and _is_offered(s)]
    for (source, page), group in groupby(sorted(bad, key=_cause), _cause):
        streams = list(group)
        windows = sum(s.unread for s in streams)
        count = f"{windows} window" + ("s" if windows > 1 else "")
        brief = f"{source}: {count} of {_named(seen, streams)} could not be read; {_since(streams)}"
        yield Problem("failed", page, f"source:{source}:{page}", brief, streams[0].error)


def _cause(stream: StreamFact) -> tuple[str, str]:
    return name_of(stream), stream.page or "source-down"


def _is_offered(stream: StreamFact) -> bool:
    return not (stream.optional and (stream.forbidden or stream.until is None))


def _named(seen: Seen, streams: Sequence[StreamFact]) -> str:
    """The streams of one source by name, or how many where all are meant."""
    every = [
        s for s in (seen.facts.streams if seen.facts else ()) if name_of(s) == name_of(streams[0]) and _is_offered(s)
    ]
    return f"all {len(every)} streams" if len(streams) == len(every) > 1 else ", ".join(s.stream for s in streams)


def _since(streams: Sequence[StreamFact]) -> str:
    if any(s.until is None for s in streams):
        return "never read"
    return f"last read {min(s.until for s in streams if s.until):%Y-%m-%d %H:%M} UTC"


def _published(seen: Seen) -> Iterator[Problem]:
    file = seen.published
    if file.error:
        yield Problem("failed", "published-file", "published", "the published file cannot be opened", file.error)
    elif not file.exists and any(run.status in ("ok", "partial") and run.kind != "forget" for run in seen.runs):
        yield Problem("failed", "published-file", "published", "the published file is gone", file.path)


def _late(seen: Seen) -> Iterator[Problem]:
    file = seen.published
    hours = f"{seen.stale_after.total_seconds() / 3600:g} hours"
    if not file.exists and not file.error:
        yield Problem("late", "stale", "published", "nothing has been published yet")
    elif file.at and seen.is_late(file.at):
        brief = f"the published numbers are of {file.at:%Y-%m-%d %H:%M} UTC, {age(seen.now - file.at)} ago; late after {hours}"
        yield Problem("late", "stale", "published", brief)
    known = {s.source for s in seen.facts.streams} if seen.facts else set[str]()
    if seen.facts:
        for source in [s for s in seen.sources if s not in known]:
            yield Problem("late", "stale", f"source:{source}", f"{source}: no run has read it yet")
    for source, late in _late_streams(seen).items():
        brief = f"{source}: {_named(seen, late)} {_since(late)}; late after {hours}"
        yield Problem("late", "stale", f"late:{source}", brief)


def _late_streams(seen: Seen) -> dict[str, list[StreamFact]]:
    """Late streams by source: those that are behind the published file (if it is late itself, that says it all) and have not failed."""
    found: dict[str, list[StreamFact]] = {}
    at = seen.published.at
    for stream in seen.facts.streams if seen.facts else ():
        behind = at is None or stream.until is None or at - stream.until > timedelta(hours=1)
        told = stream.unread or not _is_offered(stream) or stream.source not in seen.sources
        if behind and not told and seen.is_late(stream.until):
            found.setdefault(name_of(stream), []).append(stream)
    return found


def _storage(seen: Seen) -> Iterator[Problem]:
    if not seen.has_warehouse and any(run.status in ("ok", "partial", "blocked") for run in seen.runs):
        yield Problem("failed", "damaged-warehouse", "warehouse", "the warehouse is gone")
    if seen.free_bytes is not None and seen.free_bytes < 2 * seen.published.bytes:
        brief = f"{seen.free_bytes / 2**20:,.0f} MB are left on the disk: publishing needs {seen.published.bytes / 2**20:,.0f} MB"
        yield Problem("note", "disk-full", "disk", brief)


def _notes(seen: Seen) -> Iterator[Problem]:
    if seen.facts:
        for f in (f for f in seen.facts.findings if f.severity != "error"):
            page = "landing-refused" if f.check == "landing" else "check-failed"
            brief = "landing files were put aside" if f.check == "landing" else f"check {f.check}: {f.rows:,} rows"
            yield Problem("note", page, f"check:{f.check}", brief)
        for q in seen.facts.quarantine:
            brief = f"{name_of(q)} {q.stream}: {q.records:,} records in quarantine"
            yield Problem("note", "quarantine", f"quarantine:{name_of(q)}:{q.stream}", brief, q.reasons)
    for check, rows in seen.published.warnings.items():
        if check in WARNINGS:
            yield Problem("note", "data-quality", f"quality:{check}", f"{WARNINGS[check]}: {rows:,}")
    for channel, error in seen.failed_notices.items():
        yield Problem(
            "note", "notice-failed", f"notice:{channel}", f"the last notice by {channel} could not be sent", error
        )


def name_of(stream: StreamFact | Quarantined) -> str:
    """A stream's source, with the account where there are several."""
    return account_of(stream.source, stream.workspace)


def age(span: timedelta) -> str:
    """A span in a reader's words: minutes, hours, or days."""
    minutes = max(span.total_seconds(), 0) / 60
    if minutes < 90:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{minutes / 1440:.0f} days"
