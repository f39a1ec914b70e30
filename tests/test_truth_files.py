"""A company whose dialer, mail and use of tools are a folder of files: every number of every rep and day is the truth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx

from sandbox.company import generate
from sandbox.truth import METRICS, truth
from sandbox.world import parse
from tests.pipeline import serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
BEFORE = NOW - timedelta(days=2)


def test_every_number_is_the_truth(tmp_path: Path) -> None:
    document = generate(seed=3, reps=5, days=7, now=NOW)
    document["company"]["systems"] = {"crm": "hubspot", "dialer": "files", "mail": "files"}
    world = parse(document)
    first = NOW.date() - timedelta(days=6)  # before the first row a folder tells nothing
    wanted = {cell: values for cell, values in truth(world, NOW).items() if cell[1] >= first}
    with serving(world, tmp_path) as (pipeline, url):
        # Two nights: what was made, edited and deleted between them is told by files that were written anew.
        for night in (BEFORE, NOW):
            httpx.post(f"{url}/__sandbox__/now", json={"now": night.isoformat()}).raise_for_status()
            pipeline.nightly(night, first=first)
        rows = pipeline.rows(
            "select d.*, r.email from marts.daily_rep_activity as d inner join core.dim_rep as r on d.rep_id = r.rep_id and r.is_current"
        )
        days = pipeline.rows("select distinct date, status from marts.meta_source_day where source = 'files'")
    found = {(row["email"], row["activity_date"]): row for row in rows}
    assert len(wanted) > 25
    assert set(wanted) <= set(found)
    wrong = [
        f"{email} {day} {metric}: {found[email, day][metric]} instead of {values[metric]}"
        for (email, day), values in sorted(wanted.items())
        for metric in METRICS
        if Decimal(str(found[email, day][metric] if found[email, day][metric] is not None else "NaN"))
        != Decimal(str(values[metric]))
    ]
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:60])
    assert sum(values["calls_made"] for values in wanted.values()) > 50
    assert sum(values["emails_sent"] for values in wanted.values()) > 20
    assert days
