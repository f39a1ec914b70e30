"""A company whose mail is in Microsoft 365: every number of every rep and day is the truth, also after two nights."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.company import generate
from sandbox.truth import truth
from sandbox.world import parse
from tests.against_truth import differences, read_nights
from tests.pipeline import serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
BEFORE = NOW - timedelta(days=3)


@pytest.mark.slow  # in the gate stands test_truth_same_ids.py, with two accounts of it
def test_every_number_is_the_truth(tmp_path: Path) -> None:
    document = generate(seed=3, reps=6, days=10, now=NOW)
    document["company"]["systems"] = {"crm": "salesforce", "dialer": "cloudtalk", "mail": "microsoft365"}
    for mail in document["mails"]:  # HubSpot's own sequencer is not at this company
        if mail.pop("sequencer", None):
            mail.update(kind="one_to_one")
    world = parse(document)
    wanted = truth(world, NOW)
    first = min(cell[1] for cell in wanted)
    with serving(world, tmp_path) as (pipeline, url):
        # Two nights: what came, was moved, thrown away and deleted between them is told by delta rounds, too.
        read_nights(pipeline, url, (BEFORE, NOW), first)
        wrong = differences(pipeline, wanted)
        kept = "\n".join(str(row) for row in pipeline.rows("select payload from raw.microsoft365_mail_message"))
    assert "never to be kept" not in kept
    assert "A Name" not in kept
    assert "Subject" not in kept
    assert len(wanted) > 50
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:60])
    assert sum(values["emails_sent"] for values in wanted.values()) > 100
