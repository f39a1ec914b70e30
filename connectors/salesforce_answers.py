"""What Salesforce's answers mean: a list of {"errorCode", "message"}, and the day's requests in a header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec

from .limits import Told
from .verdict import Denied, Fail, Gone, Reauth, Retry, Verdict, judge_http

USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
REMEDY = "Check client_id and secret, that the app's flow is enabled, and that its Run As user is active."
NOT_ALLOWED = ("INSUFFICIENT_ACCESS", "API_DISABLED_FOR_ORG", "INSUFFICIENT_ACCESS_OR_READONLY")
PASSING = ("QUERY_TIMEOUT", "UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION")


def judge(response: httpx.Response) -> Verdict:
    """Salesforce's own answers; the rest by HTTP alone."""
    code, message = _error(response)
    if code == "REQUEST_LIMIT_EXCEEDED":
        if "Concurrent" in message:
            return Retry("too many long requests at once", after=20.0, everyone=True)
        return Fail(
            "The org's requests of the last 24 hours are used up; they come back hour by hour. The next run goes on.",
            spent=True,
        )
    if response.status_code == 401:
        return Reauth(f"The session is not accepted. {REMEDY}")
    if code in NOT_ALLOWED or response.status_code == 403:
        return Denied(f"Give the integration user the permission that is missing ({code}).")
    if code in ("INVALID_TYPE", "NOT_FOUND"):
        return Denied(
            f"{message.splitlines()[0][:200]} The object is not there, or the integration user may not read it."
        )
    if code in ("INVALID_FIELD", "MALFORMED_QUERY"):
        return Fail(f"{code}: {message[-200:]} Check the fields and call_filter in the settings.")
    if code == "QUERY_TIMEOUT" and "COUNT()" in response.request.url.params.get("q", ""):
        return Gone(f"{code}: there are too many to be counted.")
    if code == "INVALIDENTITY":
        return Gone(message[:200])
    if code in PASSING:
        return Retry(code)
    return Gone() if response.status_code == 404 else judge_http(response)


def _error(response: httpx.Response) -> tuple[str, str]:
    if response.status_code < 400:
        return "", ""
    try:
        told: Any = msgspec.json.decode(response.content)
        first: Any = told[0] if isinstance(told, list) and told else told
        return str(first["errorCode"]), str(first.get("message", ""))
    except (msgspec.DecodeError, KeyError, TypeError, RecursionError, UnicodeDecodeError):
        return "", ""


def tells(response: httpx.Response) -> Iterator[Told]:
    """Sforce-Limit-Info: api-usage=873/15000 in the last 24 hours, of the whole org."""
    if found := USAGE.search(response.headers.get("Sforce-Limit-Info", "")):
        used, limit = int(found[1]), int(found[2])
        yield Told("day", limit, max(limit - used, 0))
