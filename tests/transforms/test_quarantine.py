"""What could not be read is kept, and read again after a fix: once, as of when it was read."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connectors.landing_file import write_lines
from connectors.stream import DateRange, Stream
from tests.transforms.conftest import READ_AT, Write, latest
from transforms import landing, quarantine
from transforms.warehouse import open_warehouse

BEFORE = Stream("dialer_call", DateRange(), key=("id",), happened_at="at")
AFTER = Stream("dialer_call", DateRange(), key=("uuid",), happened_at="at")
WAITING = "select count(*) from meta.quarantine where resolved_at is null"


def record(key: str, v: int) -> dict[str, object]:
    return {"uuid": key, "v": v, "at": "2026-03-02T10:00:00Z"}


def retry(con: duckdb.DuckDBPyConnection, folder: Path, stream: Stream, run: str) -> tuple[int, int, int]:
    done = quarantine.retry(con, "cloudtalk", "main", stream, partial(write_lines, folder / "again"), run)
    return done.tried, done.new, done.left


def test_records_are_landed_once_after_the_fix(
    con: duckdb.DuckDBPyConnection, landing_file: Write, tmp_path: Path
) -> None:
    """The vendor renames its key; a record that is no JSON stays what it is; so does one that the connector did not know for a record."""
    rejected = json.dumps({"salespulse_rejected": "[\n1]", "reason": "not a JSON object"})
    landing.land(con, landing_file([record("a", 1), record("b", 1), '{"uuid": '], lines=[rejected]))
    assert retry(con, tmp_path, BEFORE, "x1") == (4, 0, 4), "nothing has been put right yet"
    assert retry(con, tmp_path, AFTER, "x2") == (4, 2, 2)
    assert latest(con) == {"a": ("1", False), "b": ("1", False)}
    assert [(k.reason, k.records) for k in quarantine.listed(con)] == [
        ("not valid JSON", 1),
        ("the record has no id", 1),
    ]
    assert retry(con, tmp_path, AFTER, "x3") == (2, 0, 2), "once more changes nothing"
    assert con.execute("select count(*) from raw.cloudtalk_dialer_call").fetchone() == (2,)
    assert con.execute("select distinct first_seen_at from meta.quarantine").fetchall() == [(READ_AT,)]
    assert landing.pending(con, tmp_path / "again") == []


def test_what_was_read_later_is_not_overruled(
    con: duckdb.DuckDBPyConnection, landing_file: Write, tmp_path: Path
) -> None:
    landing.land(con, landing_file([record("a", 1)]))
    landing.land(con, landing_file([record("a", 2)], run="r2", key=["uuid"], read_at=READ_AT + timedelta(days=1)))
    assert retry(con, tmp_path, AFTER, "x1") == (1, 1, 0)
    assert latest(con) == {"a": ("2", False)}


def test_what_was_gone_by_a_later_reading_is_not_raised(
    con: duckdb.DuckDBPyConnection, landing_file: Write, tmp_path: Path
) -> None:
    """Of three records that two readings hold but nobody can read, a later one holds the first alone, which can be read by then, and the
    second never lacks from a reading of its own days."""
    other = {**record("b", 1), "at": "2026-02-20T10:00:00Z"}
    for run in ("r1", "r2"):
        landing.land(
            con,
            landing_file(
                [record("a", 1), other, record("c", 1)], run=run, read_at=READ_AT + timedelta(hours=run == "r2")
            ),
        )
    assert con.execute(WAITING).fetchone() == (3,)
    landing.land(con, landing_file([record("a", 1)], run="r3", key=["uuid"], read_at=READ_AT + timedelta(days=1)))
    assert retry(con, tmp_path, BEFORE, "x1") == (3, 0, 3)
    assert con.execute("select distinct first_seen_at from meta.quarantine").fetchall() == [(READ_AT,)]
    assert retry(con, tmp_path, AFTER, "x2")[::2] == (3, 0)
    assert latest(con) == {"a": ("1", False), "b": ("1", False), "c": ("1", True)}


def test_what_the_last_reading_held_unreadable_is_there(
    con: duckdb.DuckDBPyConnection, landing_file: Write, tmp_path: Path
) -> None:
    for days in range(3):
        landing.land(con, landing_file([record("a", 1)], run=f"r{days}", read_at=READ_AT + timedelta(days=days)))
    assert retry(con, tmp_path, AFTER, "x1") == (1, 1, 0)
    assert latest(con) == {"a": ("1", False)}


def test_only_what_was_asked_for_is_listed(con: duckdb.DuckDBPyConnection, landing_file: Write) -> None:
    landing.land(con, landing_file([{"v": 1}]))
    landing.land(con, landing_file([{"v": 1}], stream="dialer_user"))
    assert [k.stream for k in quarantine.listed(con, "cloudtalk", "dialer_user")] == ["dialer_user"]
    assert [text for *_, text in quarantine.shown(con, "cloudtalk", "dialer_call", 9)] == ['{"v": 1}']
    assert quarantine.listed(con, "hubspot") == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(
        st.text(max_size=12) | st.builds(lambda k: json.dumps({"uuid": k}), st.text(min_size=1, max_size=5)), max_size=8
    )
)
@example(texts=["\r", "\r"])
def test_no_record_vanishes_and_none_is_counted_twice(landing_file: Write, tmp_path: Path, texts: list[str]) -> None:
    """Whatever is rejected: after any number of retries each distinct text is either in raw or waits."""
    folder = tmp_path / str(abs(hash(tuple(texts))))
    with open_warehouse(folder / "w.duckdb") as con:
        lines = [json.dumps({"salespulse_rejected": t, "reason": "odd"}) for t in texts if t]
        landing.land(con, landing_file([], lines=lines))
        expected = con.execute(WAITING).fetchone()
        tried, new, left = retry(con, folder, AFTER, "x1")
        assert new + left <= tried
        assert con.execute(WAITING).fetchone() == (left,)
        assert retry(con, folder, AFTER, "x2") == (left, 0, left)
        assert expected
        assert tried == len({t for t in texts if t})
