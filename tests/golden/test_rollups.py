"""Roll-ups by hand (METRICS 0.2, 0.6, 0.7): the ISO week over new year, a change of team in it, joiners and leavers, and the tidy form.

Monday 2025-12-29 to Sunday 2026-01-04 is week 1 of 2026. All zones UTC. Calls by contact (0 to 8), * connected, ** a conversation:
  ann (T1, DE)       29 Dec 0**   30 Dec 0   2 Jan 1* 0                      half a day of leave on 2 January
  bob (US-CA)        29 Dec 0   30 Dec 1   |   31 Dec 2**   1 Jan 0          T1 until the 30th, T2 from the 31st on
  cem (T2, GB)       1 Jan 2   3 Jan 5                                       hired on 1 January
  dan (T2)           29 Dec 6   30 Dec 6            2 Jan 6                  last day 30 December; the call of 2 January is a call all the same
  eve (no team)      4 Jan 7 at 23:59:59, 5 Jan 7 at 00:00:00
1 January is a holiday in DE, US-CA and GB; dan and eve have no region, so that weekdays alone are theirs.
Contacts 0 to 4 belong to A1, the others to A2.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pytest

from tests.golden.examples import call, contact, rep, world
from tests.pipeline import Pipeline, serving

NOW = datetime(2026, 1, 14, 6, tzinfo=UTC)
WEEK = "2025-12-29"
CALLS = [
    ("ann", 0, "2025-12-29T10:00:00Z", 90), ("ann", 0, "2025-12-30T10:00:00Z", None), ("ann", 1, "2026-01-02T10:00:00Z", 30),
    ("ann", 0, "2026-01-02T11:00:00Z", None), ("bob", 0, "2025-12-29T12:00:00Z", None), ("bob", 1, "2025-12-30T12:00:00Z", None),
    ("bob", 2, "2025-12-31T10:00:00Z", 60), ("bob", 0, "2026-01-01T10:00:00Z", None), ("cem", 2, "2026-01-01T12:00:00Z", None),
    ("cem", 5, "2026-01-03T12:00:00Z", None), ("dan", 6, "2025-12-29T09:00:00Z", None), ("dan", 6, "2025-12-30T09:00:00Z", None),
    ("dan", 6, "2026-01-02T09:00:00Z", None), ("eve", 7, "2026-01-04T23:59:59Z", None), ("eve", 7, "2026-01-05T00:00:00Z", None),
]  # fmt: skip


def number(of: int) -> str:
    return f"+4420718387{of:02}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    case = world([], NOW)
    case |= {
        "reps": [
            rep("ann", region="DE"),
            rep("bob", region="US-CA", changes=[{"at": "2025-12-31T00:00:00Z", "set": {"team": "T2"}}]),
            rep("cem", team="T2", region="GB", hire_date="2026-01-01"),
            rep("dan", team="T2", end_date="2025-12-30"),
            rep("eve", team=None),
        ],
        "accounts": [{"key": "A1", "name": "One"}, {"key": "A2", "name": "Two"}],
        "contacts": [contact(f"c{i}", phones=[number(i)], account="A1" if i < 5 else "A2") for i in range(9)],
        "calls": [call(f"K{n}", who, number(of), at, talk) for n, (who, of, at, talk) in enumerate(CALLS)],
        "availability": [{"rep": "ann", "date": "2026-01-02", "working_fraction": 0.5, "leave_type": "leave"}],
    }
    with serving(case, tmp_path_factory.mktemp("rollups")) as (pipeline, _):
        pipeline.nightly(NOW, first=date(2025, 12, 1))
        yield pipeline


def only(built: Pipeline, query: str, *parameters: object) -> dict[str, Any]:
    (row,) = built.rows(query, parameters)
    return row


def expect(row: dict[str, Any], **values: Any) -> None:
    assert {name: row[name] for name in values} == values


WEEK_OF = "select * from marts.weekly_rep_activity where iso_week_start = ? and rep_name = ?"


def test_a_reps_week_over_new_year(built: Pipeline) -> None:
    """Ann: 4 calls, contacts 0 and 1 of one account; works 29, 30, 31 and half of the 2nd: 3.5. Cem: from Thursday on 4 days, of which the 2nd
    is his only working day. Dan: two days, for nobody expects the one on which
    he called after he had left. Eve's call of the last second of Sunday is the week's, the next one is not."""
    expect(
        only(built, WEEK_OF, WEEK, "Ann"), iso_year=2026, iso_week=1, calls_made=4, calls_connected=2, call_conversations=1, days_expected=7,
        distinct_contacts_called=2, distinct_accounts_touched=1, working_fraction=3.5, is_complete=True,
    )  # fmt: skip
    expect(only(built, WEEK_OF, WEEK, "Cem"), calls_made=2, days_expected=4, working_fraction=1.0)
    expect(only(built, WEEK_OF, WEEK, "Cem"), distinct_contacts_called=2, distinct_accounts_touched=2)
    expect(only(built, WEEK_OF, WEEK, "Dan"), calls_made=3, days_expected=2, days_reported=2, working_fraction=2.0)
    expect(only(built, WEEK_OF, WEEK, "Eve"), calls_made=1)
    expect(only(built, WEEK_OF, "2026-01-05", "Eve"), calls_made=1, iso_year=2026, iso_week=2)
    expect(only(built, WEEK_OF, "2025-12-22", "Eve"), calls_made=0, iso_year=2025, iso_week=52)


def test_a_team_has_of_each_day_who_was_in_it(built: Pipeline) -> None:
    """T1: ann 7 days and bob 2: 9 days, 4 + 2 calls to contacts 0 and 1; worked 3.5 + 2. T2: bob 5, cem 4, dan 2: 11 days; 2 + 2 + 3 calls to
    0, 2, 5 and 6; worked bob 31 and 2, cem 2, dan 29 and 30: 5. Contacts 0 and 1 were called from both teams; the organisation's contacts
    are 0, 1, 2, 5, 6 and 7: 6, not 2 + 4 + 1. December's part of T2 is bob's 31st and dan's 30 days."""
    query = "select * from marts.weekly_team_activity where iso_week_start = ? and team_id = ?"
    expect(
        only(built, query, WEEK, "T1"), calls_made=6, distinct_contacts_called=2, rep_days_expected=9, rep_days_reported=9,
        working_fraction=5.5, reps_expected=2,
    )  # fmt: skip
    expect(
        only(built, query, WEEK, "T2"),
        calls_made=7,
        distinct_contacts_called=4,
        rep_days_expected=11,
        working_fraction=5.0,
        reps_expected=3,
    )
    expect(only(built, query, WEEK, "-1"), calls_made=1, rep_days_expected=7)
    expect(
        only(built, "select * from marts.weekly_org_activity where iso_week_start = ?", WEEK), calls_made=14, distinct_contacts_called=6,
        distinct_accounts_touched=2, rep_days_expected=27, reps_expected=5, calls_connected=3, call_conversations=2,
    )  # fmt: skip
    expect(
        only(built, "select * from marts.monthly_team_activity where month_start = ? and team_id = 'T2'", "2025-12-01"), calls_made=3,
        rep_days_expected=31,
    )  # fmt: skip
    expect(
        only(built, "select * from marts.daily_org_activity where activity_date = ?", "2026-01-01"), calls_made=2, reps_expected=4,
        reps_working=1, working_fraction=1.0,
    )  # fmt: skip


def test_nobody_is_expected_after_the_last_day(built: Pipeline) -> None:
    """0.7: the spine is every date of employment; roll-ups carry reps_expected. On 2 January Dan, who left, called: 3 calls (ann 2, dan 1), and
    the four who are employed are expected. The row of his is there and says so."""
    expect(
        only(built, "select * from marts.daily_org_activity where activity_date = ?", "2026-01-02"), calls_made=3, reps_expected=4,
        reps_reported=4, reps_working=4,
    )  # fmt: skip
    row = only(
        built, "select * from marts.daily_rep_activity where activity_date = ? and rep_name = 'Dan'", "2026-01-02"
    )
    expect(row, calls_made=1, is_expected=False, working_fraction=0.0)


def test_rates_are_of_sums_and_the_tidy_form_says_the_same(built: Pipeline) -> None:
    """Organisation: 3 of 14 connected, 2 of 3 conversations; T2: 1 of 7. On 29 December: ann 0**, bob 0, dan 6: 3
    calls, 1 connected, contacts 0 and 6: 2 in all, though 1 of ann's, 1 of bob's and 1 of dan's. Distinct counts have no part to add up."""
    with duckdb.connect(str(built.published()), read_only=True) as file:
        rate = "select connect_rate, call_conversation_rate from v_weekly_{}_rates where iso_week_start = '2025-12-29'"
        assert file.execute(rate.format("org")).fetchall() == [(3 / 14, 2 / 3)]
        assert file.execute(rate.format("team") + " and team_id = 'T2'").fetchall() == [(1 / 7, 1.0)]
        told = file.execute(
            """select l.grain, coalesce(r.name, l.entity), l.metric, l.value, l.numerator, l.denominator
               from metric_long as l left join dim_rep_current as r on l.entity = r.rep_id::varchar
               where l.activity_date = '2025-12-29' and l.metric in ('calls_made', 'connect_rate', 'distinct_contacts_called')
                 and (l.grain <> 'rep' or r.name in ('Ann', 'Eve')) and (l.grain <> 'team' or l.entity = 'T1') order by all"""
        ).fetchall()
    assert told == [
        ("org", "org", "calls_made", 3.0, 3.0, None), ("org", "org", "connect_rate", 1 / 3, 1.0, 3.0),
        ("org", "org", "distinct_contacts_called", 2.0, None, None),
        ("rep", "Ann", "calls_made", 1.0, 1.0, None), ("rep", "Ann", "connect_rate", 1.0, 1.0, 1.0),
        ("rep", "Ann", "distinct_contacts_called", 1.0, None, None),
        ("rep", "Eve", "calls_made", 0.0, 0.0, None), ("rep", "Eve", "connect_rate", None, 0.0, 0.0),
        ("rep", "Eve", "distinct_contacts_called", 0.0, None, None),
        ("team", "T1", "calls_made", 2.0, 2.0, None), ("team", "T1", "connect_rate", 0.5, 1.0, 2.0),
        ("team", "T1", "distinct_contacts_called", 1.0, None, None),
    ]  # fmt: skip
