"""A company after a merger: three CRMs, three dialers and two mail systems of four vendors, every number of every rep and day the truth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.company import generate
from sandbox.company_everywhere import act_at_home
from sandbox.truth import truth
from sandbox.world import parse
from tests.against_truth import differences, read_nights
from tests.pipeline import serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
BEFORE = NOW - timedelta(days=2)
SIDES = (
    ("hubspot", "cloudtalk", "gmail"),
    ("salesforce", "aircall", "microsoft365"),
    ("hubspot/us", "cloudtalk/us", "gmail"),
)
CRMS = [side[0] for side in SIDES]


def merged(document: dict[str, Any]) -> dict[str, Any]:
    """The company with its reps in three parts, each with systems of its own, and its customers in all CRMs, some of them twice until merged."""
    document["company"]["systems"] = {
        "crm": CRMS,
        "dialer": [side[1] for side in SIDES],
        "mail": ["gmail", "microsoft365"],
    }
    home: dict[str, str] = {}
    for n, rep in enumerate(document["reps"]):
        side = SIDES[n % len(SIDES)]
        rep["seats"] = [
            name for name, system in zip(side, ("crm", "dialer", "mail"), strict=True) if system in rep["seats"]
        ]
        home[rep["key"]] = side[0]

    act_at_home(document, home, CRMS[0])
    for n, (survivor, loser) in enumerate(batched(document["contacts"], 2)):
        if (
            survivor["account"] == loser["account"]
        ):  # half of them were two before the first night, the others until the second
            at = BEFORE + timedelta(hours=20 if n % 2 else -30)
            loser.update(merged_into=survivor["key"], merged_at=at.isoformat())
    for call in document["calls"]:
        call.pop("legs", None)  # Aircall does not tell whose talk is whose
        if home.get(call["rep"]) == "salesforce" and call["result"] == "failed" and not call.get("dialer", True):
            call["crm"] = None  # Salesforce has no word for a call that never rang
    for mail in document["mails"]:
        if home[mail["rep"]] == "salesforce" and mail.pop("sequencer", None):
            mail.update(kind="one_to_one")
    return document


def batched(records: list[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """Whole batches only."""
    yield from (records[n : n + size] for n in range(0, len(records) - size + 1, size))


def test_every_number_is_the_truth(tmp_path: Path) -> None:
    world = parse(merged(generate(seed=5, reps=6, days=7, now=NOW)))
    first = NOW.date() - timedelta(days=8)
    wanted = {cell: values for cell, values in truth(world, NOW).items() if cell[1] >= first}
    with serving(world, tmp_path) as (pipeline, url):
        read_nights(pipeline, url, (BEFORE, NOW), first)
        wrong = differences(pipeline, wanted)
        held = pipeline.rows(
            "select rep_id, system, count(*) as n from core.rep_source where rep_id <> -1 group by all"
        )
        fed = pipeline.rows(
            "select distinct source || '/' || workspace as account from marts.meta_source_day where rows > 0"
        )
    assert {row["n"] for row in held} == {1}, "every rep has one account of a kind, and depends on no other"
    assert {row["account"] for row in fed} == {
        name if "/" in name else f"{name}/main" for side in SIDES for name in side
    }
    assert len(wanted) > 50
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:60])
    assert sum(values["calls_made"] for values in wanted.values()) > 100
    assert sum(values["conversations"] for values in wanted.values()) > 30
