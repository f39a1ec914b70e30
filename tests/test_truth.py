"""Every headline number, for every rep and day of a generated company, against the truth computed in plain Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.company import generate
from sandbox.truth import METRICS, truth
from sandbox.world import parse
from tests.against_truth import differences
from tests.pipeline import serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_every_number_is_the_truth(tmp_path: Path, seed: int) -> None:
    world = parse(generate(seed=seed, reps=10, days=18, now=NOW))
    first = NOW.date() - timedelta(days=19)  # the first day on which anything happened: "first ever" needs them all
    wanted = {cell: values for cell, values in truth(world, NOW).items() if cell[1] >= first}
    with serving(world, tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=first)
        wrong = differences(pipeline, wanted)
    assert len(wanted) > 100
    assert not wrong, "\n".join(wrong[:20])
    active = {metric for values in wanted.values() for metric in METRICS if values[metric]}
    assert active >= set(METRICS) - {"deals_created_without_amount", "calls_wrong_number"}, (
        "a number that is always 0 proves nothing"
    )
