"""A company whose two CRMs hold the same customer: one account and one touch, whichever of them knows the contact (METRICS 0.5).

One (one.com) is in HubSpot without a territory and in Salesforce in EMEA; HubSpot knows Cas, Salesforce Dot. Two is in HubSpot twice, as
AMER and APAC, and in Salesforce: nobody can say which of the two that is, so they stay apart. Three is like One, in LATAM. Bea's calls,
which both CRMs log, go to Four, which only HubSpot knows. All is read for two nights, and once from nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sandbox.truth import truth
from sandbox.world import parse
from tests.against_truth import differences
from tests.golden.examples import sleep_until
from tests.pipeline import Pipeline, serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
FIRST = date(2026, 3, 1)
LONG_AGO = "2025-06-01T00:00:00Z"


def account(key: str, crm: str, domain: str, territory: str | None, **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "name": key,
        "domain": domain,
        "territory": territory,
        "systems": [crm],
        "created_at": LONG_AGO,
        **more,
    }


def contact(key: str, crm: str, of: str, number: str) -> dict[str, Any]:
    return {"key": key, "emails": [f"{key.lower()}@{of.lower()}.example"], "phones": [number], "account": of, "systems": [crm],
            "created_at": LONG_AGO}  # fmt: skip


def call(key: str, number: str, day: str) -> dict[str, Any]:
    return {"key": key, "rep": "ana", "direction": "outbound", "number": number, "started_at": f"2026-03-{day}T10:00:00Z",
            "answered_at": None, "ended_at": f"2026-03-{day}T10:00:30Z", "result": "no_answer"}  # fmt: skip


CAS, DOT, EVA, FAY, GIL, HAL, IDA = (f"+44207183875{n}" for n in range(7))


def answered(key: str, hour: int, talk: int) -> dict[str, Any]:
    at = f"2026-03-16T{hour}"
    end = f"{at}:{talk // 60 + 1:02}:00Z"
    return {"key": key, "rep": "bea", "direction": "outbound", "number": IDA, "started_at": f"{at}:00:00Z",
            "answered_at": f"{at}:01:00Z", "ended_at": end, "result": "answered", "talk_seconds": talk}  # fmt: skip


def log(crm: str, hour: int, seconds: int, **more: Any) -> dict[str, Any]:
    return {"system": crm, "timestamp": f"2026-03-16T{hour}:00:30Z", "duration_seconds": seconds,
            "logged_at": f"2026-03-16T{hour}:20:00Z", **more}  # fmt: skip


LOGGED = [
    {**answered("K1", 10, 240), "crm": log("hubspot", 10, 240)},
    {**answered("K1s", 10, 240), "dialer": None, "crm": log("salesforce", 10, 238, disposition="Wrong number")},
    {**answered("K2", 11, 120), "crm": log("hubspot", 11, 120, external_id=True)},
    {**answered("K2s", 11, 120), "dialer": None, "crm": log("salesforce", 11, 121)},
    {**answered("K3", 12, 120), "crm": log("hubspot", 12, 120)},
    {**answered("K3h", 12, 120), "dialer": None, "crm": log("hubspot", 12, 118, disposition="Connected")},
    {**answered("K4", 13, 180), "crm": log("hubspot", 13, 180)},
    {**answered("K4s", 13, 180), "dialer": None, "crm": log("salesforce", 13, 180, visible_at="2026-03-19T12:00:00Z")},
]


def deal(key: str, of: str, whose: str) -> dict[str, Any]:
    return {"key": key, "account": of, "contacts": [whose], "systems": ["hubspot"], "sourced_by": "ana", "created_by": "ana", "owner": "ana",
            "events": [{"at": "2026-03-02T12:00:00Z", "type": "created", "stage": "open", "amount": "1000.00", "by": "ana"}]}  # fmt: skip


def rep(key: str, **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "name": key.title(),
        "email": f"{key}@acme.com",
        "timezone": "UTC",
        "hire_date": "2025-01-01",
        **more,
    }


WORLD: dict[str, Any] = {
    "company": {
        "now": "2026-03-19T06:00:00Z", "internal_domains": ["acme.com"],
        "systems": {"crm": ["hubspot", "salesforce"], "dialer": "cloudtalk", "mail": "gmail"},
    },
    "reps": [rep("ana"), rep("bea", seats=["hubspot", "salesforce", "dialer", "mail"])],
    "accounts": [
        # One gets its domain in Salesforce between the two nights.
        account("OneHub", "hubspot", "one.com", None),
        account("OneForce", "salesforce", "other.com", "EMEA", changes=[{"at": "2026-03-19T12:00:00Z", "set": {"domain": "one.com"}}]),
        account("TwoHub", "hubspot", "two.com", "AMER"), account("TwoToo", "hubspot", "two.com", "APAC"),
        account("TwoForce", "salesforce", "two.com", "EMEA"),
        account("ThreeHub", "hubspot", "three.com", None), account("ThreeForce", "salesforce", "three.com", "LATAM"),
        account("Four", "hubspot", "four.com", None),
    ],
    "contacts": [
        contact("Cas", "hubspot", "OneHub", CAS), contact("Dot", "salesforce", "OneForce", DOT),
        contact("Eva", "hubspot", "TwoHub", EVA), contact("Fay", "hubspot", "TwoToo", FAY), contact("Gil", "salesforce", "TwoForce", GIL),
        contact("Hal", "salesforce", "ThreeForce", HAL), contact("Ian", "hubspot", "ThreeHub", "+442071838758"),
        contact("Ida", "hubspot", "Four", IDA),
    ],
    "calls": [
        call("D0", HAL, "10"),
        call("D1", CAS, "17"), call("D2", DOT, "17"),
        call("D3", EVA, "18"), call("D4", FAY, "18"), call("D5", GIL, "18"),
        *LOGGED,
    ],
    "deals": [deal("X", "OneHub", "Cas"), deal("Y", "ThreeHub", "Ian")],
}  # fmt: skip
BEFORE = NOW - timedelta(days=1)
TABLES = (
    *("daily_territory_activity", "daily_rep_contact_distincts", "daily_untouched_account"),
    *("daily_rep_activity", "daily_org_activity"),
)
Told = dict[str, Any]


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pipeline, Told]]:
    """The company after the second night; and what the first one said."""
    with serving(WORLD, tmp_path_factory.mktemp("nights")) as (pipeline, url):
        pipeline.nightly(BEFORE, first=FIRST)
        told = {"touched": touched(pipeline), "bea": pipeline.day("bea@acme.com", "2026-03-16")}
        sleep_until(NOW, url)
        pipeline.nightly(NOW, first=FIRST)
        yield pipeline, told


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The company, read once as it stands at the second night."""
    with serving(WORLD, tmp_path_factory.mktemp("fresh")) as (pipeline, url):
        sleep_until(NOW, url)
        pipeline.nightly(NOW, first=FIRST)
        yield pipeline


def touched(pipeline: Pipeline) -> dict[tuple[str, str], tuple[int, int]]:
    rows = pipeline.rows(
        "select r.name, activity_date::varchar as day, distinct_contacts_touched as c, distinct_accounts_touched as a "
        "from marts.daily_rep_contact_distincts as d inner join (select distinct rep_id, name from core.dim_rep) as r on d.rep_id = r.rep_id "
        "where d.rep_id <> -1 and distinct_contacts_touched > 0"
    )
    assert len(rows) == len({(row["name"], row["day"]) for row in rows})
    return {(row["name"], row["day"]): (row["c"], row["a"]) for row in rows}


def territories(pipeline: Pipeline) -> dict[tuple[str, str], int]:
    rows = pipeline.rows(
        "select activity_date::varchar as day, territory_id, calls_made from marts.daily_territory_activity where calls_made > 0"
    )
    return {(row["day"], row["territory_id"]): row["calls_made"] for row in rows}


# One call to Three on the 10th, Bea's to Four on the 16th; of One two contacts on the 17th, of one account; the three Twos on the 18th.
TOUCHED = {
    ("Ana", "2026-03-10"): (1, 1),
    ("Bea", "2026-03-16"): (1, 1),
    ("Ana", "2026-03-17"): (2, 1),
    ("Ana", "2026-03-18"): (3, 3),
}


def test_one_company_is_one_account_in_the_territory_that_any_crm_knows(fresh: Pipeline) -> None:
    """17 March: two contacts of One, one account, both calls in EMEA. 18 March: three contacts, three accounts, each in its own territory.
    10 March: Three's call in LATAM. 16 March: the 5 of Bea's to Four, which nobody knows the territory of."""
    assert touched(fresh) == TOUCHED
    assert territories(fresh) == {
        ("2026-03-10", "LATAM"): 1,
        ("2026-03-16", "-1"): 5,
        ("2026-03-17", "EMEA"): 2,
        ("2026-03-18", "AMER"): 1,
        ("2026-03-18", "APAC"): 1,
        ("2026-03-18", "EMEA"): 1,
    }
    deals = fresh.rows(
        "select territory_id, pipeline_created_amount as amount from marts.daily_territory_activity where deals_created > 0 order by 1"
    )
    assert [(deal["territory_id"], float(deal["amount"])) for deal in deals] == [("EMEA", 1000.0), ("LATAM", 1000.0)]


def test_a_touch_that_the_other_crm_knows_keeps_the_account_from_being_untouched(fresh: Pipeline) -> None:
    """Y is open at Three from 2 March on. Hal, whom only Salesforce knows, is called on the 10th; else nobody of Three is. X is open at One as
    well, of which nobody is called before the 17th. Four is worked on from the 16th, when it is called first, the Twos from the 18th."""
    rows = fresh.rows(
        "select activity_date::varchar as day, territory_id, accounts_worked_on, accounts_untouched_14d from marts.daily_untouched_account "
        "where activity_date in ('2026-03-16', '2026-03-19') order by 1, 2"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("2026-03-16", "-1", 1, 0), ("2026-03-16", "EMEA", 1, 1), ("2026-03-16", "LATAM", 1, 0),
        ("2026-03-19", "-1", 1, 0), ("2026-03-19", "AMER", 1, 0), ("2026-03-19", "APAC", 1, 0), ("2026-03-19", "EMEA", 2, 0),
        ("2026-03-19", "LATAM", 1, 0),
    ]  # fmt: skip


def test_a_company_that_joins_later_is_joined_by_a_night_as_by_a_rebuild(
    nights: tuple[Pipeline, Told], fresh: Pipeline
) -> None:
    """One gets its domain in Salesforce between two nights: what was told of it before is told anew, and as if it had always been so."""
    pipeline, before = nights
    assert before["touched"] == {**TOUCHED, ("Ana", "2026-03-17"): (2, 2)}
    assert touched(pipeline) == TOUCHED
    for table in TABLES:
        query = f"select * exclude (run_id, first_published_at, last_changed_at) from marts.{table} order by all"
        assert pipeline.rows(query) == fresh.rows(query), table


def test_a_call_that_two_crms_log_is_one_call(nights: tuple[Pipeline, Told]) -> None:
    """Four calls of the dialer, one an hour; both CRMs are told of each, Salesforce never with the dialer's id.

    10: the log in Salesforce says "wrong number": counted once, no conversation. 11: HubSpot's log carries the dialer's id; once, 120 s: a
    conversation. 12: two logs in HubSpot, none in Salesforce: one of the two is a call of its own, 2 calls and 2 conversations. 13: the
    Salesforce log of 13:00 comes a day late: 2 nights tell the same as one. 1 + 1 + 2 + 1 = 5 calls, 0 + 1 + 2 + 1 = 4 conversations.
    Ana's six calls nobody logs.
    """
    pipeline, before = nights
    expected = {"calls_made": 5, "calls_connected": 4, "calls_wrong_number": 1, "call_conversations": 4}
    for row in (before["bea"], pipeline.day("bea@acme.com", "2026-03-16")):
        assert {metric: row[metric] for metric in expected} == expected
    wanted = {cell: told for cell, told in truth(parse(WORLD), NOW).items() if FIRST <= cell[1] < NOW.date()}
    assert not differences(pipeline, wanted)
    found = pipeline.rows(
        "select call_origin, count(*) as n, count(match_rule) as matched from core.fct_call group by 1 order by 1"
    )
    assert [tuple(row.values()) for row in found] == [("crm_only", 1, 0), ("dialer", 6, 0), ("dialer+crm", 4, 4)]
    pipeline.con.execute("delete from meta.fact where name = 'built_definitions'")  # all is made anew
    pipeline.nightly(NOW, first=FIRST)
    row = pipeline.day("bea@acme.com", "2026-03-16")
    assert {metric: row[metric] for metric in expected} == expected
