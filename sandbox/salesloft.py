"""Salesloft's API v2 over a company's sequencer: tokens, users, emails, calls, call data records, cadence memberships, tasks, activities.

Source: developers.salesloft.com/docs/platform/api-basics (OAuth, client credentials, API keys, scopes, request and response format, filtering,
paging, sorting, rate limits) and the published contract of v2. Kept quirks: per_page outside 1 to 100 and a bad page are corrected without a
word, and what was done is echoed in `metadata`; names of filters that are not known are ignored, bad values and sorts are 422; a page past
the end is empty; counts come when asked for, and end at 10,000 unless limit_paging_counts is false; a list is newest first; pages beyond the
hundredth cost 3 to 30 points of the team's 600 a minute, and a 429 does not say for how long; users come all at once without `page`, and
without visible_only=false nobody who was deactivated; a refresh token dies as the next one is given; client credentials give none. Subjects are
null without their scope. Paths end in .json or not. Not documented, and made up: the words of a 401 for a token that has ended and of a 403.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Mapping
from datetime import datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.limits import Limits
from sandbox.salesloft_records import LISTS, Item
from sandbox.world import World
from sandbox.world_state import Clock, State

CLIENT_ID, CLIENT_SECRET, REFRESH = "sandbox-app", "sandbox-secret", "sandbox-refresh"
API_KEY = "ak" + "5a" * 32
SCOPES = frozenset(scope for _, scope, _, _ in LISTS.values())
POINTS, MINUTE, DEFAULT_PAGE, MOST, COUNTED = 600, 60.0, 25, 100, 10_000
DEEP = ((501, 30), (251, 10), (151, 8), (101, 3))  # from which page on a request costs what
NO_TOKEN = "No Bearer Token attached to request, please see documentation at developers.salesloft.com"  # noqa: S105  an error's text


class _Refused(Exception):
    def __init__(self, status: int, body: Item) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class _Tokens:
    """Access tokens with their scopes, and the one refresh token that is alive."""

    def __init__(self) -> None:
        self.access: dict[str, frozenset[str]] = {API_KEY: SCOPES}
        self.refresh = {REFRESH}
        self.number = count(1)

    def give(self, scopes: frozenset[str]) -> Item:
        token = f"access-{next(self.number)}-{secrets.token_hex(6)}"
        self.access[token] = scopes
        told = {"access_token": token, "token_type": "Bearer", "expires_in": 7200, "created_at": int(time.time())}
        return {**told, "scope": " ".join(sorted(scopes))}

    def renew(self) -> Item:
        self.refresh = {f"refresh-{next(self.number)}-{secrets.token_hex(6)}"}
        return {**self.give(SCOPES), "refresh_token": next(iter(self.refresh))}


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """Salesloft's endpoints: the API relative to https://api.salesloft.com, tokens relative to https://accounts.salesloft.com."""
    del world  # the clock knows it
    tokens = _Tokens()

    async def token(request: Request) -> Response:
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        if _client(request, form) != (CLIENT_ID, CLIENT_SECRET):
            return _json({"error": "invalid_client", "error_description": "Client authentication failed"}, 401)
        if form.get("grant_type") == "client_credentials":
            asked = frozenset(form.get("scope", "").split())
            if not asked or asked - SCOPES:
                return _json({"error": "invalid_scope", "error_description": "The requested scope is invalid"}, 400)
            return _json(tokens.give(asked))
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") not in tokens.refresh:
            told = "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI"
            return _json({"error": "invalid_grant", "error_description": told}, 400)
        return _json(tokens.renew())

    def endpoint(path: str) -> Any:
        async def answer(request: Request) -> Response:
            return _answer(request, limits, tokens, clock, path)

        return answer

    return [
        Route("/oauth/token", token, methods=["POST"]),
        *(Route(f"/v2/{path}{end}", endpoint(path)) for path in LISTS for end in ("", ".json")),
    ]


def _client(request: Request, form: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The app that asks: in the form, or by HTTP Basic."""
    scheme, _, told = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(told).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None, None
        return name, secret
    return form.get("client_id"), form.get("client_secret")


def _answer(request: Request, limits: Limits, tokens: _Tokens, clock: Clock, path: str) -> Response:
    page = _number(request.query_params.get("page"), 1, None)
    cost = next((price for first, price in DEEP if page >= first), 1)
    taken = limits.take("salesloft", POINTS, MINUTE, cost)
    headers = {"x-ratelimit-endpoint-cost": str(cost), "x-ratelimit-remaining-minute": str(taken.remaining)}
    try:
        _permit(request, tokens, path, within_limit=taken.ok)
        return _json(_page(clock.state(), path, request.query_params), 200, headers if limits.enabled else {})
    except _Refused as refused:
        return _json(refused.body, refused.status, headers if limits.enabled else {})


def _permit(request: Request, tokens: _Tokens, path: str, *, within_limit: bool) -> None:
    if not within_limit:
        raise _Refused(429, {"error": "API rate limit exceeded"})
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not given:
        raise _Refused(401, {"error": NO_TOKEN})
    if given not in tokens.access:
        raise _Refused(401, {"error": "Invalid Bearer token"})
    if (scope := LISTS[path][1]) not in tokens.access[given]:
        raise _Refused(403, {"error": f"This endpoint requires the scope {scope}"})


def _json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, dict(headers or {}), "application/json; charset=utf-8")


def _page(state: State, path: str, query: QueryParams) -> Item:
    listing, _, sorts, stamps = LISTS[path]
    items: list[Item] = state.cached(f"salesloft.{path}", lambda: list(listing(state)))
    found, filtering = _filtered(items, stamps, query)
    found, sorting = _sorted(found, path, sorts, query)
    size, page = _number(query.get("per_page"), DEFAULT_PAGE, MOST), _number(query.get("page"), 1, None)
    if path == "users" and "page" not in query:
        return {"metadata": {"filtering": filtering, "sorting": sorting}, "data": found}
    start = (page - 1) * size
    paging: Item = {"per_page": size, "current_page": page, "next_page": None, "prev_page": None}
    paging |= {
        "next_page": page + 1 if start + size < len(found) else None,
        "prev_page": page - 1 if page > 1 else None,
    }
    if query.get("include_paging_counts") == "true":
        capped = len(found) if query.get("limit_paging_counts") == "false" else min(len(found), COUNTED)
        paging |= {"total_count": capped, "total_pages": -(-capped // size)}
    told = {"filtering": filtering, "paging": paging, "sorting": sorting}
    return {"metadata": told, "data": found[start : start + size]}


def _number(text: str | None, default: int, most: int | None) -> int:
    if text is None or not text.isdigit() or int(text) < 1 or (most is not None and int(text) > most):
        return default
    return int(text)


def _filtered(items: list[Item], stamps: tuple[str, ...], query: QueryParams) -> tuple[list[Item], Item]:
    """What the filters leave, and the filters as they were understood."""
    found, told = items, dict[str, Any]()
    for name, value in query.multi_items():
        field, _, rest = name.partition("[")
        operator = rest.removesuffix("]")
        if field in stamps and operator in ("gt", "gte", "lt", "lte"):
            found = [item for item in found if _is_between(item.get(field), operator, _instant(field, value))]
            told.setdefault(field, {})[operator] = value
        elif name in ("current_state", "type"):
            found = [item for item in found if item.get(name) == value]
            told[name] = value
        elif name == "visible_only":
            told[name] = value
    if items and "active" in items[0] and query.get("visible_only", "true") != "false":
        found = [item for item in found if item["active"]]
    return found, told


def _instant(field: str, value: str) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise _Refused(422, {"errors": {field: ["must be an iso8601 string"]}})
    return at


def _is_between(text: str | None, operator: str, bound: datetime) -> bool:
    if text is None:
        return False
    at = datetime.fromisoformat(text)
    return {"gt": at > bound, "gte": at >= bound, "lt": at < bound, "lte": at <= bound}[operator]


def _sorted(found: list[Item], path: str, sorts: tuple[str, ...], query: QueryParams) -> tuple[list[Item], Item]:
    by, direction = (
        query.get("sort_by", sorts[0]),
        query.get("sort_direction", "ASC" if path == "tasks" else "DESC").upper(),
    )
    if by not in sorts:
        raise _Refused(422, {"errors": {"sort_by": [f"must be one of: {', '.join(sorts)}"]}})
    if direction not in ("ASC", "DESC"):
        raise _Refused(422, {"errors": {"sort_direction": ["must be one of: ASC, DESC"]}})
    name = "sent_at" if by == "send_time" else by

    def place(item: Item) -> tuple[bool, Any, Any]:
        value = item.get(name)
        told = value is not None
        return (
            told,
            datetime.fromisoformat(value).timestamp() if told and name.endswith("_at") else (value if told else 0),
            item["id"],
        )

    return sorted(found, key=place, reverse=direction == "DESC"), {"sort_by": by, "sort_direction": direction}
