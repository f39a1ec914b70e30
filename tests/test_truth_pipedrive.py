"""A company whose CRM is Pipedrive: every number of every rep and day is the truth, of what Pipedrive can tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.company import generate
from sandbox.truth import truth
from sandbox.world import parse
from tests.against_truth import differences, read_nights
from tests.pipeline import serving
from tests.transforms.test_incremental import contents
from transforms import build

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
BEFORE = NOW - timedelta(days=3)


def as_pipedrive_tells(document: dict[str, Any]) -> dict[str, Any]:
    """The company without what no answer of Pipedrive's says (docs/sources/pipedrive.md). Changes the document, and returns it."""
    document["company"]["systems"]["crm"] = "pipedrive"
    for mail in document["mails"]:  # HubSpot's own sequencer is not at this company
        if mail.pop("sequencer", None):
            mail.update(kind="one_to_one")
    numbers = {number for contact in document["contacts"] for number in contact.get("phones", [])}
    for call in document[
        "calls"
    ]:  # nor, where no person has been linked to it, with whom it was: it would be a call of its own
        if call["number"] not in numbers:
            call.pop("crm", None)
    for crm in [
        call["crm"] for call in document["calls"] if call.get("crm")
    ]:  # of a logged call, neither outcome nor id
        for told in (crm, *(edit["set"] for edit in crm.get("edits", []))):
            told.pop("disposition", None)
            told.pop("external_id", None)
    for task in document["tasks"]:  # nor who completed a task
        task["completed_by"] = None
    # Of sign-ins the last one before a reading.
    document["logins"] = [
        {"rep": rep["key"], "system": "crm", "at": (night - timedelta(hours=14)).isoformat()}
        for rep in document["reps"]
        for night in (BEFORE, NOW)
    ]
    return document


@pytest.mark.slow  # its staging, wire and hostile network are in the gate
def test_every_number_is_the_truth(tmp_path: Path) -> None:
    document = as_pipedrive_tells(generate(seed=3, reps=3, days=6, now=NOW))
    world = parse(document)
    wanted = truth(world, NOW)
    first = min(cell[1] for cell in wanted)
    with serving(world, tmp_path) as (pipeline, url):
        # Two nights: what was made, edited, merged and deleted between them comes as changes.
        read_nights(pipeline, url, (BEFORE, NOW), first)
        wrong = differences(pipeline, wanted)
        second = contents(pipeline.con)
        build.build(pipeline.con, full=True)
        whole = contents(pipeline.con)
    assert {t: n for t, n in second.items() if n != whole[t]} == {}, "the second night gave what a rebuild gives"
    assert len(wanted) > 15
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:60])
    assert sum(values["crm_writes"] for values in wanted.values()) > 0
    assert sum(values["deals_created"] for values in wanted.values()) > 0
