"""A company whose two CRMs hold the same customer: one account and one touch, whichever of them knows the contact (METRICS 0.5).

One (one.com) is in HubSpot without a territory and in Salesforce in EMEA; HubSpot knows Cas, Salesforce Dot. Two is in HubSpot twice, as
AMER and APAC, and in Salesforce: nobody can say which of the two that is, so they stay apart.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.truth import truth
from sandbox.world import parse
from tests.against_truth import differences
from tests.golden.examples import sleep_until
from tests.pipeline import Pipeline, serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
LONG_AGO = "2025-06-01T00:00:00Z"


def account(key: str, crm: str, domain: str, territory: str | None) -> dict[str, Any]:
    return {"key": key, "name": key, "domain": domain, "territory": territory, "systems": [crm], "created_at": LONG_AGO}


def contact(key: str, crm: str, of: str, number: str) -> dict[str, Any]:
    return {"key": key, "emails": [f"{key.lower()}@{of.lower()}.example"], "phones": [number], "account": of, "systems": [crm],
            "created_at": LONG_AGO}  # fmt: skip


def call(key: str, number: str, day: str) -> dict[str, Any]:
    return {"key": key, "rep": "ana", "direction": "outbound", "number": number, "started_at": f"2026-03-{day}T10:00:00Z",
            "answered_at": None, "ended_at": f"2026-03-{day}T10:00:30Z", "result": "no_answer"}  # fmt: skip


CAS, DOT, EVA, FAY, GIL = (f"+44207183875{n}" for n in range(5))
WORLD: dict[str, Any] = {
    "company": {
        "now": "2026-03-20T06:00:00Z", "internal_domains": ["acme.com"],
        "systems": {"crm": ["hubspot", "salesforce"], "dialer": "cloudtalk", "mail": "gmail"},
    },
    "reps": [{"key": "ana", "name": "Ana", "email": "ana@acme.com", "timezone": "UTC", "hire_date": "2025-01-01"}],
    "accounts": [
        account("OneHub", "hubspot", "one.com", None), account("OneForce", "salesforce", "one.com", "EMEA"),
        account("TwoHub", "hubspot", "two.com", "AMER"), account("TwoToo", "hubspot", "two.com", "APAC"),
        account("TwoForce", "salesforce", "two.com", "EMEA"),
    ],
    "contacts": [
        contact("Cas", "hubspot", "OneHub", CAS), contact("Dot", "salesforce", "OneForce", DOT),
        contact("Eva", "hubspot", "TwoHub", EVA), contact("Fay", "hubspot", "TwoToo", FAY), contact("Gil", "salesforce", "TwoForce", GIL),
    ],
    "calls": [
        call("D1", CAS, "17"), call("D2", DOT, "17"),
        call("D3", EVA, "18"), call("D4", FAY, "18"), call("D5", GIL, "18"),
    ],
    "deals": [
        {"key": "X", "account": "OneHub", "contacts": ["Cas"], "systems": ["hubspot"], "sourced_by": "ana", "created_by": "ana", "owner": "ana",
         "events": [{"at": "2026-03-02T12:00:00Z", "type": "created", "stage": "open", "amount": "1000.00", "by": "ana"}]},
    ],
}  # fmt: skip


def touched(pipeline: Pipeline) -> dict[str, tuple[int, int]]:
    rows = pipeline.rows(
        "select activity_date::varchar as day, distinct_contacts_touched as c, distinct_accounts_touched as a "
        "from marts.daily_rep_contact_distincts where rep_id <> -1 and distinct_contacts_touched > 0"
    )
    return {row["day"]: (row["c"], row["a"]) for row in rows}


def territories(pipeline: Pipeline) -> dict[tuple[str, str], int]:
    rows = pipeline.rows(
        "select activity_date::varchar as day, territory_id, calls_made from marts.daily_territory_activity where calls_made > 0"
    )
    return {(row["day"], row["territory_id"]): row["calls_made"] for row in rows}


def test_one_company_is_one_account_in_the_territory_that_any_crm_knows(tmp_path: Path) -> None:
    """17 March: two contacts of One, one account, both calls in EMEA. 18 March: three contacts, three accounts, each in its own territory."""
    with serving(WORLD, tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=date(2026, 3, 1))
        assert touched(pipeline) == {"2026-03-17": (2, 1), "2026-03-18": (3, 3)}
        assert territories(pipeline) == {
            ("2026-03-17", "EMEA"): 2,
            ("2026-03-18", "AMER"): 1,
            ("2026-03-18", "APAC"): 1,
            ("2026-03-18", "EMEA"): 1,
        }
        (deal,) = pipeline.rows(
            "select territory_id, pipeline_created_amount as amount from marts.daily_territory_activity where deals_created > 0"
        )
        assert (deal["territory_id"], float(deal["amount"])) == ("EMEA", 1000.0)


def test_a_touch_that_the_other_crm_knows_keeps_the_account_from_being_untouched(tmp_path: Path) -> None:
    """X is open at One from 2 March on. Dot, whom only Salesforce knows, is called on the 10th; else nobody of One is."""
    world = {**WORLD, "calls": [call("D2", DOT, "10")]}
    with serving(world, tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=date(2026, 3, 1))
        rows = pipeline.rows(
            "select activity_date::varchar as day, territory_id, accounts_worked_on, accounts_untouched_14d from marts.daily_untouched_account "
            "where activity_date in ('2026-03-16', '2026-03-19') order by 1"
        )
        assert [tuple(row.values()) for row in rows] == [("2026-03-16", "EMEA", 1, 0), ("2026-03-19", "EMEA", 1, 0)]


def test_a_company_that_joins_later_is_joined_by_a_night_as_by_a_rebuild(tmp_path: Path) -> None:
    """One gets its domain in Salesforce between two nights: what was told of it before is told anew, and as if it had always been so."""
    late = [{**one, "domain": "other.com", "changes": [{"at": "2026-03-19T12:00:00Z", "set": {"domain": "one.com"}}]}
            if one["key"] == "OneForce" else one for one in WORLD["accounts"]]  # fmt: skip
    before = NOW - timedelta(days=1)
    tables = ("marts.daily_territory_activity", "marts.daily_rep_contact_distincts", "marts.daily_untouched_account")
    query = " union all ".join(
        f"select '{table}' as t, to_json(x)::varchar as row "
        f"from (select * exclude (run_id, first_published_at, last_changed_at) from {table}) as x"
        for table in tables
    )
    with serving({**WORLD, "accounts": late}, tmp_path) as (pipeline, url):
        sleep_until(before, url)
        pipeline.nightly(before, first=date(2026, 3, 1))
        assert touched(pipeline) == {"2026-03-17": (2, 2), "2026-03-18": (3, 3)}
        sleep_until(NOW, url)
        pipeline.nightly(NOW, first=date(2026, 3, 1))
        assert touched(pipeline) == {"2026-03-17": (2, 1), "2026-03-18": (3, 3)}
        found = pipeline.rows(f"{query} order by all")
        (tmp_path / "anew").mkdir()
        with serving({**WORLD, "accounts": late}, tmp_path / "anew") as (fresh, other):
            sleep_until(NOW, other)
            fresh.nightly(NOW, first=date(2026, 3, 1))
            assert fresh.rows(f"{query} order by all") == found


def answered(key: str, hour: int, talk: int) -> dict[str, Any]:
    at = f"2026-03-17T{hour}"
    end = f"{at}:{talk // 60 + 1:02}:00Z"
    return {"key": key, "rep": "ana", "direction": "outbound", "number": CAS, "started_at": f"{at}:00:00Z",
            "answered_at": f"{at}:01:00Z", "ended_at": end, "result": "answered", "talk_seconds": talk}  # fmt: skip


def log(crm: str, hour: int, seconds: int, **more: Any) -> dict[str, Any]:
    return {"system": crm, "timestamp": f"2026-03-17T{hour}:00:30Z", "duration_seconds": seconds,
            "logged_at": f"2026-03-17T{hour}:20:00Z", **more}  # fmt: skip


def test_a_call_that_two_crms_log_is_one_call(tmp_path: Path) -> None:
    """Four calls of the dialer, one an hour; both CRMs are told of each, Salesforce never with the dialer's id.

    10: the log in Salesforce says "wrong number": counted once, no conversation. 11: HubSpot's log carries the dialer's id; once, 120 s: a
    conversation. 12: two logs in HubSpot, none in Salesforce: one of the two is a call of its own, 2 calls and 2 conversations. 13: the
    Salesforce log of 13:00 comes a day late: 2 nights tell the same as one. 1 + 1 + 2 + 1 = 5 calls, 0 + 1 + 2 + 1 = 4 conversations.
    """
    alone = {"dialer": None}
    calls = [
        {**answered("K1", 10, 240), "crm": log("hubspot", 10, 240)},
        {**answered("K1s", 10, 240), **alone, "crm": log("salesforce", 10, 238, disposition="Wrong number")},
        {**answered("K2", 11, 120), "crm": log("hubspot", 11, 120, external_id=True)},
        {**answered("K2s", 11, 120), **alone, "crm": log("salesforce", 11, 121)},
        {**answered("K3", 12, 120), "crm": log("hubspot", 12, 120)},
        {**answered("K3h", 12, 120), **alone, "crm": log("hubspot", 12, 118, disposition="Connected")},
        {**answered("K4", 13, 180), "crm": log("hubspot", 13, 180)},
        {**answered("K4s", 13, 180), **alone, "crm": log("salesforce", 13, 180, visible_at="2026-03-19T12:00:00Z")},
    ]
    ana = {**WORLD["reps"][0], "seats": ["hubspot", "salesforce", "dialer", "mail"]}
    world = {**WORLD, "reps": [ana], "calls": calls, "deals": []}
    expected = {"calls_made": 5, "calls_connected": 4, "calls_wrong_number": 1, "call_conversations": 4}
    before = NOW - timedelta(days=1)
    with serving(world, tmp_path) as (pipeline, url):
        for night in (before, NOW):
            sleep_until(night, url)
            pipeline.nightly(night, first=date(2026, 3, 1))
            row = pipeline.day("ana@acme.com", "2026-03-17")
            assert {metric: row[metric] for metric in expected} == expected
        wanted = {
            cell: told for cell, told in truth(parse(world), NOW).items() if date(2026, 3, 1) <= cell[1] < NOW.date()
        }
        assert not differences(pipeline, wanted)
        found = pipeline.rows(
            "select call_origin, count(*) as n, count(match_rule) as matched from core.fct_call group by 1 order by 1"
        )
        assert [tuple(row.values()) for row in found] == [("crm_only", 1, 0), ("dialer+crm", 4, 4)]
        pipeline.con.execute("delete from meta.fact where name = 'built_definitions'")  # all is made anew
        pipeline.nightly(NOW, first=date(2026, 3, 1))
        row = pipeline.day("ana@acme.com", "2026-03-17")
        assert {metric: row[metric] for metric in expected} == expected
