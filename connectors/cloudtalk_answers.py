"""What CloudTalk's answers mean: the company's limit with the instant of its reset, and pages that are not there."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from .limit_headers import LimitHeaders
from .limits import Told
from .verdict import Gone, Verdict, judge_http

LIMIT = LimitHeaders("X-CloudTalkAPI-Limit", "X-CloudTalkAPI-Remaining", "X-CloudTalkAPI-ResetTime")


def judge(response: httpx.Response) -> Verdict:
    """CloudTalk's own answer is the 429, which names the instant at which the limit is set back."""
    if response.status_code == 429:
        return LIMIT.refused(response, "429, the company's limit of operations a minute")
    if response.status_code == 400 and response.request.url.params.get("page", "1") != "1":
        return Gone("There is no such page.")  # as the 404 for one: the first page of the same list was answered
    return judge_http(response)


def tells(response: httpx.Response) -> Iterator[Told]:
    """What CloudTalk's headers say of the limit."""
    return LIMIT.tells(response, "requests")
