"""HubSpot, CloudTalk and Gmail as far as a backfill and a night ask them, over rendered records (stored.py): no sandbox is so large.

python -m benchmarks.stored_vendors FOLDER REPS DAYS [SPEED]     writes settings into FOLDER, says "ready", serves until stopped

SPEED: the vendors' documented limits are kept, so many times as large; without it none are. Faults and edits are the sandbox's affair.
PUT /__stored__/asked/NAME: from now on requests are written to FOLDER/NAME.requests, for floor_requests.py; DELETE /__stored__/asked: no more.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks import large_company as company
from benchmarks.stored import BY_ID, COMPANIES, CONTACTS, Mailboxes, Stored, render, seconds
from sandbox.limits import Limits
from sandbox.server import listen, run, url_of
from sandbox.settings_out import Described, Row, write

OBJECT = re.compile(r"^/crm/objects/[^/]+/(\w+)(/search|/batch/read)?$")
LINKS = re.compile(r"^/crm/associations/[^/]+/(\w+)/(\w+)/batch/read$")
USER = re.compile(r"^/gmail/v1/users/rep(\d+)@acme\.com/(.+)$")
ASKED = re.compile(rb"Content-ID: <([^>]+)>\r\n\r\nGET \S+/messages/(\d+)\?")
NONE = b'{"results":[]}'
# Units within so many seconds, as the sandbox's modules of these vendors have them.
LIMITS: Mapping[str, tuple[int, float]] = {
    "hubspot": (190, 10.0),
    "search": (5, 1.0),
    "cloudtalk": (60, 60.0),
    "project": (1_200_000, 60.0),
    "user": (6_000, 60.0),
}
Answer = bytes | tuple[int, bytes]


class Vendors:
    """The three of them, by path below their mounts."""

    def __init__(self, stored: Mapping[str, Stored], speed: float | None) -> None:
        self._stored = stored
        self._speed = speed
        self._limits = Limits(enabled=speed is not None)
        self._kinds = {kind: stored[stream] for stream, (kind, _) in BY_ID.items()}
        self._kinds |= {"contacts": stored["crm_contact"], "companies": stored["crm_company"]}
        self._above = dict(BY_ID.values())
        self._boxes = Mailboxes(stored["mail_message"])
        self.counts: Counter[str] = Counter()

    def room(self, *spent: tuple[str, str, int]) -> bool:
        """Whether the limits have room: (limit, whose, units). A refusal counts."""
        for name, whose, units in spent:
            most, window = LIMITS[name]
            if not self._limits.take(name + whose, int(most * (self._speed or 1)), window, units).ok:
                self.counts[f"{name} refused"] += 1
                return False
        self.counts[spent[0][0]] += 1
        return True

    def hubspot(self, path: str, asked: Mapping[str, str], body: bytes) -> Answer:
        searches = [("search", "", 1)] if path.endswith("/search") else []
        if not self.room(("hubspot", "", 1), *searches):
            return 429, b'{"status":"error","policyName":"TEN_SECONDLY_ROLLING","message":"limit"}'
        if found := LINKS.match(path):
            return self._links(found[1], found[2], msgspec.json.decode(body)["inputs"])
        if found := OBJECT.match(path):
            if found[2] == "/search":
                return b'{"total":0,"results":[]}'
            if found[2]:
                inputs = msgspec.json.decode(body)["inputs"]
                told = (
                    b'{"id":"%b","properties":{},"propertiesWithHistory":{}}' % one["id"].encode() for one in inputs
                )
                return b'{"status":"COMPLETE","results":[' + b",".join(told) + b"]}"
            return self._list(self._kinds.get(found[1]), asked)
        if path.startswith("/crm/owners/"):
            return self._list(self._stored["crm_user"], asked)
        if path.endswith("/details"):
            return b'{"portalId":1,"timeZone":"UTC","uiDomain":"app.hubspot.com","companyCurrency":"EUR"}'
        return b"[]" if path.endswith("/dispositions") else NONE

    def _list(self, of: Stored | None, asked: Mapping[str, str]) -> bytes:
        if of is None or asked.get("archived") == "true":
            return NONE
        start, size = int(asked.get("after") or 0), int(asked.get("limit") or 10)
        end = min(start + size, of.size)
        more = b',"paging":{"next":{"after":"%d"}}' % end if end < of.size else b""
        return b'{"results":[' + of.page(start, end) + b"]" + more + b"}"

    def _links(self, kind: str, target: str, inputs: list[dict[str, str]]) -> bytes:
        told = []
        for one in inputs:
            to = self._linked(kind, int(one["id"])) if target in ("contacts", "companies") else None
            ends = b'{"toObjectId":%d}' % to if to is not None else b""
            told.append(b'{"from":{"id":"%b"},"to":[%b]}' % (one["id"].encode(), ends))
        return b'{"status":"COMPLETE","results":[' + b",".join(told) + b"]}"

    def _linked(self, kind: str, identifier: int) -> int | None:
        if kind == "contacts":
            return COMPANIES + (identifier - CONTACTS) // 4
        if kind not in ("calls", "meetings"):
            return None
        of = self._kinds[kind]
        start, _ = of.within(identifier - self._above[kind], identifier - self._above[kind])
        return CONTACTS + int(of.more["contact"][start])

    def cloudtalk(self, path: str, asked: Mapping[str, str], _body: bytes) -> Answer:
        if not self.room(("cloudtalk", "", 1)):
            return 429, b'{"responseData":{"status":429,"message":"Too Many Requests"}}'
        of = self._stored[{"/agents/index.json": "dialer_user"}.get(path, "dialer_call")]
        first, last = 0, of.size
        if path == "/calls/index.json" and "date_from" in asked:
            first, last = of.within(seconds(asked["date_from"]), seconds(asked["date_to"]))
        elif path not in ("/calls/index.json", "/agents/index.json"):
            last = 0
        size, page = int(asked.get("limit") or 50), int(asked.get("page") or 1)
        start, total = first + (page - 1) * size, last - first
        told = b'{"responseData":{"itemsCount":%d,"pageCount":%d,"pageNumber":%d,"limit":%d,"data":['
        return told % (total, -(-total // size), page, size) + of.page(start, min(start + size, last)) + b"]}}"

    def gmail(self, path: str, asked: Mapping[str, str], body: bytes) -> Answer:
        if path == "/token":
            return b'{"access_token":"stored","token_type":"Bearer","expires_in":3599}'
        if path.startswith("/batch/"):
            return self._batch(body)
        found = USER.match(path)
        if found is None:
            return 404, b'{"error":{"code":404,"message":"Not Found"}}'
        rep, rest = int(found[1]), found[2]
        units = {"messages": 5, "history": 2, "profile": 1, "settings/sendAs": 1}.get(rest, 20)
        if not self.room(("user", str(rep), units), ("project", "", units)):
            return 429, b'{"error":{"code":429,"message":"limit","errors":[{"reason":"rateLimitExceeded"}]}}'
        if rest == "messages":
            return self._messages(rep, asked)
        if rest == "history":
            return b'{"historyId":"1"}'
        if rest == "settings/sendAs":
            return b'{"sendAs":[{"sendAsEmail":"rep%d@acme.com"}]}' % rep
        if rest == "profile":
            return b'{"emailAddress":"rep%d@acme.com","historyId":"1"}' % rep
        return self._boxes.message(int(rest.rpartition("/")[2])) or (404, b'{"error":{"code":404}}')

    def _messages(self, rep: int, asked: Mapping[str, str]) -> bytes:
        bounds = {name: int(value) for name, value in re.findall(r"\b(after|before):(\d+)", asked.get("q", ""))}
        ids = self._boxes.listed(rep, bounds.get("after", 0), bounds.get("before", 9_999_999_999))
        start, size = int(asked.get("pageToken") or 0), int(asked.get("maxResults") or 100)
        more = b',"nextPageToken":"%d"' % (start + size) if start + size < len(ids) else b""
        told = b",".join(b'{"id":"%d","threadId":"t"}' % one for one in ids[start : start + size])
        return b'{"messages":[' + told + b'],"resultSizeEstimate":%d' % len(ids) + more + b"}"

    def _batch(self, body: bytes) -> Answer:
        asked = ASKED.findall(body)
        whose = re.search(rb"/users/rep(\d+)@", body)
        units = 20 * len(asked)
        if not self.room(("user", whose[1].decode() if whose else "", units), ("project", "", units)):
            return 429, b'{"error":{"code":429,"message":"limit","errors":[{"reason":"rateLimitExceeded"}]}}'
        told: list[bytes] = []
        for name, identifier in asked:
            message = self._boxes.message(int(identifier))
            status = b"200 OK" if message else b"404 Not Found"
            head = b"--b\r\nContent-Type: application/http\r\nContent-ID: <response-%b>\r\n\r\n"
            head += b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n\r\n"
            told.append(head % (name, status) + (message or b"{}") + b"\r\n")
        return b"".join(told) + b"--b--\r\n"


def app(vendors: Vendors, folder: Path) -> Starlette:
    """The server."""
    asked: list[BinaryIO] = []

    def mounted(answer: Callable[[str, Mapping[str, str], bytes], Answer]) -> Any:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            for file in asked:
                url = request.url
                kind = request.headers.get("content-type", "")
                one = (request.method, f"{url.path}?{url.query}", kind, body.decode("latin-1"))
                file.write(msgspec.json.encode(one) + b"\n")
            told = answer("/" + request.path_params["path"], request.query_params, body)
            status, body = told if isinstance(told, tuple) else (200, told)
            kind = "multipart/mixed; boundary=b" if body[:3] == b"--b" else "application/json"
            return Response(body, status, media_type=kind)

        return endpoint

    async def counts(_request: Request) -> Response:
        return Response(msgspec.json.encode(vendors.counts), media_type="application/json")

    async def write_down(request: Request) -> Response:
        while asked:
            asked.pop().close()
        if request.method == "PUT":
            asked.append((folder / f"{request.path_params['name']}.requests").open("wb"))
        return Response(status_code=204)

    three = {"/hubspot": vendors.hubspot, "/cloudtalk/api": vendors.cloudtalk, "/gmail": vendors.gmail}
    routes = [Route(f"{mount}/{{path:path}}", mounted(one), methods=["GET", "POST"]) for mount, one in three.items()]
    own = [
        Route("/__stored__/counts", counts),
        Route("/__stored__/asked", write_down, methods=["DELETE"]),
        Route("/__stored__/asked/{name}", write_down, methods=["PUT"]),
    ]
    return Starlette(routes=[*own, *routes])


def main(folder: Path, reps: int, days: int, speed: float | None) -> None:
    vendors = Vendors(render(folder, reps, days), speed)
    people: list[Row] = [
        (f"rep{n}@acme.com", f"Rep {n}", company.ZONES[n % len(company.ZONES)], f"T{n % 20}", "yes")
        for n in range(reps)
    ]
    described = Described(
        company={"reporting_timezone": "Europe/Berlin", "reporting_currency": "EUR", "internal_domains": ["acme.com"]},
        parameters={},
        vendors=["hubspot", "cloudtalk", "gmail"],
        tables={
            "reps": (("email", "name", "timezone", "team", "mailbox"), people),
            "teams": (("team", "name", "parent"), [(f"T{n}", f"Team {n}", None) for n in range(min(reps, 20))]),
        },
    )
    with listen(0) as listening:
        settings = folder / "salespulse.toml"
        write(described, settings, url_of(listening))
        text = settings.read_text("utf-8").replace('scope = "metadata"', 'scope = "readonly"')
        settings.write_text(re.sub(r"(?m)^(administrator|admin_base_url) = .*\n", "", text), "utf-8")
        run(app(vendors, folder), listening, lambda _: print("ready", flush=True))


if __name__ == "__main__":
    place, how_many, of_days, *fast = sys.argv[1:]
    main(Path(place), int(how_many), int(of_days), float(fast[0]) if fast else None)
