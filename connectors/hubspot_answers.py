"""What HubSpot's answers mean: limits by policy, missing scopes by name, and what the headers say. Source: error-handling and usage guides."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from .limits import Told
from .verdict import Denied, Fail, Reauth, Retry, Verdict, judge_http


def tells(response: httpx.Response) -> Iterator[Told]:
    """What HubSpot's headers say of the limits. Of the burst limit only if it is one of ten seconds, as ours."""
    head = response.headers
    if head.get("X-HubSpot-RateLimit-Interval-Milliseconds", "10000") == "10000":
        limit, left = (_whole(head.get(f"X-HubSpot-RateLimit-{name}")) for name in ("Max", "Remaining"))
        if limit is not None:
            yield Told("requests", limit, left)
    limit, left = (_whole(head.get(f"X-HubSpot-RateLimit-{name}")) for name in ("Daily", "Daily-Remaining"))
    if response.status_code == 429 and _document(response).get("policyName") == "DAILY":
        left = 0
    if limit is not None or left is not None:
        yield Told("day", limit, left)


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 12 else None


def judge(response: httpx.Response) -> Verdict:
    """HubSpot's own answers; the rest by HTTP alone."""
    if response.status_code == 429:
        return _limited(response)
    if response.status_code == 401:
        return Reauth(
            "The token is not accepted. Make a new service key (Development > Keys), or check that this one was not rotated."
        )
    if response.status_code == 403:
        scopes = _scopes(_document(response))
        return Denied(f"Grant the scope {scopes or 'that this call needs'} to the key or app in HubSpot.", scopes)
    if response.status_code == 423:
        return Retry("the record is locked", after=2.0)
    return judge_http(response)


def _limited(response: httpx.Response) -> Verdict:
    policy = str(_document(response).get("policyName", ""))
    told = judge_http(response)
    after = told.after if isinstance(told, Retry) else None
    if policy == "DAILY":
        return Fail(
            "The account's daily limit is used up; it begins anew at midnight in the account's time zone.", spent=True
        )
    burst = policy.startswith("TEN_SECONDLY")
    return Retry(
        f"limit {policy or 'of the account'} reached",
        after=after if after is not None else 10.0 if burst else 1.0,
        everyone=True,
        budget="requests" if burst else "search" if response.request.url.path.endswith("/search") else "",
    )


def _document(response: httpx.Response) -> Mapping[str, Any]:
    try:
        found: Any = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _scopes(document: Mapping[str, Any]) -> str:
    """Names of missing scopes: context.requiredGranularScopes or requiredScopes, at the top or in errors."""
    places: list[Any] = [document, *(document.get("errors") or [])]
    found: list[str] = []
    for place in places:
        context = place.get("context") or {} if isinstance(place, dict) else {}
        for key in ("requiredGranularScopes", "requiredScopes"):
            found += [str(scope) for scope in context.get(key) or []]
    return " or ".join(dict.fromkeys(found))
