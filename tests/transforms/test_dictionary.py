"""One dictionary: what the SQL counts, what the file says of itself and what the docs say are the same words."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from transforms import dictionary, dictionary_page, model

# Numbers that tell what a row is, not how much of anything there was.
ATTRIBUTES = (
    "rep_id", "manager_rep_id", "tenure_days", "tenure_month", "hour_local", "day_of_week_iso", "iso_year", "iso_week",
)  # fmt: skip


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(dictionary_page.published(tmp_path_factory.mktemp("empty"))), read_only=True) as con:
        yield con


def test_the_page_is_up_to_date() -> None:
    """After a change of a metric or a comment: python -m transforms.dictionary_page."""
    assert dictionary_page.PAGE.read_text("utf-8") == dictionary_page.page()


def test_every_metric_says_what_it_counts_and_every_rate_its_parts() -> None:
    told = dictionary.load()
    counted = {m.name for m in told.metrics} | {"crm_active_reps", "reps_working"}
    for metric in told.metrics:
        assert metric.label and metric.family and metric.definition, metric.name
        assert bool(metric.fact) != metric.is_rate, f"{metric.name} is either counted or a rate"
        assert dictionary.parts_of(metric) <= counted, f"{metric.name} is made of unknown parts"


def test_every_metric_of_the_dictionary_has_a_column() -> None:
    """rep_day_metrics counts exactly what the dictionary names, once."""
    told = dictionary.load()
    (made,) = [m for m in model.load(model.root()) if m.table == "core.rep_day_metrics"]
    for metric in told.counted:
        assert made.sql.count(f"as {metric.name}\n") + made.sql.count(f"as {metric.name},") == 2, (
            metric.name
        )  # counted, then shown


def test_every_number_of_the_published_file_is_in_its_dictionary(empty: duckdb.DuckDBPyConnection) -> None:
    """CONTRACT 3: meta_metric is the dictionary inside the file; z, velocity or a touch is as much a number there as a call."""
    silent = empty.execute(
        """select table_name || '.' || column_name from meta_column
           where metric_name is null and type in ('BIGINT', 'INTEGER', 'DOUBLE', 'DECIMAL(18,2)', 'DECIMAL(18,4)')
             and not regexp_matches(table_name, '^(dim|meta)_') and table_name <> 'metric_long' and not list_contains(?, column_name)""",
        [ATTRIBUTES],
    ).fetchall()
    assert silent == []


def test_a_column_is_told_by_its_own_definition_where_another_table_has_that_name(
    empty: duckdb.DuckDBPyConnection,
) -> None:
    """A contact touched in a week of follow-up is no first touch, and the activities of a month are not those of off hours."""
    told = empty.execute(
        """select c.table_name, c.column_name, c.metric_name, c.comment = m.definition
           from meta_column as c inner join meta_metric as m on c.metric_name = m.metric_name
           where c.column_name in ('contacts_touched', 'activities') order by all"""
    ).fetchall()
    assert told == [
        ("cohort_first_touch_response", "contacts_touched", "contacts_touched", True),
        ("daily_off_hours", "activities", "activities", True),
        ("v_activity_ratios", "activities", "v_activity_ratios.activities", True),
        ("weekly_follow_up", "contacts_touched", "weekly_follow_up.contacts_touched", True),
    ]


def test_freshness_tells_of_every_table_with_dates(empty: duckdb.DuckDBPyConnection) -> None:
    """CONTRACT 3: (table, max_date, published_at, lag_minutes). cohort_ramp and rep_first_events have a row a rep, not a date."""
    missing = empty.execute(
        """select distinct table_name from meta_column
           where regexp_matches(table_name, '^(daily|weekly|monthly|hourly|cohort|guard|target)_') and table_name <> 'cohort_ramp'
             and table_name not in (select table_name from meta_freshness)"""
    ).fetchall()
    assert missing == []


def test_every_formula_runs_on_the_table_it_is_of(empty: duckdb.DuckDBPyConnection) -> None:
    """formula_sql is to be pasted into a query over a table of the file: the one named before the rule, else one of the _activity tables."""
    activity = ("daily_rep_activity", "daily_org_activity", "daily_rep_contact_distincts")
    for name, formula, fact in empty.execute("select metric_name, formula_sql, fact from meta_metric").fetchall():
        tables = activity if fact is None or fact.startswith(("core.", "marts.")) else (fact.partition(":")[0],)
        assert any(_runs(empty, f'select {formula} from "{table}"') for table in tables), (name, formula, tables)


def _runs(con: duckdb.DuckDBPyConnection, query: str) -> bool:
    try:
        con.execute(query).fetchall()
    except duckdb.Error:
        return False
    return True
