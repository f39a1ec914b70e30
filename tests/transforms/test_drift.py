"""Fields that are gone or have changed their form are found by counts, as stretches of time, whatever the order in which records came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from tests.transforms.conftest import Write
from transforms import coverage, drift, landing
from transforms.warehouse import prepare

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
FACTS: dict[str, Any] = {"key": ["Cdr.id"], "happened_at": "Cdr.started_at", "start": "2026-03-02T00:00:00+00:00"}
GAPS = (
    "select field, part, gap_from, least(gap_until, '3000-01-01 00:00:00+00'), records from meta.field_gap order by all"
)


def call(key: int, at: datetime, **changes: Any) -> dict[str, Any]:
    """An answered call; a change of None takes the field away."""
    cdr: dict[str, Any] = {
        "id": str(key), "started_at": at.isoformat(), "type": "outgoing", "talking_time": "60", "public_external": "+442071838750",
    }  # fmt: skip
    return {"Cdr": {k: v for k, v in (cdr | changes).items() if v is not None}}


def day_of(day: int, **changes: Any) -> list[dict[str, Any]]:
    """Ten calls of the n-th day, at 08:30, 09:30, … 17:30."""
    return [call(100 * day + n, MONDAY + timedelta(days=day, hours=8 + n, minutes=30), **changes) for n in range(10)]


def land(
    con: duckdb.DuckDBPyConnection, landing_file: Write, records: Sequence[Any], run: str = "r1"
) -> list[drift.Gap]:
    kind = "range" if run == "r1" else "ids"  # which buries nothing that it does not hold
    landing.land(con, landing_file(records, run=run, kind=kind, **FACTS))
    return drift.find(con)


def test_a_field_that_every_record_has_leaves_no_gap(con: duckdb.DuckDBPyConnection, landing_file: Write) -> None:
    assert land(con, landing_file, [*day_of(0), *day_of(1), *day_of(2)]) == []
    assert con.execute(GAPS).fetchall() == []


def test_a_field_that_is_gone_is_a_gap_of_the_hours_of_its_records(
    con: duckdb.DuckDBPyConnection, landing_file: Write
) -> None:
    """Days 0 to 2 have it (30 records), day 3 has not (10), day 4 has it again.

    The others number 40, 40 of which have it: 10 lack it by chance with (1 - 40/41)^10 = 7e-17 < 1e-12. Hours are whole, so the gap
    begins with the hour of the first call without it, 08:00 of Thursday, and ends with that of the last, 18:00.
    """
    records = [*day_of(0), *day_of(1), *day_of(2), *day_of(3, talking_time=None), *day_of(4)]
    (gap,) = land(con, landing_file, records)
    assert gap.reason == (
        "Cdr.talking_time is missing in all 10 records from 2026-03-05 08:00 to 2026-03-05 18:00 UTC; elsewhere 100 % have it"
    )
    assert con.execute(GAPS).fetchall() == [
        ("Cdr.talking_time", "talk", datetime(2026, 3, 5, 8, tzinfo=UTC), datetime(2026, 3, 5, 18, tzinfo=UTC), 10)
    ]
    assert drift.find(con) == [], "told once"


def test_a_field_for_which_another_does_instead_is_no_gap(con: duckdb.DuckDBPyConnection, landing_file: Write) -> None:
    """Without the talk time, talk is from answer to end."""
    odd = day_of(3, talking_time=None, ended_at="2026-03-05T18:00:00Z")
    assert land(con, landing_file, [*day_of(0), *day_of(1), *day_of(2), *odd]) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"talking_time": {"seconds": 60}}, "Cdr.talking_time is no number in all 10 records"),
        ({"talking_time": "one minute"}, "Cdr.talking_time is no number in all 10 records"),
        ({"type": {"direction": "outgoing"}}, "Cdr.type is no text in all 10 records"),
    ],
)
def test_a_field_in_another_form_is_a_gap(
    con: duckdb.DuckDBPyConnection, landing_file: Write, changes: dict[str, Any], reason: str
) -> None:
    (gap,) = land(con, landing_file, [*day_of(0), *day_of(1), *day_of(2), *day_of(3, **changes)])
    assert gap.reason.startswith(reason)


def test_times_in_another_form_are_a_gap_of_the_hours_in_which_their_records_may_lie(
    con: duckdb.DuckDBPyConnection, landing_file: Write
) -> None:
    """Nobody knows when those 40 calls were, but within their window of 144 hours, and so after the last that is known, of Wednesday 17:30.

    From 18:00 on there are 78 hours, 40 x 78 / 144 = 21.7 records; of the 188 others 170 have a time: by chance (1 - 170/189)^21.7 = 2e-22.
    A night of 14 hours between calls weighs 40 x 14 / 144 = 3.9 records: (1 - 170/207)^3.9 = 1e-3, no gap.
    """
    late = [call(300 + n, MONDAY, started_at=f"5 March, {8 + n} o'clock") for n in range(40)]
    known = [c for day in range(-14, 3) for c in day_of(day)]
    (gap,) = land(con, landing_file, [*known, *late])
    assert gap.field == "Cdr.started_at"
    ((_, _, begin, until, _),) = con.execute(GAPS).fetchall()
    assert begin == datetime(2026, 3, 4, 18, tzinfo=UTC)
    assert until == datetime(3000, 1, 1, tzinfo=UTC), "open"


def test_few_records_without_a_field_are_no_gap(con: duckdb.DuckDBPyConnection, landing_file: Write) -> None:
    """Three calls of 33 lack it: (1 - 30/31)^3 = 3e-5. So may three withheld numbers."""
    few = day_of(3, public_external=None)[:3]
    assert land(con, landing_file, [*day_of(0), *day_of(1), *day_of(2), *few]) == []


def test_a_gap_closes_when_its_records_are_read_again_whole(
    con: duckdb.DuckDBPyConnection, landing_file: Write
) -> None:
    whole = [*day_of(0), *day_of(1), *day_of(2)]
    assert land(con, landing_file, [*whole, *day_of(3, type=None)])
    assert land(con, landing_file, day_of(3), run="r2") == []
    assert con.execute(GAPS).fetchall() == []


def test_a_stretch_with_a_gap_counts_as_not_read(con: duckdb.DuckDBPyConnection, landing_file: Write) -> None:
    """Talk time is gone on day 3, the direction on day 4: the first matters to talk alone, the second to everything."""
    land(
        con, landing_file,
        [*day_of(0), *day_of(1), *day_of(2), *day_of(3, talking_time=None), *day_of(4, type=None), *day_of(5)],
    )  # fmt: skip
    coverage.refresh(con)
    found = con.execute(
        "select stream, left(covered_from::varchar, 16), left(covered_until::varchar, 16) from meta.coverage where not is_gap order by all"
    ).fetchall()
    assert found == [
        ("dialer_call", "2026-03-02 00:00", "2026-03-06 08:00"),
        ("dialer_call", "2026-03-06 18:00", "2026-03-08 00:00"),
        ("dialer_call.talk", "2026-03-02 00:00", "2026-03-05 08:00"),
        ("dialer_call.talk", "2026-03-05 18:00", "2026-03-06 08:00"),
        ("dialer_call.talk", "2026-03-06 18:00", "2026-03-08 00:00"),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_gaps_do_not_depend_on_the_order_in_which_records_landed(
    con: duckdb.DuckDBPyConnection, landing_file: Write, seed: int
) -> None:
    """The days land one by one in any order, the broken first or last, and some twice; the gaps are the same."""
    import random

    broken = {3: {"talking_time": None}, 4: {"talking_time": {"s": 1}, "type": None}}
    days = [*range(6), 1, 3]
    random.Random(seed).shuffle(days)
    for n, day in enumerate(days):
        land(con, landing_file, day_of(day, **broken.get(day, {})), run=f"x{n}")
    assert con.execute(
        "select field, left(gap_from::varchar, 16), left(gap_until::varchar, 16), records from meta.field_gap order by all"
    ).fetchall() == [
        ("Cdr.talking_time", "2026-03-05 08:00", "2026-03-06 18:00", 20),
        ("Cdr.type", "2026-03-06 08:00", "2026-03-06 18:00", 10),
    ]


def test_a_record_that_moved_is_counted_where_it_is_now_alone(
    con: duckdb.DuckDBPyConnection, landing_file: Write
) -> None:
    """Also in a warehouse of before, whose list of superseded versions does not say by which: the next find counts everything anew."""
    land(con, landing_file, [*day_of(0), *day_of(1)])
    con.execute("alter table raw.cloudtalk_dialer_call_superseded drop column _by")
    prepare(con)
    land(con, landing_file, [call(0, MONDAY + timedelta(days=1, hours=8, minutes=30))], run="r2")
    hours = "select utc_hour, records from meta.field_hour where field = 'Cdr.started_at' order by 1 limit 3"
    assert con.execute(hours).fetchall() == [(MONDAY + timedelta(hours=h), 1) for h in (9, 10, 11)]
    moved = "select records from meta.field_hour where field = 'Cdr.started_at' and utc_hour = '2026-03-03 08:00:00+00'"
    assert con.execute(moved).fetchall() == [(2,)]
