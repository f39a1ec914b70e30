"""Dialpad's API v2 over a company's dialer: users, numbers, concluded calls, and OAuth tokens.

Source: the vendor's OpenAPI file (dialpad/dialpad-python-sdk, dialpad_api_spec.json) and developers.dialpad.com (rate limits, status codes,
OAuth): paths, parameters, fields, bearer keys, cursors, calls latest first by their start, 20 requests a second a company and 1,200 a
minute a list.
What it leaves open is chosen to be inconvenient: 25 calls a page, as a user of the API tells, and no more whatever is asked; a page of nothing
has no `items`; bounds are exclusive; who is deleted is listed only with state=all; a refresh token is void once it was used; a 429
names no time; more than 100 users a page are refused every time, where the vendor says every fifth time. The bodies of errors are a guess.
What the wire says of a call: sandbox/dialpad_calls.py.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.dialpad_calls import LINE, fresh, listed, place, user_id
from sandbox.limits import Limits
from sandbox.world import World
from sandbox.world_state import Clock, State, User

API_KEY, CLIENT_ID, CLIENT_SECRET, REFRESH = "sandbox-key", "sandbox-client", "sandbox-secret", "sandbox-refresh"
REQUESTS, A_MINUTE = 20, 1200  # a second for the company, a minute for a list
CALLS_PAGE, LIST_PAGE = 25, 100

Item = dict[str, Any]
Place = tuple[int, int]
Listing = Callable[[State, Mapping[str, str]], Sequence[Item]]


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"code": status, "message": message}}


class _Tokens:
    """The one refresh token that is alive, beside the one that a settings file may begin with at any time."""

    def __init__(self) -> None:
        self.refresh = REFRESH
        self.access: set[str] = set()

    def renew(self) -> Item:
        access, self.refresh = f"access-{secrets.token_hex(6)}", f"refresh-{secrets.token_hex(6)}"
        self.access.add(access)
        return {"access_token": access, "refresh_token": self.refresh, "expires_in": 3600, "token_type": "bearer"}


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """Dialpad's endpoints, relative to https://dialpad.com."""
    del world  # the clock knows it
    tokens = _Tokens()
    lists: Mapping[str, tuple[Listing, int]] = {
        "users": (_users, LIST_PAGE),
        "numbers": (_numbers, LIST_PAGE),
        "call": (_calls, CALLS_PAGE),
    }

    def endpoint(name: str, listing: Listing, size: int) -> Any:
        async def answer(request: Request) -> Response:
            try:
                _permit(request, tokens)
                _within_limits(limits, name)
                return _json(_page(listing(clock.state(), request.query_params), size, request))
            except _Refused as refused:
                return _json(refused.body, refused.status)

        return answer

    async def token(request: Request) -> Response:
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _json({"error": "invalid_client"}, 401)
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") not in (REFRESH, tokens.refresh):
            return _json({"error": "invalid_grant"}, 400)
        return _json(tokens.renew())

    found = [Route(f"/api/v2/{name}", endpoint(name, *one)) for name, one in lists.items()]
    return [*found, Route("/oauth2/token", token, methods=["POST"])]


def _permit(request: Request, tokens: _Tokens) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or (given != API_KEY and given not in tokens.access):
        raise _Refused(401, "Unauthorized")


def _within_limits(limits: Limits, name: str) -> None:
    if not limits.take("dialpad", REQUESTS, 1.0).ok or not limits.take(f"dialpad.{name}", A_MINUTE, 60.0).ok:
        raise _Refused(429, "Rate limit exceeded")


def _page(items: Sequence[Item], size: int, request: Request) -> Item:
    """Records after the place that the cursor names: what is added or goes before it moves none."""
    size = min(size, request.scope.get("sandbox.page", size))
    query = request.query_params
    if size > int(query.get("limit") or 1) > 0 and "limit" in query:
        size = int(query["limit"])
    if int(query.get("limit") or 0) > LIST_PAGE:
        raise _Refused(400, "limit must be at most 100")
    after = _place_of(query["cursor"]) if query.get("cursor") else None
    left = [item for item in items if after is None or _place(item) < after]
    shown = left[:size]
    told: Item = {"items": [fresh(item) if "call_id" in item else item for item in shown]} if shown else {}
    if len(left) > size:
        told["cursor"] = base64.urlsafe_b64encode(json.dumps(_place(shown[-1])).encode()).decode()
    return told


def _place(item: Item) -> Place:
    return place(item) if "call_id" in item else (0, int(item.get("id") or item["number"].lstrip("+")))


def _place_of(cursor: str) -> Place:
    try:
        first, second = json.loads(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, ValueError, TypeError):
        raise _Refused(400, "Invalid cursor") from None
    return int(first), int(second)


def _json(body: Item, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def _calls(state: State, query: Mapping[str, str]) -> Sequence[Item]:
    after, before = _milliseconds(query, "started_after"), _milliseconds(query, "started_before")
    return [
        item
        for item in listed(state)
        if (after is None or int(item["date_started"]) > after)
        and (before is None or int(item["date_started"]) < before)
    ]


def _milliseconds(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise _Refused(400, f"{name} is no timestamp")
    return int(text)


def _users(state: State, query: Mapping[str, str]) -> Sequence[Item]:
    wanted = query.get("state", "active")
    found = [_user(state, user) for user in state.users("dialer")]
    return sorted((u for u in found if wanted in ("all", u["state"])), key=_place, reverse=True)


def _user(state: State, user: User) -> Item:
    first, _, last = user.name.partition(" ")
    identifier = user_id(state, user.key)
    return {
        "id": int(identifier) if int(identifier) % 2 else identifier,
        "state": "active" if user.active else "deleted",
        "display_name": user.name,
        "first_name": first,
        "last_name": last,
        "emails": [user.email] if user.email else [],
        "phone_numbers": [user.rep.phone] if user.rep and user.rep.phone and user.active else [],
        "forwarding_numbers": ["+15005550199"],
        "image_url": f"https://dialpad.com/avatar/user/{identifier}.png",
        "is_available": secrets.randbelow(2) == 1,
        "license": "agents",
        "timezone": user.rep.timezone if user.rep else "UTC",
    }


def _numbers(state: State, _query: Mapping[str, str]) -> Sequence[Item]:
    owners = {u.rep.phone: u.key for u in state.users("dialer") if u.active and u.rep and u.rep.phone}
    found: list[Item] = [
        {"number": phone, "status": "user", "target_type": "user", "target_id": user_id(state, key), "type": "local"}
        for phone, key in owners.items()
    ]
    line = {"number": LINE, "status": "department", "target_type": "department", "target_id": "5533", "type": "local"}
    return sorted([*found, line], key=_place, reverse=True)
