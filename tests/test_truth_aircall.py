"""A company whose dialer is Aircall: every number of every rep and day is the truth, and what Aircall cannot say is as the page on it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.company import generate
from sandbox.truth import truth
from sandbox.world import parse
from tests.against_truth import differences
from tests.pipeline import serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)


@pytest.mark.slow  # in the gate stands test_truth_same_ids.py, with two accounts of it
def test_every_number_is_the_truth(tmp_path: Path) -> None:
    document = generate(seed=3, reps=6, days=10, now=NOW)
    document["company"]["systems"]["dialer"] = "aircall"
    for call in document["calls"]:  # whose talk is whose after a transfer is not told: see the next test
        call.pop("legs", None)
    world = parse(document)
    first = NOW.date() - timedelta(days=11)
    wanted = {cell: values for cell, values in truth(world, NOW).items() if cell[1] >= first}
    with serving(world, tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=first)
        before = pipeline.rows("select count(*) as n from raw.aircall_dialer_call")
        wrong = differences(pipeline, wanted)
        pipeline.nightly(NOW + timedelta(minutes=5), first=first)
        after = pipeline.rows("select count(*) as n from raw.aircall_dialer_call")
    assert after == before, "links that expire make no versions"
    assert before[0]["n"] > 100
    assert len(wanted) > 50
    assert not wrong, "\n".join(wrong[:20])
    assert sum(values["calls_made"] for values in wanted.values()) > 100
    assert sum(values["talk_seconds"] for values in wanted.values()) > 1000
