"""When a call is made again: after a wait of our own by chance, and no sooner than the server says."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between attempts: anything up to first, 2 first, 4 first ... most ("full jitter").

    longest: a server that asks to wait longer than this is not waited for.
    """

    first: float = 1.0
    most: float = 60.0
    longest: float = 900.0

    def seconds(self, attempt: int) -> float:
        return random.uniform(0, min(self.most, self.first * 2 ** (attempt - 1)))  # noqa: S311  no secret

    def wait(self, attempt: int, told: float | None) -> float:
        """Seconds after a failed attempt. told: what the server named."""
        own = self.seconds(attempt)
        # What the server names is the least; but where that was not enough once, we wait our own time too.
        return max(told or 0.0, own if told is None or attempt > 1 else 0.0)


class Again(Exception):
    """One attempt failed in a way that another may not."""

    def __init__(self, reason: str, wait: float, *, limited: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        self.limited = limited

    page = "source-down"


def wait_of(error: Exception) -> bool | float:
    """Seconds before the next attempt, as stamina asks; False where there is to be none."""
    return error.wait if isinstance(error, Again) else False
