"""Whole answers that are wrong: refusals in each vendor's words, and bodies that are no answer.

The bodies are those of the vendors' documentation, as the vendor modules cite them.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any

from sandbox.faults import Rule

Answer = tuple[int, dict[str, str], bytes]


SALESFORCE = {
    400: "INVALID_QUERY_LOCATOR",
    401: "INVALID_SESSION_ID",
    403: "INSUFFICIENT_ACCESS",
    500: "UNKNOWN_EXCEPTION",
    503: "SERVER_UNAVAILABLE",
}
OKTA = {400: "E0000001", 401: "E0000011", 403: "E0000006", 429: "E0000047"}
GRAPH = {
    400: "BadRequest",
    401: "InvalidAuthenticationToken",
    403: "Authorization_RequestDenied",
    429: "TooManyRequests",
    503: "serviceNotAvailable",
}


def _body(vendor: str, status: int, message: str, hubspot: Mapping[str, Any], reason: str) -> bytes:
    """An error body in the words of the vendor; Google's where it has none of its own here."""
    told: Any
    match vendor:
        case "hubspot":
            told = {"status": "error", "message": message, "correlationId": "00000000-0000-0000-0000-000000000000"}
            told |= hubspot
        case "salesforce":
            told = [{"errorCode": SALESFORCE.get(status, "UNKNOWN_EXCEPTION"), "message": message}]
        case "cloudtalk":
            told = {"responseData": {"status": status, "message": message}}
        case "aircall":
            told = {"error": message, "troubleshoot": message}
        case "pipedrive":
            told = {"success": False, "error": message, "errorCode": status}
        case "okta":
            told = {"errorCode": OKTA.get(status, "E0000009"), "errorSummary": message, "errorId": "oae1"}
        case "entra" | "microsoft365":
            told = {"error": {"code": GRAPH.get(status, "generalException"), "message": message}}
        case "outreach":
            told = {"errors": [{"id": reason, "title": reason, "detail": message}]}
        case "salesloft":
            told = {"errors": {"base": [message]}} if status == 422 else {"error": message}
        case "sales_navigator":
            told = {"serviceErrorCode": 100, "message": message, "status": status}
        case "token":
            told = {"error": reason, "error_description": message}
        case _:
            details = [{"message": message, "domain": "global", "reason": reason}]
            told = {"error": {"code": status, "message": message, "errors": details}}
    return json.dumps(told).encode()


# Vendors that tell when the limit is set back, in Unix seconds, in headers named like this.
RESETS = {
    "cloudtalk": ("X-CloudTalkAPI-Limit", "X-CloudTalkAPI-Remaining", "X-CloudTalkAPI-ResetTime"),
    "aircall": ("X-AircallApi-Limit", "X-AircallApi-Remaining", "X-AircallApi-Reset"),
    "okta": ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset"),
    "outreach": ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
}


def _too_many(vendor: str, rule: Rule) -> Answer:
    headers = {"Retry-After": str(rule.retry_after)} if rule.retry_after is not None else {}
    if rule.retry_at:
        headers = {"Retry-After": formatdate(time.time() + rule.seconds + (rule.retry_after or 0), usegmt=True)}
    elif vendor in RESETS:
        reset = int(time.time()) + (rule.retry_after if rule.retry_after is not None else 1)
        headers = dict(zip(RESETS[vendor], ("60", "0", str(reset)), strict=True))
    words = f"You have reached your {rule.policy.lower()} limit." if vendor == "hubspot" else "Rate limit exceeded."
    hubspot = {"errorType": "RATE_LIMIT", "policyName": rule.policy}
    return 429, headers, _body(vendor, 429, words, hubspot, "rateLimitExceeded")


def _failed(status: int) -> Callable[[str, Rule], Answer]:
    words = {500: "Internal server error", 502: "Bad gateway", 503: "Service unavailable", 504: "Gateway timeout"}[
        status
    ]

    def answer(vendor: str, _rule: Rule) -> Answer:
        return status, {}, _body(vendor, status, words, {"category": "INTERNAL_ERROR"}, "backendError")

    return answer


def _expired_token(vendor: str, _rule: Rule) -> Answer:
    words = "The OAuth token used to make this call expired." if vendor == "hubspot" else "Invalid Credentials"
    return 401, {}, _body(vendor, 401, words, {"category": "EXPIRED_AUTHENTICATION"}, "authError")


def _forbidden(vendor: str, _rule: Rule) -> Answer:
    words = "This app hasn't been granted all required scopes to make this call."
    scopes = {
        "category": "MISSING_SCOPES",
        "errors": [{"context": {"requiredGranularScopes": ["crm.objects.contacts.read"]}}],
    }
    return 403, {}, _body(vendor, 403, words, scopes, "insufficientPermissions")


def _expired_cursor(vendor: str, _rule: Rule) -> Answer:
    if vendor == "gmail":
        return 404, {}, _body(vendor, 404, "Requested entity was not found.", {}, "notFound")
    words = "Invalid input: the paging cursor has expired or is not valid."
    return 400, {}, _body(vendor, 400, words, {"category": "VALIDATION_ERROR"}, "badRequest")


def _too_far(vendor: str, _rule: Rule) -> Answer:
    if vendor == "cloudtalk":
        return 404, {}, _body(vendor, 404, "Not Found", {}, "")
    words = "Search results are limited to 10000 records."
    return 400, {}, _body(vendor, 400, words, {"category": "VALIDATION_ERROR"}, "badRequest")


def _redirect(_vendor: str, _rule: Rule) -> Answer:
    return 302, {"Location": "https://login.example/portal"}, b""


def _plain(body: bytes, content_type: str = "application/json", **headers: str) -> Callable[[str, Rule], Answer]:
    """The same body with 200 whoever asks."""
    named = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return lambda _vendor, _rule: (200, named, body)


ANSWERS: dict[str, Callable[[str, Rule], Answer]] = {
    "429": _too_many,
    "500": _failed(500),
    "502": _failed(502),
    "503": _failed(503),
    "504": _failed(504),
    "redirect": _redirect,
    "malformed": _plain(b'{"results": [{"id": "1", "properties": }'),
    "html": _plain(b"<html><head><title>Gateway</title></head><body>Please wait.</body></html>", "text/html"),
    "empty": _plain(b""),
    "other_json": _plain(b'{"status": "ok", "login": "required"}'),
    "deep": _plain(b'{"results": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "not_gzip": _plain(b'{"results": []}', Content_Encoding="gzip"),
    "gzip_cut": _plain(gzip.compress(b'{"results": []}')[:-12], Content_Encoding="gzip"),
    "expired_token": _expired_token,
    "forbidden": _forbidden,
    "expired_cursor": _expired_cursor,
    "too_far": _too_far,
}
