"""Never more than a budget allows, in any window."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.limits import Limiter, shared


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def limiter(clock: Clock, **budgets: list[tuple[int, float]]) -> Limiter:
    return Limiter(budgets, clock=clock, sleep=clock.sleep)


@given(
    windows=st.lists(st.tuples(st.integers(5, 20), st.floats(0.1, 60)), min_size=1, max_size=3),
    calls=st.lists(st.tuples(st.integers(1, 5), st.floats(0, 20)), max_size=60),
)
def test_no_window_ever_holds_more(windows: list[tuple[int, float]], calls: list[tuple[int, float]]) -> None:
    clock = Clock()
    budget = limiter(clock, units=windows)
    granted: list[tuple[float, int]] = []
    for units, idle in calls:
        clock.now += idle
        budget.acquire({"units": units})
        granted.append((clock.now, units))
    for limit, seconds in windows:
        for at, _ in granted:
            assert sum(units for then, units in granted if at <= then < at + seconds) <= limit


@given(st.integers(1, 20), st.integers(0, 60))
def test_no_slower_than_needed(limit: int, calls: int) -> None:
    clock = Clock()
    budget = limiter(clock, requests=[(limit, 10.0)])
    waited = list(accumulate(budget.acquire({"requests": 1}) for _ in range(calls)))
    for n, total in enumerate(waited):
        assert total == pytest.approx(n // limit * 10.0, abs=0.001)


def test_budgets_are_taken_together_or_not_at_all() -> None:
    clock = Clock()
    budget = limiter(clock, requests=[(3, 10.0)], search=[(1, 1.0)])
    assert budget.acquire({"requests": 1, "search": 1}) == 0
    assert budget.acquire({"requests": 1, "search": 1}) == pytest.approx(
        1.0, abs=0.001
    )  # search was full, requests was not taken
    assert budget.acquire({"requests": 1}) == 0
    assert budget.acquire({"requests": 1}) == pytest.approx(9.0, abs=0.01)


def test_a_budget_can_be_added_and_stays() -> None:
    clock = Clock()
    budget = limiter(clock, project=[(100, 60.0)])
    budget.add("user:ana", [(1, 60.0)])
    budget.acquire({"project": 1, "user:ana": 1})
    budget.add("user:ana", [(1, 60.0)])
    assert budget.acquire({"user:ana": 1}) == pytest.approx(60.0, abs=0.001)


def test_pause_holds_everybody_and_a_shorter_one_changes_nothing() -> None:
    clock = Clock()
    budget = limiter(clock, requests=[(10, 1.0)], other=[(10, 1.0)])
    budget.pause(30)
    budget.pause(1)
    assert budget.acquire({"other": 1}) == pytest.approx(30.0, abs=0.001)
    assert budget.acquire({"requests": 1}) == 0


def test_what_can_never_fit_is_an_error() -> None:
    budget = limiter(Clock(), requests=[(5, 1.0)])
    with pytest.raises(ValueError, match="6 units never fit a limit of 5"):
        budget.acquire({"requests": 6})
    with pytest.raises(ValueError, match="no budget named 'search'"):
        budget.acquire({"search": 1})
    with pytest.raises(ValueError, match="at least one unit"):
        budget.add("none", [(0, 1.0)])


class Full(Exception):
    """Instead of sleeping."""


def test_threads_share_one_budget() -> None:
    """Real threads, a clock that stands still: exactly the budget gets through."""

    def full(_: float) -> None:
        raise Full

    budget = Limiter({"requests": [(5000, 10.0)]}, clock=lambda: 0.0, sleep=full)

    def work(_: int) -> int:
        through = 0
        with suppress(Full):
            while True:
                budget.acquire({"requests": 1})
                through += 1
        return through

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 5000


def test_one_limiter_an_account() -> None:
    budgets = {"requests": [(54, 60.0)]}
    assert shared("acme", "main", budgets) is shared("acme", "main", {"requests": [(54, 60.0)]})
    assert shared("acme", "main", budgets) is not shared("acme", "other", budgets)
    assert shared("acme", "main", budgets) is not shared("acme", "main", {"requests": [(10, 60.0)]})
