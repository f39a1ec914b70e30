"""Rate limits that all threads of the process share: weighted budgets, each with sliding windows.

An own sliding log rather than pyrate-limiter's buckets, which hold an entry a unit (a Gmail project has over a million
units a minute), take one budget at a time (HubSpot's search must pass two together) and cannot be paused by a server's word.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

Budgets = Mapping[str, Sequence[tuple[int, float]]]  # name -> (units, seconds) of each of its windows


class _Window:
    """At most `limit` units in any `seconds`."""

    __slots__ = ("limit", "seconds", "taken", "used")

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self.taken: deque[tuple[float, int]] = deque()  # (when it is free again, units)
        self.used = 0

    def free_at(self, units: int, now: float) -> float:
        """The earliest time at which that many units fit; `now` when they fit already."""
        while self.taken and self.taken[0][0] <= now:
            self.used -= self.taken.popleft()[1]
        excess = self.used + units - self.limit
        for expires, freed in self.taken:
            if excess <= 0:
                return now
            excess -= freed
            if excess <= 0:
                return expires
        return now

    def take(self, units: int, now: float) -> None:
        self.taken.append((now + self.seconds, units))
        self.used += units


class Limiter:
    """Named budgets of one vendor account. Thread-safe; one instance is meant for all threads (see `shared`).

    budgets: {"requests": [(190, 10.0)], "search": [(5, 1.0)]}: at most 190 units in any 10 s, and so on. A call takes
    from all the budgets of its cost together or from none. clock and sleep are for tests.
    """

    def __init__(
        self,
        budgets: Budgets,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._budgets: dict[str, list[_Window]] = {}
        self._paused_until = float("-inf")
        for name, windows in budgets.items():
            self.add(name, windows)

    def add(self, name: str, windows: Sequence[tuple[int, float]]) -> None:
        """Add a budget, such as one a mailbox. One that is there already stays as it is."""
        if not windows or any(units < 1 or seconds <= 0 for units, seconds in windows):
            raise ValueError(
                f"budget {name!r} needs windows of at least one unit and more than zero seconds: {windows!r}"
            )
        with self._lock:
            self._budgets.setdefault(name, [_Window(units, seconds) for units, seconds in windows])

    def acquire(self, cost: Mapping[str, int]) -> float:
        """Block until the cost fits all its budgets, take it, return the seconds waited.

        Raises ValueError for an unknown budget and for a cost that can never fit.
        """
        waited = 0.0
        while True:
            with self._lock:
                wait = self._wait(cost, self._clock())
            if wait <= 0:
                return waited
            self._sleep(wait)
            waited += wait

    def pause(self, seconds: float) -> None:
        """Let nobody through for that long, because the vendor said so. A longer pause stays."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock() + seconds)

    def _wait(self, cost: Mapping[str, int], now: float) -> float:
        """Seconds until the cost may fit. Zero: it has been taken."""
        windows: list[tuple[_Window, int]] = []
        for name, units in cost.items():
            if name not in self._budgets:
                raise ValueError(f"no budget named {name!r}; there are {sorted(self._budgets)}")
            windows += [(window, units) for window in self._budgets[name] if units > 0]
        for window, units in windows:
            if units > window.limit:
                raise ValueError(f"{units} units never fit a limit of {window.limit} in {window.seconds} s")
        ready = max([self._paused_until, now, *(window.free_at(units, now) for window, units in windows)])
        if ready > now:
            return ready - now + 1e-6  # past the instant itself, whatever the clock rounds to
        for window, units in windows:
            window.take(units, now)
        return 0.0


_shared: dict[tuple[str, str, str], Limiter] = {}
_shared_lock = threading.Lock()


def shared(vendor: str, account: str, budgets: Budgets) -> Limiter:
    """The process's one limiter for an account of a vendor, so that connectors made for each task share its budgets.

    account: anything that tells accounts apart and is no secret. Other budgets (changed settings) are another limiter.
    """
    key = (vendor, account, repr(sorted((name, tuple(windows)) for name, windows in budgets.items())))
    with _shared_lock:
        return _shared.setdefault(key, Limiter(budgets))
