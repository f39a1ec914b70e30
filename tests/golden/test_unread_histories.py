"""A day is complete when every window that has to do with it succeeded (METRICS 0.7): also those of what is read record by record."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.stream import Window
from tests.pipeline import Pipeline, serving
from transforms import landing


def world(crm: str) -> dict[str, Any]:
    """A deal that Ann makes on Monday the 16th and wins on Wednesday the 18th."""
    return {
        "company": {"now": "2026-03-17T06:00:00Z", "reporting_timezone": "UTC", "reporting_currency": "EUR", "systems": {"crm": crm}},
        "teams": [{"key": "T1", "name": "One"}],
        "reps": [{"key": "ann", "name": "Ann", "email": "ann@acme.com", "timezone": "UTC", "team": "T1"}],
        "accounts": [{"key": "A1", "name": "Cust", "domain": "cust.com"}],
        "deals": [
            {"key": "E1", "account": "A1", "owner": "ann", "created_by": "ann", "events": [
                {"at": "2026-03-16T10:00:00Z", "type": "created", "stage": "open", "amount": "100.00"},
                {"at": "2026-03-18T12:00:00Z", "type": "won"},
            ]},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("crm", "stream", "is_of_deals"),
    [
        ("hubspot", "crm_association", True),
        pytest.param("pipedrive", "crm_deal_history", True, marks=pytest.mark.slow),
        ("salesforce", "crm_contact_history", False),
    ],
)
def test_days_are_partial_until_what_happened_to_records_is_read(
    crm: str, stream: str, is_of_deals: bool, tmp_path: Path
) -> None:
    """Read on the 17th and the 20th, but for one stream on the 20th: the 16th was whole before that, the 18th is not, until it is read."""
    with serving(world(crm), tmp_path) as (pipeline, url):
        nightly(pipeline, url, 17)
        nightly(pipeline, url, 20, without=[f"{crm}.{stream}"])
        assert status(pipeline, 16) == ("complete", "complete")
        assert status(pipeline, 18) == ("partial", "partial" if is_of_deals else "complete")
        nightly(pipeline, url, 20)
        assert status(pipeline, 18) == ("complete", "complete")
        row = pipeline.day("ann@acme.com", "2026-03-18")
        assert (row["deals_won_events"], str(row["won_amount"])) == (1, "100.00")


def test_a_history_that_nobody_may_read_holds_no_day_back(tmp_path: Path) -> None:
    with serving(world("salesforce"), tmp_path) as (pipeline, url):
        nightly(pipeline, url, 17)
        for told, expected in (("forbidden", "complete"), ("failed", "partial")):
            window = Window(
                "salesforce", "main", "crm_contact_history", "changes", None, datetime(2026, 3, 20, 6, tzinfo=UTC)
            )
            landing.record_failure(
                pipeline.con, window, told, told, "", extracted_at=datetime(2026, 3, 20, 6, tzinfo=UTC)
            )
            nightly(pipeline, url, 20, without=["salesforce.crm_contact_history"])
            assert status(pipeline, 18) == (expected, "complete")


def nightly(pipeline: Pipeline, url: str, day: int, without: list[str] | None = None) -> None:
    now = datetime(2026, 3, day, 6, tzinfo=UTC)
    httpx.post(f"{url}/__sandbox__/now", json={"now": now.isoformat()}).raise_for_status()
    pipeline.nightly(now, first=date(2026, 3, 14), without=without or [])


def status(pipeline: Pipeline, day: int) -> tuple[str, str]:
    """Of Ann's day: of all of the CRM, and of what daily_pipeline needs."""
    ((deals,),) = pipeline.con.execute(
        "select source_status from marts.daily_pipeline where activity_date = ? and rep_id <> -1", [date(2026, 3, day)]
    ).fetchall()
    return pipeline.day("ann@acme.com", f"2026-03-{day}")["crm_status"], deals
