"""Two companies in two accounts each of the same vendors, which give the same ids to all that they hold: nothing is taken for another's.

What the second holds has the keys of the first with "~us" behind them, and thereby its ids (docs/world.md); people, addresses, numbers and
all that happened are others.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.company import generate
from sandbox.truth import truth
from sandbox.world import parse
from tests.against_truth import differences, read_nights
from tests.companies import send_through
from tests.pipeline import serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
KINDS = ("crm", "dialer", "mail", "sequencer")
KEYED = ("reps", "users_without_rep", "accounts", "contacts", "calls", "mails", "meetings", "tasks", "notes", "deals")


def in_account(document: dict[str, Any], workspace: str, vendors: tuple[str, ...]) -> dict[str, Any]:
    """The company with all that it has in the accounts of that workspace. Changes the document, and returns it."""
    names = [vendor if workspace == "main" else f"{vendor}/{workspace}" for vendor in vendors]
    crm, dialer = names[:2]
    accounts = dict(zip(KINDS, names, strict=False))
    for rep in document["reps"]:
        rep["seats"] = [accounts[seat] for seat in rep["seats"] if seat in accounts] + names[3:]
    for user in document["users_without_rep"]:
        user["system"] = accounts[user["system"]]
    for record in (*document["accounts"], *document["contacts"], *document["deals"]):
        record["systems"] = [crm]
    for activity in (
        *document["calls"],
        *document["mails"],
        *document["meetings"],
        *document["tasks"],
        *document["notes"],
    ):
        if activity.get("crm"):
            activity["crm"]["system"] = crm
        if activity.get("dialer"):
            activity["dialer"]["system"] = dialer
    for call in document["calls"] if "aircall" in vendors else ():
        call.pop("legs", None)  # Aircall does not tell whose talk is whose
        if call["result"] == "failed" and not call.get("dialer", True):
            call["crm"] = None  # Salesforce has no word for a call that never rang
    if crm.startswith("salesforce"):
        _through_outreach(document)
    return document


def _through_outreach(document: dict[str, Any]) -> None:
    """What sequences send, every third mail of the others and every fourth call, some of these with the dialer's id."""
    send_through("outreach", document["mails"], "", every=3)
    reps = {rep["key"] for rep in document["reps"]}
    for number, call in enumerate(document["calls"]):
        if number % 4 == 0 and call["rep"] in reps:
            call["sequencer"] = {"external_id": number % 8 == 0}


def elsewhere(document: dict[str, Any]) -> dict[str, Any]:
    """Other people, addresses and numbers under the same ids."""
    keys = {record["key"] for kind in KEYED for record in document[kind]} | {m["thread"] for m in document["mails"]}

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: moved(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [moved(inner) for inner in value]
        if not isinstance(value, str):
            return value
        if value in keys:
            return f"{value}~us"
        if re.fullmatch(r"\+\d{8,15}(-\d+)?", value):
            return f"{value[:6]}{(int(value[6]) + 1) % 10}{value[7:]}"
        return re.sub(r"\.example\b", "-us.example", value)

    return moved(document)


def together(vendors: tuple[str, ...]) -> dict[str, Any]:
    here = in_account(generate(seed=5, reps=3, days=6, now=NOW), "main", vendors)
    there = elsewhere(in_account(generate(seed=8, reps=3, days=6, now=NOW), "us", vendors))
    for kind, records in there.items():
        if isinstance(records, list) and kind not in ("teams", "fx"):
            here[kind] += records
    for names in ("internal_domains", "internal_numbers", "test_domains"):
        here["company"][names] += there["company"][names]
    here["company"]["systems"] = {kind: [vendor, f"{vendor}/us"] for kind, vendor in zip(KINDS, vendors, strict=False)}
    return here


@pytest.mark.parametrize(
    "vendors",
    [
        pytest.param(("hubspot", "cloudtalk", "gmail"), marks=pytest.mark.slow),
        ("salesforce", "aircall", "microsoft365", "outreach"),
    ],
    ids=lambda v: v[0],
)
def test_every_number_is_the_truth(tmp_path: Path, vendors: tuple[str, ...]) -> None:
    world = parse(together(vendors))
    first = NOW.date() - timedelta(days=7)
    wanted = {cell: values for cell, values in truth(world, NOW).items() if cell[1] >= first}
    with serving(world, tmp_path) as (pipeline, url):
        read_nights(pipeline, url, (NOW - timedelta(days=2), NOW), first)
        wrong = differences(pipeline, wanted)
        twice = pipeline.rows(
            """select stream, count(*) as n from (
                   select 'contact' as stream, contact_id as id from staging.stg_crm_contact
                   union all select 'call', call_id from staging.stg_dialer_call group by workspace_id, call_id
                   union all select 'crm call', call_id from staging.stg_crm_call
                   union all select 'deal', deal_id from staging.stg_crm_deal
                   union all select 'user', user_id from staging.stg_crm_user
               ) group by stream, id having count(*) > 1"""
        )
        mails = "\n".join(str(row) for row in pipeline.rows(f"select payload from raw.{vendors[2]}_mail_message"))
        strangers = pipeline.rows(
            """select m.call_key from core.match_seq_call as m
               inner join core.seq_call as s on m.seq_call_key = s.seq_call_key
               inner join core.dialer_call as d on m.call_key = d.call_key
               where s.rep_id <> d.rep_id and s.number_tail <> d.number_tail"""
        )
    assert "never to be kept" not in mails
    assert "Subject" not in mails
    assert not strangers, "a sequencer's call is nobody else's call of the same id"
    assert {row["stream"] for row in twice} == {"contact", "call", "crm call", "deal", "user"}, "ids are shared"
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:60])
    assert sum(values["calls_made"] for values in wanted.values()) > 60
    assert len({email.partition("@")[2] for email, _ in wanted}) == 2
