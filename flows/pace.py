"""How fast a run reads, and how long it still has: from what its windows took, and nothing before there is something to go by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from math import ceil
from threading import Lock
from time import monotonic

from connectors.limits import Left, Limiter
from connectors.stream import Window
from flows.report import WindowResult

ENOUGH = 3  # windows of a stream that must be done to say something of its others
RECENT = 60.0  # seconds that a rate looks back


class Pace:
    """One source: windows done and left by stream, records read. Thread-safe. clock: monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._left: Counter[str] = Counter()
        self._done: Counter[str] = Counter()
        self._seconds: dict[str, float] = {}  # of reading, by stream, of the windows done
        self._requests: Counter[str] = Counter()  # of the windows done
        self._began = clock()
        self._since_began = 0.0  # seconds of reading since, of the windows done
        self._under_way: dict[Window, float] = {}  # since when
        self._records = 0
        self._marks: list[tuple[float, int]] = [(clock(), 0)]

    def planned(self, windows: Iterable[Window]) -> None:
        """These are left to be read, from now on."""
        with self._lock:
            self._left = Counter(window.stream for window in windows)
            self._began, self._since_began = self._clock(), 0.0
            self._under_way.clear()
            self._marks = [(self._began, self._records)]

    def begun(self, window: Window) -> None:
        """A window is being read from now on."""
        with self._lock:
            self._under_way[window] = self._clock()

    def page(self, records: int) -> None:
        """So many records came."""
        with self._lock:
            self._records += records

    def window(self, result: WindowResult) -> None:
        """A window is over."""
        with self._lock:
            stream = result.window.stream
            self._under_way.pop(result.window, None)
            self._left[stream] -= 1
            self._done[stream] += 1
            self._seconds[stream] = self._seconds.get(stream, 0.0) + result.seconds
            self._requests[stream] += result.requests
            self._since_began += result.seconds

    @property
    def windows(self) -> tuple[int, int]:
        """Windows done, and all."""
        with self._lock:
            done = self._done.total()
            return done, done + self._left.total()

    @property
    def records(self) -> int:
        return self._records

    def rate(self) -> float:
        """Records a second, in the last minute or so."""
        with self._lock:
            now = self._clock()
            self._marks.append((now, self._records))
            while len(self._marks) > 2 and self._marks[1][0] < now - RECENT:
                self._marks.pop(0)
            since, before = self._marks[0]
            return (self._records - before) / (now - since) if now > since else 0.0

    def seconds_left(self, limiter: Limiter | None = None) -> float | None:
        """How long it goes on if windows go on taking what those of their stream took; None where nobody can tell.

        What is left, in seconds of reading, is divided by how many of these pass in a second: windows are read side by side, and
        before the first of two hundred are done there is hardly anything but what is under way.
        limiter: no less than its limit on requests lets through; a first burst says nothing of how it goes on.
        """
        with self._lock:
            left = {stream: n for stream, n in self._left.items() if n > 0}
            if any(self._done[stream] < ENOUGH for stream in left):
                return None
            now = self._clock()
            elapsed = now - self._began
            read = self._since_began + sum(now - since for since in self._under_way.values())
            if not left or elapsed <= 0 or read <= 0:
                return None
            reading = sum(n * self._seconds[stream] / self._done[stream] for stream, n in left.items())
            requests = sum(n * self._requests[stream] / self._done[stream] for stream, n in left.items())
            seconds = reading * elapsed / read
        if limiter is not None and "requests" in limiter.remaining():
            return max(seconds, limiter.forecast({"requests": ceil(requests)}).seconds)
        return seconds


def left_in_words(budgets: Mapping[str, Left]) -> str:
    """What is left under an account's limits: "50 of 54 requests in 60 s, 498,112 today"; "" where nothing is known."""
    told: list[str] = []
    for one in budgets.values():
        if one.free is None or one.permitted is None or ":" in one.name:  # "user:…": one mailbox's
            continue
        if one.ends is not None:
            told.append(f"{one.free:,} today")
        elif not told:
            told.append(f"{one.free:,} of {one.permitted:,} {one.name} in {one.seconds:.0f} s")
    return ", ".join(told)
