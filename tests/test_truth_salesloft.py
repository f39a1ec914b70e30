"""A company that writes and calls through Salesloft too: every number of every rep and day, and all use of the tool, is the truth.

Some mails lie in a mailbox as well, some in the CRM, some in Salesloft alone, some without a Message-ID; calls likewise. The last rep has no
mailbox. A task that a step's mail has completed is that mail.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

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
    document = generate(seed=7, reps=3, days=6, now=NOW)
    document["company"]["systems"]["sequencer"] = "salesloft"
    document["company"]["tools"] = [
        {"name": "Salesloft", "evidence": ["salesloft"], "price_per_seat": "62.00", "seats": "salesloft"}
    ]
    document["seats"] += [{"rep": rep["key"], "tool": "Salesloft", "from": "2026-01-01"} for rep in document["reps"]]
    without_mailbox = document["reps"][-1]
    without_mailbox["seats"] = ["crm", "dialer"]
    send_through("salesloft", document["mails"], without_mailbox["key"], every=4)
    for mail in document["mails"]:
        if mail.get("sequencer"):
            mail["to"] = mail["to"][:1]  # Salesloft tells no address of the others: see the page on it
    for number, call in enumerate(document["calls"]):
        if number % 5 == 0:  # told apart from the dialer's by who, whom and when
            call["sequencer"] = {}
        elif number % 9 == 0 and not call.get("legs"):
            own = {"disposition": "Connected"} if call["result"] == "answered" and number % 2 else {}
            call |= {"sequencer": own, "dialer": None}
    document["tasks"] += done_for_linkedin(document, NOW)
    return parse(document)


@pytest.mark.slow  # its staging, wire and hostile network are in the gate
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
        calls = pipeline.rows("select rule, count(*) as n from core.match_seq_call group by rule")
        mails = pipeline.rows("select rule, count(*) as n from core.match_seq_email group by rule order by rule")
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:60])
    assert sum(values["emails_sent_sequence"] for values in wanted.values()) > 2
    assert [(row["rule"], row["n"] > 3) for row in calls] == [("T2", True)]
    assert [(row["rule"], row["n"] > 0) for row in mails] == [("M0", True), ("M1", True), ("M2", True)]
    shown = {
        (row["email"], row["activity_date"], row["tool"]): (row["actions"], row["is_active"], row["has_seat"])
        for row in used
        if row["is_active"]
    }
    seen = {
        (row["email"], row["date"], row["tool"]): (row["actions"], row["is_active"], row["has_seat"])
        for row in usage(Frame(State(world, NOW)))
        if row["is_active"] and row["date"] >= first
    }
    assert {key for _, _, key in seen} == {"salesloft"}
    assert {key: told for key, told in shown.items() if key[2] == "salesloft"} == seen
