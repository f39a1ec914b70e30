"""What is known of one budget of a vendor's account: who holds how much of its window, and what the vendor said of it.

Pure state and arithmetic, no clock and no storage of its own. `now` is the machine's monotonic clock in seconds, for days the
Unix time. How a window is kept so that it is never exceeded is told in docs/decisions/0006-limits.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

DRIFT = 1.0005  # two machines' clocks run apart by no more than NTP's slew limit, 500 ppm
LEASE = 120.0  # seconds a request may stay unanswered before it is taken to have been counted when it was let through
EASED = 0.8  # the share that is left of our part of a window after a refusal ...
REGAIN = 1_200.0  # ... and the seconds in which a whole window's worth is regained
CALM = 5_000  # requests without a refusal after which the time that they are taken to be under way is halved
LONGEST_PAUSE = 86_400.0
PROBE = 900.0  # how often a spent day of unknown end is tried again, by one request


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `limit` units in any `seconds`, of which the share `reserve` is left to others, rounded up to whole units.

    transit: the least time, in seconds from handing a request to the network, in which the vendor may be taken to have counted it
    although it has not answered yet, when many requests have shown so; None: known only from the answer. counts: the name of a
    budget whose every cost is a cost of this one too.
    """

    limit: int
    seconds: float
    reserve: float = 0.0
    transit: float | None = None
    counts: str = ""

    def __post_init__(self) -> None:
        if self.limit < 1 or self.seconds <= 0 or not 0 <= self.reserve < 1:
            raise ValueError(f"a budget has at least one unit, more than zero seconds, a reserve in [0, 1): {self}")


@dataclass(frozen=True, slots=True)
class Day:
    """At most `limit` units a calendar day of `zone`, less the share `reserve`; None: what the vendor says, or where it says.

    counts: the name of the budget whose costs are counted.
    """

    limit: int | None
    zone: str | None
    reserve: float = 0.0
    counts: str = "requests"


def permitted(limit: int, reserve: float) -> int:
    """Units of a limit that are ours: whole ones, at least one."""
    return max(1, math.floor(limit * (1 - reserve) + 1e-9))


class Slot(msgspec.Struct, array_like=True):
    """Units let through. at: when; ends: when they are free again; `open`: unanswered, so that `ends` is a guess.

    held, taken: what the window held and had ever taken just after this, to tell others' use from our own.
    """

    at: float
    ends: float
    units: int
    open: str = ""
    held: int = 0
    taken: int = 0


class Window(msgspec.Struct, omit_defaults=True):
    """A budget's last window. told: the vendor's own limit. foreign: units that others surely hold, until `foreign_ends`.

    eased: the share of our part that we allow ourselves since `refused_at`. under_way: seconds that requests are taken to need
    to the vendor's count; None: a window, and what is more than half of one is not relied on. paused: nobody is let through before.
    """

    slots: list[Slot] = []
    taken: int = 0
    told: int | None = None
    foreign: int = 0
    foreign_ends: float = 0.0
    eased: float = 1.0
    under_way: float | None = None
    refused_at: float = 0.0
    paused: float = 0.0

    def tidy(self, budget: Budget, now: float) -> bool:
        """Drop what is over. True: there were times that cannot be (the machine was started anew), now as if just let through."""
        anew = False
        for slot in self.slots:
            if slot.at > now + 1:
                slot.at, slot.ends, slot.open = now, min(slot.ends, now + budget.seconds * DRIFT), ""
                anew = True
        self.slots = [slot for slot in self.slots if slot.ends > now]
        if self.foreign_ends <= now or self.foreign_ends > now + budget.seconds * DRIFT + LEASE:
            self.foreign = 0
        if self.refused_at > now + 1:  # as long as the vendor asked for, and no longer
            self.paused -= self.refused_at - now
            self.refused_at, anew = now, True
        if self.paused > now + LONGEST_PAUSE:
            self.paused = now
        return anew

    def limit(self, budget: Budget) -> int:
        """The vendor's limit: a lower one that it told counts, a higher one up to what was set."""
        return min(budget.limit, self.told or budget.limit)

    def allowed(self, budget: Budget, now: float) -> int:
        """Units that we may hold at a time."""
        return permitted(permitted(self.limit(budget), budget.reserve), 1 - self._share(now))

    def _share(self, now: float) -> float:
        return min(1.0, self.eased + max(0.0, now - self.refused_at) / REGAIN)

    def _transit(self, budget: Budget) -> float:
        """Seconds from the network's hands to the vendor's count at the most; infinite: only the answer tells."""
        if budget.transit is None:
            return math.inf
        under_way = max(budget.transit, budget.seconds if self.under_way is None else self.under_way)
        return under_way if under_way <= budget.seconds / 2 else math.inf

    def held(self) -> int:
        return sum(slot.units for slot in self.slots)

    def free(self, budget: Budget, now: float) -> int:
        """Units that fit just now, after `tidy`."""
        return max(0, self.allowed(budget, now) - self.held() - self.foreign) if self.paused <= now else 0

    def wait(self, budget: Budget, units: int, now: float) -> float:
        """Seconds after which it is worth asking again, after `tidy`; 0 when the units fit now."""
        if self.paused > now:
            return self.paused - now
        excess = self.held() + self.foreign + units - self.allowed(budget, now)
        if excess <= 0 or not (self.slots or self.foreign):  # an empty window takes any cost that can fit at all
            return 0.0
        soon = now + min(0.25, budget.seconds / 50)
        frees = [(max(s.at + budget.seconds * DRIFT, soon) if s.open else s.ends, s.units) for s in self.slots]
        if self.foreign:
            frees.append((self.foreign_ends, self.foreign))
        for at, freed in sorted(frees):
            excess -= freed
            if excess <= 0:
                return max(at - now, 0.0) + 1e-6  # past the instant itself, whatever the clock rounds to
        return max(max(at for at, _ in frees) - now, 0.0) + 1e-6

    def take(self, budget: Budget, units: int, now: float, permit: str) -> None:
        self.taken += units
        self.slots.append(
            Slot(now, now + budget.seconds * DRIFT + LEASE, units, permit, self.held() + units, self.taken)
        )

    def settle(self, budget: Budget, permit: str, written: float | None, answered: float) -> Slot | None:
        """The request was handed to the network, and answered, at these times. Gives its slot as it was while open."""
        counted = answered if written is None else min(answered, written + self._transit(budget))
        if budget.transit is not None:
            self.under_way = (self.under_way or budget.seconds) * 0.5 ** (1 / CALM)
        for number, slot in enumerate(self.slots):
            if slot.open == permit:
                ends = min(max(counted, slot.at) + budget.seconds * DRIFT, slot.ends)
                self.slots[number] = Slot(slot.at, ends, slot.units)
                self._merge(budget)
                return slot
        return None

    def _merge(self, budget: Budget) -> None:
        """Of very many slots, those that end together become one that ends last: a window holds some hundreds at most."""
        if len(self.slots) < 1_000:
            return
        tick = budget.seconds / 400
        merged: dict[int, Slot] = {}
        for slot in self.slots:
            if not slot.open:
                one = merged.setdefault(int(slot.ends / tick), Slot(slot.at, slot.ends, 0))
                one.at, one.ends, one.units = min(one.at, slot.at), max(one.ends, slot.ends), one.units + slot.units
        self.slots = [slot for slot in self.slots if slot.open] + list(merged.values())

    def tell(self, budget: Budget, limit: int | None, left: int | None, ends: float, asked: Slot, now: float) -> None:
        """The vendor said its limit and what was left of it when it counted the request of slot `asked`.

        What it counted and we did not is others'. At most what was held when that request was let through and all that was
        taken since can have been ours, so others' use is never made up.
        """
        if limit is not None and limit > 0:
            self.told = limit
        if left is not None and limit is not None:
            ours = asked.held + self.taken - asked.taken
            self.foreign = max(0, limit - max(left, 0) - ours)
            self.foreign_ends = min(ends, now + budget.seconds * DRIFT)

    def refuse(self, budget: Budget, wait: float, now: float) -> None:
        """The vendor refused for this limit: rest. Many refusals at once count once.

        We may have been wrong about the time that requests are under way. Where only answers were relied on that cannot be it:
        others use the limit too, and we take less for a while.
        """
        self.paused = max(self.paused, now + wait)
        if now - self.refused_at < max(wait, budget.seconds) and self.refused_at > 0:
            return
        if math.isfinite(under_way := self._transit(budget)):
            self.eased, self.under_way = self._share(now), 2 * under_way
        else:
            self.eased = max(0.25, self._share(now) * EASED)
        self.refused_at = now


class DayUse(msgspec.Struct, omit_defaults=True):
    """What is left of a day that ends at `ends` (Unix time; 0: not begun). left: of `limit`; None while nobody knows."""

    left: int | None = None
    ends: float = 0.0
    told: int | None = None
    tried: float = 0.0  # when the vendor was last heard, or asked

    def tidy(self, day: Day, now: float) -> None:
        """Begin a new day where the last one is over."""
        if now >= self.ends or self.ends > now + 2 * 86_400:
            self.ends = next_midnight(day.zone, now)
            self.left = self.limit(day)

    def limit(self, day: Day) -> int | None:
        """The vendor's limit: a lower one that it told counts, a higher one up to what was set; None: nobody said."""
        return min((limit for limit in (day.limit, self.told) if limit is not None), default=None)

    def usable(self, day: Day) -> int | None:
        """Units that we may still use today; None: nobody knows of a limit."""
        limit = self.limit(day)
        if self.left is None:
            return None
        return max(0, self.left - (0 if limit is None else limit - permitted(limit, day.reserve)))

    def fits(self, day: Day, units: int, now: float) -> bool:
        """May these units be used now? Where the day's end is not known, one try a quarter of an hour may."""
        return not self._spent(day, units) or (day.zone is None and now - self.tried >= PROBE)

    def take(self, day: Day, units: int, now: float) -> None:
        if self._spent(day, units):
            self.tried = now
        if self.left is not None:
            self.left -= units

    def _spent(self, day: Day, units: int) -> bool:
        usable = self.usable(day)
        return usable is not None and units > usable

    def tell(self, day: Day, limit: int | None, left: int | None, now: float) -> None:
        """The vendor said so just now. Of what is left beyond the limit that was set nothing is ours."""
        self.tried = now
        if limit is not None and limit > 0:
            self.told = limit
        if left is not None:
            beyond = 0 if self.told is None else self.told - (self.limit(day) or 0)
            self.left = left - beyond


def next_midnight(zone: str | None, now: float) -> float:
    """Unix time of the next midnight in a zone; UTC's for none."""
    local = datetime.fromtimestamp(now, ZoneInfo(zone or "UTC"))
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return midnight.timestamp()
