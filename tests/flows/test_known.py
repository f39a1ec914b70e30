"""What is known of mailboxes when their windows begin: looked up for all at once, and by itself once more of one has landed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from connectors.stream import DateRange, Snapshot, Stream, Window
from flows.known import Known
from tests.transforms.conftest import landing_files
from transforms import landing
from transforms.warehouse import open_warehouse

MAILS = Stream("dialer_call", key=("id",), happened_at="at", reading=DateRange(), partitioned=True)
ACCOUNT = Stream("dialer_call", key=("id",), reading=Snapshot(), partitioned=True)
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def window(mailbox: str, day: int, kind: Any = "range") -> Window:
    start = DAY + timedelta(days=day)
    return Window("cloudtalk", "main", "dialer_call", kind, start, start + timedelta(days=7), mailbox)


def record(key: str, day: int) -> dict[str, object]:
    return {"id": key, "at": (DAY + timedelta(days=day, hours=10)).isoformat()}


def test_each_mailbox_knows_its_own_from_the_windows_start_on(tmp_path: Path) -> None:
    land = landing_files(tmp_path)
    with open_warehouse(tmp_path / "warehouse.duckdb") as con:
        for mailbox in ("ann", "ben"):
            records = [record(f"{mailbox}{day}", day) for day in (1, 3, 5)]
            landing.land(con, land(records, partition=mailbox))
        run = cast(Any, SimpleNamespace(con=con, sources={}))
        first, older = [window(box, 3) for box in ("ann", "ben", "cat")], [window(box, 0) for box in ("ann", "ben")]
        known = Known(run, [*first, *older])
        assert known.of(first[0], MAILS) == {"dialer_call": ["ann3", "ann5"]}
        landing.land(con, land([record("ann4", 4)], run="r2", partition="ann", start=first[0].start.isoformat()))
        landing.land(con, land([record("ben4", 4)], run="r3", partition="ben", start=first[0].start.isoformat()))
        assert known.of(first[1], MAILS) == {"dialer_call": ["ben3", "ben5"]}, "of all at once, before ben's landed"
        assert known.of(first[2], MAILS) == {"dialer_call": []}
        assert known.of(older[0], MAILS) == {"dialer_call": ["ann1", "ann4"]}, "by itself: its first window has landed"


def test_accounts_know_all_that_is_theirs(tmp_path: Path) -> None:
    land = landing_files(tmp_path)
    with open_warehouse(tmp_path / "warehouse.duckdb") as con:
        for mailbox in ("ann", "ben"):
            landing.land(con, land([record(f"{mailbox}{day}", day) for day in (1, 9)], partition=mailbox))
        run = cast(Any, SimpleNamespace(con=con, sources={}))
        windows = [window(box, 3, "snapshot") for box in ("ann", "ben")]
        known = Known(run, windows)
        assert [known.of(w, ACCOUNT) for w in windows] == [
            {"dialer_call": ["ann1", "ann9"]},
            {"dialer_call": ["ben1", "ben9"]},
        ]
