"""Working days, leave, ramp, targets and attainment (METRICS 0.8): small worlds, the arithmetic by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.golden.test_worked_examples import ANN, BOB, FIRST, NOW, call, world
from tests.pipeline import Pipeline, serving

Attained = dict[str, tuple[float | None, float | None]]


def calls(day: str, n: int) -> list[dict[str, Any]]:
    """n calls of Ann's on a day, nobody answers: one a minute from 14:00Z, which is morning in New York."""
    return [call(f"{day}-{i}", f"{day}T14:{i:02}:00Z", None) for i in range(n)]


def target(value: float, **more: Any) -> dict[str, Any]:
    return {"metric": "calls_made", "from": "2026-01-01", "per_working_day": value, **more}


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


def test_target_is_per_working_day_times_presence_times_ramp(tmp_path: Path) -> None:
    """Ann, hired 2026-01-12, ramp 0.5;0.75: the second month of tenure begins 02-12, the third, without a share, 03-12.
    Target 12 a working day, 20 from Tuesday 03-17.
      Mon 03-09  12 x 1   x 0.75 = 9        Thu 03-12  12 x 1   x 1 = 12     Sat 03-14  12 x 0 = 0, and one call was made
      Tue 03-10  12 x 0.5 x 0.75 = 4.5      Fri 03-13  12 x 0 (leave) = 0    Mon 03-16  12    Tue 03-17  20
    Week of 03-09: actual 6 + 3 + 0 + 12 + 0 + 1 + 0 = 22; target 9 + 4.5 + 9 + 12 + 0 + 0 + 0 = 34.5; rate 22/34.5.
    Week of 03-16: 18 on Monday of 12, nothing of 20 on Tuesday, Wednesday, Thursday; Friday the 20th is today: left out of both:
    18 / (12 + 20 + 20 + 20) = 0.25."""
    ann = {**ANN, "hire_date": "2026-01-12", "ramp": [0.5, 0.75]}
    case = world(
        reps=[ann, BOB],
        calls=[*calls("2026-03-09", 6), *calls("2026-03-10", 3), *calls("2026-03-12", 12), *calls("2026-03-14", 1),
               *calls("2026-03-16", 18), *calls("2026-03-20", 0)],
        availability=[
            {"rep": "ann", "date": "2026-03-10", "working_fraction": 0.5},
            {"rep": "ann", "date": "2026-03-13", "working_fraction": 0, "leave_type": "sick"},
            {"rep": "ann", "date": "2026-03-14", "working_fraction": 1},
        ],
        targets=[target(12, rep="ann"), target(20, rep="ann", **{"from": "2026-03-17"})],
    )  # fmt: skip
    with serving(case, tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST)
        days = attained(pipeline, "ann@acme.com")
        assert {d: days[f"2026-03-{d}"] for d in ("09", "10", "12", "13", "14", "16", "17", "20")} == {
            "09": (6, 9), "10": (3, 4.5), "12": (12, 12), "13": (0, 0), "14": (1, 0), "16": (18, 12), "17": (0, 20), "20": (None, None),
        }  # fmt: skip
        assert rates(pipeline, "v_target_attainment_week", "ann@acme.com")[-2:] == [
            ("2026-03-09", 22, 34.5, 22 / 34.5, 7),
            ("2026-03-16", 18, 72, 0.25, 4),
        ]
        # March: the week of the 2nd has 5 days of 9, nothing done: 40 of 34.5 + 72 + 45 = 151.5.
        assert rates(pipeline, "v_target_attainment_month", "ann@acme.com") == [
            ("2026-03-01", 40, 151.5, 40 / 151.5, 19)
        ]
        assert attained(pipeline, "bob@acme.com") == {}, "nobody set him a target"
        kinds = pipeline.rows(
            "select activity_date::varchar as d, working_fraction as f, leave_type from core.rep_availability "
            "where leave_type is not null and rep_id in (select rep_id from core.dim_rep where email = 'ann@acme.com') order by d"
        )
        assert [(r["d"], r["f"], r["leave_type"]) for r in kinds] == [
            ("2026-03-10", 0.5, "leave"), ("2026-03-13", 0, "sick"), ("2026-03-14", 0, "leave"),
        ]  # fmt: skip


def test_a_persons_target_wins_over_the_teams_and_the_team_is_that_of_the_day(tmp_path: Path) -> None:
    """T1: 10 a day, T2: 30. Bob is in T2 with a target of his own of 5 from Wednesday 03-18: 30, 30, 5.
    Ann leaves T1 for T2 at midnight of Tuesday 03-17 in New York: 10, then 30."""
    moved = {**ANN, "changes": [{"at": "2026-03-17T04:00:00Z", "set": {"team": "T2"}}]}
    case = world(
        reps=[moved, BOB],
        targets=[target(10, team="T1"), target(30, team="T2"), target(5, rep="bob", **{"from": "2026-03-18"})],
    )
    with serving(case, tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST)
        asked = {who: attained(pipeline, f"{who}@acme.com") for who in ("ann", "bob")}
    days = ("2026-03-16", "2026-03-17", "2026-03-18")
    assert [asked["ann"][d][1] for d in days] == [10, 30, 30]
    assert [asked["bob"][d][1] for d in days] == [30, 30, 5]


def test_a_day_without_its_source_is_left_out_of_both_parts(tmp_path: Path) -> None:
    """The dialer was not read: calls have no actual and no target anywhere, so the rate is NULL, not 0. Mail was: 0 of 8."""
    mails = {"rep": "ann", "metric": "emails_sent", "from": "2026-01-01", "per_working_day": 8}
    with serving(world(targets=[target(10, rep="ann"), mails]), tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST, without=["cloudtalk"])
        assert set(attained(pipeline, "ann@acme.com").values()) == {(None, None)}
        assert attained(pipeline, "ann@acme.com", "emails_sent")["2026-03-16"] == (0, 8)
        assert rates(pipeline, "v_target_attainment_month", "ann@acme.com") == [("2026-03-01", None, None, None, 0)]
        told = pipeline.rows(
            "select distinct metric, source_status, is_complete, is_included from marts.target_attainment "
            "where activity_date = '2026-03-16' order by metric"
        )
        assert [tuple(r.values()) for r in told] == [
            ("calls_made", "missing", False, False),
            ("emails_sent", "complete", True, True),
        ]


@pytest.mark.parametrize(("include", "expected"), [(False, (None, None)), (True, (2, 10))])
def test_days_read_in_part_count_when_the_settings_say_so(
    tmp_path: Path, include: bool, expected: tuple[float | None, float | None]
) -> None:
    """It is 22:00Z on Thursday the 19th, 18:00 in New York: today, two calls so far of 10."""
    case = world(calls=calls("2026-03-19", 2), targets=[target(10, rep="ann")])
    case["company"] |= {"now": "2026-03-19T22:00:00Z", "parameters": {"include_partial": include}}
    with serving(case, tmp_path) as (pipeline, _):
        pipeline.nightly(NOW.replace(day=19, hour=22), first=FIRST)
        assert attained(pipeline, "ann@acme.com")["2026-03-19"] == expected


def test_working_days_are_the_reps_own_and_end_with_employment(tmp_path: Path) -> None:
    """Ann works Mondays to Thursdays, from 03-16 on Monday and Tuesday; her last day is Tuesday the 17th, on the 18th she still wrote a note.
    Bob lives in Japan, where Friday 2026-03-20, the spring equinox, is a holiday."""
    ann = {
        **ANN, "working_days": "Mon,Tue,Wed,Thu", "end_date": "2026-03-17",
        "changes": [{"at": "2026-03-16T04:00:00Z", "set": {"working_days": "1-2"}}],
    }  # fmt: skip
    notes = [{"key": "N1", "rep": "ann", "at": "2026-03-18T15:00:00Z", "contact": "C1"}]
    case = world(reps=[ann, {**BOB, "region": "JP"}], notes=notes)
    with serving(case, tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST)
        worked = {
            (r["email"], r["d"]): (r["b"], r["f"], r["holiday_name"])
            for r in pipeline.rows(
                "select r.email, w.activity_date::varchar as d, w.is_business_day as b, w.working_fraction as f, w.holiday_name "
                "from core.rep_availability as w inner join (select distinct rep_id, email from core.dim_rep) as r on w.rep_id = r.rep_id"
            )
        }
        days = pipeline.rows(
            "select is_business_day, holiday_name from marts.dim_calendar where region = 'JP' and date = '2026-03-20'"
        )
    assert worked["ann@acme.com", "2026-03-12"][:2] == (True, 1)
    assert worked["ann@acme.com", "2026-03-13"][:2] == (False, 0), "a Friday"
    assert worked["ann@acme.com", "2026-03-17"][:2] == (True, 1)
    assert worked["ann@acme.com", "2026-03-18"][:2] == (False, 0), "no longer a working day of hers, nor employed"
    assert worked["bob@acme.com", "2026-03-19"] == (True, 1, None)
    assert worked["bob@acme.com", "2026-03-20"] == (False, 0, "Vernal Equinox Day")
    assert days == [{"is_business_day": False, "holiday_name": "Vernal Equinox Day"}]
