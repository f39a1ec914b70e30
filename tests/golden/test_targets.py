"""Working days, leave, ramp, targets and attainment (METRICS 0.8): small stories, the arithmetic by hand.

Each story has people (and teams, where targets are for teams) of its own. Those that need no settings happen in one company.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.golden.test_worked_examples import ANN, BOB, FIRST, NOW, Story, World, company
from tests.pipeline import Pipeline, serving

Attained = dict[str, tuple[float | None, float | None]]


def calls(story: Story, day: str, n: int, hour: int = 14) -> list[World]:
    """n calls of Ann's on a day, nobody answers: one a minute from that hour, UTC; 14:00Z is morning in New York."""
    return [story.call(f"{day}-{i}", f"{day}T{hour:02}:{i:02}:00Z", None) for i in range(n)]


def target(value: float, **more: Any) -> World:
    return {"metric": "calls_made", "from": "2026-01-01", "per_working_day": value, **more}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The company in which nothing is set and everything was read."""
    with serving(company(ramped(), teams(), today(), worked()), tmp_path_factory.mktemp("company")) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST)
        yield pipeline


def attained(pipeline: Pipeline, email: str, metric: str = "calls_made") -> Attained:
    """day -> (actual, target) of a rep."""
    rows = pipeline.rows(
        "select activity_date::varchar as d, actual, target from marts.target_attainment "
        "where metric = ? and rep_id in (select rep_id from core.dim_rep where email = ?) order by d",
        [metric, email],
    )
    return {row["d"]: (row["actual"], row["target"]) for row in rows}


def rates(pipeline: Pipeline, view: str, email: str) -> list[tuple[object, ...]]:
    """Start, actual, target, rate of the periods of a view, as a reader of the published file finds them."""
    start = "iso_week_start" if view.endswith("week") else "month_start"
    with duckdb.connect(str(pipeline.published()), read_only=True) as reader:
        return reader.execute(
            f"select {start}::varchar, actual, target, attainment_rate, days_included from {view} "
            "where metric = 'calls_made' and rep_id in (select rep_id from dim_rep where email = ?) order by 1",
            [email],
        ).fetchall()


def ramped() -> World:
    s = Story("ramped", "20")
    done = {"2026-03-09": 6, "2026-03-10": 3, "2026-03-12": 12, "2026-03-14": 1, "2026-03-16": 18}
    return s.told(
        reps=[s.rep(ANN, hire_date="2026-01-12", ramp=[0.5, 0.75]), s.rep(BOB)],
        calls=[one for day, n in done.items() for one in calls(s, day, n)],
        availability=[
            {"rep": "ramped-ann", "date": "2026-03-10", "working_fraction": 0.5},
            {"rep": "ramped-ann", "date": "2026-03-13", "working_fraction": 0, "leave_type": "sick"},
            {"rep": "ramped-ann", "date": "2026-03-14", "working_fraction": 1},
        ],
        targets=[target(12, rep="ramped-ann"), target(20, rep="ramped-ann", **{"from": "2026-03-17"})],
    )


def test_target_is_per_working_day_times_presence_times_ramp(night: Pipeline) -> None:
    """Ann, hired 2026-01-12, ramp 0.5;0.75: the second month of tenure begins 02-12, the third, without a share, 03-12.
    Target 12 a working day, 20 from Tuesday 03-17.
      Mon 03-09  12 x 1   x 0.75 = 9        Thu 03-12  12 x 1   x 1 = 12     Sat 03-14  12 x 0 = 0, and one call was made
      Tue 03-10  12 x 0.5 x 0.75 = 4.5      Fri 03-13  12 x 0 (leave) = 0    Mon 03-16  12    Tue 03-17  20
    Week of 03-09: actual 6 + 3 + 0 + 12 + 0 + 1 + 0 = 22; target 9 + 4.5 + 9 + 12 + 0 + 0 + 0 = 34.5; rate 22/34.5.
    Week of 03-16: 18 on Monday of 12, nothing of 20 on Tuesday, Wednesday, Thursday; Friday the 20th is today: left out of both:
    18 / (12 + 20 + 20 + 20) = 0.25."""
    days = attained(night, "ramped-ann@acme.com")
    assert {d: days[f"2026-03-{d}"] for d in ("09", "10", "12", "13", "14", "16", "17", "20")} == {
        "09": (6, 9), "10": (3, 4.5), "12": (12, 12), "13": (0, 0), "14": (1, 0), "16": (18, 12), "17": (0, 20), "20": (None, None),
    }  # fmt: skip
    assert rates(night, "v_target_attainment_week", "ramped-ann@acme.com")[-2:] == [
        ("2026-03-09", 22, 34.5, 22 / 34.5, 7),
        ("2026-03-16", 18, 72, 0.25, 4),
    ]
    # March: the week of the 2nd has 5 days of 9, nothing done: 40 of 34.5 + 72 + 45 = 151.5.
    assert rates(night, "v_target_attainment_month", "ramped-ann@acme.com") == [
        ("2026-03-01", 40, 151.5, 40 / 151.5, 19)
    ]
    assert attained(night, "ramped-bob@acme.com") == {}, "nobody set him a target"
    kinds = night.rows(
        "select activity_date::varchar as d, working_fraction as f, leave_type from core.rep_availability "
        "where leave_type is not null and rep_id in (select rep_id from core.dim_rep where email = 'ramped-ann@acme.com') order by d"
    )
    assert [(r["d"], r["f"], r["leave_type"]) for r in kinds] == [
        ("2026-03-10", 0.5, "leave"), ("2026-03-13", 0, "sick"), ("2026-03-14", 0, "leave"),
    ]  # fmt: skip


def teams() -> World:
    s = Story("teams", "21")
    move = {"at": "2026-03-17T04:00:00Z", "set": {"team": "teams-T2"}}
    return s.told(
        teams=[{"key": "teams-T1", "name": "From"}, {"key": "teams-T2", "name": "To"}],
        reps=[s.rep(ANN, team="teams-T1", changes=[move]), s.rep(BOB, team="teams-T2")],
        targets=[
            target(10, team="teams-T1"),
            target(30, team="teams-T2"),
            target(5, rep="teams-bob", **{"from": "2026-03-18"}),
        ],
    )


def test_a_persons_target_wins_over_the_teams_and_the_team_is_that_of_the_day(night: Pipeline) -> None:
    """T1: 10 a day, T2: 30. Bob is in T2 with a target of his own of 5 from Wednesday 03-18: 30, 30, 5.
    Ann leaves T1 for T2 at midnight of Tuesday 03-17 in New York: 10, then 30."""
    asked = {who: attained(night, f"teams-{who}@acme.com") for who in ("ann", "bob")}
    days = ("2026-03-16", "2026-03-17", "2026-03-18")
    assert [asked["ann"][d][1] for d in days] == [10, 30, 30]
    assert [asked["bob"][d][1] for d in days] == [30, 30, 5]


def test_a_day_without_its_source_is_left_out_of_both_parts(tmp_path: Path) -> None:
    """The dialer was not read: calls have no actual and no target anywhere, so the rate is NULL, not 0. Mail was: 0 of 8."""
    mails = {"rep": "silent-ann", "metric": "emails_sent", "from": "2026-01-01", "per_working_day": 8}
    silent = Story("silent", "22").told(targets=[target(10, rep="silent-ann"), mails])
    with serving(company(silent), tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST, without=["cloudtalk"])
        assert set(attained(pipeline, "silent-ann@acme.com").values()) == {(None, None)}
        assert attained(pipeline, "silent-ann@acme.com", "emails_sent")["2026-03-16"] == (0, 8)
        assert rates(pipeline, "v_target_attainment_month", "silent-ann@acme.com") == [
            ("2026-03-01", None, None, None, 0)
        ]
        told = pipeline.rows(
            "select distinct metric, source_status, is_complete, is_included from marts.target_attainment "
            "where activity_date = '2026-03-16' order by metric"
        )
        assert [tuple(r.values()) for r in told] == [
            ("calls_made", "missing", False, False),
            ("emails_sent", "complete", True, True),
        ]


def today() -> World:
    s = Story("today", "23")
    return s.told(calls=calls(s, "2026-03-20", 2, hour=5), targets=[target(10, rep="today-ann")])


def test_days_read_in_part_count_when_the_settings_say_so(night: Pipeline, tmp_path: Path) -> None:
    """It is 06:00Z on Friday the 20th, 02:00 in New York: today, two calls so far of 10, made at 01:00 and 01:01. Nothing is set in the
    company that others share: they are left out, and stand in the rows of calls all the same."""
    assert night.day("today-ann@acme.com", "2026-03-20")["calls_made"] == 2
    assert attained(night, "today-ann@acme.com")["2026-03-20"] == (None, None)
    told = company(today())
    told["company"]["parameters"] = {"include_partial": True}
    with serving(told, tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST)
        assert attained(pipeline, "today-ann@acme.com")["2026-03-20"] == (2, 10)


def worked() -> World:
    s = Story("worked", "24")
    change = {"at": "2026-03-16T04:00:00Z", "set": {"working_days": "1-2"}}
    return s.told(
        reps=[
            s.rep(ANN, working_days="Mon,Tue,Wed,Thu", end_date="2026-03-17", changes=[change]),
            s.rep(BOB, region="JP"),
        ],
        notes=[{"key": "N1", "rep": "worked-ann", "at": "2026-03-18T15:00:00Z", "contact": "worked-cora"}],
    )


def test_working_days_are_the_reps_own_and_end_with_employment(night: Pipeline) -> None:
    """Ann works Mondays to Thursdays, from 03-16 on Monday and Tuesday; her last day is Tuesday the 17th, on the 18th she still wrote a note.
    Bob lives in Japan, where Friday 2026-03-20, the spring equinox, is a holiday."""
    days = {
        (r["email"], r["d"]): (r["b"], r["f"], r["holiday_name"])
        for r in night.rows(
            "select r.email, w.activity_date::varchar as d, w.is_business_day as b, w.working_fraction as f, w.holiday_name "
            "from core.rep_availability as w inner join (select distinct rep_id, email from core.dim_rep) as r on w.rep_id = r.rep_id"
        )
    }
    holiday = night.rows(
        "select is_business_day, holiday_name from marts.dim_calendar where region = 'JP' and date = '2026-03-20'"
    )
    assert days["worked-ann@acme.com", "2026-03-12"][:2] == (True, 1)
    assert days["worked-ann@acme.com", "2026-03-13"][:2] == (False, 0), "a Friday"
    assert days["worked-ann@acme.com", "2026-03-17"][:2] == (True, 1)
    assert days["worked-ann@acme.com", "2026-03-18"][:2] == (False, 0), "no longer a working day of hers, nor employed"
    assert days["worked-bob@acme.com", "2026-03-19"] == (True, 1, None)
    assert days["worked-bob@acme.com", "2026-03-20"] == (False, 0, "Vernal Equinox Day")
    assert holiday == [{"is_business_day": False, "holiday_name": "Vernal Equinox Day"}]
