"""A company whose dialer, mail and use of tools are a folder of files: every number of every rep and day is the truth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.company import generate
from sandbox.truth import truth
from sandbox.world import parse
from tests.against_truth import differences, read_nights
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
        read_nights(pipeline, url, (BEFORE, NOW), first)
        wrong = differences(pipeline, wanted)
        days = pipeline.rows("select distinct date, status from marts.meta_source_day where source = 'files'")
    assert len(wanted) > 25
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:60])
    assert sum(values["calls_made"] for values in wanted.values()) > 50
    assert sum(values["emails_sent"] for values in wanted.values()) > 20
    assert days
