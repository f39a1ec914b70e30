"""Any cell of the daily tables can be explained, and the records listed add up to it: cells drawn at random from a made-up company.

For the tables that their own mart counts this also holds the dictionary's rule (sql/metrics.toml) against the mart's SQL.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date

import pytest

from tests.pipeline import Pipeline, serving
from tests.transforms.explained_world import END, FIRST, world
from transforms import dictionary, dictionary_tables
from transforms.dictionary_tables import Table
from transforms.explain import Cell, ExplainError, find_rep
from transforms.explain_pick import pick
from transforms.explain_table import explain

TABLES = dictionary_tables.load()
DAILY = ("daily_", "hourly_", "guard_", "cohort_", "target_attainment")
NUMERIC = ("BIGINT", "INTEGER", "DOUBLE", "DECIMAL", "BOOLEAN")

# Numbers without records behind them, and why there are none.
OF_ANY_TABLE = {
    "is_complete": "how far the sources were read, told with every explanation",
    "is_mature": "a comparison of dates: matures_on is over",
}
NOT_EXPLAINED = {
    ("daily_rep_activity", "manager_rep_id"): "a key",
    ("daily_rep_activity", "tenure_days"): "activity_date less hire_date",
    ("daily_rep_activity", "is_business_day"): "the calendar's own word (dim_calendar); shown with working_fraction",
    ("daily_rep_activity", "is_expected"): "hire_date, end_date and role, as dim_rep tells them",
    ("hourly_call", "day_of_week_iso"): "of the date alone",
    ("hourly_call", "is_skipped_hour"): "of the date and the time zone alone",
    ("target_attainment", "is_included"): "follows from source_status, told with every explanation",
}
NOT_BY_DAY = {"cohort_ramp": "a row a month of tenure: sums of daily_rep_activity, whose cells are explained"}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with serving(world(), tmp_path_factory.mktemp("explain")) as (made, _):
        made.nightly(END, first=FIRST)
        yield made


def test_no_column_of_a_daily_table_is_left_out(pipeline: Pipeline) -> None:
    """A new number must be told in sql/metrics.toml, or it must be said above why it cannot be explained."""
    columns = pipeline.rows(
        "select table_name as t, column_name as c, data_type as kind from duckdb_columns() where schema_name = 'marts' order by all"
    )
    left_out: list[str] = []
    for row in columns:
        table, column = row["t"], row["c"]
        if not table.startswith(DAILY) or table in NOT_BY_DAY or not row["kind"].startswith(NUMERIC):
            continue
        told = table in TABLES and (column in TABLES[table].keys or column in TABLES[table].numbers)
        if not told and column not in OF_ANY_TABLE and (table, column) not in NOT_EXPLAINED:
            left_out.append(f"{table}.{column}")
    assert not left_out
    assert {t for t in TABLES if not t.startswith(DAILY)} == set()


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_cells_drawn_at_random_add_up(pipeline: Pipeline, table: Table) -> None:
    """Of every number two cells that are neither NULL nor 0, of which there must be some, and two of the busiest rows, where a rule that
    counts too little gives 0."""
    chance = random.Random(table.name)
    empty: list[str] = []
    for number in table.numbers.values():
        cells = _cells(pipeline, table, number.name, chance) if number.is_column else []
        for cell in cells:
            found = explain(pipeline.con, cell)
            assert found.adds_up, f"{cell}: the table says {found.value}, the records add up to {found.total}"
        if number.is_column and len(cells) < 2:
            empty.append(number.name)
    assert not empty, "nothing happened that these could count: the world must be livelier"


def _cells(pipeline: Pipeline, table: Table, number: str, chance: random.Random) -> list[Cell]:
    keys = ", ".join([f"{table.date}::date as day", *(f"{key}::varchar as {key}" for key in table.keys)])
    columns = [n.name for n in table.numbers.values() if n.is_column]
    told = " + ".join(f"{_told(column)}::integer" for column in columns)
    rows = pipeline.rows(
        f"select {keys}, {_told(number)} as is_told, {told} as n_told from marts.{table.name} order by all"
    )
    alive = [row for row in rows if row["is_told"]]
    busy = sorted(rows, key=lambda row: row["n_told"], reverse=True)[: max(len(rows) // 10, 10)]
    k = (
        1 if table.name.endswith("_activity") and table.name.startswith("daily_") else 2
    )  # those the dictionary itself counts
    drawn = [*chance.sample(alive, k=min(k, len(alive))), *chance.sample(busy, k=k)]
    return [Cell(number, table.name, row["day"], {k: row[k] for k in table.keys}) for row in drawn] if alive else []


def _told(column: str) -> str:
    """SQL: the cell is neither NULL nor 0."""
    return f"coalesce(try_cast({column} as double) <> 0, {column} is not null)"


def test_every_number_above_zero_of_one_day_has_its_records(pipeline: Pipeline) -> None:
    """Every cell, not a sample: all metrics of all reps on the busiest day."""
    day = _busiest(pipeline)
    reps = pipeline.rows("select rep_id::varchar as r from marts.daily_rep_activity where activity_date = ?", [day])
    for metric in dictionary.load().counted:
        for rep in reps:
            found = explain(pipeline.con, Cell(metric.name, "daily_rep_activity", day, {"rep_id": rep["r"]}))
            assert found.adds_up, f"{found.cell}: {found.value} but {found.total}"


def test_a_rate_is_explained_by_its_parts(pipeline: Pipeline) -> None:
    found = explain(pipeline.con, Cell("connect_rate", "daily_org_activity", _busiest(pipeline)))
    connected, made = found.parts
    assert (connected.cell.metric, made.cell.metric) == ("calls_connected", "calls_made")
    assert found.value == connected.value / made.value


def test_a_signal_shows_the_numbers_and_the_calls_that_it_comes_from(pipeline: Pipeline) -> None:
    """z = (rate - baseline) / sqrt(baseline x (1 - baseline) / n), each from calls that are listed."""
    (row,) = pipeline.rows(
        "select * from marts.guard_call_quality where signal = 'coaching_signal' order by all limit 1"
    )
    keys = {"scope": "rep", "entity": row["entity"], "measure": row["measure"]}
    found = explain(pipeline.con, Cell("signal", "guard_call_quality", row["activity_date"], keys))
    parts = {part.cell.metric: part for part in found.parts}
    assert found.total == "coaching_signal"
    rate, baseline, n = (parts["z"].parts[i].total for i in range(3))
    assert parts["z"].value == pytest.approx((rate - baseline) / (baseline * (1 - baseline) / n) ** 0.5, abs=1e-6)
    calls = parts["rate"].parts[1]
    assert calls.counted == n == row["n"]
    assert calls.shows[:5] == ["record", "at", "rep", "adds", "left_out_because"]


def test_a_median_is_that_of_the_records_listed(pipeline: Pipeline) -> None:
    (row,) = pipeline.rows(
        "select * from marts.daily_log_lag where logged_items = 4 order by activity_date, rep_id limit 1"
    )
    found = explain(
        pipeline.con, Cell("log_lag_minutes_p50", "daily_log_lag", row["activity_date"], {"rep_id": str(row["rep_id"])})
    )
    minutes = sorted(record[3] for record in found.rows if record[3] is not None)
    assert len(minutes) == 4  # so the median is halfway between the second and the third
    assert found.value == pytest.approx((minutes[1] + minutes[2]) / 2)


def test_what_does_not_count_says_which_rule_left_it_out(pipeline: Pipeline) -> None:
    """Mails of a rep's last seven days: internal and bulk mail stands there with its reason."""
    reasons: set[str] = set()
    for row in pipeline.rows(
        "select activity_date as d, rep_id::varchar as r from marts.guard_rep_pressure where emails_sent_7d > 0"
    ):
        found = explain(pipeline.con, Cell("emails_sent_7d", "guard_rep_pressure", row["d"], {"rep_id": row["r"]}))
        reasons |= {record[4] for record in found.rows if record[3] is None}
        if len(reasons) > 1:
            break
    assert reasons and "does not meet the rule" not in reasons


def test_changes_of_a_cell_are_found_by_its_key(pipeline: Pipeline) -> None:
    """meta.restatement writes the row's key in the order of the table's grain."""
    (row,) = pipeline.rows("select * from marts.hourly_call where calls_made > 0 order by all limit 1")
    key = f"{row['activity_date']}|{row['hour_local']}|{row['rep_id']}"
    pipeline.con.execute(
        "insert into meta.restatement values ('hourly_call', ?, 'calls_made', '1', '2', 'late_data', 'r9', now())",
        [key],
    )
    keys = {"rep_id": str(row["rep_id"]), "hour_local": str(row["hour_local"])}
    found = explain(pipeline.con, Cell("calls_made", "hourly_call", row["activity_date"], keys))
    assert [change[1:] for change in found.restated] == [("1", "2", "late_data", "r9")]


def test_the_options_pick_the_table(pipeline: Pipeline) -> None:
    day = _busiest(pipeline)
    (rep,) = pipeline.rows("select rep_id, email from core.dim_rep where name = 'Ada Adler' and is_current")
    one = str(rep["rep_id"])

    def picked(metric: str, table: str | None = None, **given: str) -> Cell:
        return pick(pipeline.con, metric, day, {k.replace("_", "-"): v for k, v in given.items()}, table)

    assert picked("calls_made") == Cell("calls_made", "daily_org_activity", day, {})
    assert picked("calls_made", rep=rep["email"]) == Cell("calls_made", "daily_rep_activity", day, {"rep_id": one})
    assert picked("emails_sent", rep=one).table == "daily_rep_activity"  # guard_rep_pressure repeats it
    assert picked("calls_made", rep=one, hour="9").table == "hourly_call"
    assert picked("open_deals").table == "daily_org_multithreading"
    assert picked("win_rate", "daily_pipeline_owner", rep=one).table == "daily_pipeline_owner"
    keys = {"scope": "org", "entity": "org", "measure": "short_share"}
    assert picked("z", measure="short_share") == Cell("z", "guard_call_quality", day, keys)
    keys = {"scope": "rep", "entity": one, "measure": "short_share"}
    assert picked("z", measure="short_share", rep=one) == Cell("z", "guard_call_quality", day, keys)


@pytest.mark.parametrize(
    ("metric", "table", "given", "said"),
    [
        ("calls_mad", None, {}, "the nearest: calls_made"),
        ("calls_made", "daily_pipelin", {}, "the nearest: daily_pipeline"),
        ("calls_made", "daily_pipeline", {}, "no metric 'calls_made' in daily_pipeline"),
        ("won_amount", None, {"rep": "Ada Adler"}, "daily_rep_activity, daily_pipeline, daily_pipeline_owner: say which with --table"),
        ("actions", None, {"rep": "Ada Adler"}, r"needs --tool \(crm, dialer, mail\)"),
        ("actions", None, {"tool": "crm"}, r"needs --rep \(ada.adler@acme.example, "),
        ("mails_7d", None, {}, r"needs --contact \([0-9a-f]+, .* more\)"),
        ("calls_made", None, {"hour": "9"}, r"calls_made in hourly_call needs --rep \(ada"),
        ("crm_writes", None, {"territory": "EMEA"}, "crm_writes cannot be told by --territory; it is told in daily_rep_activity by --rep"),
        ("calls_made", None, {"rep": "nobody@acme.com"}, "no rep has the address, name or id"),
    ],
)  # fmt: skip
def test_what_cannot_be_picked_is_said_with_what_can(
    pipeline: Pipeline, metric: str, table: str | None, given: dict[str, str], said: str
) -> None:
    with pytest.raises(ExplainError, match=said):
        pick(pipeline.con, metric, _busiest(pipeline), given, table)


def test_what_does_not_exist_is_said(pipeline: Pipeline) -> None:
    with pytest.raises(ExplainError, match="address, name or id"):
        find_rep(pipeline.con, "nobody@acme.com")
    with pytest.raises(ExplainError, match=r"has no row for the organisation"):
        explain(pipeline.con, Cell("calls_made", "daily_org_activity", date(1999, 1, 1)))
    with pytest.raises(ExplainError, match="daily_territory_activity has no number crm_writes"):
        explain(pipeline.con, Cell("crm_writes", "daily_territory_activity", date(2026, 3, 1), {"territory_id": "-1"}))


def test_the_dictionary_of_the_file_lists_every_number_once(pipeline: Pipeline) -> None:
    rows = pipeline.rows("select metric_name as m, definition as d from marts.meta_metric")
    names = [row["m"] for row in rows]
    assert len(names) == len(set(names))
    assert {"win_rate", "response_rate", "open_deals", "items_answered", "mails_7d", "seat_utilisation"} <= set(names)
    assert all(row["d"] for row in rows)


def _busiest(pipeline: Pipeline) -> date:
    return pipeline.rows("select activity_date as d from marts.daily_org_activity order by calls_made desc, d limit 1")[
        0
    ]["d"]
