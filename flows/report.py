"""What a run did: one account of it, for the terminal, for Prefect (Markdown) and for meta.run (JSON)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from connectors.stream import Window, account_of
from flows.exit_codes import Exit
from flows.health import Health
from flows.problems import sections, tell_problems

Status = Literal["ok", "partial", "blocked", "failed"]
EXIT: Mapping[Status, Exit] = {"ok": Exit.OK, "partial": Exit.PARTIAL, "blocked": Exit.BLOCKED, "failed": Exit.FAILED}


@dataclass(frozen=True, slots=True)
class WindowResult:
    """How one window went. rows: records read; new, deleted: versions and tombstones that landing appended."""

    window: Window
    status: Literal["done", "failed", "forbidden"]
    rows: int = 0
    new: int = 0
    deleted: int = 0
    quarantined: int = 0
    requests: int = 0
    retries: int = 0
    seconds: float = 0.0
    error: str = ""
    optional: bool = False  # not every account offers the stream: told, but no failure
    page: str = ""  # of docs/operate, where the window was not read


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant that does not hold, or something a reader of the numbers should know. severity: error, warn, info."""

    check: str
    severity: str
    failing_rows: int
    detail: str = ""


@dataclass(slots=True)
class RunReport:
    """One run, filled as it goes. Instants are UTC; `day` is the business day the run is for; seconds by step."""

    run_id: str
    kind: str
    day: date
    now: datetime
    scope: object = None  # what the run was asked for beyond its day, plain JSON
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    windows: list[WindowResult] = field(default_factory=list[WindowResult])
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    changed_rows: int = 0  # of the daily tables
    quarantined: int = 0  # landed records that staging could not read
    restated_days: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])
    published: Path | None = None
    not_published: str = ""
    health: Health | None = None  # of the installation, as the run leaves it

    @property
    def failures(self) -> list[WindowResult]:
        return [w for w in self.windows if w.status != "done" and not w.optional]

    @property
    def unread(self) -> list[WindowResult]:
        return [w for w in self.windows if w.status != "done"]

    @property
    def blocking(self) -> list[Finding]:
        return [f for f in self.findings if f.severity == "error"]

    @property
    def status(self) -> Status:
        if self.published is None:
            return "blocked" if self.blocking else "failed"
        return "partial" if self.failures else "ok"

    @property
    def exit_code(self) -> Exit:
        return EXIT[self.status]

    @property
    def verdict(self) -> str:
        """The last line: what is published, or why not."""
        if self.published is None:
            return f"Not published: {self.not_published}"
        if not self.failures:
            return f"Published {self.published}"
        sources = ", ".join(sorted({account_of(w.window.source, w.window.workspace) for w in self.failures}))
        return f"Published {self.published}; {len(self.failures)} windows of {sources} are due again at the next run"

    def streams(self) -> Iterator[tuple[str, ...]]:
        """One line a stream: its windows summed up, as texts in the order of HEADERS."""
        by_stream: dict[tuple[str, str, str], list[WindowResult]] = {}
        for result in self.windows:
            key = (result.window.source, result.window.workspace, result.window.stream)
            by_stream.setdefault(key, []).append(result)
        for (source, workspace, stream), results in sorted(by_stream.items()):
            done = sum(r.status == "done" for r in results)
            counts = [sum(getattr(r, what) for r in results) for what in COUNTED]
            windows = f"{done}" if done == len(results) else f"{done} of {len(results)}"
            yield (
                account_of(source, workspace),
                stream,
                windows,
                *(f"{n:,}" for n in counts),
                f"{sum(r.seconds for r in results):.1f}",
            )

    def detail(self) -> dict[str, Any]:
        """What meta.run keeps as JSON. Holds no record's content and no secret."""
        return {
            "now": self.now.isoformat(),
            "scope": self.scope,
            "streams": [dict(zip(HEADERS, line, strict=True)) for line in self.streams()],
            "failures": [{"window": w.window.window_id, "status": w.status, "error": w.error} for w in self.unread],
            "findings": [{"check": f.check, "severity": f.severity, "rows": f.failing_rows} for f in self.findings],
            "restated_days": self.restated_days,
            "changed_rows": self.changed_rows,
            "quarantined": self.quarantined,
            "seconds": {step: round(s, 2) for step, s in self.seconds.items()},
            "published": str(self.published or ""),
            "not_published": self.not_published,
        }

    def markdown(self) -> str:
        """The report as a Prefect artifact."""
        parts = [f"## {self.kind} {self.day}: {self.status}\n\n{self.verdict}"]
        if self.health:
            fresh = f"Numbers: **{self.health.verdict}**. {self.freshness}"
            parts.append("\n".join([fresh, "", *sections(self.health.problems)]).rstrip())
        parts += [
            f"Run `{self.run_id}`, clock {self.now:%Y-%m-%d %H:%M} UTC. {self.changes}",
            _markdown_table(HEADERS, self.streams()),
        ]
        if self.unread:
            lines = ((w.window.window_id, w.status, w.error) for w in self.unread)
            parts.append("### Not read\n\n" + _markdown_table(("window", "status", "what happened"), lines))
        if self.findings:
            found = ((f.severity, f.check, f"{f.failing_rows:,}", f.detail) for f in self.findings)
            parts.append("### Findings\n\n" + _markdown_table(("severity", "check", "rows", "detail"), found))
        if self.seconds:
            steps = ((step, f"{s:.1f}") for step, s in self.seconds.items())
            parts.append("### Duration\n\n" + _markdown_table(("step", "seconds"), steps))
        return "\n\n".join(parts) + "\n"

    @property
    def changes(self) -> str:
        """What changed in the daily tables, in a sentence or three."""
        days = (
            "1 day that had been complete"
            if self.restated_days == 1
            else f"{self.restated_days} days that had been complete"
        )
        restated = f" {days} changed (meta_restatement)." if self.restated_days else " No complete day changed."
        bad = f" {self.quarantined} new records could not be read (meta.quarantine)." if self.quarantined else ""
        return f"{self.changed_rows:,} daily rows written.{restated}{bad}"

    def print(self, console: Console) -> None:
        """The report in a terminal."""
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
        for header in SHORT_HEADERS:
            table.add_column(header, justify="left" if header == "read" else "right", no_wrap=True)
        for source, stream, *counts in self.streams():
            table.add_row(f"{source} {stream}", *counts)
        if self.windows:
            console.print(table)
        for line, optional in self._unread_lines():
            console.print(line, style="dim" if optional else "yellow", markup=False)
        for f in self.findings:
            console.print(f"{f.severity}: {f.check}: {f.failing_rows:,} rows: {f.detail}", style="red", markup=False)
        steps = ", ".join(f"{step} {s:.1f} s" for step, s in self.seconds.items())
        console.print(f"{self.changes} {steps[:1].upper()}{steps[1:]}.", markup=False, highlight=False)
        if self.health:
            tell_problems(console, self.health.problems, details=False)
            console.print(self.freshness, markup=False, highlight=False)
        console.print(self.verdict, style="bold", markup=False, highlight=False)

    @property
    def freshness(self) -> str:
        """How far the published numbers are complete."""
        file = self.health.seen.published if self.health else None
        if file is None or file.at is None:
            return "Nothing is published yet."
        complete = (
            f"complete until {file.complete_until:%a %Y-%m-%d}" if file.complete_until else "no day is complete yet"
        )
        return f"The published numbers are of {file.at:%Y-%m-%d %H:%M} UTC; {complete}."

    def _unread_lines(self) -> Iterator[tuple[str, bool]]:
        """A line for each stream and outcome, with the error of one of its windows; whether the stream is optional."""
        found: dict[tuple[str, str, str], list[WindowResult]] = {}
        for w in self.unread:
            account = account_of(w.window.source, w.window.workspace)
            found.setdefault((account, w.window.stream, w.status), []).append(w)
        for (source, stream, status), windows in found.items():
            more = f" (and {len(windows) - 1} more windows)" if len(windows) > 1 else ""
            yield f"{source} {stream}: {status}: {windows[0].error}{more}", windows[0].optional


class NotPublishedError(Exception):
    """A run ended without a new published file. `report` says why."""

    page = "check-failed"

    def __init__(self, report: RunReport) -> None:
        super().__init__(f"{report.kind} {report.day}: {report.verdict}")
        self.report = report


HEADERS = ("source", "stream", "windows", "rows", "new", "deleted", "quarantined", "requests", "retries", "seconds")
SHORT_HEADERS = ("read", "windows", "rows", "new", "gone", "bad", "calls", "again", "secs")
COUNTED = ("rows", "new", "deleted", "quarantined", "requests", "retries")


def _markdown_table(header: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return "\n".join([line(header), line(["---"] * len(header)), *(line(row) for row in rows)])
