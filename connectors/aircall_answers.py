"""What Aircall's answers mean: a refused key, and the company's limit with the instant at which it is set back.

Not stated in its documentation and assumed: X-AircallApi-Reset is in Unix seconds, or in seconds from now where it is too small for that.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from .limit_headers import LimitHeaders
from .limits import Told
from .verdict import Denied, Verdict, judge_http

LIMIT = LimitHeaders("X-AircallApi-Limit", "X-AircallApi-Remaining", "X-AircallApi-Reset")


def judge(response: httpx.Response) -> Verdict:
    """403 is a wrong or revoked key, 401 no key at all; the 429 names when the limit is set back."""
    if response.status_code == 429:
        return LIMIT.refused(response, "429, the company's limit of requests a minute")
    if response.status_code in (401, 403):
        return Denied(
            "Aircall does not know the API key, or it was revoked: make a new one in the Dashboard, Integrations & API."
        )
    return judge_http(response)


def tells(response: httpx.Response) -> Iterator[Told]:
    """What Aircall's headers say of the limit."""
    return LIMIT.tells(response, "requests")
