"""What the headers of an answer say of a limit: how much it is, what is left of it, when it is set back. Their names differ by vendor."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from .limits import Told
from .server_clock import retry_after, server_time
from .verdict import Retry


@dataclass(frozen=True, slots=True)
class LimitHeaders:
    """Names of the three headers. reset: Unix seconds, or seconds from now where the number is too small for an instant."""

    limit: str
    left: str
    reset: str

    def tells(self, response: httpx.Response, budget: str) -> Iterator[Told]:
        """What they say of a budget; a refusal's "none left" is the judge's to tell."""
        limit, left = _number(response, self.limit), _number(response, self.left)
        if response.status_code != 429 and limit is not None and limit >= 1:
            yield Told(budget, int(limit), None if left is None else int(left), self.until_reset(response))

    def refused(self, response: httpx.Response, reason: str, budget: str = "") -> Retry:
        """A 429, to be waited out until the reset; what other limit it is for, a proxy's too, may say Retry-After, and the later one counts."""
        told = [at for at in (self.until_reset(response), retry_after(response)) if at is not None]
        return Retry(reason, after=max(told, default=None), everyone=True, budget=budget)

    def until_reset(self, response: httpx.Response) -> float | None:
        """Seconds by the server's clock, and one more because its Date has whole ones; None where nothing is said."""
        reset = _number(response, self.reset)
        if reset is None:
            return None
        now = server_time(response).timestamp()
        return (max(reset - now, 0.0) if reset > now / 2 else reset) + 1.0


def _number(response: httpx.Response, name: str) -> float | None:
    """Of several numbers, each of another limit, the smallest."""
    try:
        value = min(float(part) for part in response.headers[name].split(","))
    except (KeyError, ValueError):
        return None
    return value if math.isfinite(value) else None
