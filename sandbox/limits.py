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
class _Meter:
    spent: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]])
    used: int = 0


@dataclass(slots=True)
class Limits:
    """Meters by name. With enabled=False everything is within its limit."""

    enabled: bool = True
    clock: Callable[[], float] = time.monotonic
    _meters: dict[str, _Meter] = field(default_factory=dict[str, _Meter])
    _lock: Lock = field(default_factory=Lock)

    def take(self, name: str, budget: int, seconds: float, cost: int = 1) -> Taken:
        """Spend `cost` units of meter `name` if the last `seconds` leave room in `budget`; a refusal spends nothing."""
        now = self.clock()
        with self._lock:
            meter = self._meters.setdefault(name, _Meter())
            while meter.spent and meter.spent[0][0] <= now - seconds:
                meter.used -= meter.spent.popleft()[1]
            ok = not self.enabled or meter.used + cost <= budget
            if ok:
                meter.spent.append((now, cost))
                meter.used += cost
            resets_in = seconds - (now - meter.spent[0][0]) if meter.spent else seconds
            return Taken(ok, max(0, budget - meter.used), resets_in)
