"""Worked examples of follow-up, multi-threading, untouched accounts, ramp and off-hours (METRICS 4): the arithmetic by hand.

Ann lives in New York (UTC-5, UTC-4 from 2026-03-08), Bob in Tokyo (UTC+9). 2026-03-02 is a Monday.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pytest

from tests.golden.test_responses import ANN, BOB, Story, World, answer, call, company, mail, number, table, world
from tests.pipeline import Pipeline, serving
from transforms import model

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
FIRST = date(2026, 2, 1)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The company in which people follow up and ramp up. What nobody touched is told of all: that has a company of its own."""
    with serving(company(follow(), ramp()), tmp_path_factory.mktemp("company")) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST)
        yield pipeline


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with serving(people(), tmp_path_factory.mktemp("apart")) as (pipeline, _):
        pipeline.nightly(NOW, first=date(2025, 11, 25))
        yield pipeline


def follow() -> World:
    s = Story("follow", "44")
    return s.told(
        mails=[
            s.mail("m1", "03-02T15:00:00", 1),
            s.mail("m2", "03-06T15:00:00", 1),
            s.mail("m3", "02-10T15:00:00", 3),
            s.mail("m4", "03-02T15:00:00", 4),
            s.answer("r4", "03-12T15:00:00", 4, "m4"),
            s.mail("m5", "02-06T15:00:00", 5),
        ],
        calls=[
            s.call("d1", "03-04T15:00:00", 1),
            s.call("d2", "03-03T15:00:00", 2, 45),
            s.call("d3", "03-10T02:00:00", 3, rep="bob"),
            s.call("d5", "03-05T15:00:00", 5),
        ],
    )


def test_follow_up_by_week(night: Pipeline) -> None:
    """4, rank 5. C1: mail 2 March, call 4th, mail 6th. C2: reached by telephone on the 3rd. C3: mail 10 February, Bob calls on 10 March.
    C4: mail 2 March, answered on the 12th. C5: mail 6 February, call 5 March. Ann's weeks:
    23 Feb, as of 1 March: none touched; 30 days from 31 Jan: C3, C5; stalled: C3 (19 days), C5 (23 days).
    2 March, as of the 8th: C1, C2, C4, C5; touches 3 + 1 + 1 + 1 = 6; both C1. Gaps: C1 2 + 2 days, C5 27 (6 Feb to 5 March): 3, 31 days.
      30 days from 7 Feb (C5's mail is out): C1, C2, C3, C4, C5 = 5, thrice and both: C1. Stalled: C3 (26 days).
    9 March, as of the 15th: 30 days from 14 Feb: C1, C2, C4, C5. Stalled: none; C3 is Bob's since the 10th, C1 was touched 9 days before.
    16 March, as of Friday the 20th: 30 days from 19 Feb: the same 4. Stalled: C1 (14 days), C5 (15 days); C4 answered, C2 was reached."""
    columns = (
        "iso_week_start, as_of_date, contacts_touched, touches, contacts_touched_both_channels, gaps, gap_days, "
        "contacts_touched_30d, contacts_touched_3x_30d, contacts_touched_both_channels_30d, contacts_stalled, is_complete"
    )
    assert table(
        night,
        "weekly_follow_up",
        columns,
        "iso_week_start >= '2026-02-23' and contacts_touched_30d > 0",
        story="follow",
    ) == {
        ("Ann", "2026-02-23", "2026-03-01", 0, 0, 0, 0, 0, 2, 0, 0, 2, True),
        ("Ann", "2026-03-02", "2026-03-08", 4, 6, 1, 3, 31, 5, 1, 1, 1, True),
        ("Ann", "2026-03-09", "2026-03-15", 0, 0, 0, 0, 0, 4, 1, 1, 0, True),
        ("Ann", "2026-03-16", "2026-03-20", 0, 0, 0, 0, 0, 4, 1, 1, 2, False),
        ("Bob", "2026-03-09", "2026-03-15", 1, 1, 0, 0, 0, 1, 0, 0, 0, True),
        ("Bob", "2026-03-16", "2026-03-20", 0, 0, 0, 0, 0, 1, 0, 0, 0, False),
    }


def contact(key: str, account: str) -> World:
    n = int(key[1:])
    return {
        "key": key,
        "name": key,
        "emails": [f"c{n}@cust.com"],
        "phones": [number(n)],
        "account": account,
        "created_at": "2025-06-01T00:00:00Z",
    }


def deal(
    key: str,
    account: str,
    contacts: list[str],
    owner: str,
    opened: str,
    closed: str | None = None,
    how: str = "won",
    **more: Any,
) -> World:
    events = [{"at": f"2026-{opened}:00:00Z", "type": "created", "stage": "open", **more}]
    events += [{"at": f"2026-{closed}:00:00Z", "type": how}] if closed else []
    return {
        "key": key,
        "account": account,
        "contacts": contacts,
        "sourced_by": owner,
        "created_by": owner,
        "owner": owner,
        "events": events,
    }


def people() -> World:
    return world(
        accounts=[
            {"key": "A1", "name": "One", "territory": "EMEA", "changes": [{"at": "2026-03-11T00:00:00Z", "set": {"territory": "AMER"}}]},
            {"key": "A2", "name": "Two"},
            {"key": "A3", "name": "Three"},
        ],
        contacts=[contact("C1", "A1"), contact("C2", "A1"), contact("C3", "A2"), contact("C4", "A1"), contact("C5", "A3")],
        deals=[
            deal("X", "A1", ["C1", "C2"], "bob", "03-03T10", "03-12T10"),
            deal("Y", "A2", ["C1"], "ann", "03-05T16"),
            deal("Z", "A3", ["C5"], "ann", "03-04T16", "03-08T16", "lost"),
        ],
        calls=[
            call("d1", "02-08T15:00:00", 1, 90),
            call("d2", "03-06T15:00:00", 2, 90),
            call("d3", "03-07T03:00:00", 2, 90, rep="bob"),
            call("d4", "03-06T16:00:00", 4, 90),
        ],
        mails=[
            mail("m5", "", 5, sent_at="2025-12-01T15:00:00Z"),
            mail("m3", "03-09T15:00:00", 3),
            answer("r2", "03-04T15:00:00", 2),
        ],
    )  # fmt: skip


def test_people_on_deals_and_accounts_that_nobody_touched(apart: Pipeline) -> None:
    """4, ranks 6 and 7. Deals: X of Bob's with A1, contacts C1 and C2, 3 to 12 March; Y of Ann's with A2, contact C1, from 5 March; Z of Ann's
    with A3, contact C5, 4 to 8 March. Conversations: C1 on 8 February, in the 30 days up to 9 March; C2 on 6 and 7 March, one contact; C4 is
    on no deal.
    Bob: 3 March 1 deal, C1; 6th C1 and C2; 10th C2; 12th won, none. Ann: 5th Y and Z, C1; 9th Y, C1; 10th nobody.
    Read from 25 November on: 30 days are known on 24 December (25 Nov + 29), 14 days on 8 December (25 Nov + 13).

    Accounts. A3: mail on 1 December, worked on until 28 February (1 Dec + 89), untouched from 15 December (1 Dec + 14); again 4 to 7 March for
    its deal. A1, EMEA and AMER from 11 March: 8 February, 6 and 7 March; untouched 22 February to 5 March. A2: a deal from 5 March, first
    mail on the 9th; C2's own mail to us is no touch of ours."""
    wanted = (
        "activity_date in ('2025-12-23', '2025-12-24', '2026-03-03', '2026-03-05', "
        "'2026-03-06', '2026-03-09', '2026-03-10', '2026-03-12')"
    )
    columns = "activity_date, open_deals, deal_contacts_in_two_way_30d"
    found = table(apart, "daily_multithreading", columns, wanted)
    assert {row for row in found if row[0] == "Bob"} == {
        ("Bob", "2025-12-23", 0, None), ("Bob", "2025-12-24", 0, 0), ("Bob", "2026-03-03", 1, 1), ("Bob", "2026-03-05", 1, 1),
        ("Bob", "2026-03-06", 1, 2), ("Bob", "2026-03-09", 1, 2), ("Bob", "2026-03-10", 1, 1), ("Bob", "2026-03-12", 0, 0),
    }  # fmt: skip
    assert {row[1:] for row in found if row[0] == "Ann" and row[1] > "2026-03-04"} == {
        ("2026-03-05", 2, 1), ("2026-03-06", 2, 1), ("2026-03-09", 1, 1), ("2026-03-10", 1, 0), ("2026-03-12", 1, 0),
    }  # fmt: skip
    org = apart.con.execute(
        f"select activity_date::varchar, open_deals, deal_contacts_in_two_way_30d from marts.daily_org_multithreading where {wanted} order by 1"
    ).fetchall()
    # 3 March: X and C1; Y is not open yet. 6th: X 2 + Y 1 + Z 0. 10th: X 1 + Y 0.
    assert [org[i] for i in (2, 4, 6)] == [("2026-03-03", 1, 1), ("2026-03-06", 3, 3), ("2026-03-10", 2, 1)]

    dates = ["2025-12-07", "2025-12-08", "2025-12-14", "2025-12-15", "2026-02-28", "2026-03-01", "2026-03-05", "2026-03-06", "2026-03-08",
             "2026-03-09", "2026-03-11"]  # fmt: skip
    accounts = apart.con.execute(
        "select activity_date::varchar, rep_id, territory_id, accounts_worked_on, accounts_untouched_14d from marts.daily_untouched_account "
        "where list_contains(?, activity_date::varchar) order by all",
        [dates],
    ).fetchall()
    assert accounts == [
        ("2025-12-07", -1, "-1", None, None),
        ("2025-12-08", -1, "-1", 1, 0),
        ("2025-12-14", -1, "-1", 1, 0),
        ("2025-12-15", -1, "-1", 1, 1),
        ("2026-02-28", -1, "-1", 1, 1), ("2026-02-28", -1, "EMEA", 1, 1),
        ("2026-03-01", -1, "EMEA", 1, 1),
        ("2026-03-05", -1, "-1", 2, 2), ("2026-03-05", -1, "EMEA", 1, 1),
        ("2026-03-06", -1, "-1", 2, 2), ("2026-03-06", -1, "EMEA", 1, 0),
        ("2026-03-08", -1, "-1", 1, 1), ("2026-03-08", -1, "EMEA", 1, 0),
        ("2026-03-09", -1, "-1", 1, 0), ("2026-03-09", -1, "EMEA", 1, 0),
        ("2026-03-11", -1, "-1", 1, 0), ("2026-03-11", -1, "AMER", 1, 0),
    ]  # fmt: skip
    # The sandbox's companies have no owner: given to Bob, A1 is counted with him.
    apart.con.execute(
        "update staging.stg_crm_company set owner_user_id = (select min(user_id) from staging.stg_crm_user where email = 'bob@acme.com') "
        "where name = 'One'"
    )
    mart = next(m for m in model.load(model.root()) if m.table == "marts.daily_untouched_account")
    owned = apart.con.execute(
        "select distinct (select min(name) from core.dim_rep as d where d.rep_id = t.rep_id), territory_id "
        f"from ({mart.select}) as t order by all"
    ).fetchall()
    assert owned == [("Bob", "AMER"), ("Bob", "EMEA"), ("Unknown", "-1")]


def ramp() -> World:
    s = Story("ramp", "45")
    return s.told(
        reps=[s.rep(ANN, hire_date="2026-02-10", segment="mid"), s.rep(BOB, hire_date="2025-01-01")],
        accounts=[{"key": "ramp-A1", "name": "One", "segment": "mid"}, {"key": "ramp-A2", "name": "Two", "segment": "small"}],
        contacts=[s.contact(1, account="ramp-A1"), s.contact(2, account="ramp-A2"), s.contact(3, account="ramp-A2")],
        calls=[
            s.call("d1", "02-12T15:00:00", 1),
            s.call("d2", "03-09T15:00:00", 1, 90),
            s.call("d3", "03-10T12:30:00", 2),
            s.call("d4", "03-14T15:00:00", 1),
            s.call("d5", "03-10T15:00:00", 9),
            s.call("i1", "03-10T21:00:00", 1, 45, direction="inbound"),
            s.call("b1", "03-03T02:00:00", 3, rep="bob"),
        ],
        mails=[
            s.mail("m1", "03-10T13:00:00", 3),
            s.mail("s1", "03-10T23:00:00", 1, kind="sequence", sequencer={"system": "hubspot", "step": 1}),
        ],
        meetings=[
            {"key": "w1", "rep": "ramp-ann", "host": "ramp-ann", "contacts": ["ramp-C1"], "booked_at": "2026-03-10T16:00:00Z",
             "start_at": "2026-03-10T18:00:00Z", "end_at": "2026-03-10T18:30:00Z", "outcome": "held"},
        ],
        deals=[deal("X", "ramp-A1", ["ramp-C1"], "ramp-ann", "03-11T16", "03-16T16", amount="500.00")],
    )  # fmt: skip


def test_ramp_off_hours_focus_and_what_a_deal_takes(night: Pipeline) -> None:
    """4, ranks 3, 9 and 10. Ann, of segment mid, was hired on 10 February 2026; in New York 9 to 17 is 13Z to 21Z from 8 March on.
    10 March: d3 12:30Z (8:30) and the call taken at 21:00Z (17:00) are off hours; m1 13:00Z (9:00), d5 and w1 are not: 5, 2 off.
      Touches with a known segment: d3, m1 (small), s1, w1 (mid) = 4, own 2; d5 went to nobody known, the call taken is no touch.
    Saturday the 14th: d4: 1, 1 off, on a day off; 1 touch, 1 own. Bob has no segment: NULL.
    Month 1, 10 February to 9 March, 28 days, 4 + 5 + 5 + 5 + 1 = 20 working days: d1, d2, of which d2 a conversation.
    Month 2, to 9 April, 11 days so far, 4 + 5 = 9 working: d3, d4, d5; w1 booked; deal X, won at 500.
    First call 12 February (2), meeting 10 March (28), deal 11 March (29), win 16 March (34). Bob, hired in 2025, was not observed.
    March, all: calls d2-d5 and Bob's = 5, connected, conversation, meeting, deal 1 each; activities 5 + 2 mails + 1 meeting = 8. Who follows
    up makes 4 calls, of which one connects, and sends 3 mails: 9 calls, 2 connected; activities 9 + 5 + 1 = 15. In February only mails."""
    columns = "activity_date, activities, activities_off_hours, off_day_activities, touches_known_segment, touches_own_segment"
    assert table(
        night, "daily_off_hours", columns, "activities > 0 and activity_date >= '2026-03-10'", story="ramp"
    ) == {
        ("Ann", "2026-03-10", 5, 2, 0, 4, 2),
        ("Ann", "2026-03-14", 1, 1, 1, 1, 1),
    }
    assert table(night, "daily_off_hours", columns, "activity_date = '2026-03-03'", story="ramp") == {
        ("Ann", "2026-03-03", 0, 0, 0, 0, 0),
        ("Bob", "2026-03-03", 1, 0, 0, None, None),
    }
    columns = (
        "tenure_month, starts_on, ends_on, days_expected, working_fraction, calls_made, call_conversations, meetings_booked, deals_created, "
        "won_amount::integer, is_complete"
    )
    assert table(night, "cohort_ramp", columns, "hire_date > '2026-01-01'") == {
        ("Ann", 1, "2026-02-10", "2026-03-09", 28, 20.0, 2, 1, 0, 0, 0, True),
        ("Ann", 2, "2026-03-10", "2026-04-09", 11, 9.0, 3, 0, 1, 1, 500, False),
    }
    columns = (
        "is_observed, first_call_date, days_to_first_call, days_to_first_meeting, days_to_first_deal, days_to_first_win"
    )
    assert table(night, "rep_first_events", columns, story="ramp") == {
        ("Ann", True, "2026-02-12", 2, 28, 29, 34),
        ("Bob", False, "2026-03-03", None, None, None, None),
    }
    with duckdb.connect(night.published(), read_only=True) as published:
        ratios = published.execute(
            "select month_start::varchar, calls_made, dials_per_connect, dials_per_conversation, dials_per_meeting, dials_per_deal, "
            "activities_per_deal from v_activity_ratios order by 1"
        ).fetchall()
    assert ratios == [("2026-02-01", 1, None, None, None, None, None), ("2026-03-01", 9, 4.5, 9.0, 9.0, 9.0, 15.0)]
