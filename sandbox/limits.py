"""Vendors' rate limits on real time: sliding windows that vendor modules ask before they answer.

What a limit is (how many, how long, which headers and body a refusal has) is each vendor module's own knowledge.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock


@dataclass(frozen=True, slots=True)
class Taken:
    """ok: within the limit. remaining: units left. resets_in: seconds until the oldest units leave the window."""

    ok: bool
    remaining: int
    resets_in: float


@dataclass(slots=True)
class Limits:
    """Meters by name. With enabled=False everything is within its limit."""

    enabled: bool = True
    clock: Callable[[], float] = time.monotonic
    _spent: dict[str, deque[tuple[float, int]]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, name: str, budget: int, seconds: float, cost: int = 1) -> Taken:
        """Spend `cost` units of meter `name` if the last `seconds` leave room in `budget`; a refusal spends nothing."""
        now = self.clock()
        with self._lock:
            spent = self._spent.setdefault(name, deque())
            while spent and spent[0][0] <= now - seconds:
                spent.popleft()
            used = sum(units for _, units in spent)
            ok = not self.enabled or used + cost <= budget
            if ok:
                spent.append((now, cost))
                used += cost
            resets_in = seconds - (now - spent[0][0]) if spent else seconds
            return Taken(ok, max(0, budget - used), resets_in)
