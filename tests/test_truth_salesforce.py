"""A company whose CRM is Salesforce: every number of every rep and day is the truth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.company import generate
from sandbox.truth import truth
from sandbox.world import parse
from tests.against_truth import differences, read_nights
from tests.pipeline import serving
from tests.transforms.test_incremental import contents
from transforms import build

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
BEFORE = NOW - timedelta(days=3)


def test_every_number_is_the_truth(tmp_path: Path) -> None:
    document = generate(seed=3, reps=6, days=10, now=NOW)
    document["company"]["systems"]["crm"] = "salesforce"
    for mail in document["mails"]:  # HubSpot's own sequencer is not at this company
        if mail.pop("sequencer", None):
            mail.update(kind="one_to_one")
    world = parse(document)
    first = min(cell[1] for cell in truth(world, NOW))
    wanted = truth(world, NOW)
    with serving(world, tmp_path) as (pipeline, url):
        # Two nights: what was made, edited, merged and deleted between them comes as changes.
        read_nights(pipeline, url, (BEFORE, NOW), first)
        wrong = differences(pipeline, wanted)
        second = contents(pipeline.con)
        build.build(pipeline.con, full=True)
        whole = contents(pipeline.con)
    assert {t: n for t, n in second.items() if n != whole[t]} == {}, "the second night gave what a rebuild gives"
    assert len(wanted) > 50
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:60])
    assert sum(values["calls_made"] for values in wanted.values()) > 100
