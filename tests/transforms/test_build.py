"""Build, merge, checks, publishing: the product's own models over an empty and a small warehouse, and tiny models of the tests'."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

import connectors
from transforms import (
    build,
    checks,
    contract,
    forget,
    inputs,
    model,
    old_keys,
    parsed,
    publish,
    publish_into,
    raw,
    slices,
)
from transforms.build import BuildError
from transforms.changes import Changes
from transforms.forgotten import Forgotten
from transforms.model import ModelError
from transforms.parameters import Parameters
from transforms.publish import PublishError
from transforms.warehouse import ASIDE, WarehouseLocked, open_warehouse

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
DAILY = """-- marts.daily_thing: things a day.
-- grain: day
-- kind: merged
-- day: Date
-- n: How many
-- is_complete: Whether all is known
select day, n::bigint as n, is_complete from core.thing
"""
THING = "-- core.thing: things.\nselect * from meta.thing\n"
SHOWN = """-- marts.meta_restatement: changes.
-- kind: replaced
-- metric: Column
-- reason: Why
select metric, reason from meta.restatement
"""

Models = Callable[..., Path]


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(tmp_path / "warehouse.duckdb") as opened:
        opened.execute("create table meta.thing (day date, n integer, is_complete boolean)")
        load(opened, "r1")
        yield opened


@pytest.fixture
def models(tmp_path: Path) -> Models:
    """Writes a folder of models: models(**{"core/thing": SQL})."""

    def write(**files: str) -> Path:
        folder = tmp_path / "sql"
        for name, text in {"core/thing": THING, "marts/daily_thing": DAILY, **files}.items():
            file = folder / f"{name}.sql"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return folder

    return write


def load(con: duckdb.DuckDBPyConnection, run_id: str, now: datetime = NOW) -> None:
    inputs.load(con, inputs.Inputs(run_id, now, date(2026, 3, 1)))


def things(con: duckdb.DuckDBPyConnection, *rows: tuple[str, int, bool]) -> None:
    con.execute("delete from meta.thing")
    con.executemany("insert into meta.thing values (?, ?, ?)", [list(row) for row in rows])


def daily(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return con.execute("select day::varchar, n, run_id from marts.daily_thing order by day").fetchall()


def test_a_run_without_changes_leaves_every_row_as_it_was(con: duckdb.DuckDBPyConnection, models: Models) -> None:
    folder = models()
    things(con, ("2026-03-01", 1, True), ("2026-03-02", 2, True))
    assert build.build(con, folder).changed_rows == 2
    load(con, "r2")
    assert build.build(con, folder).changed_rows == 0
    assert daily(con) == [("2026-03-01", 1, "r1"), ("2026-03-02", 2, "r1")]


def test_a_changed_value_is_restated_with_old_new_reason_and_run(
    con: duckdb.DuckDBPyConnection, models: Models
) -> None:
    folder = models(**{"marts/meta_restatement": SHOWN})
    things(con, ("2026-03-01", 1, True), ("2026-03-02", 2, False), ("2026-03-03", 3, True))
    build.build(con, folder)
    load(con, "r2", datetime(2026, 3, 21, 6, tzinfo=UTC))
    things(con, ("2026-03-01", 5, True), ("2026-03-02", 7, False), ("2026-03-04", 4, True))
    report = build.build(con, folder)
    assert report.changed_rows == 3
    found = con.execute(
        "select key, metric, old_value, new_value, reason, run_id from meta.restatement order by key, metric"
    ).fetchall()
    assert found == [
        ("2026-03-01", "n", "1", "5", "late_data", "r2"),
        ("2026-03-02", "n", "2", "7", "day_completed", "r2"),
        ("2026-03-03", "is_complete", "true", None, "row_gone", "r2"),
        ("2026-03-03", "n", "3", None, "row_gone", "r2"),
    ]
    assert con.execute("select count(*) from marts.meta_restatement").fetchone() == (4,), "shown in the same run"
    first = con.execute("select first_published_at, last_changed_at from marts.daily_thing where n = 5").fetchone()
    assert first == (datetime(2026, 3, 20, 6), datetime(2026, 3, 21, 6))  # noqa: DTZ001  UTC without zone, for BI tools


def test_a_run_that_builds_several_times_tells_of_each_value_once(
    con: duckdb.DuckDBPyConnection, models: Models
) -> None:
    """As a backfill does, which publishes on the way: from what was before the run to what is after it; what is as it was has not changed."""
    folder = models(**{"marts/meta_restatement": SHOWN})
    things(con, *((f"2026-03-0{day}", 1, day != 3) for day in range(1, 5)))
    build.build(con, folder)
    load(con, "r2")
    things(con, ("2026-03-01", 5, True), ("2026-03-02", 2, True), ("2026-03-03", 7, True), ("2026-03-04", 8, True))
    build.build(con, folder)
    things(con, ("2026-03-01", 6, True), ("2026-03-02", 1, True), ("2026-03-03", 9, True))
    build.build(con, folder)
    found = con.execute("select key, metric, old_value, new_value, reason, run_id from meta.restatement order by all")
    assert found.fetchall() == [
        ("2026-03-01", "n", "1", "6", "late_data", "r2"),
        ("2026-03-03", "is_complete", "false", "true", "day_completed", "r2"),
        ("2026-03-03", "n", "1", "9", "day_completed", "r2"),
        ("2026-03-04", "is_complete", "true", None, "row_gone", "r2"),
        ("2026-03-04", "n", "1", None, "row_gone", "r2"),
    ]
    assert con.execute("select count(*) from marts.meta_restatement").fetchone() == (5,)
    things(con, ("2026-03-01", 6, True), ("2026-03-02", 1, True), ("2026-03-03", 9, True), ("2026-03-04", 3, True))
    build.build(con, folder)
    back = con.execute("select metric, old_value, new_value, reason from meta.restatement where key = '2026-03-04'")
    assert back.fetchall() == [("n", "1", "3", "late_data")], "the row is there again"
    load(con, "r3")
    things(con, ("2026-03-01", 5, True), ("2026-03-02", 1, True), ("2026-03-03", 9, True), ("2026-03-04", 3, True))
    build.build(con, folder)
    told = con.execute("select old_value, new_value from meta.restatement where run_id = 'r3'").fetchall()
    assert told == [("6", "5")], "another run tells for itself"


def test_what_no_reader_saw_is_not_restated(con: duckdb.DuckDBPyConnection, models: Models) -> None:
    """r2 publishes nothing, as when a check blocks it: r3 tells of what changed since r1, and not of the 3rd, which r2 made."""
    folder = models(**{"marts/meta_restatement": SHOWN})
    told: dict[str, list[tuple[object, ...]]] = {}
    for day, run_id, published, rows in (
        (20, "r1", True, (("2026-03-01", 1, True), ("2026-03-02", 1, True))),
        (21, "r2", False, (("2026-03-01", 5, True), ("2026-03-02", 5, True), ("2026-03-03", 3, False))),
        (22, "r3", True, (("2026-03-01", 7, True), ("2026-03-02", 1, True), ("2026-03-03", 4, True))),
        (23, "r4", True, (("2026-03-01", 7, True), ("2026-03-02", 1, True), ("2026-03-03", 6, True))),
    ):
        now = datetime(2026, 3, day, 6, tzinfo=UTC)
        con.execute(
            "insert into meta.run (run_id, started_at, published, detail) values (?, ?, false, ?)",
            [run_id, now, json.dumps({"now": now.isoformat()})],
        )
        load(con, run_id, now)
        things(con, *rows)
        build.build(con, folder)
        if published:
            con.execute("update meta.run set published = true where run_id = ?", [run_id])
        told[run_id] = con.execute(
            "select key, metric, old_value, new_value, run_id, restated_at from meta.restatement where run_id = ?",
            [run_id],
        ).fetchall()
    assert told["r3"] == [("2026-03-01", "n", "1", "7", "r3", datetime(2026, 3, 22, 6, tzinfo=UTC))]
    assert told["r4"] == [("2026-03-03", "n", "4", "6", "r4", datetime(2026, 3, 23, 6, tzinfo=UTC))]
    assert con.execute("select distinct run_id from meta.restatement order by 1").fetchall() == [("r3",), ("r4",)]


def test_what_is_shown_of_restatements_forgets_whom_the_books_forget(
    con: duckdb.DuckDBPyConnection, models: Models
) -> None:
    """The lines of earlier runs, of which a build shows anew only those that are more or fewer than it showed."""
    narrow = SHOWN.replace(
        "-- kind: replaced\n",
        "-- kind: replaced\n-- scope: run_id\n-- on meta.restatement: run_id\n-- key: Key\n-- run_id: Run\n",
    )
    folder = models(**{"marts/meta_restatement": narrow.replace("select metric", "select key, run_id, metric")})
    for number, run_id in enumerate(("r1", "r2", "r3")):
        load(con, run_id)
        things(con, ("2026-03-01", min(number, 1), True))
        build.build(con, folder)
        if run_id == "r2":
            assert con.execute("select key, run_id from marts.meta_restatement").fetchall() == [("2026-03-01", "r2")]
            assert forget.clean_books(con, Forgotten(b"s" * 32), {"2026-03-01": "nobody"}, write=True)
    assert con.execute("select key, run_id from marts.meta_restatement").fetchall() == [("nobody", "r2")]
    load(con, "r4")
    things(con, ("2026-03-01", 4, True))
    build.build(con, folder)
    forget.drop_own_restatements(con, "r4", {"2026-03-01": "nobody"})
    assert con.execute("select key, run_id from marts.meta_restatement").fetchall() == [("nobody", "r2")]


def test_a_new_column_of_a_model_reaches_the_standing_table(con: duckdb.DuckDBPyConnection, models: Models) -> None:
    """Nothing was published of it before, so nothing is restated."""
    things(con, ("2026-03-01", 1, True))
    build.build(con, models())
    wider = DAILY.replace("-- is_complete", "-- twice: Double\n-- is_complete").replace(
        "is_complete from", "n * 2::bigint as twice, is_complete from"
    )
    build.build(con, models(**{"marts/daily_thing": wider}))
    assert con.execute("select twice from marts.daily_thing").fetchone() == (2,)
    assert con.execute("from meta.restatement").fetchall() == []


@pytest.mark.parametrize(
    ("expression", "named"),
    [("sum(n)", "HUGEINT"), ("now()", "TIMESTAMP WITH TIME ZONE"), ("[n]", "BIGINT"), ("{'a': n}", "STRUCT")],
)
def test_types_that_bi_tools_cannot_read_fail_the_build(
    con: duckdb.DuckDBPyConnection, models: Models, expression: str, named: str
) -> None:
    over = "over ()" if expression == "sum(n)" else ""
    bad = f"-- marts.bad: bad.\n-- x: bad\nselect {expression} {over} as x from marts.daily_thing\n"
    things(con, ("2026-03-01", 1, True))
    with pytest.raises(BuildError, match=rf"bad\.sql: .*x {named}"):
        build.build(con, models(**{"marts/bad": bad}))


def test_a_failing_model_is_named_and_nothing_of_the_build_stays(
    con: duckdb.DuckDBPyConnection, models: Models
) -> None:
    things(con, ("2026-03-01", 1, True))
    build.build(con, models())
    things(con, ("2026-03-01", 9, True))
    broken = "-- marts.z: z.\nselect n from marts.daily_thing where n / 0 = nonsense\n"
    with pytest.raises(BuildError, match=r"sql/marts/z\.sql"):
        build.build(con, models(**{"marts/z": broken}))
    assert daily(con) == [("2026-03-01", 1, "r1")]


def test_models_that_read_each_other_or_nothing_known_are_refused(models: Models) -> None:
    with pytest.raises(ModelError, match="in a circle"):
        model.load(models(**{"core/thing": "select * from core.other", "core/other": "select * from core.thing"}))
    with pytest.raises(ModelError, match=r"reads core\.nowhere, which no file"):
        model.load(models(**{"core/thing": "select * from core.nowhere", "core/other": "select 1 as x"}))


def test_slices_by_what_is_no_part_of_the_scope_are_refused(models: Models) -> None:
    """Slices are for large companies: nobody else would meet the mistake."""
    sql = "-- core.other: x.\n-- scope: struct_pack(a := a, b := b)\n-- slices: {}\nselect 1 as a, 2 as b"
    model.load(models(**{"core/other": sql.format("b")}))
    with pytest.raises(ModelError, match="slices: c is neither none nor a field of the scope"):
        model.load(models(**{"core/other": sql.format("c")}))


def test_an_error_of_a_check_blocks_and_says_which_rows(con: duckdb.DuckDBPyConnection, models: Models) -> None:
    check = (
        "-- checks.positive: things are positive.\n-- severity: {}\nselect day, n from marts.daily_thing where n < 0\n"
    )
    things(con, ("2026-03-01", -1, True))
    folder = models(
        **{
            "checks/positive": check.format("error"),
            "checks/soft": check.format("warning").replace("positive:", "soft:", 1),
        }
    )
    build.build(con, folder)
    hard, soft = checks.run_checks(con, folder)
    assert (hard.blocks, hard.failing_rows, hard.examples) == (True, 1, "day=2026-03-01, n=-1")
    assert not soft.blocks
    assert soft.failing_rows == 1


def test_staging_rows_that_cannot_be_read_are_quarantined_until_they_can(
    con: duckdb.DuckDBPyConnection, models: Models
) -> None:
    part = """select 's' as source_id, 'w' as workspace_id, n::varchar as record_id, n,
        case when n < 0 then 'n is negative' end as unreadable_reason from meta.thing"""
    folder = models(**{"staging/stg_thing__one": part})
    things(con, ("2026-03-01", -1, True), ("2026-03-02", 2, True))
    assert build.build(con, folder).quarantined == 1
    assert build.build(con, folder).quarantined == 0, "counted once"
    assert con.execute("select n from staging.stg_thing").fetchall() == [(2,)]
    things(con, ("2026-03-02", 2, True))
    build.build(con, folder)
    assert con.execute("select record_id, reason, resolved_at is not null from meta.quarantine").fetchall() == [
        ("-1", "n is negative", True)
    ]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The product's own models over a warehouse in which nothing has landed."""
    folder = tmp_path_factory.mktemp("product")
    reps = folder / "reps.csv"
    reps.write_text("email,name,timezone\nann@acme.com,Ann,Asia/Tokyo\n", encoding="utf-8")
    with open_warehouse(folder / "warehouse.duckdb") as con:
        raw.declare(con, [(n, s.name) for n in connectors.NAMES for s in connectors.load(n)[0].streams])
        inputs.load(con, inputs.Inputs("r1", NOW, date(2026, 3, 1), files={"reps": reps}))
        build.build(con)
        yield con


def test_every_model_builds_over_nothing_and_no_check_fails(product: duckdb.DuckDBPyConnection) -> None:
    assert [c for c in checks.run_checks(product) if c.failing_rows] == []
    row = product.execute(
        "select count(*), count(calls_made), count(distinct source_status) from marts.daily_rep_activity"
    ).fetchone()
    assert row == (20, 0, 1), "a dense spine to the local today, and nothing known"


def test_what_connectors_give_to_a_staging_table_has_the_same_columns_in_the_same_order(
    product: duckdb.DuckDBPyConnection,
) -> None:
    """Else a table would have another shape as soon as the first record of one more source lands."""
    several = [m for m in model.load(model.root()) if len(m.parts) > 1]
    assert len(several) > 20
    for one in several:
        shapes = [product.execute(f"describe ({part.sql}\n)").fetchall() for part in one.parts]
        assert all(shape == shapes[0] for shape in shapes), one.name


def test_every_line_that_tells_keys_fits_what_is_known_of_changed_rows(product: duckdb.DuckDBPyConnection) -> None:
    """Of raw that is the record's id alone. A line that asks for more stops the first night on which such a row changes."""
    asked = 0
    for one in model.load(model.root()):
        for table, lines in one.on.items():
            of = "select distinct record_id" if table.startswith("raw.") else "select *, true as row_comes"
            product.execute(f"create or replace temp view changed as {of} from {table}")
            for line in lines:
                is_select = line.lower().startswith(("select", "with"))
                product.execute(f"describe {line if is_select else f'select {line} from changed'}")
                asked += 1
    assert asked > 200


def test_what_a_model_looks_up_in_a_table_laid_down_by_date_is_sought_where_its_keys_stand() -> None:
    """A table is searched whole where its lookup is not understood, which no result shows: only the night takes longer."""
    models = [m for m in model.load(model.root()) if m.kind != "view"]
    listed, changes = old_keys.columns(models), Changes(duckdb.connect(), full=False)
    lookups = [
        (one.table, found["of"])
        for one in models
        for table in one.keep
        for found in filter(None, map(old_keys.WAY.fullmatch, old_keys.ways(changes.kept(one, table))))
        if "core." in (found["of"] or "") and parsed.tables(found["of"]) & listed.keys()
    ]
    assert len(lookups) > 10
    for table, lookup in lookups:
        inner = old_keys.OF_TABLE.fullmatch(lookup)
        assert inner, f"{table}: {lookup}"
        assert inner["column"] in (*listed[inner["table"]], "activity_date"), f"{table}: {lookup}"


def test_a_source_of_which_nothing_has_landed_is_not_read(product: duckdb.DuckDBPyConnection) -> None:
    calls = next(m for m in model.load(model.root()) if m.name == "stg_dialer_call")
    silent = raw.without_rows(product, calls.reads)
    assert silent == {table.removesuffix("_latest") for table in calls.reads if table.startswith("raw.")}
    assert len(model.heard(calls, silent).parts) == 1, "something has to give the columns"
    heard = model.heard(calls, silent - {"raw.aircall_dialer_call"})
    assert ["raw.aircall_dialer_call_latest" in part.reads for part in heard.parts] == [True]
    assert model.heard(calls, ()) == calls


def test_a_slice_is_not_taken_for_a_few_rows() -> None:
    """A quarter of 100,000 keys: planned as two of them, their joins are loops over all pairs of rows, which do not end at a million."""
    with duckdb.connect() as con:
        con.execute("create table t as select 'k' || range as key from range(100000)")
        of_slice = slices.is_in_slice("key", kind="varchar", number=1, slices=4)
        plan = json.loads(con.execute(f"explain (format json) select * from t where {of_slice}").fetchall()[0][1])
        assert int(plan[0]["extra_info"]["Estimated Cardinality"]) > 1000
        counts = [
            con.execute(
                f"select count(*) from t where {slices.is_in_slice('key', kind='varchar', number=n, slices=4)}"
            ).fetchall()[0][0]
            for n in range(4)
        ]
    assert sum(counts) == 100_000 and min(counts) > 24_000, "every key is in one slice"


def test_publishing_swaps_a_whole_verified_file_and_keeps_the_old_ones(
    product: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    target = tmp_path / "sales.duckdb"
    publish.publish(product, target, mode=0o640)
    before = target.read_bytes()
    with duckdb.connect(str(target), read_only=True) as reader:
        publish.publish(product, target, keep=1)
        assert reader.execute("select count(*) from daily_rep_activity").fetchone() == (20,), "a reader keeps its file"
    assert oct(target.stat().st_mode)[-3:] == "600"
    assert not list(tmp_path.glob("*.wal")) and not list(tmp_path.glob("*.next"))
    previous = list((tmp_path / "previous").iterdir())
    assert [file.read_bytes() for file in previous] == [before]


def test_a_file_that_promises_another_contract_is_written_anew(
    product: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "sales.duckdb"
    publish.publish(product, target, small_file=0)
    monkeypatch.setattr(contract, "CONTRACT_VERSION", "9.9.9")
    publish.publish(product, target, small_file=0)
    with duckdb.connect(str(target), read_only=True) as reader:
        assert reader.execute("select contract_version from meta_contract").fetchall() == [("9.9.9",)]


def test_a_draft_that_is_not_fit_leaves_the_published_file_alone(
    product: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    target = tmp_path / "sales.duckdb"
    publish.publish(product, target)
    before = target.read_bytes()
    folder = tmp_path / "sql"
    for layer in ("core", "marts"):
        (folder / layer).mkdir(parents=True)
    (folder / "marts" / "dim_date.sql").write_text(
        "-- marts.dim_date: dates.\n-- date: Date\nselect date, date_key from core.x", "utf-8"
    )
    (folder / "core" / "x.sql").write_text("select 1 as date, 2 as date_key", "utf-8")
    with pytest.raises(PublishError, match=r"dim_date\.sql: no comment for date_key"):
        publish.publish(product, target, folder=folder)
    assert target.read_bytes() == before
    assert [f.name for f in tmp_path.glob("sales.duckdb*")] == ["sales.duckdb"]


def test_a_database_is_published_into_in_one_transaction(product: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Twice, with leftovers of an older version in it and a table of somebody else's; then a model that is not fit changes nothing."""
    published = publish.publish(product, tmp_path / "sales.duckdb")
    product.execute(f"attach '{tmp_path / 'cloud.duckdb'}' as cloud")
    product.execute(
        "create table cloud.main.no_longer as select 1; create view cloud.main.old as from cloud.main.no_longer"
    )
    product.execute("create schema cloud.others; create table cloud.others.theirs as select 1")
    for _ in range(2):
        done = publish_into.replace(product, "cloud")
        assert (len(done), sum(done.values())) == (published.tables, published.rows)
    folder = tmp_path / "sql"
    (folder / "core").mkdir(parents=True)
    (folder / "marts").mkdir()
    (folder / "marts" / "dim_date.sql").write_text(
        "-- marts.dim_date: dates.\n-- date: Date\nselect 1 as date_key", "utf-8"
    )
    with pytest.raises(PublishError, match=r"dim_date\.sql: no comment for"):
        publish_into.replace(product, "cloud", folder)
    product.execute("detach cloud")
    with duckdb.connect(str(tmp_path / "cloud.duckdb"), read_only=True) as cloud:
        assert cloud.execute("select count(*) from daily_rep_activity").fetchone() == (20,)
        assert cloud.execute("from others.theirs").fetchone() == (1,)
        tables = "select table_name, column_name, type, comment from meta_column order by all"
        with duckdb.connect(str(tmp_path / "sales.duckdb"), read_only=True) as file:
            assert cloud.execute(tables).fetchall() == file.execute(tables).fetchall()
            count = "select count(*) from information_schema.tables where table_schema = 'main'"
            assert cloud.execute(count).fetchone() == file.execute(count).fetchone()


def test_a_second_writer_is_told_who_holds_the_warehouse(tmp_path: Path) -> None:
    import sys

    path = tmp_path / "w.duckdb"
    script = f"import duckdb,sys; c=duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout and holder.stdout.readline() == "open\n"
        with pytest.raises(WarehouseLocked, match=str(holder.pid)), open_warehouse(path):
            pass
    finally:
        holder.communicate("")


def test_a_changed_threshold_is_dated_and_shown_with_its_default(product: duckdb.DuckDBPyConnection) -> None:
    def shown() -> tuple[object, ...] | None:
        return product.execute(
            "select value, default_value, changed_at::varchar from meta.parameter where name = 'conversation_min_talk_seconds'"
        ).fetchone()

    assert shown() == ("60", "60", "2026-03-20 06:00:00+00")
    later = datetime(2026, 3, 21, 6, tzinfo=UTC)
    for seconds, now in ((90, later), (90, datetime(2026, 3, 22, 6, tzinfo=UTC))):
        parameters = Parameters(conversation_min_talk_seconds=seconds)
        inputs.load(product, inputs.Inputs("r2", now, date(2026, 3, 1), parameters=parameters))
        assert shown() == ("90", "60", "2026-03-21 06:00:00+00")


def test_the_fiscal_year_begins_where_the_settings_say(con: duckdb.DuckDBPyConnection) -> None:
    parameters = Parameters(fiscal_year_start_month=4)
    inputs.load(con, inputs.Inputs("r1", NOW, date(2026, 3, 1), parameters=parameters))
    sql = (model.root() / "marts" / "dim_date.sql").read_text("utf-8")
    days = con.execute(
        f"select date::varchar, fiscal_year, fiscal_quarter from ({sql}) where date in ('2026-03-31', '2026-04-01')"
    ).fetchall()
    assert sorted(days) == [("2026-03-31", 2026, 4), ("2026-04-01", 2027, 1)]


def test_rows_that_a_killed_build_put_aside_go_when_the_warehouse_is_opened(tmp_path: Path) -> None:
    """They hold people's addresses, and nobody else would ever delete them."""
    aside = tmp_path / "tmp" / f"{ASIDE}killed"
    aside.mkdir(parents=True)
    (aside / "rows-0.parquet").write_bytes(b"ann@acme.com")
    with open_warehouse(tmp_path / "warehouse.duckdb"):
        assert not aside.exists()
