"""Whom roll-ups count and wait for (METRICS 0.3, 0.7, 0.8, 1a, 3): users whom nobody knows, days off, people without accounts or sales role.

All zones UTC, now is Friday, 20 March 2026, 06:00; published from 1 February on. Ana and Sun sell, Sun from Sunday to Thursday; Ops runs
the CRM and sells nothing; New has no account anywhere yet; Xen is a user of the CRM whom reps.csv does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from tests.golden.examples import NOW, call, contact, mail, rep, world
from tests.pipeline import Pipeline, serving


def write(who: str, at: str) -> dict[str, Any]:
    return {"at": at, "by": who, "object": "contact", "key": "cora", "property": "phone"}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    case = world([]) | {
        "reps": [rep("ana"), rep("sun", working_days="1-4,7"), rep("ops", role="operations"), rep("new", seats=[])],
        "users_without_rep": [{"key": "xen", "system": "crm", "email": "xen@else.com"}],
        "contacts": [contact("cora", phones=["+442071838750"])],
        "crm_writes": [
            *(write(who, "2026-03-16T10:00:00Z") for who in ("ana", "xen")),
            *(write(who, "2026-03-15T10:00:00Z") for who in ("ana", "sun")),
        ],
        "calls": [call("K1", "ana", "+442071838750", "2026-03-16T11:00:00Z", 90)],
        "mails": [mail(f"M{day}", "ana", "cora@cust.com", f"2026-02-{day}T10:00:00Z") for day in ("06", "07")],
        "deals": [
            {"key": "D1", "account": "A1", "contacts": ["cora"], "created_by": "ops", "owner": "ana",
             "events": [{"at": "2026-03-16T12:00:00Z", "type": "created", "stage": "open", "amount": "100.00"}]},
        ],
    }  # fmt: skip
    with serving(case, tmp_path_factory.mktemp("who")) as (pipeline, _):
        reps = pipeline.folder / pipeline.config["inputs"]["reps"]
        lines = reps.read_text().splitlines()
        # The only row of Sun says from when on it holds: what the file says first has always held.
        reps.write_text("\n".join(f"{one}2026-03-12" if one.startswith("sun@") else one for one in lines) + "\n")
        pipeline.nightly(NOW, first=date(2026, 2, 1))
        yield pipeline


def only(night: Pipeline, query: str) -> tuple[Any, ...]:
    (row,) = night.rows(query)
    return tuple(row.values())


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-03-16", (1, 3)), ("2026-03-15", (1, 1)), ("2026-03-14", (0, 0))],
)
def test_adoption_is_of_the_reps_at_work(night: Pipeline, day: str, expected: tuple[int, int]) -> None:
    """1a. Monday: Ana, Sun and New are at work, and of them Ana used the CRM; Xen is no rep. Sunday: Sun alone is at work; that Ana was
    there, too, makes it no more than all. Saturday: nobody."""
    query = f"select crm_active_reps, reps_working from marts.daily_org_activity where activity_date = '{day}'"
    assert only(night, query) == expected


def test_a_user_whom_nobody_knows_works_no_days(night: Pipeline) -> None:
    """0.8: per working day is SUM / SUM(working_fraction). Ana, Sun and New are there on Monday; by their rows and by the organisation's."""
    for table in ("daily_rep_activity", "daily_org_activity"):
        assert only(night, f"select sum(working_fraction) from marts.{table} where activity_date = '2026-03-16'") == (
            3.0,
        ), table


def test_nothing_is_missing_of_somebody_without_any_account(night: Pipeline) -> None:
    """0.7: New's sources do not apply, so that nothing of New's is outstanding, and Ops is not expected."""
    org = (
        "select reps_expected, reps_reported, source_status, is_complete from marts.daily_org_activity "
        "where activity_date = '2026-03-17'"
    )
    assert only(night, org) == (3, 3, "complete", True)
    for table in ("daily_org_log_lag", "daily_org_multithreading"):
        assert only(night, f"select is_complete from marts.{table} where activity_date = '2026-03-18'") == (True,), (
            table
        )
    fresh = night.rows(
        "select table_name, max_complete_date::varchar as d from marts.meta_freshness "
        "where table_name in ('daily_rep_activity', 'daily_org_activity', 'hourly_call', 'daily_pipeline', 'guard_rep_pressure')"
    )
    assert {row["table_name"]: row["d"] for row in fresh} == dict.fromkeys(
        ("daily_rep_activity", "daily_org_activity", "hourly_call", "daily_pipeline", "guard_rep_pressure"),
        "2026-03-19",
    )


def test_the_first_row_of_a_person_has_always_held_for_working_days_too(night: Pipeline) -> None:
    """0.8. Before the 12th as after it: Sunday the 8th is a working day of Sun's, Friday the 6th is none."""
    days = ("2026-03-06", "2026-03-08", "2026-03-13", "2026-03-15")
    assert [night.day("sun@acme.com", day)["working_fraction"] for day in days] == [0, 1, 0, 1]


def test_a_deal_made_by_somebody_who_does_not_sell_is_its_owners(night: Pipeline) -> None:
    """0.3: the creator "if a rep", else the owner at creation."""
    assert night.day("ana@acme.com", "2026-03-16")["deals_created"] == 1
    assert only(night, "select sum(deals_created)::integer as n from marts.daily_pipeline") == (1,)


def test_a_window_that_begins_before_the_file_is_not_whole(night: Pipeline) -> None:
    """3. Seven days up to 6 February begin on 31 January, which was not read; those up to the 7th on the 1st."""
    of_ana = "where rep_id in (select rep_id from core.dim_rep where email = 'ana@acme.com')"
    for table in ("guard_email_pressure", f"guard_rep_pressure {of_ana}"):
        rows = night.rows(
            f"select strftime(activity_date, '%d') as d, is_complete from (from marts.{table}) "
            "where activity_date between '2026-02-06' and '2026-02-07' order by 1"
        )
        assert [tuple(row.values()) for row in rows] == [("06", False), ("07", True)], table
