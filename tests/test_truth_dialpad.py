"""A company whose dialer is Dialpad: every number of every rep and day is the truth over two nights, transfers and departments included."""

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
BEFORE = NOW - timedelta(days=2)


@pytest.mark.slow  # its staging, wire and hostile network are in the gate
def test_every_number_is_the_truth(tmp_path: Path) -> None:
    document = generate(seed=3, reps=3, days=6, now=NOW)
    document["company"]["systems"]["dialer"] = "dialpad"
    talks = [c for c in document["calls"] if c["result"] == "answered" and c.get("dialer") and not c.get("legs")]
    for call in talks[::9]:  # passed on to a colleague, more often than people do
        colleague = next(rep["key"] for rep in document["reps"] if rep["key"] != call["rep"])
        call["legs"] = [{"rep": call["rep"], "talk_seconds": 40}, {"rep": colleague, "talk_seconds": 75}]
    late = next(
        c for c in talks if c.get("crm") is None and not c.get("legs") and c["ended_at"] < f"{BEFORE:%Y-%m-%dT00}"
    )
    answered = datetime.fromisoformat(late["answered_at"])
    late.update(
        ended_at=(answered + timedelta(seconds=40)).isoformat(), legs=[{"rep": late["rep"], "talk_seconds": 40}]
    )
    passed_on = {
        "ended_at": (answered + timedelta(seconds=115)).isoformat(),
        "legs": [
            *late["legs"],
            {"rep": next(r["key"] for r in document["reps"] if r["key"] != late["rep"]), "talk_seconds": 75},
        ],
    }
    # Whom it was passed on to is listed a day later than the leg before, which stays as it was.
    late["dialer"]["edits"] = [{"at": (BEFORE + timedelta(hours=3)).isoformat(), "set": passed_on}]
    inbound = [call for call in document["calls"] if call["direction"] == "inbound" and not call.get("legs")]
    for call in inbound[::2]:  # on the voicemail, whose greeting Dialpad takes for the answer
        call.update(result="voicemail", answered_at=call["ended_at"], crm=None)
    inbound[1].update(rep=None, result="missed", answered_at=None, crm=None)  # rang a department, nobody in particular
    world = parse(document)
    first = NOW.date() - timedelta(days=7)
    wanted = {cell: values for cell, values in truth(world, NOW).items() if cell[1] >= first}
    with serving(world, tmp_path) as (pipeline, url):
        read_nights(pipeline, url, (BEFORE, NOW), first)
        before = pipeline.rows("select count(*) as n from raw.dialpad_dialer_call")
        wrong = differences(pipeline, wanted)
        pipeline.nightly(NOW + timedelta(minutes=5), first=first)
        after = pipeline.rows("select count(*) as n from raw.dialpad_dialer_call")
        landed = pipeline.rows("select string_agg(payload::varchar, ' ') as text from raw.dialpad_dialer_call")
        parts = pipeline.rows(
            """select count(*) - count(distinct call_id) as twice, count(*) filter (where transferred_from is not null) as passed_on,
                      count(*) filter (where call_id <> record_id and transferred_from is null) as by_group,
                      count(*) filter (where user_id is null and not is_deleted) as nobodys
               from staging.stg_dialer_call"""
        )
    assert after == before, "links that are others at every read make no versions"
    assert len(wanted) > 20
    assert not wrong, "\n".join(wrong[:20])
    assert parts[0]["twice"] == 0, "a leg that comes late has its call's other legs told anew"
    assert parts[0]["passed_on"] > 2
    assert parts[0]["by_group"] > 10
    assert parts[0]["nobodys"] == 1
    for what in ("https://", "Hello?", "Somebody Else", "transcription"):
        assert what not in landed[0]["text"]
    assert sum(values["calls_made"] for values in wanted.values()) > 50
    assert sum(values["calls_inbound_missed"] for values in wanted.values()) > 1
