"""What is kept only for a while goes, and nothing that is published changes."""

from datetime import timedelta

import duckdb

from tests.transforms.conftest import READ_AT, Write, latest
from transforms import landing, retention


def test_old_versions_go_and_the_latest_stay(con: duckdb.DuckDBPyConnection, landing_file: Write) -> None:
    """Three versions of a: read 30, 10 and 0 days ago. Of b the only one, 30 days old. After 20 days: the first of a goes."""
    for run, days, records in (("r1", 30, [("a", 1), ("b", 1)]), ("r2", 10, [("a", 2)]), ("r3", 0, [("a", 3)])):
        rows = [{"id": key, "v": v, "at": "2026-03-02T10:00:00Z"} for key, v in records]
        landing.land(con, landing_file(rows, run=run, kind="changes", read_at=READ_AT - timedelta(days=days)))
    before = latest(con)
    assert retention.drop_versions(con, 20, READ_AT) == 1
    assert latest(con) == before == {"a": ("3", False), "b": ("1", False)}
    versions = "select payload ->> '$.v' from raw.cloudtalk_dialer_call where record_id = 'a' order by 1"
    assert con.execute(versions).fetchall() == [("2",), ("3",)]
    assert retention.drop_versions(con, 20, READ_AT) == 0


def test_a_table_whose_history_a_model_reads_is_left_alone(con: duckdb.DuckDBPyConnection) -> None:
    """staging.stg_crm_user_version reads every version of raw.hubspot_crm_user."""
    landing.declare(con, [("hubspot", "crm_user")])
    con.execute(
        "insert into raw.hubspot_crm_user (record_id, _extracted_at, _seq) values ('u', '2020-01-01', 1), ('u', '2020-02-01', 2)"
    )
    con.execute("insert into raw.hubspot_crm_user_superseded (_seq) values (1)")
    assert retention.drop_versions(con, 0, READ_AT) == 0


def test_landing_files_go_once_they_have_landed_and_their_time_is_over(
    con: duckdb.DuckDBPyConnection, landing_file: Write
) -> None:
    landed, waiting = landing_file([{"id": "a", "at": "2026-03-02T10:00:00Z"}]), landing_file([], run="r2")
    landing.land(con, landed)
    row = con.execute("select landed_at from meta.extract_window").fetchone()
    assert row
    assert retention.drop_landing(con, landed.parent, 5, row[0] + timedelta(days=4)) == 0
    assert retention.drop_landing(con, landed.parent, 5, row[0] + timedelta(days=6)) == 1
    assert (landed.exists(), waiting.exists()) == (False, True)
