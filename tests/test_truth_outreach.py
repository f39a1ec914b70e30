"""A company that writes and calls through Outreach too: every number of every rep and day, and all use of tools, is the truth.

Some mails lie in a mailbox as well, some in the CRM, some in Outreach alone; calls likewise. The last rep has no mailbox.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.company import generate
from sandbox.truth import truth
from sandbox.truth_frame import Frame
from sandbox.truth_tools import usage
from sandbox.world import World, parse
from sandbox.world_state import State
from tests.against_truth import differences, read_nights
from tests.companies import done_for_linkedin, send_through
from tests.pipeline import serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
BEFORE = NOW - timedelta(days=3)
Document = dict[str, Any]


def company() -> World:
    document = generate(seed=7, reps=4, days=6, now=NOW)
    document["company"]["systems"]["sequencer"] = "outreach"
    document["company"]["tools"] = [{"name": "linkedin", "evidence": ["outreach"]}]
    without_mailbox = document["reps"][-1]
    without_mailbox["seats"] = ["crm", "dialer"]
    send_through("outreach", document["mails"], without_mailbox["key"], every=6)
    for number, call in enumerate(document["calls"]):
        if number % 5 == 0:  # some have the dialer's id, the others are told apart by who, whom and when
            call["sequencer"] = {"external_id": number % 2 == 0}
        elif number % 9 == 0 and not call.get("legs"):
            call |= {"sequencer": {"visible_at": call.get("ended_at") or call["started_at"]}, "dialer": None}
    day = timedelta(days=1)
    document["tasks"] += done_for_linkedin(document, NOW)
    # Between the nights: a user's record changes, and what is told of it is looked up again.
    document["logins"].append(
        {"rep": document["reps"][0]["key"], "system": "outreach", "at": (NOW - day).isoformat(), "succeeded": True}
    )
    return parse(document)


def test_every_number_is_the_truth(tmp_path: Path) -> None:
    world = company()
    wanted = truth(world, NOW)
    first = min(cell[1] for cell in wanted)
    with serving(world, tmp_path) as (pipeline, url):
        # Two nights: what was sent, answered, edited and deleted between them comes by reading the last weeks again.
        read_nights(pipeline, url, (BEFORE, NOW), first)
        wrong = differences(pipeline, wanted)
        used = pipeline.rows(
            "select d.*, r.email from marts.daily_tool_usage as d inner join core.dim_rep as r on d.rep_id = r.rep_id and r.is_current"
        )
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:60])
    assert sum(values["emails_sent_sequence"] for values in wanted.values()) > 4
    told = {(row["email"], row["activity_date"], row["tool"]): row["actions"] for row in used if row["is_active"]}
    seen = {
        (row["email"], row["date"], row["tool"]): row["actions"]
        for row in usage(Frame(State(world, NOW)))
        if row["is_active"] and row["date"] >= first
    }
    assert {key for _, _, key in seen} == {"linkedin", "sequencer"}
    assert {key: n for key, n in told.items() if key[2] in ("linkedin", "sequencer")} == seen
