"""Use of the CRM and of the tools (METRICS 0.1, 0.4, 1 rows 1 to 1e and 5): one company, every number worked out by hand.

All of it is one world, read for two nights; but for what is deleted or merged between them, all is told of the first.
In March 2026 New York is UTC-4 (from the 8th), London UTC, Berlin UTC+1, Tokyo UTC+9.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.pipeline import Pipeline, serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
FIRST = date(2026, 3, 1)
CORA = "+442071838750"
World = dict[str, Any]


def at(when: str) -> str:
    """An instant of March 2026: "16 14:00" or with seconds, UTC."""
    day, clock = when.split()
    return f"2026-03-{day}T{clock if clock.count(':') == 2 else clock + ':00'}Z"


def later(when: str, seconds: int) -> str:
    return (datetime.fromisoformat(at(when)) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def rep(key: str, zone: str) -> World:
    return {"key": key, "name": key.title(), "email": f"{key}@acme.com", "timezone": zone, "team": "T1"}


def write(when: str, who: str, key: str, what: str = "contact", **more: Any) -> World:
    return {"at": at(when), "by": who, "object": what, "key": key, "property": "description", **more}


def call(key: str, who: str, when: str, talk: int | None, **more: Any) -> World:
    """An outbound call to Cora, answered after 10 s and `talk` s long; None: nobody answered, over after 30 s."""
    end = later(when, 30 if talk is None else 10 + talk)
    return {
        "key": key, "rep": who, "number": CORA, "started_at": at(when), "answered_at": None if talk is None else later(when, 10),
        "ended_at": end, "result": "no_answer" if talk is None else "answered", **more,
    }  # fmt: skip


def mail(key: str, who: str, when: str, **more: Any) -> World:
    return {
        "key": key, "rep": who, "from": f"{who}@acme.com", "to": ["cora@cust.com"], "sent_at": at(when),
        "message_id": f"<{key}@mail.acme.com>", **more,
    }  # fmt: skip


def logged(when: str, **more: Any) -> World:
    return {"logged_at": at(when), **more}


def note(key: str, who: str, when: str, **more: Any) -> World:
    return {"key": key, "rep": who, "at": at(when), "contact": "C1", **more}


def task(key: str, who: str, due: str, done: str | None, **more: Any) -> World:
    """done: when it was completed; None: not completed."""
    return {
        "key": key, "rep": who, "due_date": f"2026-03-{due}", "created_at": at("02 09:00"), "contact": "C1",
        "status": "completed" if done else "not_started", "completed_at": at(done) if done else None, **more,
    }  # fmt: skip


def meeting(key: str, who: str, when: str, booked: str, outcome: str, **more: Any) -> World:
    """Half an hour from `when`; the CRM has it from `booked` on."""
    return {
        "key": key, "rep": who, "contacts": ["C1"], "start_at": at(when), "end_at": later(when, 1800), "booked_at": at(booked),
        "outcome": outcome, "crm": {"logged_at": at(booked)}, **more,
    }  # fmt: skip


def contact(key: str, when: str, who: str, **more: Any) -> World:
    return {"key": key, "name": key, "account": "A1", "created_at": at(when), "created_by": who, **more}


WRITES = [
    write("16 14:00:05", "ann", "C1"),
    write("16 14:00:50", "ann", "C1", property="jobtitle"),
    write("16 14:01:00", "ann", "C1"),
    write("16 14:01:30", "ann", "C2"),
    write("16 14:02:00", "ann", "C3", via="mobile"),
    write("16 14:02:10", "ann", "A1", "company"),
    write("16 14:02:20", "ann", "X", "deal"),
    write("17 03:59:59", "ann", "C1"),
    write("17 04:00:00", "ann", "C1"),
    write("16 14:00:30", "cem", "C1"),
    write("16 14:05:00", "xen", "C1"),
    *(write(f"16 15:0{n}:00", "ann", "C1", via=via) for n, via in enumerate(("import", "api", "automation"))),
    write("16 15:09:00", "integration", "C1", via="api"),
    write("06 10:00:00", "cem", "C1", via="automation"),
]
DEALS = [
    {"key": "X", "account": "A1", "created_by": "integration", "owner": "cem", "events": [
        {"at": at("02 10:00"), "type": "created", "stage": "open", "amount": "100.00"},
        {"at": at("16 14:02:40"), "type": "stage", "stage": "qualified", "by": "ann"},
        {"at": at("16 14:03:10"), "type": "amount", "amount": "200.00", "by": "ann"},
        {"at": at("16 14:04:10"), "type": "amount", "amount": "300.00"}]},
    {"key": "Y", "account": "A1", "created_by": "ann", "owner": "cem", "sourced_by": "cem", "events": [
        {"at": at("12 15:10"), "type": "created", "stage": "open", "amount": "100.00"}]},
]  # fmt: skip
CONTACTS = [
    {
        "key": "C1",
        "name": "Cora",
        "emails": ["cora@cust.com"],
        "phones": [CORA],
        "account": "A1",
        "created_at": "2025-06-01T00:00:00Z",
    },
    {"key": "C2", "name": "Dan", "emails": ["dan@cust.com"], "account": "A1", "created_at": "2025-06-01T00:00:00Z"},
    {
        "key": "C3",
        "name": "Eve",
        "emails": ["eve@cust.com"],
        "account": "A1",
        "created_at": "2025-06-01T00:00:00Z",
        "owner": "cem",
    },
    contact("K1", "12 15:00", "ann"),
    contact("K2", "13 03:30", "ann", created_via="mobile"),
    contact("K3", "13 15:00", "ann", created_via="import"),
    contact("K4", "12 15:00", "integration"),
    contact("K5", "12 15:20", "ann", deleted_at=at("18 10:00")),
]
LOGGED_BY_HAND = {
    "notes": [
        note("N1", "ann", "10 14:10"),
        note("N2", "ann", "06 14:00", crm=logged("10 14:20")),
        note("N3", "ann", "10 14:30", deleted_at=at("12 10:00")),
        note("N4", "ann", "11 03:30"),
    ],
    "tasks": [
        task("K1", "ann", "20", "10 16:00"),
        task("K2", "ann", "10", None),
        task("K3", "cem", "10", "10 16:10", completed_by="ann"),
        task("K4", "ann", "12", "11 03:59"),
        task("K5", "bob", "11", None, status="completed"),
        task("K7", "bob", "27", None, status="completed"),
        task("K6", "ann", "25", None, created_at=at("10 16:30")),
    ],
    "calls": [
        call("D1", "ann", "09 14:00", 60, crm=logged("10 15:00", external_id=True)),
        call("D2", "cem", "09 14:30", 60, crm=logged("10 15:40", external_id=True, logged_by="ann")),
        call("D3", "ann", "09 16:00", 60, crm=logged("10 15:45", external_id=True, via="integration")),
        call("D4", "ann", "09 17:00", 60, crm=logged("10 15:50", external_id=True, logged_by="integration")),
        call("D5", "ann", "14 15:00", None),
    ],
    "mails": [
        mail("m1", "ann", "09 15:00", crm=logged("10 15:10", contacts=["C1"])),
        mail("m2", "ann", "09 15:30", crm=logged("10 15:15", contacts=["C1"], via="automation")),
    ],
    "meetings": [
        meeting("W1", "ann", "12 16:00", "10 15:20", "held"),
        meeting("W2", "cem", "12 10:00", "10 15:30", "held", booked_by="ann"),
    ],
}
IN_TIME = {
    "calls": [
        call("L1", "gil", "02 10:00", 90, crm=logged("03 10:01:40", external_id=True)),
        call("L2", "gil", "02 11:00", 90, crm=logged("03 11:01:41", external_id=True)),
        call("L3", "gil", "02 12:00", 90),
        call("L4", "gil", "02 13:00", None, crm=logged("02 13:10", external_id=True)),
        call("L5", "gil", "02 14:00", 90, crm=logged("02 15:00", external_id=True, logged_by="integration")),
        call(
            "L6",
            "gil",
            "02 15:00",
            90,
            dialer=None,
            crm=logged("02 15:10", disposition="Connected", duration_seconds=90),
        ),
        call("L7", "gil", "02 16:00", 29, crm=logged("02 16:10", external_id=True)),
        call("L8", "gil", "02 20:00", 90, crm=logged("02 20:10", external_id=True, deleted_at=at("05 10:00"))),
    ],
    "mails": [
        mail("p1", "gil", "02 10:30", crm=logged("03 10:30", contacts=["C1"])),
        mail("p2", "gil", "02 10:40", crm=logged("03 10:40:01", contacts=["C1"])),
        mail("p3", "gil", "02 10:50"),
        mail("p4", "gil", "02 11:10", kind="sequence", sequencer={"system": "hubspot", "step": 1}),
        mail("p5", "gil", "02 11:20", to=["ann@acme.com"]),
        mail("p6", "gil", "02 11:30", to=["qa@test.example"]),
        mail("p7", "gil", "02 11:40", kind="bulk"),
    ],
    "meetings": [
        meeting("H1", "gil", "02 17:00", "01 09:00", "held"),
        meeting("H2", "gil", "02 18:00", "03 18:30", "held"),
        meeting("H3", "gil", "02 19:00", "03 19:30:01", "held"),
        meeting("H4", "gil", "02 20:00", "01 09:00", "no_show"),
    ],
}


def gone(who: str, when: str) -> dict[str, list[World]]:
    """Seven records of a rep's, changed on the 3rd each in a minute of its own, and what is deleted or merged at some instant."""
    deleted = {"deleted_at": at(when)}
    deal = {"owner": who, "created_by": "integration"}
    made = {"at": at("02 09:00"), "type": "created", "stage": "open"}
    changed = (
        ("contact", "K1"),
        ("contact", "K2"),
        ("contact", "K3"),
        ("company", "A2"),
        ("note", "N"),
        ("deal", "X"),
        ("deal", "Y"),
    )
    return {
        "reps": [rep(who, "UTC")],
        "contacts": [
            {"key": f"{who}-K1", "emails": [f"k1@{who}.com"]},
            {"key": f"{who}-K2", "emails": [f"k2@{who}.com"], "merged_into": f"{who}-K1", "merged_at": at(when)},
            {"key": f"{who}-K3", "emails": [f"k3@{who}.com"], **deleted},
        ],
        "accounts": [{"key": f"{who}-A1"}, {"key": f"{who}-A2", "merged_into": f"{who}-A1", "merged_at": at(when)}],
        "notes": [note(f"{who}-N", who, "02 09:00", contact=f"{who}-K1", **deleted)],
        "deals": [
            {"key": f"{who}-X", **deal, "events": [made, {"at": at(when), "type": "deleted"}]},
            {"key": f"{who}-Y", **deal, "events": [made, {"at": at(when), "type": "merged_into", "deal": f"{who}-Z"}]},
            {"key": f"{who}-Z", **deal, "events": [made]},
        ],
        "crm_writes": [write(f"03 1{i}:00", who, f"{who}-{key}", what) for i, (what, key) in enumerate(changed)],
    }  # fmt: skip


GONE = {"kim": gone("kim", "20 12:00"), "zoe": gone("zoe", "10 00:00")}  # between the nights, and before the first one
WORLD: World = {
    "company": {
        "now": "2026-03-20T06:00:00Z", "reporting_timezone": "UTC", "reporting_currency": "EUR", "internal_domains": ["acme.com"],
        "test_domains": ["test.example"], "systems": {"crm": "hubspot", "dialer": "cloudtalk", "mail": "gmail"},
    },
    "teams": [{"key": "T1", "name": "One"}],
    "reps": [rep("ann", "America/New_York"), rep("bob", "Asia/Tokyo"), rep("cem", "Europe/Berlin"), rep("gil", "Europe/London")],
    "users_without_rep": [{"key": "xen", "system": "crm", "email": "xen@else.com"}],
    "accounts": [
        {"key": "A1", "name": "Cust", "domain": "cust.com"},
        {"key": "A2", "name": "New", "domain": "new.com", "created_at": at("12 15:05"), "created_by": "ann"},
    ],
    "contacts": CONTACTS,
    "deals": DEALS,
    "crm_writes": WRITES,
    "notes": LOGGED_BY_HAND["notes"],
    "tasks": LOGGED_BY_HAND["tasks"],
    **{name: [*LOGGED_BY_HAND[name], *IN_TIME[name]] for name in ("calls", "mails", "meetings")},
    "logins": [
        {"rep": "cem", "system": "crm", "at": at("04 10:00")}, {"rep": "cem", "system": "crm", "at": at("05 10:00"), "succeeded": False},
        {"rep": "bob", "system": "crm", "at": at("03 20:00")}, {"rep": "cem", "system": "dialer", "at": at("11 10:00")},
        {"rep": "ann", "system": "crm", "at": at("16 15:00")},
    ],
    "seats": [
        {"rep": "ann", "tool": "crm", "from": "2026-01-01"}, {"rep": "ann", "tool": "dialer", "from": "2026-01-01"},
        {"rep": "ann", "tool": "linkedin", "from": "2026-03-10", "to": "2026-03-12"}, {"rep": "cem", "tool": "crm", "from": "2026-01-01"},
    ],
}  # fmt: skip


for name in GONE["kim"]:
    WORLD[name] = [*WORLD[name], *GONE["kim"][name], *GONE["zoe"][name]]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pipeline, str]]:
    """The company after its first night, and the sandbox's URL."""
    with serving(WORLD, tmp_path_factory.mktemp("crm")) as (pipeline, url):
        pipeline.nightly(NOW, first=FIRST)
        yield pipeline, url


@pytest.fixture(scope="module")
def night(sandbox: tuple[Pipeline, str]) -> Pipeline:
    """The company after its first night; or after the second one, which moves no day but Kim's."""
    return sandbox[0]


def days(pipeline: Pipeline, who: str, metric: str, *wanted: str) -> dict[str, Any]:
    """That metric on days of March. who: a rep's key, or "-1"."""
    found = pipeline.rows(
        f"select strftime(activity_date, '%d') as d, {metric} as value from marts.daily_rep_activity where activity_date in "
        "(select unnest(?)::date) and rep_id in (select rep_id from core.dim_rep where email = ? union all select -1 where ? = '-1')",
        [[f"2026-03-{d}" for d in wanted], f"{who}@acme.com", who],
    )
    return {r["d"]: r["value"] for r in found}


def tool(pipeline: Pipeline, who: str, name: str, day: str) -> World:
    found = pipeline.rows(
        "select * from marts.daily_tool_usage where activity_date = ? and tool = ? "
        "and rep_id in (select rep_id from core.dim_rep where email = ?)",
        [f"2026-03-{day}", name, f"{who}@acme.com"],
    )
    assert len(found) == 1, found
    return found[0]


def test_writes_are_distinct_by_record_user_and_minute(night: Pipeline) -> None:
    """1b. Ann's 16th: C1 at 14:00 (two properties in one minute: 1) and 14:01 (2), C2 (3), C3, which Cem owns, by telephone (4), A1 (5), X at
    14:02, description and stage in one minute (6), and at 14:03 (7), C1 at 23:59:59 in New York (8); one second later is her 17th: 1.
    Import, API, automation and the integration count for nobody, nor does the amount of 14:04, which nobody in particular changed.
    Cem changed C1 in Ann's minute: 1 of his own. Xen is no rep: -1."""
    assert days(night, "ann", "crm_writes", "15", "16", "17") == {"15": 0, "16": 8, "17": 1}
    assert days(night, "cem", "crm_writes", "06", "16") == {"06": 0, "16": 1}
    assert days(night, "-1", "crm_writes", "16") == {"16": 1}


def test_records_created_are_those_a_human_made_and_that_still_exist(night: Pipeline) -> None:
    """1c. Ann's 12th: K1, A2, Y (sourced and owned by Cem: it is she who made it), K2 by telephone at 23:30 = 4. K3 was imported, K4 came from
    the integration, K5 was deleted on the 18th. What a record is made with is no change: no writes."""
    assert days(night, "ann", "crm_records_created", "11", "12", "13") == {"11": 0, "12": 4, "13": 0}
    assert days(night, "ann", "crm_writes", "12") == {"12": 0}
    assert days(night, "cem", "crm_records_created", "12") == {"12": 0}


def test_activities_logged_by_hand_count_when_they_were_logged_for_who_logged_them(night: Pipeline) -> None:
    """1d, 0.1. Ann's 10th: N1; N2, about the 6th; N4 at 23:30; D1, m1, of the 9th; W1 and W2, booked for herself and for Cem; D2, Cem's call;
    tasks K1 (due on the 20th), K3 (Cem's, completed by her), K4 at 23:59 = 11. Not: N3 (deleted), D3 and D4 (integration), m2 (automation), K2
    (due that day, but open), K6 (made that day, but open). The calls and the mails stand on the 9th: 3 calls (D1, D3, D4), 2 mails."""
    assert days(night, "ann", "crm_activities_logged", "06", "09", "10", "11", "12") == {
        "06": 0,
        "09": 0,
        "10": 11,
        "11": 0,
        "12": 0,
    }
    assert days(night, "cem", "crm_activities_logged", "10", "12") == {"10": 0, "12": 0}
    assert days(night, "ann", "calls_made", "09", "10") == {"09": 3, "10": 0}
    assert days(night, "ann", "emails_sent", "09", "10") == {"09": 2, "10": 0}


def test_a_task_without_time_of_completion_counts_on_its_due_date_as_it_stands(night: Pipeline) -> None:
    """0.1. Bob's K5 is completed, nobody knows when: the due date, the 11th, which in Tokyo begins on the 10th in UTC.
    K7, likewise, is due on the 27th: that day is not there yet."""
    assert days(night, "bob", "crm_activities_logged", "02", "10", "11", "12") == {"02": 0, "10": 0, "11": 1, "12": 0}
    assert days(night, "bob", "crm_active", "10", "11", "12") == {"10": 0, "11": 1, "12": 0}


def test_a_day_with_a_login_or_a_human_write_is_an_active_one(night: Pipeline) -> None:
    """1a. Cem: signed in on the 4th; failed to on the 5th; automation in his name on the 6th; signed in to the dialer on the 11th; wrote on the
    16th; on the 10th others wrote for him. Bob signed in at 20:00Z on the 3rd: the 4th in Tokyo. Ann made records on the 12th, wrote on the
    16th; her import of the 13th is none. Org, 4th: Cem and Bob."""
    assert days(night, "cem", "crm_active", "04", "05", "06", "10", "11", "16") == {
        "04": 1,
        "05": 0,
        "06": 0,
        "10": 0,
        "11": 0,
        "16": 1,
    }
    assert days(night, "bob", "crm_active", "03", "04") == {"03": 0, "04": 1}
    assert days(night, "ann", "crm_active", "09", "10", "12", "13", "16") == {
        "09": 0,
        "10": 1,
        "12": 1,
        "13": 0,
        "16": 1,
    }
    org = night.rows("select crm_active_reps from marts.daily_org_activity where activity_date = '2026-03-04'")
    assert org == [{"crm_active_reps": 2}]


def test_logged_within_24_hours_of_the_end(night: Pipeline) -> None:
    """1e. Gil's 2nd. To be logged: calls L1, L2, L3, L5, L8 = 5 (L4 nobody answered, L6 is not in the dialer, L7 is short), mails p1, p2, p3 = 3
    (p4 is a sequence, p5 internal, p6 to a test record, p7 bulk), meetings H1, H2, H3 = 3 (H4: no-show) = 11. Logged in time: L1, p1, H2 (24 h
    after their end, to the second), L5 (by whomever), H1 (before it was held) = 5. Not: L2, p2, H3 (a second later), L3, p3 (never),
    L8 (log deleted)."""
    assert days(night, "gil", "loggable_activities", "02", "03") == {"02": 11, "03": 0}
    assert days(night, "gil", "logged_activities_24h", "02", "03") == {"02": 5, "03": 0}


def test_tools_assigned_and_used(night: Pipeline) -> None:
    """5, 5a. Ann has CRM and dialer, and LinkedIn from the 10th to the 12th. She uses dialer and mail on the 9th (2), the CRM alone on the 10th
    (1), nothing on the 11th. Cem has the CRM; uses the dialer on the 9th, the CRM on the 4th by a sign-in. Gil has no seat at all."""
    assert days(night, "ann", "tools_assigned", "09", "10", "11", "13") == {"09": 2, "10": 3, "11": 3, "13": 2}
    assert days(night, "ann", "tools_active", "09", "10", "11") == {"09": 2, "10": 1, "11": 0}
    assert days(night, "cem", "tools_assigned", "04") == {"04": 1}
    assert days(night, "cem", "tools_active", "04", "05", "09") == {"04": 1, "05": 0, "09": 1}
    assert days(night, "gil", "tools_assigned", "02") == {"02": 0}


def test_a_seat_is_used_or_idle_and_use_without_a_seat_is_a_leak(night: Pipeline) -> None:
    """5b. Ann: dialer on Monday the 9th: an assigned and active seat-day; on the 10th assigned only; on Saturday the 14th she dials, but it is
    no working day, so neither. Mail on the 9th without a seat: a leak. LinkedIn: no source tells. Cem's sign-in: evidence is the login."""
    found = {d: tool(night, "ann", "dialer", d) for d in ("09", "10", "14")}
    assert {d: (r["is_active"], r["has_seat"], r["assigned_seat_days"], r["active_seat_days"]) for d, r in found.items()} == {
        "09": (True, True, 1, 1), "10": (False, True, 1, 0), "14": (True, True, 0, 0)
    }  # fmt: skip
    assert (found["09"]["actions"], found["09"]["evidence"], found["09"]["is_unassigned_use"]) == (3, "action", False)
    leak = tool(night, "ann", "mail", "09")
    assert (leak["is_active"], leak["has_seat"], leak["is_unassigned_use"], leak["actions"]) == (True, False, True, 2)
    unseen = tool(night, "ann", "linkedin", "11")
    assert (unseen["is_active"], unseen["has_seat"], unseen["source_status"]) == (None, True, "not_applicable")
    signed = tool(night, "cem", "crm", "04")
    assert (signed["is_active"], signed["evidence"], signed["has_seat"]) == (True, "login", True)


def test_a_sign_in_is_no_action_beside_actions(night: Pipeline) -> None:
    """5a. Ann signed in on the 16th and wrote 8 times that day: 8 actions, not 9. All that is known of Cem's 4th is a sign-in: 1."""
    beside, alone = tool(night, "ann", "crm", "16"), tool(night, "cem", "crm", "04")
    assert (beside["actions"], beside["evidence"]) == (8, "action")
    assert (alone["actions"], alone["evidence"]) == (1, "login")


def test_changes_of_what_was_deleted_or_merged_since(sandbox: tuple[Pipeline, str]) -> None:
    """1b, 0.4, 0.9. Kim changed seven records on the 3rd, each in a minute of its own, and made a note on the 2nd: 7 changes as of the first
    night. On the 20th the contact K3, the deal X and the note are deleted, and K2, A2 and Y merged into K1, A1 and Z: K1's own, and those of
    K2, A2 and Y, which the survivors keep: 4. Of Zoe the same was deleted and merged before anybody read: whoever begins to read then says
    the same, 4."""
    pipeline, url = sandbox
    assert [days(pipeline, who, "crm_writes", "03")["03"] for who in ("kim", "zoe")] == [7, 4]
    second = NOW + timedelta(days=1)
    httpx.post(f"{url}/__sandbox__/now", json={"now": second.isoformat()}).raise_for_status()
    pipeline.nightly(second, first=FIRST)
    assert [days(pipeline, who, "crm_writes", "03")["03"] for who in ("kim", "zoe")] == [4, 4]
