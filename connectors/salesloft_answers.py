"""What Salesloft's answers mean: refused tokens, scopes that are missing, and the minute's budget that a team shares.

Sourced: {"error": text} with 401, 403 and 404, {"errors": {field: [texts]}} with 422, 429 when the team's 600 points of a minute are spent;
x-ratelimit-remaining-minute tells what is left of them, x-ratelimit-endpoint-cost what the request took. No Retry-After is documented.
Assumed: the minute is the calendar's, by the server's clock; a Retry-After that comes all the same is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx

from .limits import Told
from .server_clock import retry_after, server_time
from .verdict import Denied, Fail, Reauth, Retry, Verdict, judge_http

LEFT = "x-ratelimit-remaining-minute"


def judge(response: httpx.Response) -> Verdict:
    """See the module."""
    status = response.status_code
    if status == 429:
        return Retry("429, the team's points a minute", after=retry_after(response), everyone=True, budget="points")
    if status == 401:
        return Reauth(
            "Salesloft does not accept the key or token: it was revoked, or the app's grant was. Make a new one in Your Applications."
        )
    if status == 403:
        return Denied("Give the API key or app the scope for this list, and let it belong to a team admin.")
    if status in (400, 422):
        return Fail("Salesloft refuses the request as such; a newer salespulse may know why.")
    return judge_http(response)


def tells(limit: int) -> Callable[[httpx.Response], Iterator[Told]]:
    """What an answer says of the minute's budget. limit: the team's, which Salesloft does not tell."""

    def heard(response: httpx.Response) -> Iterator[Told]:
        text = response.headers.get(LEFT, "")
        if response.status_code != 429 and text.isascii() and text.isdigit():
            yield Told("points", limit, int(text), 61.0 - server_time(response).second)

    return heard
