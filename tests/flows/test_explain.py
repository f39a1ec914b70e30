"""`salespulse explain` in a terminal: the records behind a cell, what leaves one out, where it stands in its source."""

from __future__ import annotations

import pytest

from flows.exit_codes import Exit
from tests.flows.product import Product


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")


@pytest.mark.usefixtures("wide")
def test_open_deals_are_listed_with_their_pages(night: Product, capsys: pytest.CaptureFixture[str]) -> None:
    day, rep, value = night.rows(
        """select activity_date::varchar, rep_id::varchar, open_deals from daily_pipeline
           where open_deals > 0 and rep_id <> -1 order by all limit 1"""
    )[0]
    assert night("explain", "open_deals", "--day", day, "--rep", rep, "--table", "daily_pipeline") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"open_deals = {value}   daily_pipeline, {day}, rep_id {rep}"
    assert lines[2] == "Rule: rows of sql/explain/open_deal.sql"
    assert sum("the deal: https://" in line for line in lines) == value
    assert f"{value} of {value} records count and come to {value}, as the table says." in lines


@pytest.mark.usefixtures("wide")
def test_a_score_is_shown_after_what_it_is_made_of(night: Product, capsys: pytest.CaptureFixture[str]) -> None:
    day, entity, measure, n = night.rows(
        """select activity_date::varchar, entity, measure, n from guard_call_quality where scope = 'rep' and z is not null
           order by activity_date desc, entity, measure limit 1"""
    )[0]
    assert night("explain", "z", "--day", day, "--rep", entity, "--measure", measure) == 0
    lines = capsys.readouterr().out.splitlines()
    shown = [line.split(" = ")[0] for line in lines if f"guard_call_quality, {day}, scope rep" in line]
    assert shown == ["numerator", "denominator", "rate", "base_numerator", "base_denominator", "baseline", "n", "z"]
    assert any(line.startswith(f"Of denominator {n}: {n}, as the table says") for line in lines)


@pytest.mark.usefixtures("wide")
def test_a_key_that_is_missing_is_asked_for_by_its_values(night: Product, capsys: pytest.CaptureFixture[str]) -> None:
    day, rep = night.rows("select activity_date::varchar, rep_id::varchar from daily_tool_usage order by all limit 1")[
        0
    ]
    assert night("explain", "actions", "--day", day, "--rep", rep) == Exit.SETTINGS
    assert "actions in daily_tool_usage needs --tool (crm, dialer, mail)" in capsys.readouterr().out
    assert night("explain", "actions", "--day", day, "--rep", rep, "--tool", "crm") == 0
    assert f"daily_tool_usage, {day}, rep_id {rep}, tool crm" in capsys.readouterr().out


@pytest.mark.usefixtures("wide")
def test_a_row_that_is_not_there_is_told_with_those_that_are(
    night: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    day = night.rows("select max(activity_date)::varchar from daily_team_activity")[0][0]
    teams = [
        row[0]
        for row in night.rows(f"select team_id from daily_team_activity where activity_date = '{day}' order by 1")
    ]
    assert night("explain", "calls_made", "--day", day, "--team", "[/Sales]") == Exit.SETTINGS
    assert f"has no row for team_id [/Sales] on {day}; there are team_id {', '.join(teams)}" in capsys.readouterr().out
    assert night("explain", "calls_made", "--day", "2031-01-01") == Exit.SETTINGS
    assert (
        "daily_org_activity has no row for the organisation on 2031-01-01; its days are 20" in capsys.readouterr().out
    )


@pytest.mark.usefixtures("wide")
def test_what_is_made_of_other_tables_is_told_with_where_it_stands(
    night: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    """meta_metric lists it, so that it does not exist would be a lie."""
    assert night("explain", "velocity_amount", "--day", "2026-03-16") == Exit.SETTINGS
    assert "velocity_amount stands in v_pipeline_velocity and is made of other numbers" in capsys.readouterr().out
