"""Which day a call belongs to: the acting rep's own, at that instant; on no day twice and on none not at all (METRICS 0.2, 0.7).

Instants, zones and moves between zones are drawn at random, around midnights and around the days of 23 and 25 hours.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

import connectors
from tests.transforms.conftest import landing_files
from transforms import build, inputs, landing, raw
from transforms.warehouse import open_warehouse

ZONES = (
    "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Pacific/Honolulu", "Australia/Lord_Howe", "America/St_Johns",
    "Asia/Kathmandu", "Pacific/Chatham", "America/Sao_Paulo", "Africa/Casablanca", "UTC",
)  # fmt: skip
FIRST, NOW = (
    date(2025, 10, 20),
    datetime(2025, 11, 10, 6, tzinfo=UTC),
)  # Berlin's clocks go back on 26 October, New York's on 2 November
MOVING = 36  # reps who may move from one zone to another; as many more stay, three in each zone
REPS = MOVING + 3 * len(ZONES)
Zones = list[tuple[datetime | None, str]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A company that was drawn and built: the zones of each rep, and (rep, instant) of each call."""

    con: duckdb.DuckDBPyConnection
    zones: dict[int, Zones]
    calls: list[tuple[int, datetime]]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawn]:
    """One drawing, as large as it needs to be to hold every case several times: a build of its own for each small one took far longer."""
    chance = random.Random(0)
    zones = {rep: _zones(chance) for rep in range(MOVING)}
    zones |= {rep: [(None, ZONES[rep % len(ZONES)])] for rep in range(MOVING, REPS)}
    reps = [chance.randrange(REPS) for _ in range(3600)]
    calls = [(rep, _moment(chance, zones[rep])) for rep in reps]
    folder = tmp_path_factory.mktemp("drawn")
    with open_warehouse(folder / "warehouse.duckdb") as con:
        for source in connectors.NAMES:
            raw.declare(con, [(source, s.name) for s in connectors.load(source)[0].streams])
        agents = [{"Agent": {"id": str(100 + r), "email": f"rep{r}@acme.com"}} for r in range(REPS)]
        write = landing_files(folder)
        snapshot = {"kind": "snapshot", "key": ["Agent.id"], "happened_at": None, "start": None, "end": None}
        landing.land(con, write(agents, stream="dialer_user", **snapshot))
        cdrs = [_call(n, rep, at) for n, (rep, at) in enumerate(calls)]
        window = {"start": f"{FIRST}T00:00:00+00:00", "end": NOW.isoformat(), "read_at": NOW}
        landing.land(con, write(cdrs, key=["Cdr.id"], happened_at="Cdr.started_at", **window))
        _reps_file(folder / "reps.csv", zones)
        _build(con, folder / "reps.csv")
        yield Drawn(con, zones, calls)


def test_every_call_is_counted_on_one_day_of_its_reps_own(drawn: Drawn) -> None:
    expected: Counter[tuple[str, date]] = Counter()
    for rep, at in drawn.calls:
        day = at.astimezone(ZoneInfo(_zone_at(drawn.zones[rep], at))).date()
        if day >= FIRST:
            expected[f"rep{rep}@acme.com", day] += 1
    found = drawn.con.execute(
        """select r.email, d.activity_date, d.calls_made from marts.daily_rep_activity as d
           inner join (select distinct rep_id, email from core.dim_rep) as r on d.rep_id = r.rep_id where d.calls_made > 0"""
    ).fetchall()
    assert {(email, day): n for email, day, n in found} == dict(expected)
    total = drawn.con.execute("select sum(calls_made) from marts.daily_org_activity").fetchone()
    assert total == (sum(expected.values()),), "on two days, or on none"


def test_the_days_of_a_rep_follow_each_other_without_gap_or_overlap(drawn: Drawn) -> None:
    """A day of the spine lasts from midnight to midnight of its own zone: 23, 24, 25 or, in Lord Howe, 23.5 and 24.5 hours. Of who stays in
    one zone, that is: who moves east or west has days that overlap, or hours between two."""
    drawn.con.execute(
        "create or replace temp table staying as select d.* from core.rep_day as d "
        "inner join (select distinct rep_id, email from core.dim_rep) as r on d.rep_id = r.rep_id where list_contains(?, r.email)",
        [[f"rep{r}@acme.com" for r in range(MOVING, REPS)]],
    )
    gaps = drawn.con.execute(
        """select rep_id, activity_date from (
               select *, lead(day_start) over (partition by rep_id order by activity_date) as next_start from staying
           ) where next_start is not null and next_start <> day_end"""
    ).fetchall()
    assert gaps == []
    assert drawn.con.execute("select count(distinct rep_id) from staying").fetchone() == (REPS - MOVING,)
    for zone in ZONES:
        rows = drawn.con.execute(
            "select distinct activity_date, day_start, day_end from staying where timezone = ?", [zone]
        ).fetchall()
        assert len(rows) > 15
        for day, start, end in rows:
            assert start == datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC), (zone, day)
            after = day + timedelta(days=1)
            assert end == datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(zone)).astimezone(UTC), (
                zone,
                day,
            )


def _zones(chance: random.Random) -> Zones:
    """A rep's zone from the beginning, and for some another one from some instant on."""
    found: Zones = [(None, chance.choice(ZONES))]
    if chance.random() < 0.5:
        found.append((datetime(2025, 10, 28, chance.randrange(24), tzinfo=UTC), chance.choice(ZONES)))
    return found


def _zone_at(zones: Zones, at: datetime) -> str:
    return [zone for since, zone in zones if since is None or since <= at][-1]


def _moment(chance: random.Random, zones: Zones) -> datetime:
    """An instant, one time in two within some minutes of a local midnight."""
    at = datetime(2025, 10, 21, tzinfo=UTC) + timedelta(seconds=chance.randrange(19 * 86400))
    if chance.random() < 0.5:
        midnight = at.astimezone(ZoneInfo(zones[0][1])).replace(hour=0, minute=0, second=0)
        at = midnight.astimezone(UTC) + timedelta(seconds=chance.randrange(-300, 300))
    return at


def _reps_file(file: Path, zones: dict[int, Zones]) -> None:
    lines = ["email,name,timezone,valid_from,hire_date"]
    lines += [
        f"rep{r}@acme.com,Rep {r},{zone},{since.isoformat() if since else ''},2025-01-01"
        for r, z in zones.items()
        for since, zone in z
    ]
    file.write_text("\n".join(lines), encoding="utf-8")


def _call(number: int, rep: int, at: datetime) -> dict[str, Any]:
    return {
        "Cdr": {"id": str(number), "type": "outgoing", "user_id": str(100 + rep), "public_external": f"+4420{number:08}",
                "started_at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "answered_at": None, "ended_at": f"{at + timedelta(seconds=20):%Y-%m-%dT%H:%M:%SZ}",
                "talking_time": 0, "is_voicemail": False},
        "Tags": [],
    }  # fmt: skip


def _build(con: duckdb.DuckDBPyConnection, reps: Path) -> None:
    sources = [inputs.SourceInput("cloudtalk", "main", "dialer")]
    inputs.load(
        con, inputs.Inputs("r1", NOW, FIRST, sources=sources, internal_domains=["acme.com"], files={"reps": reps})
    )
    build.build(con)
