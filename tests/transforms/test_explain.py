"""Any cell of the daily tables can be explained, and the records listed add up to it: cells drawn at random from a made-up company."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from sandbox.company import generate
from tests.pipeline import Pipeline, serving
from transforms import dictionary
from transforms.explain import TABLES, Cell, ExplainError, explain, find_metric, find_rep


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    world = generate(reps=8, days=12, seed=21)
    end = datetime.fromisoformat(world["company"]["now"])
    with serving(world, tmp_path_factory.mktemp("explain")) as (made, _):
        made.nightly(end, first=(end - timedelta(days=10)).date())
        yield made


@pytest.mark.parametrize("scope", list(TABLES))
def test_cells_drawn_at_random_add_up(pipeline: Pipeline, scope: str) -> None:
    chance = random.Random(scope)
    table, key = TABLES[scope]
    there = {row["column_name"] for row in pipeline.rows(f"describe {table}")}
    wide = pipeline.rows(f"select activity_date, {key or 'null'}::varchar as entity from {table} order by all")
    metrics = [m for m in dictionary.load().metrics if m.name in there]
    cells = [
        Cell(m.name, scope, row["entity"] or "", row["activity_date"])
        for m in metrics
        for row in chance.sample(wide, k=3)
    ]
    seen = 0
    for cell in cells:
        found = explain(pipeline.con, cell)
        assert found.adds_up, f"{cell}: the table says {found.value}, the records add up to {found.total}"
        seen += bool(found.value)
    assert seen > 20, "most cells were empty: nothing was shown"


def test_every_number_above_zero_of_one_day_has_its_records(pipeline: Pipeline) -> None:
    """Every cell, not a sample: all metrics of all reps on the busiest day."""
    day = pipeline.rows("select activity_date as d from marts.daily_org_activity order by calls_made desc limit 1")[0][
        "d"
    ]
    reps = pipeline.rows("select rep_id::varchar as r from marts.daily_rep_activity where activity_date = ?", [day])
    for metric in dictionary.load().counted:
        for rep in reps:
            found = explain(pipeline.con, Cell(metric.name, "rep", rep["r"], day))
            assert found.adds_up, f"{found.cell}: {found.value} but {found.total}"


def test_a_rate_is_explained_by_its_parts(pipeline: Pipeline) -> None:
    day = pipeline.rows("select max(activity_date) as d from marts.daily_org_activity where calls_made > 0")[0]["d"]
    found = explain(pipeline.con, Cell("connect_rate", "org", "", day))
    connected, made = found.parts
    assert (connected.metric.name, made.metric.name) == ("calls_connected", "calls_made")
    assert found.value == connected.value / made.value


def test_what_does_not_exist_is_said_with_what_does(pipeline: Pipeline) -> None:
    with pytest.raises(ExplainError, match="calls_made"):
        find_metric("calls_mad")
    with pytest.raises(ExplainError, match="address, name or id"):
        find_rep(pipeline.con, "nobody@acme.com")
    with pytest.raises(ExplainError, match=r"has no row for the organisation"):
        explain(pipeline.con, Cell("calls_made", "org", "", date(1999, 1, 1)))
    with pytest.raises(ExplainError, match="cannot be told by territory"):
        explain(pipeline.con, Cell("crm_writes", "territory", "-1", date(2026, 3, 1)))
