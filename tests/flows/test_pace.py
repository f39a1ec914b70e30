"""Rates and estimates, by a clock of the test's own."""

from __future__ import annotations

import pytest

from connectors.limits import Budget, Limiter
from connectors.stream import Window
from flows.pace import Pace, left_in_words
from flows.report import WindowResult
from flows.words import duration


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def window(stream: str = "dialer_call") -> Window:
    return Window("cloudtalk", "main", stream, "range")


def over(seconds: float, requests: int = 1, stream: str = "dialer_call") -> WindowResult:
    return WindowResult(window(stream), "done", requests=requests, seconds=seconds)


def test_nothing_is_said_before_three_windows_of_every_stream_that_is_left_are_done() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.planned([window()] * 10 + [window("dialer_user")])
    for _ in range(5):
        clock.now += 1
        pace.window(over(1.0))
        assert pace.seconds_left() is None, "of dialer_user nothing is known"
    pace.window(over(0.1, stream="dialer_user"))
    assert pace.windows == (6, 11)
    assert pace.seconds_left() is not None


def test_what_is_left_goes_on_side_by_side_as_before() -> None:
    """4 of 10 windows took 6 s of reading each, 24 s in 12 s: two side by side. 6 left, 36 s of reading: 18 s."""
    clock = Clock()
    pace = Pace(clock)
    pace.planned([window()] * 10)
    for _ in range(4):
        clock.now += 3
        pace.window(over(6.0))
    assert pace.seconds_left() == pytest.approx(18.0)


def test_what_is_under_way_counts_before_the_first_are_done() -> None:
    """20 of 40 mailboxes side by side, each a minute: when three of them are done all others nearly are. 37 left, of which 17 have
    been read for a minute: 1,200 s of reading in 60 s, so that 2,220 s of it take 111 s; by the three alone it would be 740."""
    clock = Clock()
    pace = Pace(clock)
    boxes = [Window("gmail", "main", "mail_message", "range", partition=str(n)) for n in range(40)]
    pace.planned(boxes)
    for box in boxes[:20]:
        pace.begun(box)
    clock.now += 60
    for box in boxes[:3]:
        pace.window(WindowResult(box, "done", requests=1, seconds=60.0))
    assert pace.seconds_left() == pytest.approx(111.0)


def test_a_pause_is_no_reading() -> None:
    """4 windows of 6 s in 12 s, then an hour in which a night went first. Planned anew, 2 windows in 6 s: 4 left, 24 s of reading by
    two, 12 s."""
    clock = Clock()
    pace = Pace(clock)
    pace.planned([window()] * 10)
    for _ in range(4):
        clock.now += 3
        pace.window(over(6.0))
    clock.now += 3600
    pace.planned([window()] * 6)
    assert pace.windows == (4, 10)
    for _ in range(2):
        clock.now += 3
        pace.window(over(6.0))
    assert pace.seconds_left() == pytest.approx(12.0)


def test_a_first_burst_does_not_promise_what_the_limit_will_not_hold() -> None:
    """10 requests a minute. 10 windows of one request went at once; 20 left take two minutes more, however quick the first were."""
    clock = Clock()
    limiter = Limiter({"requests": Budget(10, 60.0)}, clock=clock, sleep=lambda _: None)
    pace = Pace(clock)
    pace.planned([window()] * 30)
    clock.now += 1
    for _ in range(10):
        limiter.acquire({"requests": 1})
        pace.window(over(0.1))
    assert pace.seconds_left() == pytest.approx(2.0)  # 20 x 0.1 s of reading, of which 1 s took 1 s
    assert pace.seconds_left(limiter) == pytest.approx(120.0)
    assert left_in_words(limiter.remaining()) == "0 of 10 requests in 60 s"


def test_the_rate_is_of_the_last_minute() -> None:
    """100 records a second for 100 s, then 10 a second for 70 s: after those, the marks of more than a minute ago are gone."""
    clock = Clock()
    pace = Pace(clock)
    pace.planned([window()])
    for second in range(170):
        clock.now += 1
        pace.page(100 if second < 100 else 10)
        pace.rate()
    assert pace.records == 10_700
    assert pace.rate() == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (600, "10 min"),
        (5400, "1 h 30 min"),
        (7200, "2 h"),
        (86_400 * 2.2, "2 d 5 h"),
    ],
)
def test_durations_are_no_more_exact_than_anybody_knows(seconds: float, words: str) -> None:
    assert duration(seconds) == words
