"""The account of a run: its verdict, its exit code, and what it tells Prefect."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from connectors.stream import Window
from flows.exit_codes import Exit
from flows.health import Health, Problem, PublishedFacts, Seen
from flows.report import Finding, RunReport, WindowResult
from flows.tasks import label_of

CALLS = Window("cloudtalk", "main", "dialer_call", "range")
AUDIT = Window("hubspot", "main", "crm_audit", "snapshot")
READ = WindowResult(CALLS, "done", rows=1200, new=30, requests=2, retries=1, seconds=1.25)
FAILED = WindowResult(CALLS, "failed", error="cloudtalk: GET /calls: status 500 | 6 times")
NOT_OFFERED = WindowResult(AUDIT, "forbidden", error="no audit log", optional=True)


def report(*windows: WindowResult, findings: tuple[Finding, ...] = (), published: bool = True) -> RunReport:
    made = RunReport("r1", "nightly", date(2026, 3, 19), datetime(2026, 3, 20, 6, tzinfo=UTC))
    made.windows += windows
    made.findings += findings
    made.published = Path("sales_metrics.duckdb") if published else None
    return made


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (report(READ), Exit.OK),
        (report(READ, NOT_OFFERED), Exit.OK),
        (report(READ, findings=(Finding("lag", "warn", 3),)), Exit.OK),
        (report(READ, FAILED), Exit.PARTIAL),
        (report(READ, findings=(Finding("keys_are_unique", "error", 3),), published=False), Exit.BLOCKED),
        (report(READ, published=False), Exit.FAILED),
    ],
)
def test_the_exit_code_tells_outcomes_apart(run: RunReport, code: Exit) -> None:
    assert run.exit_code == code


def test_windows_of_a_stream_are_summed_up() -> None:
    assert list(report(READ, FAILED, READ).streams()) == [
        ("cloudtalk", "dialer_call", "2 of 3", "2,400", "60", "0", "0", "4", "2", "2.5")
    ]


def test_the_artifact_holds_what_failed_and_why_nothing_was_published() -> None:
    run = report(
        READ, FAILED, NOT_OFFERED, findings=(Finding("keys_are_unique", "error", 3, "rep_id=7"),), published=False
    )
    run.not_published = "keys_are_unique"
    told = run.markdown()
    for words in ("## nightly 2026-03-19: blocked", "Not published: keys_are_unique", "status 500 \\| 6 times", "no audit log",
                  "| error | keys_are_unique | 3 | rep_id=7 |"):  # fmt: skip
        assert words in told


def test_the_artifact_begins_with_what_failed_what_is_late_and_what_to_do() -> None:
    run = report(READ, FAILED)
    seen = Seen(run.now, ["cloudtalk"], PublishedFacts("x", exists=True, at=run.now), timedelta(hours=30))
    run.health = Health(seen, [Problem("failed", "source-down", "source:cloudtalk", "cloudtalk: 1 window", "`500`")])
    told = run.markdown()
    for words in ("Numbers: **failed**. The published numbers are of 2026-03-20 06:00 UTC", "- **failed**: cloudtalk: 1 window<br>`'500'`",
                  "To do: Look at the vendor's status page", "(docs/operate/source-down.md)"):  # fmt: skip
        assert words in told
    assert told.index("To do:") < told.index("| source | stream |")


def test_many_windows_of_a_stream_are_one_line_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report(READ, *[FAILED] * 40).print(Console(width=200))
    told = capsys.readouterr().out
    assert told.count("status 500") == 1
    assert "(and 39 more windows)" in told


def test_of_several_accounts_of_a_vendor_each_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/sources/several.md: the report speaks of cloudtalk and cloudtalk/us."""
    us = Window("cloudtalk", "us", "dialer_call", "range")
    run = report(FAILED, WindowResult(us, "failed", error="the token has expired"))
    run.print(Console(width=200))
    told = capsys.readouterr().out.splitlines()
    assert "cloudtalk dialer_call: failed: cloudtalk: GET /calls: status 500 | 6 times" in told
    assert "cloudtalk/us dialer_call: failed: the token has expired" in told
    assert told[-1].endswith("; 2 windows of cloudtalk, cloudtalk/us are due again at the next run")
    assert label_of(us) == "cloudtalk/us dialer_call"
