"""Rate limits at the vendor's own limit, shared by all threads and processes that use an account.

A sliding log of our own, in SQLite: the vendor's window is never exceeded however slowly requests travel, a request takes from
several budgets together or from none, and what the vendor says of its limits is heeded. Which libraries were looked at, and why
it is exact: docs/decisions/0006-limits.md.
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from .limits_store import Rows, Store
from .limits_window import Budget, Day, DayUse, Window, permitted
from .stream import RateLimited

__all__ = [
    "Budget",
    "Budgets",
    "Day",
    "Forecast",
    "Left",
    "LimitSpent",
    "Limiter",
    "Permit",
    "Told",
    "keep_in",
    "shared",
]

Budgets = Mapping[str, Budget | Day]
State = TypeVar("State", Window, DayUse)


class LimitSpent(RateLimited):
    """The day's budget is used up but for the reserve: no waiting within a run helps."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to send one request, and the seconds waited for it. Give it back by `Limiter.settle`."""

    id: str
    cost: Mapping[str, int]
    waited: float


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says of a budget: the vendor's limit, what is left of it, the seconds until others' use is over."""

    budget: str
    limit: int | None = None
    left: int | None = None
    ends_in: float | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """A budget just now. permitted: units that we may use in `seconds` (a day's until `ends`); free: of them, now.

    limit: the vendor's, None where it is not known. others: units that others surely hold. ends: when a day begins anew.
    """

    name: str
    limit: int | None
    seconds: float
    permitted: int | None
    free: int | None
    others: int = 0
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The least time that some work takes under the vendor's limits, and the budget that decides; "" if none does."""

    seconds: float
    budget: str


class Limiter:
    """Budgets of one vendor account. Thread-safe; with a Store on a file also for processes.

    budgets: {"requests": Budget(190, 10.0, reserve=0.1), "day": Day(None, None, counts="requests")}. account: tells accounts
    apart in the store and in errors. clock: a monotonic clock that all processes share; wall: Unix time; both and sleep are
    for tests.
    """

    def __init__(
        self,
        budgets: Budgets,
        *,
        account: str = "",
        store: Store | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.clock = clock
        self._account = account
        self._store = store or Store()
        self._wall = wall
        self._sleep = sleep
        self._budgets: dict[str, Budget | Day] = dict(budgets)

    def add(self, name: str, budget: Budget | Day) -> None:
        """Add a budget, such as one a mailbox. One that is there already stays as it is."""
        self._budgets.setdefault(name, budget)

    def acquire(self, cost: Mapping[str, int]) -> Permit:
        """Block until the cost fits all its budgets, and take it.

        Raises ValueError for an unknown budget and for a cost that can never fit, LimitSpent when a day's budget is used up.
        """
        full = self._full(cost)
        permit = secrets.token_hex(6)
        waited = 0.0
        while (wait := self._try(permit, full)) > 0:
            self._sleep(wait)
            waited += wait
        return Permit(permit, full, waited)

    def settle(self, permit: Permit, *, written: float | None = None, told: Iterable[Told] = ()) -> None:
        """The request was answered (or given up) just now: its units are free again one window after the vendor counted it.

        written: when it was handed to the network, by `clock`. told: what the answer said of the limits.
        """
        by_budget = {one.budget: one for one in told}
        answered = self.clock()
        with self._store.changing(self._account) as rows:
            now = self.clock()
            for name in {**permit.cost, **by_budget}:
                budget, one = self._budgets.get(name), by_budget.get(name)
                if isinstance(budget, Day) and one:
                    use = _read(rows, name, DayUse)
                    use.tidy(budget, self._wall())
                    use.tell(budget, one.limit, one.left, self._wall())
                    _write(rows, name, use)
                elif isinstance(budget, Budget):
                    window = _read(rows, name, Window)
                    asked = window.settle(budget, permit.id, written, answered)
                    if one and asked:
                        ends = math.inf if one.ends_in is None else now + one.ends_in
                        window.tell(budget, one.limit, one.left, ends, asked, now)
                    _write(rows, name, window)

    def refused(self, cost: Mapping[str, int], wait: float, only: str = "") -> None:
        """The vendor refused a request for a limit: nobody passes for so long, and less is taken for a while.

        only: for which budget, "user" also for "user:ann@acme.com"; all windows of the cost without one.
        """
        with self._store.changing(self._account) as rows:
            now = self.clock()
            for name in self._full(cost):
                budget = self._budgets[name]
                if isinstance(budget, Budget) and (not only or name.partition(":")[0] == only):
                    window = _read(rows, name, Window)
                    window.tidy(budget, now)
                    window.refuse(budget, wait, now)
                    _write(rows, name, window)

    def room(self, cost: Mapping[str, int], most: int) -> int:
        """How many times the cost fits just now, `most` at most. Others may be quicker: `acquire` has the last word."""
        found = most
        with self._store.changing(self._account) as rows:
            now = self.clock()
            for name, units in self._full(cost).items():
                budget = self._budgets[name]
                if isinstance(budget, Budget) and units > 0:
                    window = _read(rows, name, Window)
                    window.tidy(budget, now)
                    found = min(found, window.free(budget, now) // units)
        return found

    def remaining(self) -> Mapping[str, Left]:
        """What is left of every budget, by name."""
        with self._store.changing(self._account) as rows:
            return {name: self._left(rows, name, budget) for name, budget in list(self._budgets.items())}

    def forecast(self, cost: Mapping[str, int]) -> Forecast:
        """How long requests of this cost in all take at least: windows that are full by now, days that must be waited for."""
        left = self.remaining()
        seconds, deciding = 0.0, ""
        for name, units in self._full(cost).items():
            one = left[name]
            if one.permitted is None or one.free is None or units <= one.free:
                continue
            if one.ends is None:
                needed = (units - one.free) / one.permitted * one.seconds
            else:  # the days after today's, of which the last is begun only
                days = math.ceil((units - one.free) / one.permitted)
                needed = one.ends.timestamp() - self._wall() + (days - 1) * one.seconds
            if needed > seconds:
                seconds, deciding = needed, name
        return Forecast(seconds, deciding)

    def _full(self, cost: Mapping[str, int]) -> dict[str, int]:
        """The cost with the budgets that count others' costs."""
        full = {name: units for name, units in cost.items() if units > 0}
        if unknown := full.keys() - self._budgets.keys():
            raise ValueError(f"no budget named {sorted(unknown)[0]!r}; there are {sorted(self._budgets)}")
        counting = {name: full[b.counts] for name, b in list(self._budgets.items()) if b.counts in full}
        return counting | full

    def _try(self, permit: str, cost: Mapping[str, int]) -> float:
        """Seconds until the cost may fit. Zero: it has been taken."""
        with self._store.changing(self._account) as rows:
            now, today = self.clock(), self._wall()  # read only now that nobody else can take anything
            wait = 0.0
            windows: list[tuple[str, Budget, Window, int]] = []
            days: list[tuple[str, Day, DayUse, int]] = []
            for name, units in cost.items():
                budget = self._budgets[name]
                if isinstance(budget, Day):
                    use = _read(rows, name, DayUse)
                    use.tidy(budget, today)
                    if not use.fits(budget, units, today):
                        raise self._spent(budget, use)
                    days.append((name, budget, use, units))
                    continue
                window = _read(rows, name, Window)
                if window.tidy(budget, now):
                    _write(rows, name, window)
                if units > (most := permitted(window.limit(budget), budget.reserve)):
                    raise ValueError(f"{units} units never fit {name!r}: {most} in {budget.seconds} s")
                wait = max(wait, window.wait(budget, units, now))
                windows.append((name, budget, window, units))
            if wait > 0:
                return wait
            for name, budget, window, units in windows:
                window.take(budget, units, now, permit)
                _write(rows, name, window)
            for name, day, use, units in days:
                use.take(day, units, today)
                _write(rows, name, use)
            return 0.0

    def _spent(self, day: Day, use: DayUse) -> LimitSpent:
        limit, left = use.limit(day), max(use.left or 0, 0)
        state = f"the limit of {day.counts} a day is used up"
        if limit is not None:
            kept = limit - permitted(limit, day.reserve)
            state = (
                f"of {limit:,} {day.counts} a day {left:,} are left, of which {kept:,} are kept for other integrations"
            )
        end = "midnight in the account's time zone"
        if day.zone is not None:
            end = f"{datetime.fromtimestamp(use.ends, UTC):%Y-%m-%d %H:%M} UTC (midnight of {day.zone})"
        return LimitSpent(
            f"{self._account or 'the account'}: {state}. It begins anew at {end}. What was not read stays due: run again then, "
            "or lower the reserve."
        )

    def _left(self, rows: Rows, name: str, budget: Budget | Day) -> Left:
        if isinstance(budget, Day):
            use = _read(rows, name, DayUse)
            use.tidy(budget, self._wall())
            limit = use.limit(budget)
            share = None if limit is None else permitted(limit, budget.reserve)
            free = share if use.left is None else use.usable(budget)
            return Left(name, limit, 86_400.0, share, free, ends=datetime.fromtimestamp(use.ends, UTC))
        window, now = _read(rows, name, Window), self.clock()
        window.tidy(budget, now)
        allowed = window.allowed(budget, now)
        return Left(name, window.limit(budget), budget.seconds, allowed, window.free(budget, now), window.foreign)


def _read(rows: Rows, name: str, kind: type[State]) -> State:
    state = rows.get(name)
    if state is None:
        return kind()
    try:
        return msgspec.msgpack.decode(state, type=kind)
    except msgspec.DecodeError:  # another version's: a new one is right again within a window
        return kind()


def _write(rows: Rows, name: str, state: Window | DayUse) -> None:
    rows.put(name, msgspec.msgpack.encode(state))


_shared: dict[tuple[str, str, str], Limiter] = {}
_shared_lock = threading.Lock()
_stores: dict[Path | None, Store] = {None: Store()}
_file: Path | None = None


def keep_in(file: Path | None) -> None:
    """From now on `shared` gives limiters whose state is in this file, for all processes that name it; None: in memory."""
    global _file  # noqa: PLW0603  the process's one place for what it shares
    with _shared_lock:
        _file = None if file is None else file.absolute()
        _stores.setdefault(_file, Store(_file))


def shared(vendor: str, account: str, budgets: Budgets) -> Limiter:
    """The process's one limiter for an account of a vendor, so that connectors made for each task share its budgets.

    account: anything that tells accounts apart and is no secret. Limiters with other budgets (changed settings) of the same
    account share what both have.
    """
    key = (str(_file), f"{vendor} {account}", repr(sorted(budgets.items(), key=lambda item: item[0])))
    with _shared_lock:
        if key not in _shared:
            _shared[key] = Limiter(budgets, account=f"{vendor} {account}", store=_stores[_file])
        return _shared[key]
