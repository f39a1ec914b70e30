"""What is told of a run that publishes more than once, or into more than one place."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from prefect import flow

from connectors.stream import Window
from flows.backfill import Interim, Scope
from flows.exit_codes import Exit
from flows.run import start_run
from flows.settings_file import load_settings
from flows.steps import land_leftovers
from tests.flows.product import AT_NOON, NOW, Product


def test_what_a_build_on_the_way_finds_is_told_at_the_end(copied: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that is new to a stream is found by the first build that sees it, and by no other."""
    file = copied.landed("cloudtalk", "dialer_user")
    head, *records, end = file.read_text("utf-8").splitlines()
    records = [json.dumps({**json.loads(r), "brand_new": 1}) for r in records]
    lines = [head.replace('"run_id":"nightly', '"run_id":"left'), *records, end]
    file.with_name(f"left.{file.name}").write_text("\n".join(lines) + "\n", "utf-8")
    monkeypatch.setenv("SALESPULSE__BACKFILL__PUBLISH_WINDOWS", "1")
    scope = Scope(date(2026, 3, 12), date(2026, 3, 19))
    to_read = Window(
        "cloudtalk",
        "main",
        "dialer_call",
        "range",
        datetime(2026, 3, 11, tzinfo=UTC),
        datetime(2026, 3, 13, tzinfo=UTC),
    )

    @flow
    def on_the_way() -> tuple[bool, list[str]]:
        with start_run("backfill", load_settings(copied.settings), day=scope.last, now=NOW, scope=scope.told) as run:
            interim = Interim(run, scope)
            land_leftovers(run)
            interim([to_read])
            return "publish" in run.report.seconds, [f.check for f in run.report.findings]

    assert on_the_way() == (True, ["new_fields"])


def test_a_database_that_is_out_of_reach_is_told_beside_the_file_that_was_published(
    copied: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    before = copied.published.stat().st_ino
    copied.settings.write_text('published = "md:nowhere"\n' + copied.settings.read_text())
    assert copied("publish", "--now", AT_NOON) == Exit.FAILED
    told = " ".join(capsys.readouterr().err.split())
    assert copied.published.stat().st_ino != before
    assert "nothing was published" not in told
    assert "the file sales_metrics.duckdb is published" in told
