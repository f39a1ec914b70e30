"""What Pipedrive's answers mean: refusals, its limit of two seconds and its tokens a day.

Source: rate limiting guide (pipedrive.readme.io), recorded headers (x-daily-ratelimit-token-*, which it does not name). A 429 is
documented without a body and without Retry-After; whether it is the day's, only x-daily-ratelimit-token-remaining tells. Who goes on after
many of them is answered 403 with a page by Cloudflare. Assumed: what a plan lacks is answered 402 or 403 with {"success": false, "error"}.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from .limit_headers import LimitHeaders
from .limits import Told
from .verdict import Denied, Fail, Reauth, Retry, Verdict, judge_http

WINDOW = 2.0  # seconds
BLOCKED = 60.0  # seconds to stay away once Cloudflare refuses; not documented
LIMIT = LimitHeaders("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
DAY_LIMIT, DAY_LEFT = "x-daily-ratelimit-token-limit", "x-daily-ratelimit-token-remaining"


def judge(response: httpx.Response) -> Verdict:
    """Pipedrive's own answers; the rest by HTTP alone."""
    status = response.status_code
    if status == 429:
        if _whole(response, DAY_LEFT) == 0:
            return Fail("The company's API tokens of the day are used up; they begin anew at midnight.", spent=True)
        return LIMIT.refused(response, "429, Pipedrive's requests in two seconds", "requests")
    if status == 403 and "html" in response.headers.get("Content-Type", ""):
        return Retry("403, kept out for too many refused requests", after=BLOCKED, everyone=True, budget="requests")
    if status == 401:
        return Reauth(
            "Pipedrive does not accept the token: it was made anew, its user was deactivated, or the app's grant was revoked."
        )
    if status in (402, 403):
        return Denied(
            "The token's user, the app's scopes or the plan do not allow this: see docs/sources/pipedrive.md for what each call needs."
        )
    return judge_http(response)


def tells(response: httpx.Response) -> Iterator[Told]:
    """What the headers say of both limits."""
    yield from LIMIT.tells(response, "requests")
    limit, left = _whole(response, DAY_LIMIT), _whole(response, DAY_LEFT)
    if limit or left is not None:
        yield Told("tokens", limit or None, left)


def _whole(response: httpx.Response, name: str) -> int | None:
    text = response.headers.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else None
