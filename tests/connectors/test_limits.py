"""Never more than a budget allows, in any window of the vendor's, whoever asks and however long requests are under way."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import limits
from connectors.limits import Budget, Budgets, Day, Limiter, LimitSpent, Permit, Told, permitted
from connectors.limits_store import Store
from connectors.limits_window import LEASE, PROBE, Window
from connectors.stream import ConnectorError

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC).timestamp()


class Clock:
    """Time that passes by sleeping only; `wall` is Unix time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wall(self) -> float:
        return NOON + self.now - 1000.0

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def limiter(clock: Clock, store: Store | None = None, **budgets: Budget | Day) -> Limiter:
    return Limiter(budgets, account="acme main", store=store, clock=clock, wall=clock.wall, sleep=clock.sleep)


def call(one: Limiter, clock: Clock, cost: dict[str, int], *told: Told, takes: float = 0.0) -> Permit:
    """A request that is answered after so many seconds."""
    permit = one.acquire(cost)
    clock.now += takes
    one.settle(permit, told=told)
    return permit


# The limit itself


@given(
    windows=st.lists(st.tuples(st.integers(5, 20), st.floats(0.1, 60)), min_size=1, max_size=3),
    calls=st.lists(
        st.tuples(st.integers(1, 5), st.floats(0, 20), st.floats(0, 3), st.floats(0, 1), st.integers(0, 1)), max_size=50
    ),
)
def test_no_window_of_the_vendors_ever_holds_more(
    windows: list[tuple[int, float]], calls: list[tuple[int, float, float, float, int]]
) -> None:
    """Two limiters (processes) on one store; a request is counted by the vendor anywhere between its leave and its answer.

    calls: units, idle seconds before, seconds until the answer, where in between it is counted, and which limiter asks. Answers
    come in any order: each is settled when its time has come, at the latest before the next one is asked for.
    """
    clock, store = Clock(), Store()
    budgets = {f"w{n}": Budget(limit, seconds) for n, (limit, seconds) in enumerate(windows)}
    both = [limiter(clock, store, **budgets) for _ in range(2)]
    out: list[tuple[float, Limiter, Permit]] = []
    counted: list[tuple[float, int]] = []

    def answer_until(now: float) -> None:
        for at, one, permit in sorted((o for o in out if o[0] <= now), key=lambda o: o[0]):
            clock.now = max(clock.now, at)
            one.settle(permit)
            out.remove((at, one, permit))

    class Impatient(Exception):
        pass

    for units, idle, takes, where, which in calls:
        end = clock.now + idle
        answer_until(end)
        clock.now = max(clock.now, end)
        one = both[which]

        def sleep(seconds: float) -> None:  # others' answers come in while this one waits
            until = clock.now + seconds
            answer_until(until)
            clock.now = max(clock.now, until)

        one._sleep = sleep
        permit = one.acquire(dict.fromkeys(budgets, units))
        counted.append((clock.now + takes * where, units))
        out.append((clock.now + takes, one, permit))
    for limit, seconds in windows:
        for at, _ in counted:
            assert sum(units for then, units in counted if at <= then < at + seconds) <= limit
    store.close()


@given(st.integers(1, 20), st.integers(0, 60))
def test_no_slower_than_needed(limit: int, calls: int) -> None:
    """With answers at once, every window is filled: n-th call after n // limit windows (and the drift of clocks, 0.05 %)."""
    clock = Clock()
    one = limiter(clock, requests=Budget(limit, 10.0))
    waited = list(accumulate(call(one, clock, {"requests": 1}).waited for _ in range(calls)))
    for n, total in enumerate(waited):
        assert total == pytest.approx(n // limit * 10.0, rel=0.001, abs=0.001)


@pytest.mark.parametrize(
    ("limit", "reserve", "ours"),
    [(190, 0.1, 171), (5, 0.1, 4), (60, 0.1, 54), (1, 0.9, 1), (10, 0.0, 10), (10, 0.3, 7)],
)
def test_the_reserve_is_rounded_up_to_whole_units(limit: int, reserve: float, ours: int) -> None:
    clock = Clock()
    one = limiter(clock, requests=Budget(limit, 10.0, reserve))
    assert [call(one, clock, {"requests": 1}).waited > 0 for _ in range(ours + 1)] == [False] * ours + [True]
    assert permitted(limit, reserve) == ours


def test_units_are_free_one_window_after_the_answer_not_after_the_asking() -> None:
    """Asked at 0, answered at 3 (the vendor may have counted it as late as then): free at 13, not at 10."""
    clock = Clock()
    one = limiter(clock, requests=Budget(1, 10.0))
    call(one, clock, {"requests": 1}, takes=3.0)
    assert one.acquire({"requests": 1}).waited == pytest.approx(10.0, rel=0.001)


def test_the_way_is_learned_from_requests_that_were_not_refused_and_unlearned_by_a_refusal() -> None:
    """A search that is handed over at 0 and answered at 0.7 is held until 1.7 at first. After 5,000 requests half a second counts
    (1.5), after ever more of them `transit` (1.1), after a refusal twice that (1.2). Only the next but one, when answers alone
    count again, takes it that others use the limit.
    """
    budget, window = Budget(10, 1.0, transit=0.1), Window()

    def ends() -> float:
        window.slots = []
        window.take(budget, 1, 0.0, "p")
        window.settle(budget, "p", 0.0, 0.7)
        return window.slots[0].ends

    assert ends() == pytest.approx(1.7, abs=0.01)
    found = [ends() for _ in range(30_000)]
    assert found[4_990] == pytest.approx(1.7, abs=0.01)
    assert found[5_010] == pytest.approx(1.5, abs=0.01)
    assert found[-1] == pytest.approx(1.1, abs=0.01)
    for at, end, allowed in [(10.0, 1.2, 10), (20.0, 1.4, 10), (30.0, 1.7, 10), (40.0, 1.7, 8)]:
        window.refuse(budget, 1.0, at)
        assert ends() == pytest.approx(end, abs=0.01)
        assert window.allowed(budget, at) == allowed


def test_budgets_are_taken_together_or_not_at_all() -> None:
    clock = Clock()
    one = limiter(clock, requests=Budget(3, 10.0), search=Budget(1, 1.0))
    assert call(one, clock, {"requests": 1, "search": 1}).waited == 0
    assert call(one, clock, {"requests": 1, "search": 1}).waited == pytest.approx(1.0, abs=0.01)  # search was full
    assert call(one, clock, {"requests": 1}).waited == 0  # and requests had not been taken meanwhile
    assert call(one, clock, {"requests": 1}).waited == pytest.approx(9.0, abs=0.02)


def test_a_budget_can_be_added_and_stays() -> None:
    clock = Clock()
    one = limiter(clock, project=Budget(100, 60.0))
    one.add("user:ana", Budget(1, 60.0))
    call(one, clock, {"project": 1, "user:ana": 1})
    one.add("user:ana", Budget(9, 60.0))
    assert call(one, clock, {"user:ana": 1}).waited == pytest.approx(60.0, rel=0.001)


def test_what_can_never_fit_is_an_error() -> None:
    one = limiter(Clock(), requests=Budget(5, 1.0))
    with pytest.raises(ValueError, match=r"6 units never fit 'requests': 5 in 1\.0 s"):
        one.acquire({"requests": 6})
    with pytest.raises(ValueError, match="no budget named 'search'"):
        one.acquire({"search": 1})
    for limit, seconds, reserve in [(0, 1.0, 0.0), (1, 0.0, 0.0), (1, 1.0, 1.0)]:
        with pytest.raises(ValueError, match="at least one unit"):
            Budget(limit, seconds, reserve)


# Who shares it


class Full(Exception):
    """Instead of sleeping."""


def test_threads_share_one_budget() -> None:
    """Real threads, a clock that stands still: exactly the budget gets through."""

    def full(_: float) -> None:
        raise Full

    one = Limiter({"requests": Budget(500, 10.0)}, clock=lambda: 0.0, sleep=full)

    def work(_: int) -> int:
        through = 0
        with suppress(Full):
            while True:
                one.settle(one.acquire({"requests": 1}))
                through += 1
        return through

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 500


def _leaves(file: str, budgets: Budgets, calls: int) -> list[float]:
    """A process of its own: when its requests were let through, by the machine's clock."""
    store = Store(Path(file))
    one = Limiter(budgets, store=store)
    found: list[float] = []
    for _ in range(calls):
        permit = one.acquire({"requests": 1})
        found.append(time.monotonic())
        one.settle(permit)
    store.close()
    return found


def test_processes_share_one_budget(tmp_path: Path) -> None:
    """Three real processes, 60 requests at 20 in any 0.2 s: no window holds a 21st, and all get through."""
    budgets = {"requests": Budget(20, 0.2)}
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        all_of = pool.starmap(_leaves, [(str(tmp_path / "limits.sqlite"), budgets, 20)] * 3)
    leaves = sorted(at for some in all_of for at in some)
    assert len(leaves) == 60
    assert all(later - at > 0.2 for at, later in zip(leaves, leaves[20:], strict=False))


def test_a_killed_process_keeps_its_units_for_its_lease_only(tmp_path: Path) -> None:
    """Taken at 0 and never answered: free one window after the lease, 10 + 120 s."""
    clock, file = Clock(), tmp_path / "limits.sqlite"
    limiter(clock, Store(file), requests=Budget(1, 10.0)).acquire({"requests": 1})
    other = limiter(clock, Store(file), requests=Budget(1, 10.0))
    assert other.acquire({"requests": 1}).waited == pytest.approx(10.0 + LEASE, rel=0.01)


@pytest.mark.parametrize("uptime", [36_000.0, 900_000.0])
def test_a_machine_that_was_started_anew_waits_one_window_at_most(uptime: float, tmp_path: Path) -> None:
    """The clock begins at zero again; what was taken before it is held one window from now, not for hours or days."""
    clock, file = Clock(), tmp_path / "limits.sqlite"
    clock.now = uptime
    before = limiter(clock, Store(file), requests=Budget(1, 10.0))
    call(before, clock, {"requests": 1})
    before.refused({"requests": 1}, 5.0)
    clock.now = 3.0
    after = limiter(clock, Store(file), requests=Budget(1, 10.0))
    assert 0 < after.acquire({"requests": 1}).waited < 11


def test_one_limiter_an_account_in_the_file_that_was_named(tmp_path: Path) -> None:
    budgets = {"requests": Budget(54, 60.0)}
    assert limits.shared("acme", "main", budgets) is limits.shared("acme", "main", {"requests": Budget(54, 60.0)})
    assert limits.shared("acme", "main", budgets) is not limits.shared("acme", "other", budgets)
    assert limits.shared("acme", "main", budgets) is not limits.shared("acme", "main", {"requests": Budget(9, 60.0)})
    try:
        limits.keep_in(tmp_path / "data" / "limits.sqlite")
        one = limits.shared("acme", "main", budgets)
        one.settle(one.acquire({"requests": 5}))
    finally:
        limits.keep_in(None)
    file = tmp_path / "data" / "limits.sqlite"
    other = Limiter(budgets, account="acme main", store=Store(file))
    assert other.remaining()["requests"].free == 49
    assert file.stat().st_mode & 0o777 == 0o600, "it names mailboxes"


def test_a_file_that_cannot_be_used_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "limits.sqlite"
    file.write_bytes(b"not a database, and longer than SQLite's header of one hundred bytes" * 4)
    with pytest.raises(ConnectorError, match=r"limits\.sqlite: the count of requests.*delete it"):
        Limiter({"requests": Budget(5, 1.0)}, store=Store(file)).acquire({"requests": 1})


# What the vendor says


def test_a_lower_limit_is_kept_and_a_higher_one_up_to_what_is_set() -> None:
    """Set 10, reserve 20 %. Told 5: 4 in a window. Told 100: 8 again."""
    clock = Clock()
    one = limiter(clock, requests=Budget(10, 10.0, 0.2))
    call(one, clock, {"requests": 1}, Told("requests", 5))
    assert (one.remaining()["requests"].limit, one.remaining()["requests"].permitted) == (5, 4)
    assert [call(one, clock, {"requests": 1}).waited > 0 for _ in range(4)] == [False] * 3 + [True]
    call(one, clock, {"requests": 1}, Told("requests", 100))
    assert (one.remaining()["requests"].limit, one.remaining()["requests"].permitted) == (10, 8)


def test_what_others_use_is_theirs_and_the_reserve_beyond_it_stays_free() -> None:
    """10 in 10 s, reserve 2. After our first request 4 are left: others hold 5, so 10 - 2 - 5 = 3 are ours and 2 more pass."""
    clock = Clock()
    one = limiter(clock, requests=Budget(10, 10.0, 0.2))
    call(one, clock, {"requests": 1}, Told("requests", 10, 4))
    left = one.remaining()["requests"]
    assert (left.others, left.free) == (5, 2)
    assert [call(one, clock, {"requests": 1}).waited for _ in range(2)] == [0, 0]
    assert call(one, clock, {"requests": 1}).waited == pytest.approx(10.0, rel=0.001)


def test_our_own_requests_under_way_are_not_taken_for_others() -> None:
    """Four let through; the first one's answer says 6 of 10 left: all four were counted, and nobody else's."""
    clock = Clock()
    one = limiter(clock, requests=Budget(10, 10.0))
    under_way = [one.acquire({"requests": 1}) for _ in range(4)]
    one.settle(under_way[0], told=[Told("requests", 10, 6)])
    assert one.remaining()["requests"].others == 0


def test_slots_that_ended_while_an_answer_was_under_way_are_not_taken_for_others() -> None:
    """Three at 0 (free at 10), one asked at 9 and answered at 11 with 6 of 10 left, as it was at 9.5: still only ours."""
    clock = Clock()
    one = limiter(clock, requests=Budget(10, 10.0))
    for _ in range(3):
        call(one, clock, {"requests": 1})
    clock.now += 9
    call(one, clock, {"requests": 1}, Told("requests", 10, 6), takes=2.0)
    assert one.remaining()["requests"].others == 0


def test_the_end_of_others_use_is_the_one_that_was_told() -> None:
    clock = Clock()
    one = limiter(clock, requests=Budget(10, 60.0))
    call(one, clock, {"requests": 1}, Told("requests", 10, 0, ends_in=7.0))
    assert call(one, clock, {"requests": 1}).waited == pytest.approx(7.0, rel=0.001)


def test_a_refusal_holds_the_budget_that_refused_and_a_shorter_rest_changes_nothing() -> None:
    clock = Clock()
    one = limiter(clock, requests=Budget(10, 1.0), search=Budget(10, 1.0))
    one.refused({"requests": 1, "search": 1}, 30, "search")
    one.refused({"requests": 1, "search": 1}, 1, "search")
    assert one.acquire({"requests": 1}).waited == 0
    assert one.acquire({"requests": 1, "search": 1}).waited == pytest.approx(30.0, abs=0.001)


def test_after_a_refusal_less_is_taken_and_then_more_again() -> None:
    """10 in 10 s: 8 after a burst of refusals (20 % less, once), 6 after another later on; all 10 after 20 minutes without."""
    clock = Clock()
    one = limiter(clock, requests=Budget(10, 10.0))
    free: list[int | None] = []
    for seconds in (11, 11, 1200):
        for _ in range(5):
            one.refused({"requests": 1}, 0.5)
        clock.now += seconds
        free.append(one.remaining()["requests"].free)
    assert free[:2] == [8, 6]
    assert free[2] == 10


# Days


def test_a_day_is_used_up_to_its_reserve_and_begins_anew_at_its_midnight() -> None:
    """100 a day of Berlin, reserve 10 %: 90 pass on 2026-03-20 from 12:00 UTC, the 91st is told when (23:00 UTC), and then passes."""
    clock = Clock()
    one = limiter(clock, requests=Budget(1_000, 10.0), day=Day(100, "Europe/Berlin", 0.1))
    for _ in range(90):
        call(one, clock, {"requests": 1})
    with pytest.raises(
        LimitSpent,
        match=r"acme main: of 100 requests a day 10 are left, of which 10 .*2026-03-20 23:00 UTC .*stays due",
    ):
        one.acquire({"requests": 1})
    clock.now += 11 * 3600 - 1
    with pytest.raises(LimitSpent):
        one.acquire({"requests": 1})
    clock.now += 1
    assert one.acquire({"requests": 1}).waited == 0


def test_the_vendors_word_on_the_day_counts_and_without_a_zone_is_asked_for_again() -> None:
    """Others used all but 50 of 1,000 and the reserve is 100: nothing for a quarter of an hour, then one try, which says 900."""
    clock = Clock()
    one = limiter(clock, requests=Budget(1_000, 10.0), day=Day(None, None, 0.1))
    call(one, clock, {"requests": 1}, Told("day", 1_000, 50))
    with pytest.raises(
        LimitSpent, match=r"of 1,000 requests a day 50 are left, of which 100 .*midnight in the account's"
    ):
        one.acquire({"requests": 1})
    clock.now += PROBE
    probe = one.acquire({"requests": 1})
    with pytest.raises(LimitSpent):
        one.acquire({"requests": 1})
    one.settle(probe, told=[Told("day", 1_000, 900)])
    assert one.acquire({"requests": 1}).waited == 0


def test_of_a_larger_day_than_the_settings_say_the_rest_is_left_to_others() -> None:
    """We say 200 a day, the vendor 1,000: 800 are others'. After 100 of ours 900 are left, so 100 are; reserve 10 % of 200: 80 may pass.
    Others take 50: 30 may. The next day 180 may, until the vendor is heard again."""
    clock = Clock()
    one = limiter(clock, requests=Budget(1_000, 10.0), day=Day(200, "UTC", 0.1))
    for _ in range(99):
        call(one, clock, {"requests": 1})
    call(one, clock, {"requests": 1}, Told("day", 1_000, 900))
    assert one.remaining()["day"].free == 80
    call(one, clock, {"requests": 1}, Told("day", 1_000, 849))
    assert one.remaining()["day"].free == 29
    for _ in range(29):
        call(one, clock, {"requests": 1})
    with pytest.raises(LimitSpent, match=r"of 200 requests a day 20 are left, of which 20 "):
        one.acquire({"requests": 1})
    clock.now += 12 * 3600
    assert one.remaining()["day"].free == 180


# What is left


def test_the_forecast_is_the_least_time_and_names_what_decides() -> None:
    """20 in 10 s, reserve 10 %: 18, of which 3 are used. 15 now; 105 need (105 - 15) / 18 * 10 = 50 s. 1,000 a day, reserve 100:
    897 are left; 2,000 need today, tomorrow (900) and the day after: until the second midnight, 12 h + 24 h."""
    clock = Clock()
    one = limiter(clock, requests=Budget(20, 10.0, 0.1), day=Day(1_000, "UTC", 0.1))
    for _ in range(3):
        call(one, clock, {"requests": 1})
    left = one.remaining()
    assert (left["requests"].permitted, left["requests"].free) == (18, 15)
    assert (left["day"].free, left["day"].ends) == (897, datetime(2026, 3, 21, tzinfo=UTC))
    assert one.forecast({"requests": 15}) == limits.Forecast(0.0, "")
    assert one.forecast({"requests": 105}) == limits.Forecast(pytest.approx(50.0), "requests")
    assert one.forecast({"requests": 2_000}) == limits.Forecast(pytest.approx(36 * 3600.0), "day")


def test_room_is_how_many_fit_now() -> None:
    clock = Clock()
    one = limiter(clock, project=Budget(1_000, 60.0), **{"user:ann": Budget(100, 60.0)})
    call(one, clock, {"project": 30, "user:ann": 30})
    assert one.room({"project": 20, "user:ann": 20}, 50) == 3  # 70 // 20
    assert one.room({"project": 20, "user:ann": 20}, 2) == 2
    one.refused({"project": 1, "user:ann": 1}, 5.0, "user")
    assert one.room({"project": 20, "user:ann": 20}, 50) == 0
