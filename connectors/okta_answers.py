"""What Okta's answers mean: limits by kind of resource, told in X-Rate-Limit-* headers, and errors by code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

import httpx

from .limit_headers import LimitHeaders
from .limits import Told
from .okta_records import SCOPES
from .verdict import Denied, Fail, Reauth, Verdict, judge_http

LIMIT = LimitHeaders("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")


def budget_of(path: str) -> Literal["logs", "apps", "users"]:
    """Whose limit a call counts to: Okta has one a kind of resource."""
    bare = httpx.URL(path).path
    return "logs" if "/api/v1/logs" in bare else "apps" if "/api/v1/apps" in bare else "users"


def judge(response: httpx.Response) -> Verdict:
    """Okta's own answers. Errors are {"errorCode": "E0000047", "errorSummary": …}."""
    status = response.status_code
    if status == 429:
        return LIMIT.refused(response, "429, Okta's limit", budget_of(str(response.request.url)))
    if status == 401:
        return Reauth(
            "Okta does not accept the credential: an API token ends after 30 days without use, or with its owner."
        )
    if status == 403:
        scope = SCOPES[budget_of(str(response.request.url))]
        return Denied(f"Grant {scope}; a token has the rights of the administrator who made it.", scope)
    if status == 400 and _code(response) == "E0000053":
        return Fail("Okta keeps no log of that time any more.")
    return judge_http(response)


def tells(response: httpx.Response) -> Iterator[Told]:
    """What Okta's headers say of the limit."""
    return LIMIT.tells(response, budget_of(str(response.request.url)))


def _code(response: httpx.Response) -> str:
    try:
        return str(json.loads(response.content)["errorCode"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
