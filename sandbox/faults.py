"""Misbehaviour on request: rules that say which requests go wrong, and how.

A rule is given as JSON (`POST /__sandbox__/faults`, a list or one object) or in short form on the command line:
`429:every=7`, `cut:system=crm,times=1`, `timeout:path=/messages,after=3,times=2`, `429:system=dialer,retry_after=2`.

What a fault looks like on the wire is the vendors' own: the bodies are those of their documentation, as the vendor
modules cite them. Faults act below the vendor modules, so a faulty answer never reaches them (save `cut`, `truncated`).
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Fault = Literal[
    "429",  # over the limit, in the vendor's words; `policy` for HubSpot, `retry_after` to send that header
    "500",
    "502",
    "503",
    "timeout",  # no answer until the client gives up, `seconds` at most
    "cut",  # the connection breaks in the middle of the body
    "truncated",  # a complete HTTP answer whose JSON ends early
    "malformed",  # 200 with a body that is no JSON
    "html",  # 200 with a proxy's HTML page
    "empty",  # 200 with an empty body
    "expired_token",  # 401
    "forbidden",  # 403: a scope is missing
    "expired_cursor",  # HubSpot: 400 for `after`; Gmail: 404 for startHistoryId
    "too_far",  # a page further than the vendor gives: 404 of the dialer, 400 of the others; say which by match.query
    "slow",  # the right answer, `seconds` late
]


class Match(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which requests a rule is for. path and query are regular expressions, searched for anywhere."""

    system: Literal["crm", "dialer", "mail", "token"] | None = None
    path: str | None = None
    method: str | None = None
    query: str | None = None


class Rule(Struct, kw_only=True, forbid_unknown_fields=True):
    """`after` matching requests go well; then every `every`th goes wrong, `times` times at most (None: endlessly)."""

    fault: Fault
    match: Match = msgspec.field(default_factory=Match)
    times: int | None = None
    every: int = 1
    after: int = 0
    seconds: float = 120.0
    policy: str = "TEN_SECONDLY_ROLLING"
    retry_after: int | None = None


class FaultError(ValueError):
    """A rule that cannot be read; the message says what was expected."""

    page = "sandbox"


def read_rule(text: str) -> Rule:
    """A rule from its short form, `FAULT[:name=value,...]`. Raises FaultError."""
    fault, _, rest = text.partition(":")
    document: dict[str, Any] = {"fault": fault, "match": {}}
    for pair in filter(None, rest.split(",")):
        name, equals, value = pair.partition("=")
        if not equals:
            raise FaultError(f"fault {text!r}: expected name=value, found {pair!r}")
        place = document["match"] if name in Match.__struct_fields__ else document
        place[name] = value
    return read_rules([document])[0]


def read_rules(document: Any) -> list[Rule]:
    """Rules from decoded JSON: one object or a list. Raises FaultError."""
    try:
        rules = msgspec.convert(document if isinstance(document, list) else [document], list[Rule], strict=False)
    except msgspec.ValidationError as error:
        raise FaultError(f"fault {document}: {error}. Faults are {', '.join(get_args(Fault))}.") from None
    for rule in rules:
        for pattern in (rule.match.path, rule.match.query):
            try:
                re.compile(pattern or "")
            except re.error as error:
                raise FaultError(f"fault {rule.fault}: {pattern!r} is no regular expression: {error}") from None
    return rules


@dataclass(slots=True)
class _Armed:
    rule: Rule
    matched: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        """Counts one matching request; true if it is one that goes wrong."""
        self.matched += 1
        due = self.matched > self.rule.after and (self.matched - self.rule.after) % self.rule.every == 0
        if not due or (self.rule.times is not None and self.struck >= self.rule.times):
            return False
        self.struck += 1
        return True


@dataclass(slots=True)
class Faults:
    """The rules in force, shared by all requests. The first rule that strikes decides."""

    _armed: list[_Armed] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, rules: Sequence[Rule]) -> None:
        with self._lock:
            self._armed += [_Armed(rule) for rule in rules]

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def listed(self) -> list[dict[str, Any]]:
        """Every rule, with how many requests it matched and how many it struck."""
        with self._lock:
            return [{**msgspec.to_builtins(a.rule), "matched": a.matched, "struck": a.struck} for a in self._armed]

    def strike(self, system: str, method: str, path: str, query: str) -> Rule | None:
        """The rule by which this request goes wrong, or None."""
        with self._lock:
            for armed in self._armed:
                if _matches(armed.rule.match, system, method, path, query) and armed.strikes():
                    return armed.rule
        return None


def _matches(match: Match, system: str, method: str, path: str, query: str) -> bool:
    return (
        match.system in (None, system)
        and (match.method is None or match.method.upper() == method)
        and (match.path is None or re.search(match.path, path) is not None)
        and (match.query is None or re.search(match.query, query) is not None)
    )


def system_of(path: str) -> str:
    """Which system a path belongs to: crm, dialer, mail, token, or "" for the sandbox's own."""
    if path == "/gmail/token":
        return "token"
    return {"hubspot": "crm", "cloudtalk": "dialer", "gmail": "mail"}.get(path.split("/")[1], "")


class FaultyWire:
    """ASGI middleware: asks `faults` about each vendor request and makes it go wrong where a rule strikes."""

    def __init__(self, app: ASGIApp, faults: Faults, outage: Callable[[str], bool]) -> None:
        self.app = app
        self.faults = faults
        self.outage = outage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        system = system_of(scope["path"]) if scope["type"] == "http" else ""
        if not system:
            await self.app(scope, receive, send)
            return
        if self.outage(system):
            await _answer(send, *_ERRORS["503"](system, Rule(fault="503")))
            return
        rule = self.faults.strike(system, scope["method"], scope["path"], scope["query_string"].decode())
        if rule is None:
            await self.app(scope, receive, send)
        else:
            await self._go_wrong(rule, system, scope, receive, send)

    async def _go_wrong(self, rule: Rule, system: str, scope: Scope, receive: Receive, send: Send) -> None:
        match rule.fault:
            case "timeout":
                await _until_client_leaves(receive, rule.seconds)
                raise ConnectionAbortedError("sandbox fault: timeout")
            case "slow":
                await asyncio.sleep(rule.seconds)
                await self.app(scope, receive, send)
            case "cut":
                await self.app(scope, receive, _cutting(send))
            case "truncated":
                await self.app(scope, receive, _shortening(send))
            case "malformed":
                await _answer(send, 200, {}, b'{"results": [{"id": "1", "properties": }', "application/json")
            case "html":
                page = b"<html><head><title>Gateway</title></head><body>Please wait.</body></html>"
                await _answer(send, 200, {}, page, "text/html")
            case "empty":
                await _answer(send, 200, {}, b"", "application/json")
            case _:
                await _answer(send, *_ERRORS[rule.fault](system, rule))


async def _until_client_leaves(receive: Receive, seconds: float) -> None:
    async def leaves() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    with suppress(TimeoutError):
        await asyncio.wait_for(leaves(), seconds)


def _cutting(send: Send) -> Send:
    """Lets half of the first piece of body through and then breaks the connection."""

    async def cut(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        body = message.get("body", b"")
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        raise ConnectionAbortedError("sandbox fault: cut")

    return cut


def _shortening(send: Send) -> Send:
    """Answers with the first half of the body, correctly framed."""
    start: list[Message] = []

    async def shorten(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.append(message)
            return
        body = message.get("body", b"")
        half = body[: len(body) // 2]
        headers = [(k, v) for k, v in start[0]["headers"] if k.lower() != b"content-length"]
        await send({**start[0], "headers": [*headers, (b"content-length", str(len(half)).encode())]})
        await send({"type": "http.response.body", "body": half})

    return shorten


async def _answer(
    send: Send, status: int, headers: Mapping[str, str], body: bytes, content_type: str = "application/json"
) -> None:
    named = {"content-type": content_type, "content-length": str(len(body)), **headers}
    raw = [(k.lower().encode(), v.encode()) for k, v in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


Answer = tuple[int, dict[str, str], bytes]


def _body(system: str, status: int, message: str, hubspot: Mapping[str, Any], reason: str) -> bytes:
    """An error body in the words of the system's vendor."""
    if system == "crm":
        told = {
            "status": "error",
            "message": message,
            "correlationId": "00000000-0000-0000-0000-000000000000",
            **hubspot,
        }
    elif system == "dialer":
        told = {"responseData": {"status": status, "message": message}}
    elif system == "token":
        told = {"error": reason, "error_description": message}
    else:
        details = [{"message": message, "domain": "global", "reason": reason}]
        told = {"error": {"code": status, "message": message, "errors": details}}
    return json.dumps(told).encode()


def _too_many(system: str, rule: Rule) -> Answer:
    headers = {"Retry-After": str(rule.retry_after)} if rule.retry_after is not None else {}
    if system == "dialer":
        reset = int(time.time()) + (rule.retry_after if rule.retry_after is not None else 1)
        headers = {
            "X-CloudTalkAPI-Limit": "60",
            "X-CloudTalkAPI-Remaining": "0",
            "X-CloudTalkAPI-ResetTime": str(reset),
        }
    words = f"You have reached your {rule.policy.lower()} limit." if system == "crm" else "Rate limit exceeded."
    hubspot = {"errorType": "RATE_LIMIT", "policyName": rule.policy}
    return 429, headers, _body(system, 429, words, hubspot, "rateLimitExceeded")


def _failed(status: int) -> Callable[[str, Rule], Answer]:
    words = {500: "Internal server error", 502: "Bad gateway", 503: "Service unavailable"}[status]

    def answer(system: str, _rule: Rule) -> Answer:
        return status, {}, _body(system, status, words, {"category": "INTERNAL_ERROR"}, "backendError")

    return answer


def _expired_token(system: str, _rule: Rule) -> Answer:
    words = "The OAuth token used to make this call expired." if system == "crm" else "Invalid Credentials"
    return 401, {}, _body(system, 401, words, {"category": "EXPIRED_AUTHENTICATION"}, "authError")


def _forbidden(system: str, _rule: Rule) -> Answer:
    words = "This app hasn't been granted all required scopes to make this call."
    scopes = {
        "category": "MISSING_SCOPES",
        "errors": [{"context": {"requiredGranularScopes": ["crm.objects.contacts.read"]}}],
    }
    return 403, {}, _body(system, 403, words, scopes, "insufficientPermissions")


def _expired_cursor(system: str, _rule: Rule) -> Answer:
    if system == "mail":
        return 404, {}, _body(system, 404, "Requested entity was not found.", {}, "notFound")
    words = "Invalid input: the paging cursor has expired or is not valid."
    return 400, {}, _body(system, 400, words, {"category": "VALIDATION_ERROR"}, "badRequest")


def _too_far(system: str, _rule: Rule) -> Answer:
    if system == "dialer":
        return 404, {}, _body(system, 404, "Not Found", {}, "")
    words = "Search results are limited to 10000 records."
    return 400, {}, _body(system, 400, words, {"category": "VALIDATION_ERROR"}, "badRequest")


_ERRORS: dict[str, Callable[[str, Rule], Answer]] = {
    "429": _too_many,
    "500": _failed(500),
    "502": _failed(502),
    "503": _failed(503),
    "expired_token": _expired_token,
    "forbidden": _forbidden,
    "expired_cursor": _expired_cursor,
    "too_far": _too_far,
}
