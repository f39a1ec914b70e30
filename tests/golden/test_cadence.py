"""Worked examples of follow-up, multi-threading, untouched accounts, ramp and off-hours (METRICS 4): the arithmetic by hand.

Ann lives in New York (UTC-5, UTC-4 from 2026-03-08), Bob in Tokyo (UTC+9). 2026-03-02 is a Monday.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.golden.test_responses import World, answer, call, mail, table, world
from tests.pipeline import Pipeline, serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
FIRST = date(2026, 2, 1)
Run = Callable[[World], Pipeline]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    opened: list[Any] = []

    def start(case: World) -> Pipeline:
        manager = serving(case, tmp_path)
        pipeline, _ = manager.__enter__()
        opened.append(manager)
        pipeline.nightly(NOW, first=FIRST)
        return pipeline

    yield start
    for manager in opened:
        manager.__exit__(None, None, None)


def test_follow_up_by_week(run: Run) -> None:
    """4, rank 5. C1: mail 2 March, call 4th, mail 6th. C2: reached by telephone on the 3rd. C3: mail 10 February, Bob calls on 10 March.
    C4: mail 2 March, answered on the 12th. C5: mail 6 February, call 5 March. Ann's weeks:
    23 Feb, as of 1 March: none touched; 30 days from 31 Jan: C3, C5; stalled: C3 (19 days), C5 (23 days).
    2 March, as of the 8th: C1, C2, C4, C5; touches 3 + 1 + 1 + 1 = 6; both C1. Gaps: C1 2 + 2 days, C5 27 (6 Feb to 5 March): 3, 31 days.
      30 days from 7 Feb (C5's mail is out): C1, C2, C3, C4, C5 = 5, thrice and both: C1. Stalled: C3 (26 days).
    9 March, as of the 15th: 30 days from 14 Feb: C1, C2, C4, C5. Stalled: none; C3 is Bob's since the 10th, C1 was touched 9 days before.
    16 March, as of Friday the 20th: 30 days from 19 Feb: the same 4. Stalled: C1 (14 days), C5 (15 days); C4 answered, C2 was reached."""
    case = world(
        mails=[
            mail("m1", "03-02T15:00:00", 1),
            mail("m2", "03-06T15:00:00", 1),
            mail("m3", "02-10T15:00:00", 3),
            mail("m4", "03-02T15:00:00", 4),
            answer("r4", "03-12T15:00:00", 4, "m4"),
            mail("m5", "02-06T15:00:00", 5),
        ],
        calls=[
            call("d1", "03-04T15:00:00", 1),
            call("d2", "03-03T15:00:00", 2, 45),
            call("d3", "03-10T02:00:00", 3, rep="bob"),
            call("d5", "03-05T15:00:00", 5),
        ],
    )
    columns = (
        "iso_week_start, as_of_date, contacts_touched, touches, contacts_touched_both_channels, gaps, gap_days, "
        "contacts_touched_30d, contacts_touched_3x_30d, contacts_touched_both_channels_30d, contacts_stalled, is_complete"
    )
    pipeline = run(case)
    assert table(pipeline, "weekly_follow_up", columns, "iso_week_start >= '2026-02-23' and contacts_touched_30d > 0") == {
        ("Ann", "2026-02-23", "2026-03-01", 0, 0, 0, 0, 0, 2, 0, 0, 2, True),
        ("Ann", "2026-03-02", "2026-03-08", 4, 6, 1, 3, 31, 5, 1, 1, 1, True),
        ("Ann", "2026-03-09", "2026-03-15", 0, 0, 0, 0, 0, 4, 1, 1, 0, True),
        ("Ann", "2026-03-16", "2026-03-20", 0, 0, 0, 0, 0, 4, 1, 1, 2, False),
        ("Bob", "2026-03-09", "2026-03-15", 1, 1, 0, 0, 0, 1, 0, 0, 0, True),
        ("Bob", "2026-03-16", "2026-03-20", 0, 0, 0, 0, 0, 1, 0, 0, 0, False),
    }
