"""Below the vendor modules: answers that are refused, cut, late, too large, or somebody else's.

A faulty answer never reaches a vendor module, save where the right answer is what goes wrong (`cut`, `truncated`, `short_page`).
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.faults import Faults, Rule
from sandbox.faulty_answers import ANSWERS

PIECE = 1 << 20
# Where the vendors' answers have their records.
LISTS = (
    *("results", "messages", "data", "history", "records", "value", "items"),
    *("users", "teams", "numbers", "calls"),
)
# By the first part of a vendor's path.
SYSTEMS = {
    "hubspot": "crm",
    "salesforce": "crm",
    "pipedrive": "crm",
    "cloudtalk": "dialer",
    "aircall": "dialer",
    "dialpad": "dialer",
    "gmail": "mail",
    "microsoft365": "mail",
    **dict.fromkeys(("okta", "google_admin", "entra", "sales_navigator"), "tools"),
    **dict.fromkeys(("outreach", "salesloft"), "sequencer"),
}


def system_of(path: str) -> str:
    """Which system a path belongs to: crm, dialer, mail, sequencer, tools, token, or "" for the sandbox's own."""
    if path.endswith(("/token", "/accessToken")):
        return "token"
    return SYSTEMS.get(path.split("/")[1].partition("~")[0], "")


def name_of(path: str) -> str:
    """Which of the company's systems it is, as its file names it: "hubspot", or "hubspot/us" for /hubspot~us."""
    return path.split("/")[1].replace("~", "/")


def _vendor_of(path: str) -> str:
    """In whose words a request is refused: a vendor's, or a token endpoint's."""
    return "token" if system_of(path) == "token" else name_of(path).partition("/")[0]


SOQL_PLACE = r" (?:AND|WHERE) \(\w+ > | ORDER BY "
# Parameters that say where in a list a page is; all others say which list it is.
PAGING = frozenset(
    {"page", "after", "offset", "pageToken", "$skiptoken", "$skip", "page[after]", "startHistoryId", "cursor", "start"}
)


def _list_of(scope: Scope) -> str:
    """Which list a request reads: its path and query, but for where in the list it is."""
    query = [pair for pair in parse_qsl(scope["query_string"].decode()) if pair[0] not in PAGING]
    # In SOQL the place is a condition of its own, at the end.
    return f"{scope['path']} {[(name, re.split(SOQL_PLACE, value, maxsplit=1)[0]) for name, value in query]}"


class FaultyWire:
    """ASGI middleware: asks `faults` about each vendor request and makes it go wrong where a rule strikes.

    outage: is a system down by the company's clock? move: sets that clock.
    """

    def __init__(
        self, app: ASGIApp, faults: Faults, outage: Callable[[str], bool], move: Callable[[str], None]
    ) -> None:
        self.app = app
        self.faults = faults
        self.outage = outage
        self.move = move
        self._last: dict[str, list[Message]] = {}  # by list: the last right answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        system = system_of(scope["path"]) if scope["type"] == "http" else ""
        if not system:
            await self.app(scope, receive, send)
            return
        skew = 0.0
        modifiers, rule = self.faults.strike(system, scope["method"], scope["path"], scope["query_string"].decode())
        for modifier in modifiers:
            if modifier.fault == "skew":
                skew += modifier.seconds
            elif modifier.fault == "move":
                self.move(modifier.to or "")
            else:
                scope, receive = await _smaller(scope, receive, modifier.size)
        scope = {**scope, "sandbox.skew": skew}
        send = _dated(send, skew)
        if self.outage(system) or self.outage(name_of(scope["path"])):
            await _answer(send, *ANSWERS["503"](_vendor_of(scope["path"]), Rule(fault="503")))
        elif rule is not None:
            await self._go_wrong(rule, scope, receive, send)
        elif self.faults.repeats(scope["path"]):
            await self.app(scope, receive, self._keeping(_list_of(scope), send))
        else:
            if not self.faults.repeats():
                self._last.clear()  # what a list answered another day is no page of it that comes again
            await self.app(scope, receive, send)

    async def _go_wrong(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
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
                await self.app(scope, receive, _changing(send, lambda body: body[: len(body) // 2]))
            case "short_page":
                await self.app(scope, receive, _changing(send, _without_last))
            case "repeat":
                for message in self._last.get(_list_of(scope), []):
                    await send(message)
                if _list_of(scope) not in self._last:
                    await self.app(scope, receive, send)
            case "huge":
                await _stream(send, {}, (b" " * PIECE for _ in range(rule.size // PIECE)))
            case "bomb" | "bomb_in_bomb":
                twice = rule.fault == "bomb_in_bomb"
                packed = _bomb(rule.size)
                await _stream(
                    send,
                    {"content-encoding": "gzip, gzip" if twice else "gzip"},
                    iter([_gzip(b"".join(packed))]) if twice else packed,
                )
            case _:
                await _answer(send, *ANSWERS[rule.fault](_vendor_of(scope["path"]), rule))

    def _keeping(self, name: str, send: Send) -> Send:
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body") and kept[0]["status"] == 200:
                self._last[name] = kept
            await send(message)

        return keep


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


def _changing(send: Send, change: Callable[[bytes], bytes]) -> Send:
    """Answers with another body, correctly framed."""
    start: list[Message] = []

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.append(message)
            return
        body = change(message.get("body", b""))
        headers = [(k, v) for k, v in start[0]["headers"] if k.lower() != b"content-length"]
        await send({**start[0], "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    return answer


def _without_last(body: bytes) -> bytes:
    """A page without its last record; what it says of their number stays."""
    try:
        told: Any = json.loads(body)
    except ValueError:  # a batch, which is no JSON
        return body
    page = told if isinstance(told, list) else told.get("responseData", told)
    for items in [page] if isinstance(page, list) else [page.get(key) for key in LISTS]:
        if items:
            items.pop()
    return msgspec.json.encode(told)


def _dated(send: Send, skew: float) -> Send:
    """Answers with the server's own time of day."""

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            date = (b"date", formatdate(time.time() + skew, usegmt=True).encode())
            message = {**message, "headers": [*message.get("headers", ()), date]}
        await send(message)

    return answer


async def _smaller(scope: Scope, receive: Receive, size: int) -> tuple[Scope, Receive]:
    """The request, asking for pages of at most `size` records, in the query or in a body; where the vendor decides, it is told."""
    named = rb"(^|&)(limit|maxResults|per_page|\$top|%24top|page%5Bsize%5D)=\d+"
    query = re.sub(named, rb"\1\2=" + str(size).encode(), scope["query_string"])
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    body = re.sub(rb'"limit":\s*\d+', b'"limit": ' + str(size).encode(), body)
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body}

    return {**scope, "query_string": query, "sandbox.page": size}, again


def _gzip(content: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def _bomb(size: int) -> Iterator[bytes]:
    """A gzip stream of `size` blanks, packed a piece at a time."""
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    for _ in range(size // PIECE):
        yield packer.compress(b" " * PIECE)
    yield packer.flush()


async def _stream(send: Send, headers: Mapping[str, str], parts: Iterator[bytes]) -> None:
    """A body without a length, made while it is sent."""
    raw = [(b"content-type", b"application/json"), *((k.encode(), v.encode()) for k, v in headers.items())]
    await send({"type": "http.response.start", "status": 200, "headers": raw})
    for part in parts:
        if part:
            await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})


async def _answer(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    named = {"content-type": "application/json", "content-length": str(len(body))}
    named |= {name.lower(): value for name, value in headers.items()}
    raw = [(k.encode(), v.encode()) for k, v in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
