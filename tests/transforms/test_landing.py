"""Landing: exactly once, nothing lost, the latest version decides."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transforms.conftest import READ_AT, Write, latest
from transforms import landing, state
from transforms.landing import LandingError
from transforms.warehouse import open_warehouse


def record(key: str, v: object = 1, **more: object) -> dict[str, object]:
    return {"id": key, "v": v, "at": "2026-03-02T10:00:00Z", **more}


def count(con: duckdb.DuckDBPyConnection) -> int:
    row = con.execute("select count(*) from raw.cloudtalk_dialer_call").fetchone()
    assert row
    return row[0]


def test_the_same_file_twice_changes_nothing(con: duckdb.DuckDBPyConnection, landing_file: Write) -> None:
    file = landing_file([record("a"), record("b")])
    first = landing.land(con, file)
    assert (first.rows_read, first.rows_new, first.already) == (2, 2, False)
    assert landing.land(con, file).already
    assert count(con) == 2


def test_an_unchanged_reread_adds_nothing_and_a_changed_record_adds_one_version(
    con: duckdb.DuckDBPyConnection, landing_file: Write
) -> None:
    landing.land(con, landing_file([record("a"), record("b")]))
    landed = landing.land(con, landing_file([record("a"), record("b", 2)], run="r2"))
    assert landed.rows_new == 1
    assert latest(con) == {"a": ("1", False), "b": ("2", False)}


def test_a_window_without_records_is_done_and_what_arrives_after_it_lands(
    con: duckdb.DuckDBPyConnection, landing_file: Write
) -> None:
    empty = landing.land(con, landing_file([]))
    assert (empty.rows_read, empty.rows_new, empty.already) == (0, 0, False)
    done = con.execute("select status, rows_read, requests, cursor from meta.extract_window").fetchall()
    assert done == [("done", 0, 2, "c1")]
    landing.land(con, landing_file([record("a")], run="r2"))
    assert landing.land(con, landing_file([], run="r3")).rows_deleted == 1
    assert latest(con) == {"a": ("1", True)}


def test_a_volatile_field_is_no_change(con: duckdb.DuckDBPyConnection, landing_file: Write) -> None:
    landing.land(con, landing_file([record("a", link="signed-1")]))
    assert landing.land(con, landing_file([record("a", link="signed-2")], run="r2")).rows_new == 0


def test_a_value_that_goes_back_to_what_it_was_is_seen(con: duckdb.DuckDBPyConnection, landing_file: Write) -> None:
    for run, v in (("r1", 1), ("r2", 2), ("r3", 1)):
        landing.land(con, landing_file([record("a", v)], run=run))
    assert latest(con) == {"a": ("1", False)}
    assert count(con) == 3


def test_absence_from_a_complete_window_is_a_deletion_only_inside_the_window(
    con: duckdb.DuckDBPyConnection, landing_file: Write
) -> None:
    outside = {**record("c"), "at": "2026-02-20T10:00:00Z"}
    landing.land(con, landing_file([record("a"), record("b"), outside]))
    landed = landing.land(con, landing_file([record("a")], run="r2"))
    assert landed.rows_deleted == 1
    assert latest(con) == {"a": ("1", False), "b": ("1", True), "c": ("1", False)}


def test_a_deleted_record_that_comes_back_lives_again(con: duckdb.DuckDBPyConnection, landing_file: Write) -> None:
    for run, records in (("r1", [record("a")]), ("r2", []), ("r3", [record("a")])):
        landing.land(con, landing_file(records, run=run))
    assert latest(con) == {"a": ("1", False)}


def test_what_was_seen_stays_and_what_is_gone_goes(con: duckdb.DuckDBPyConnection, landing_file: Write) -> None:
    landing.land(con, landing_file([record("a"), record("b"), record("c")]))
    markers = ['{"salespulse_seen": "a"}', '{"salespulse_gone": "b"}', '{"salespulse_seen": "c"}']
    landing.land(con, landing_file([], run="r2", lines=markers))
    assert latest(con) == {"a": ("1", False), "b": ("1", True), "c": ("1", False)}


def test_changes_do_not_bury_what_they_do_not_mention(con: duckdb.DuckDBPyConnection, landing_file: Write) -> None:
    landing.land(con, landing_file([record("a"), record("b")], kind="full"))
    landed = landing.land(con, landing_file([record("b", 2)], kind="changes", run="r2"))
    assert landed.rows_deleted == 0
    assert latest(con) == {"a": ("1", False), "b": ("2", False)}


def test_an_older_version_never_becomes_the_latest(con: duckdb.DuckDBPyConnection, landing_file: Write) -> None:
    facts = {"updated_at": "updated", "kind": "changes"}
    new, old = record("a", 2, updated="2026-03-05T00:00:00Z"), record("a", 1, updated="2026-03-04T00:00:00Z")
    landing.land(con, landing_file([new], **facts))
    landing.land(con, landing_file([old], run="r2", **facts))
    landing.land(con, landing_file([old], run="r3", **facts))
    assert latest(con) == {"a": ("2", False)}
    assert count(con) == 2, "the stale version is kept once, however often it is shown"


def later(hours: int) -> datetime:
    return READ_AT + timedelta(hours=hours)


def test_a_listing_that_lands_late_buries_nothing_that_was_there_after_it(
    con: duckdb.DuckDBPyConnection, landing_file: Write
) -> None:
    """Read first, second and third; the second lands last: b was read since, c changed since, d said the same in a later listing."""
    landing.land(con, landing_file([record("a"), record("c"), record("d")]))
    landing.land(con, landing_file([record("b"), record("c", 2), record("d")], run="r3", read_at=later(2)))
    gone = ['{"salespulse_gone": "c"}', '{"salespulse_gone": "d"}']
    landing.land(con, landing_file([record("a")], run="r2", read_at=later(1), lines=gone))
    assert latest(con) == {"a": ("1", True), "b": ("1", False), "c": ("2", False), "d": ("1", False)}


def test_a_version_that_lands_late_does_not_raise_what_was_gone_by_then(
    con: duckdb.DuckDBPyConnection, landing_file: Write
) -> None:
    """The tombstone of the third reading repeats the date of the first version, which is before that of the second."""
    facts = {"updated_at": "updated", "kind": "full"}
    landing.land(con, landing_file([record("a", 1, updated="2026-03-05T00:00:00Z")], **facts))
    landing.land(con, landing_file([], run="r3", read_at=later(2), **facts))
    second = [record("a", 2, updated="2026-03-06T00:00:00Z")]
    landing.land(con, landing_file(second, run="r2", read_at=later(1), **facts))
    assert latest(con) == {"a": ("2", True)}
    landing.land(con, landing_file(second, run="r4", read_at=later(3), **facts))
    assert latest(con) == {"a": ("2", False)}


def test_a_known_record_that_a_listing_holds_unreadable_is_not_gone(
    con: duckdb.DuckDBPyConnection, landing_file: Write
) -> None:
    """Nor the next night, when its text is in quarantine already."""
    landing.land(con, landing_file([record("a"), record("b")]))
    for run in ("r2", "r3"):
        landing.land(con, landing_file(['{"id": "a", "v": "\\ud800"}'], run=run))
        assert latest(con) == {"a": ("1", False), "b": ("1", True)}


def test_records_that_cannot_be_read_go_to_quarantine_with_a_reason(
    con: duckdb.DuckDBPyConnection, landing_file: Write
) -> None:
    odd = ['{"v": 1}', '{"id": "x", "v": "\\ud800"}', '{"id": ']
    lines = ['{"salespulse_rejected": "17", "reason": "not a JSON object"}']
    landed = landing.land(con, landing_file([record("a"), *odd], lines=lines))
    assert (landed.rows_new, landed.rows_quarantined) == (1, 4)
    reasons = con.execute("select reason from meta.quarantine order by reason").fetchall()
    assert [r[0] for r in reasons] == ["not a JSON object", "not valid JSON", "not valid JSON", "the record has no id"]


def test_a_file_without_its_end_is_refused_and_changes_nothing(
    con: duckdb.DuckDBPyConnection, landing_file: Write
) -> None:
    file = landing_file([record("a")])
    whole = file.read_text().splitlines()
    file.write_text("\n".join(whole[:-1]))
    with pytest.raises(LandingError, match="not written to its end"):
        landing.land(con, file)
    file.write_text("\n".join([whole[0], *whole[2:]]))
    with pytest.raises(LandingError, match="holds 0 records, its trailer says 1"):
        landing.land(con, file)
    assert con.execute("select count(*) from meta.extract_window").fetchone() == (0,)


def test_a_complete_file_of_a_run_that_was_cut_off_is_found(
    con: duckdb.DuckDBPyConnection, landing_file: Write, tmp_path: Path
) -> None:
    file = landing_file([record("a")])
    assert landing.pending(con, tmp_path) == [file]
    landing.land(con, file)
    assert landing.pending(con, tmp_path) == []


def test_what_landed_since_a_stream_was_read_is_due_whatever_else_its_run_landed_later(
    con: duckdb.DuckDBPyConnection, landing_file: Write
) -> None:
    """A backfill read histories and let a night go first, which read calls anew but failed to read their histories."""
    call, history, link = "dialer_call", "dialer_call_history", "dialer_call_link"
    for stream, run, value in ((call, "fill", 1), (history, "fill", 1), (call, "night", 2), (link, "fill", 1)):
        kind = "changes" if stream == call else "ids"
        landing.land(con, landing_file([record("a", value)], stream=stream, kind=kind, run=run))
    last = {w.stream: w for w in state.done_windows(con, "cloudtalk", "main")}
    assert state.changed_ids(con, "cloudtalk", "main", call, since=last[history].landing_no) == ["a"]
    assert state.changed_ids(con, "cloudtalk", "main", call, since=last[link].landing_no) == []
    assert state.changed_ids(con, "cloudtalk", "main", call, since=None) == ["a"]


BOXES = ("ann@x.com", "bob@x.com", "cyd@x.com")
RAW = "select * exclude (_seq) from raw.cloudtalk_dialer_call order by record_id, payload, is_deleted"
WINDOWS = """select window_id, run_id, partition, status, rows_read, rows_new, rows_deleted, rows_quarantined, landing_file
    from meta.extract_window order by all"""
QUARANTINE = "select stream, reason, payload, run_id from meta.quarantine order by all"


def box_files(landing_file: Write) -> list[Path]:
    """Three mailboxes, read whole twice: the second time one record changed, one is gone, one is no JSON, one is named as gone."""
    first = [
        landing_file([record(f"{box}/1"), record(f"{box}/2"), record(f"{box}/3")], kind="full", partition=box)
        for box in BOXES
    ]
    again = [
        landing_file([record("ann@x.com/1", 2), record("ann@x.com/2")], kind="full", partition="ann@x.com", run="r2"),
        landing_file(
            [record("bob@x.com/1"), '{"id": '], kind="changes", partition="bob@x.com", run="r2",
            lines=['{"salespulse_gone": "bob@x.com/3"}'],
        ),
        landing_file([record("cyd@x.com/4")], partition="cyd@x.com", run="r2", lines=['{"salespulse_seen": "cyd@x.com/2"}']),
    ]  # fmt: skip
    return [*first, *again]


def test_files_of_several_mailboxes_land_together_as_each_by_itself(landing_file: Write, tmp_path: Path) -> None:
    """r2: ann's record 3 is gone (full), bob's by name, cyd's 1 and 3 (a range that holds 4 and has seen 2); bob's broken line is put aside."""
    told = []
    for name in ("together", "alone"):
        with open_warehouse(tmp_path / f"{name}.duckdb") as con:
            files = box_files(landing_file)
            landed = (
                [*landing.land_all(con, files).values()]
                if name == "together"
                else [landing.land(con, file) for file in files]
            )
            told.append((landed, *(con.execute(q).fetchall() for q in (RAW, WINDOWS, QUARANTINE))))
            transactions = con.execute("select count(distinct landing_no) from meta.extract_window").fetchone()
            assert transactions == ((2,) if name == "together" else (6,))
            gone = con.execute("select record_id from raw.cloudtalk_dialer_call_latest where is_deleted order by 1")
            assert [row[0] for row in gone.fetchall()] == ["ann@x.com/3", "bob@x.com/3", "cyd@x.com/1", "cyd@x.com/3"]
    assert told[0] == told[1]


def test_a_broken_file_among_others_stops_none_of_them(con: duckdb.DuckDBPyConnection, landing_file: Write) -> None:
    good, bad, also = (landing_file([record(f"{box}/1")], kind="full", partition=box) for box in BOXES)
    bad.write_text(bad.read_text().replace('"records": 1', '"records": 7'))
    outcomes = landing.land_all(con, [good, bad, also])
    assert isinstance(outcomes[bad], LandingError)
    assert "holds 1 records, its trailer says 7" in str(outcomes[bad])
    assert sorted(latest(con)) == ["ann@x.com/1", "cyd@x.com/1"]
    assert landing.land_all(con, [good, also]) == {
        file: landing.Landed(landed.window_id, already=True)
        for file, landed in outcomes.items()
        if isinstance(landed, landing.Landed)
    }


@pytest.mark.parametrize(
    "text", ["naïve 🚀 'quote' \"double\" ; drop table raw.x --", "\x00\x1f", "a\\u0000b", "]}\n{"]
)
def test_vendor_text_is_data(con: duckdb.DuckDBPyConnection, landing_file: Write, text: str) -> None:
    landing.land(con, landing_file([record(text, v=text)]))
    assert con.execute("select payload from raw.cloudtalk_dialer_call").fetchone() == (
        json.dumps(record(text, v=text)),
    )


@given(
    versions=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(1, 9), st.integers(0, 20)),
        min_size=1,
        max_size=12,
        unique_by=lambda v: (v[0], v[2]),
    ),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_arrival_gives_the_same_latest_versions(
    tmp_path: Path, landing_file: Write, versions: list[tuple[str, int, int]], order: object
) -> None:
    """Each version is read in a window of its own; the source dates its versions."""

    def land_all(sequence: list[tuple[str, int, int]], name: str) -> dict[str, tuple[object, bool]]:
        (tmp_path / name).unlink(missing_ok=True)
        with open_warehouse(tmp_path / name) as con:
            for number, (key, v, minute) in enumerate(sequence):
                updated = READ_AT - timedelta(minutes=minute)
                rec = record(key, v, updated=updated.isoformat())
                landing.land(
                    con, landing_file([rec], run=f"r{number}", kind="changes", updated_at="updated", read_at=updated)
                )
            return latest(con)

    shuffled = list(versions)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert land_all(versions, "one.duckdb") == land_all(shuffled, "two.duckdb")


@pytest.mark.parametrize("seed", [8, 15, 18])
def test_readings_that_land_in_any_order_give_the_same_records(tmp_path: Path, landing_file: Write, seed: int) -> None:
    """Five readings, an hour apart, of three records that are made, changed, deleted and made again, some of them of changes only."""
    chance, there = random.Random(seed), dict[str, dict[str, object]]()
    read: list[tuple[list[dict[str, object]], dict[str, object]]] = []
    for hour in range(5):
        for key in "abc":
            moves = chance.random()
            if key in there and moves < 0.3:
                del there[key]
            elif moves < 0.6:
                updated = later(hour) - timedelta(minutes=chance.randint(1, 50))
                there[key] = record(key, chance.randint(1, 3) * 10 + hour, updated=updated.isoformat())
        kind = chance.choice(["full", "full", "range", "changes"])
        new = (later(hour) - timedelta(hours=1)).isoformat()
        told = [r for r in there.values() if kind != "changes" or str(r["updated"]) > new]
        read.append((told, {"run": f"r{hour}", "kind": kind, "read_at": later(hour), "updated_at": "updated"}))
    shuffled = list(read)
    chance.shuffle(shuffled)
    found: list[dict[str, object]] = []
    for name, order in (("one", read), ("two", shuffled)):
        with open_warehouse(tmp_path / f"{name}.duckdb") as con:
            for records, facts in order:
                landing.land(con, landing_file(records, **facts))
            found.append({key: v for key, (v, is_deleted) in latest(con).items() if not is_deleted})
    assert found[0] == found[1]
