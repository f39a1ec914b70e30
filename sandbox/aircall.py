"""Aircall's API v1 over a company's dialer: users, teams, numbers and call history.

Source: Aircall's public reference (developer.aircall.io/api-references) as far as it could be read here: paths, envelopes, field names, Basic
auth, 50 a page, 10,000 calls a query, six months of history, 60 requests a minute per company. What it leaves open is chosen to be
inconvenient: `from` and `to` both inclusive, a page past the 10,000th call is a 400, a page past the end is empty.

What the wire says of a world's call:

- `id`: ids("cloudtalk.call", key), the id by which HubSpot's hs_call_external_id knows the dialer's call, whichever dialer that is.
- `user`: who took it: of a call with several legs the last one; `transferred_by` the one before, `transferred_to` the last.
- `answered_at`, `ended_at`: Unix seconds, as far apart as was talked in all. Nothing says when a call was passed on.
- why an outbound call was not answered, or that a machine answered: a tag (`Busy`, `Failed`, `Cancelled`, `No answer`, `Voicemail`).
- kept quirks: signed links that are others at every read, `available` of a user that changes, numbers with blanks, no time of modification,
  users abridged where they are nested.
"""

from __future__ import annotations

import base64
import binascii
import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.limits import Limits
from sandbox.world import Call, World
from sandbox.world_state import Clock, State, User, call_end

API_ID, API_TOKEN, ACCESS_TOKEN = "sandbox", "sandbox-token", "sandbox-bearer"
REQUESTS, WINDOW_SECONDS = 60, 60.0  # per company
DEFAULT_PAGE, MAX_PAGE, MOST, HISTORY = 20, 50, 10_000, timedelta(days=183)
TAGS = {
    "no_answer": "No answer",
    "busy": "Busy",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "voicemail": "Voicemail",
}

Item = dict[str, Any]


class _Refused(Exception):
    def __init__(self, status: int, error: str, troubleshoot: str = "") -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "troubleshoot": troubleshoot}


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """Aircall's endpoints, relative to https://api.aircall.io/v1."""
    del world  # the clock knows it
    listings: dict[str, Callable[[State, Mapping[str, str]], Sequence[Item]]] = {
        "users": _users,
        "teams": _teams,
        "numbers": _numbers,
        "calls": _calls,
    }

    def endpoint(name: str, listing: Callable[[State, Mapping[str, str]], Sequence[Item]]) -> Any:
        async def answer(request: Request) -> Response:
            return _answer(limits, request, lambda: _page(name, listing(clock.state(), request.query_params), request))

        return answer

    async def ping(request: Request) -> Response:
        return _answer(limits, request, lambda: {"ping": "pong"})

    return [Route(f"/{name}", endpoint(name, listing)) for name, listing in listings.items()] + [Route("/ping", ping)]


def _answer(limits: Limits, request: Request, make: Callable[[], Item]) -> Response:
    headers: dict[str, str] = {}
    status = 200
    try:
        _authorise(request)
        taken = limits.take("aircall", REQUESTS, WINDOW_SECONDS)
        if limits.enabled:
            headers = {
                "X-AircallApi-Limit": str(REQUESTS),
                "X-AircallApi-Remaining": str(taken.remaining),
                "X-AircallApi-Reset": str(math.ceil(time.time() + taken.resets_in)),
            }
        if taken.ok:
            body = make()
        else:
            status, body = (
                429,
                {"error": "Too Many Requests", "troubleshoot": "The limit of requests per minute is reached"},
            )
    except _Refused as refused:
        status, body = refused.status, refused.body
    return Response(msgspec.json.encode(body), status, headers, "application/json; charset=utf-8")


def _authorise(request: Request) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and given == ACCESS_TOKEN:
        return
    try:
        told = base64.b64decode(given, validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        told = ""
    if told != f"{API_ID}:{API_TOKEN}":
        raise _Refused(403, "Forbidden", "Invalid API key or Bearer access token")


def _page(name: str, items: Sequence[Item], request: Request) -> Item:
    per_page = _number(request, "per_page", DEFAULT_PAGE, MAX_PAGE)
    page = _number(request, "page", 1, None)
    if page * per_page > MOST and page > 1:
        raise _Refused(400, "Bad Request", f"Only the first {MOST} items can be paged through")
    shown = items[(page - 1) * per_page : page * per_page]
    here = request.url

    def link(number: int) -> str:
        return str(here.include_query_params(page=number, per_page=per_page))

    return {
        "meta": {
            "count": len(shown),
            "total": len(items),
            "current_page": page,
            "per_page": per_page,
            "next_page_link": link(page + 1) if page * per_page < len(items) else None,
            "previous_page_link": link(page - 1) if page > 1 else None,
        },
        name: [_fresh(item) for item in shown],
    }


def _number(request: Request, name: str, default: int, most: int | None) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isdigit() or int(text) < 1 or (most is not None and int(text) > most):
        raise _Refused(400, "Bad Request", f"Invalid value of {name}")
    return int(text)


def _fresh(item: Item) -> Item:
    """The item with links that no earlier answer had, and people as available as they are now."""
    signed = {
        key: f"{item[key]}?X-Amz-Signature={secrets.token_hex(8)}"
        for key in ("recording", "asset", "voicemail")
        if item.get(key)
    }
    user: Item | None = item.get("user")
    now = {"user": {**user, "available": secrets.randbelow(2) == 1}} if user else {}
    return {**item, **signed, **now}


def _calls(state: State, query: Mapping[str, str]) -> Sequence[Item]:
    found: list[Item] = state.cached("aircall.calls", lambda: _render_calls(state))
    first, last = _second(query, "from"), _second(query, "to")
    oldest = (state.now - HISTORY).timestamp()
    shown = [
        call
        for call in found
        if call["started_at"] >= max(first or 0, oldest) and (last is None or call["started_at"] <= last)
    ]
    return shown if query.get("order", "asc") == "asc" else shown[::-1]


def _second(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise _Refused(400, "Bad Request", f"{name} is no UNIX timestamp")
    return int(text)


def _render_calls(state: State) -> list[Item]:
    users = {user.key: _nested(_user(state, user)) for user in state.users("dialer")}
    calls = [_call(state, stored.value, users) for stored in state.dialer_calls]
    return sorted(calls, key=lambda call: (call["started_at"], call["id"]))


def _call(state: State, call: Call, users: Mapping[str, Item]) -> Item:
    identifier = int(state.ids.number("cloudtalk.call", call.key))
    *before, last = call.legs
    answered, ended = _times(call)
    own = next((state.reps[leg.rep].phone for leg in call.legs if leg.rep in state.reps), None)
    left_voicemail = call.direction == "inbound" and call.result == "voicemail"
    reason = TAGS.get("voicemail" if call.machine else call.result) if call.direction == "outbound" else None
    person = users.get(last.rep or "")
    return {
        "id": identifier,
        "sid": f"CA{identifier}",
        "direct_link": f"https://api.aircall.io/v1/calls/{identifier}",
        "direction": call.direction,
        "status": "done",
        "missed_call_reason": "agents_did_not_answer" if call.direction == "inbound" and answered is None else None,
        "started_at": _unix(call.started_at),
        "answered_at": None if answered is None else _unix(answered),
        "ended_at": _unix(ended),
        "duration": _unix(ended) - _unix(call.started_at),
        "raw_digits": _spelt(call.number) if call.number else "anonymous",
        "voicemail": f"https://assets.aircall.io/v/{identifier}.mp3" if left_voicemail else None,
        "recording": f"https://assets.aircall.io/r/{identifier}.mp3" if answered else None,
        "asset": f"https://assets.aircall.io/calls/{identifier}" if answered or left_voicemail else None,
        "user": person,
        "contact": None,
        "archived": False,
        "assigned_to": None,
        "transferred_by": users.get(before[-1].rep or "") if before else None,
        "transferred_to": person if before else None,
        "cost": "0.01",
        "number": {"id": 1, "digits": _spelt(own), "name": "Sales", "country": "DE", "open": True} if own else None,
        "comments": [],
        "tags": [{"id": int(state.ids.number("aircall.tag", reason, (5, 8))), "name": reason}] if reason else [],
        "teams": [],
    }


def _times(call: Call) -> tuple[datetime | None, datetime]:
    """When it was answered, by somebody or something, and when it ended: as far apart as was talked in all."""
    ended = call_end(call)
    if call.direction == "inbound" and call.result != "answered":
        return None, ended
    if call.result == "answered" and not call.machine:
        return max(call.started_at, ended - timedelta(seconds=sum(leg.talk_seconds for leg in call.legs))), ended
    return call.answered_at, ended


def _unix(instant: datetime) -> int:
    return int(instant.timestamp())


def _spelt(number: str | None) -> str | None:
    """A number with blanks in it, as Aircall writes numbers."""
    plain = (number or "").partition("-")[0]
    return f"{plain[:3]} {plain[3:6]} {plain[6:]}".strip() or None


def _user(state: State, user: User) -> Item:
    identifier = int(state.ids.number("aircall.user", user.key, (6, 9)))
    return {
        "id": identifier,
        "direct_link": f"https://api.aircall.io/v1/users/{identifier}",
        "name": user.name,
        "email": user.email,
        "available": True,
        "availability_status": "available",
        "substatus": "always_open",
        "created_at": f"{max(user.created_at, datetime(2019, 1, 1, tzinfo=UTC)):%Y-%m-%dT%H:%M:%S.000Z}",
        "time_zone": user.rep.timezone if user.rep else "Etc/UTC",
        "language": "en-US",
        "wrap_up_time": 0,
        "numbers": [],
    }


def _nested(user: Item) -> Item:
    return {key: value for key, value in user.items() if key not in ("substatus", "wrap_up_time", "numbers")}


def _users(state: State, _query: Mapping[str, str]) -> Sequence[Item]:
    return [_user(state, user) for user in state.users("dialer") if user.active]


def _teams(state: State, _query: Mapping[str, str]) -> Sequence[Item]:
    users = [user for user in state.users("dialer") if user.active and user.rep]
    return [
        {
            "id": int(state.ids.number("aircall.team", team.key, (5, 8))),
            "direct_link": "https://api.aircall.io/v1/teams",
            "name": team.name or team.key,
            "created_at": "2020-01-02T11:41:01.000Z",
            "users": [_nested(_user(state, user)) for user in users if user.rep and user.rep.team == team.key],
        }
        for team in state.teams
    ]


def _numbers(state: State, _query: Mapping[str, str]) -> Sequence[Item]:
    phones = dict.fromkeys(u.rep.phone for u in state.users("dialer") if u.active and u.rep and u.rep.phone)
    return [
        {
            "id": int(state.ids.number("aircall.number", phone, (6, 9))),
            "name": "Sales",
            "digits": _spelt(phone),
            "created_at": "2020-01-02T11:41:01.000Z",
            "country": "DE",
            "time_zone": "Etc/UTC",
            "open": True,
            "availability_status": "open",
            "is_ivr": False,
        }
        for phone in phones
    ]
