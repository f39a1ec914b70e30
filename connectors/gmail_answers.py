"""What Google's answers mean, of Gmail and of the Admin SDK: quota as 403 with a reason. Source: Gmail API usage limits, error handling."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx

from .server_clock import retry_after
from .verdict import Denied, Retry, Verdict, judge_http


def judge(response: httpx.Response, scope: str) -> Verdict:
    """Google's own answers; the rest by HTTP alone. scope: what is to be delegated where a call is forbidden."""
    if response.status_code == 403:
        reason = _reason(response)
        if reason in ("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"):
            budget = "user" if reason.startswith("user") else "project"
            return Retry(f"quota: {reason}", after=retry_after(response), everyone=True, budget=budget)
        if reason == "backendError":
            return Retry(reason, after=retry_after(response))
        return Denied(
            f"Delegate exactly {scope} to the service account in the Admin console ({reason or 'forbidden'}).", scope
        )
    verdict = judge_http(response)
    return replace(verdict, budget="user") if isinstance(verdict, Retry) and verdict.everyone else verdict


def _reason(response: httpx.Response) -> str:
    try:
        errors: Any = json.loads(response.content)["error"]["errors"]
        return str(errors[0]["reason"])
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return ""
