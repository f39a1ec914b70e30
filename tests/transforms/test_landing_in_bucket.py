"""Landing files in a bucket: they land, are forgotten in, outlive their time and are landed anew, as those on disk."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.landing_folder import folder_at
from tests.object_store import BUCKET, served
from tests.transforms.conftest import READ_AT, Write, latest
from transforms import forget_landing, landing, retention
from transforms.forgotten import Forgotten
from transforms.warehouse import open_warehouse

AT = "2026-03-02T10:00:00Z"
ADDRESS = "jane@cust.example"


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with served() as client:
        yield client


@pytest.fixture
def bucket(tmp_path: Path, s3: Any) -> Path:
    return folder_at(f"s3://{BUCKET}/{tmp_path.name}")


def put(file: Path, bucket: Path) -> Path:
    """The file in the bucket, where it would be had it been read into it."""
    there = bucket / "cloudtalk" / "main" / "dialer_call" / file.name
    there.write_bytes(file.read_bytes())
    return there


def record(key: str, value: Any) -> dict[str, Any]:
    return {"id": key, "v": value, "at": AT}


def test_files_land_from_a_bucket_as_from_disk(
    con: duckdb.DuckDBPyConnection, landing_file: Write, bucket: Path, tmp_path: Path
) -> None:
    """One good, one without its trailer: the first lands, the second is told, and no copy stays on disk."""
    good = put(landing_file([record("a", 1), record("b", 2)], lines=['{"salespulse_gone":"b"}']), bucket)
    torn = put(landing_file([record("c", 3)], run="r2"), bucket)
    torn.write_bytes(torn.read_bytes().rstrip(b"\n").rpartition(b"\n")[0])
    outcomes = landing.land_all(con, [good, torn])
    assert isinstance(outcomes[torn], landing.LandingError)
    assert (outcomes[good].rows_new, outcomes[good].rows_deleted) == (2, 1)
    assert latest(con) == {"a": ("1", False), "b": ("2", True)}
    assert landing.pending(con, bucket) == [torn]
    assert [f for f in (tmp_path / "tmp").rglob("*") if f.is_file()] == []


@pytest.mark.parametrize("place", ["disk", "bucket"])
def test_a_warehouse_is_made_anew_in_the_order_of_reading_even_if_the_files_times_are_lost(
    con: duckdb.DuckDBPyConnection, landing_file: Write, bucket: Path, tmp_path: Path, place: str
) -> None:
    """Two full listings, a week apart; the first does not have b yet. Restored from a backup, the first is the younger file."""
    first = landing_file([record("a", 1)], run="r1", kind="full", read_at=READ_AT - timedelta(days=7))
    second = landing_file([record("a", 1), record("b", 2)], run="r2", kind="full")
    folder = bucket if place == "bucket" else first.parent
    for file in (second, first):
        if place == "bucket":
            put(file, bucket)
        else:
            file.write_bytes(file.read_bytes())
    with open_warehouse(tmp_path / "anew" / "warehouse.duckdb") as anew:
        for file in landing.pending(anew, folder):
            landing.land(anew, file)
        assert latest(anew) == {"a": ("1", False), "b": ("2", False)}


def test_a_person_is_forgotten_in_a_bucket(landing_file: Write, bucket: Path) -> None:
    named = put(landing_file([record("a", ADDRESS), record("b", "other@cust.example")]), bucket)
    other = put(landing_file([record("c", "other@cust.example")], run="r2"), bucket)
    before = other.read_bytes()
    forgotten = Forgotten(b"s" * 32)
    forgotten.add_address(ADDRESS)
    assert forget_landing.clean_landing(bucket, forgotten, {}, {}, write=False) == {named: 1}
    assert ADDRESS.encode() in named.read_bytes()
    assert forget_landing.clean_landing(bucket, forgotten, {}, {}, write=True) == {named: 1}
    text = named.read_text()
    assert ADDRESS not in text
    assert "other@cust.example" in text
    assert len(text.splitlines()) == 4, "header, two records, trailer"
    assert other.read_bytes() == before
    assert forget_landing.clean_landing(bucket, forgotten, {}, {}, write=True) == {}


def test_files_in_a_bucket_go_when_their_time_is_over(
    con: duckdb.DuckDBPyConnection, landing_file: Write, bucket: Path
) -> None:
    landed, waiting = put(landing_file([record("a", 1)]), bucket), put(landing_file([], run="r2"), bucket)
    landing.land(con, landed)
    assert retention.drop_landing(con, bucket, 0, READ_AT + timedelta(days=10_000)) == 1
    assert (landed.exists(), waiting.exists()) == (False, True)
