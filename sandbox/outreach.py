"""Outreach's API v2 over a company's sequencer: tokens, mailings, sequence states, tasks, calls, dispositions, users.

Source: developers.outreach.io/api (making requests, OAuth, app token) and the OpenAPI file of api.outreach.io. Kept quirks: JSON:API, 415
without its media type; a page has 50 records unless asked for up to 1,000; cursors are opaque, links.next is a whole address; ranges need
newFilterSyntax; meta.count only on request; X-RateLimit-Remaining holds two numbers; some relationships carry links alone;
subjects and bodies are sent to who does not name fields; a refresh token is replaced at each use, the last hundred stay alive, and one that
came so may be used once a minute; a token of an installation may not read what has no S2S scope; nothing is told of deleted records.

What the wire says of a world's mail: mailingType "sequence" for a step, "single" for one by hand (`step` null); bouncedAt when the first
recipient failed; repliedAt at the first human answer. Of a call: why it was not answered stands in its disposition.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import outreach_records as records
from sandbox.limits import Limits
from sandbox.outreach_records import Item
from sandbox.world import World
from sandbox.world_state import Clock, State

CLIENT_ID, CLIENT_SECRET, REDIRECT, REFRESH = (
    "sandbox-app",
    "sandbox-secret",
    "https://salespulse.example/oauth",
    "sandbox-refresh",
)
GUID, INSTALLATION = "sandbox-guid", "sandbox-install"
MEDIA_TYPE = "application/vnd.api+json"
REQUESTS, HOUR, DEFAULT_PAGE, MOST, ALIVE, MINUTE = 10_000, 3600.0, 50, 1000, 100, 60.0
NOT_S2S = ("callDispositions",)  # lists for which a token of an installation has no scope

Listing = Callable[[State], Sequence[Item]]


class _Refused(Exception):
    def __init__(self, status: int, code: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"errors": [{"id": code, "title": title, "detail": detail}]}


class _Tokens:
    """Refresh tokens that are alive, oldest first, and access tokens with whether an installation has them."""

    def __init__(self) -> None:
        self.refresh: deque[str] = deque([REFRESH], maxlen=ALIVE)
        self.access: dict[str, bool] = {}
        self.number = count(1)

    def renew(self) -> tuple[str, str]:
        number = next(self.number)
        access, refresh = f"access-{number}-{secrets.token_hex(6)}", f"refresh-{number}-{secrets.token_hex(6)}"
        self.access[access] = False
        self.refresh.append(refresh)
        if REFRESH not in self.refresh:  # a settings file may begin with it at any time
            self.refresh.appendleft(REFRESH)
        return access, refresh


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """Outreach's endpoints, relative to https://api.outreach.io."""
    del world  # the clock knows it
    tokens = _Tokens()

    async def token(request: Request) -> Response:
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        known = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        if form.get("grant_type") != "refresh_token" or not known:
            return _json({"error": "invalid_client", "error_description": "Client authentication failed"}, 401)
        old = form.get("refresh_token", "")
        if old not in tokens.refresh or form.get("redirect_uri") != REDIRECT:
            return _json(
                {"error": "invalid_grant", "error_description": "The provided authorization grant is invalid"}, 400
            )
        if old != REFRESH and not limits.take(f"outreach.token.{old}", 1, MINUTE).ok:
            return _json(_Refused(429, "rateLimitExceeded", "Rate Limit Exceeded", "One token a minute").body, 429)
        access, refresh = tokens.renew()
        limits.take(f"outreach.token.{refresh}", 1, MINUTE)
        told = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": 7200,
            "refresh_token": refresh,
            "created_at": int(time.time()),
        }
        return _json(told)

    async def installed(request: Request) -> Response:
        claims = _claims(request.headers.get("authorization", "").rpartition(" ")[2])
        if (
            claims.get("iss") != GUID
            or request.path_params["install"] != INSTALLATION
            or claims.get("exp", 0) <= time.time()
        ):
            return _json(_Refused(401, "unauthorized", "Unauthorized", "The app token is not valid").body, 401)
        access = f"s2s-{secrets.token_hex(8)}"
        tokens.access[access] = True
        return _json({"data": {"type": "install", "id": INSTALLATION, "meta": {"accessToken": access}}}, 201)

    def endpoint(name: str, kind: str, listing: Listing) -> Any:
        async def answer(request: Request) -> Response:
            return _answer(request, limits, tokens, name, lambda: _page(clock.state(), kind, listing, request))

        return answer

    listings: Mapping[str, tuple[str, Listing]] = {
        "users": ("user", records.users),
        "mailings": ("mailing", lambda state: state.cached("outreach.mailings", lambda: records.mailings(state))),
        "sequenceStates": ("sequenceState", records.enrolments),
        "tasks": ("task", records.tasks),
        "calls": ("call", records.calls),
        "callDispositions": ("callDisposition", records.dispositions),
    }
    return [
        Route("/oauth/token", token, methods=["POST"]),
        Route("/api/app/installs/{install}/actions/accessToken", installed, methods=["POST"]),
        *(Route(f"/api/v2/{name}", endpoint(name, *one)) for name, one in listings.items()),
    ]


def _claims(token: str) -> Mapping[str, Any]:
    part = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=dict[str, Any])
    except (binascii.Error, msgspec.DecodeError):
        return {}


def _answer(request: Request, limits: Limits, tokens: _Tokens, name: str, make: Callable[[], Item]) -> Response:
    taken = limits.take("outreach", REQUESTS, HOUR)
    headers = {
        "X-RateLimit-Limit": str(REQUESTS),
        "X-RateLimit-Remaining": f"{taken.remaining}, {taken.remaining + REQUESTS}",
        "X-RateLimit-Reset": str(int(time.time() + taken.resets_in)),
    }
    try:
        if not taken.ok:
            headers["Retry-After"] = headers["X-RateLimit-Reset"]
            _refuse_more(taken.resets_in)
        _permit(request, tokens, name)
        return _json(make(), 200, headers if limits.enabled else {})
    except _Refused as refused:
        return _json(refused.body, refused.status, headers if limits.enabled else {})


def _refuse_more(seconds: float) -> None:
    until = datetime.fromtimestamp(time.time() + seconds, UTC)
    told = (
        f"You have exceeded your permitted rate limit of {REQUESTS:,}; please try again at {until:%Y-%m-%dT%H:%M:%S}."
    )
    raise _Refused(429, "rateLimitExceeded", "Rate Limit Exceeded", told)


def _permit(request: Request, tokens: _Tokens, name: str) -> None:
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if given not in tokens.access:
        raise _Refused(401, "unauthorized", "Unauthorized", "The access token is invalid")
    if request.headers.get("content-type") != MEDIA_TYPE:
        told = f"Expected Content-Type header to be '{MEDIA_TYPE}'."
        raise _Refused(415, "unsupportedMediaType", "Unsupported Media Type", told)
    if tokens.access[given] and name in NOT_S2S:
        told = f"Your authorization does not include the required scope '{name}.read'."
        raise _Refused(403, "unauthorizedOauthScope", "Unauthorized OAuth Scope", told)


def _json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, dict(headers or {}), f"{MEDIA_TYPE}; charset=utf-8")


def _page(state: State, kind: str, listing: Listing, request: Request) -> Item:
    query = request.query_params
    size, start = _number(query.get("page[size]"), DEFAULT_PAGE), _cursor(query.get("page[after]"))
    found = _sorted(_filtered(listing(state), query), query.get("sort", "id"))
    shown = found[start : start + size]
    beside = [
        one for item in shown for name in query.get("include", "").split(",") for one in item["beside"].get(name, [])
    ]
    told: Item = {"data": [_sparse(item, kind, query) for item in shown]}
    if beside:
        once = {(one["type"], one["id"]): one for one in beside}
        told["included"] = [_sparse(one, one["type"], query) for one in once.values()]
    if query.get("count") == "true":
        told["meta"] = {"count": len(found), "count_truncated": False}
    if start + size < len(found):
        after = base64.urlsafe_b64encode(f"cursor {start + size}".encode()).decode()
        rest = [(key, value) for key, value in query.multi_items() if key != "page[after]"]
        told["links"] = {"next": f"{str(request.url).partition('?')[0]}?{urlencode([*rest, ('page[after]', after)])}"}
    return told


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdigit() or not 1 <= int(text) <= MOST:
        raise _invalid("page[size]", f"must be between 1 and {MOST}")
    return int(text)


def _cursor(text: str | None) -> int:
    if text is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(text).decode().removeprefix("cursor "))
    except (ValueError, binascii.Error):
        raise _invalid("page[after]", "is not a cursor") from None


def _invalid(name: str, why: str) -> _Refused:
    return _Refused(422, "validationError", "Validation Error", f"{name} {why}.")


def _filtered(items: Sequence[Item], query: Mapping[str, str]) -> list[Item]:
    found = list(items)
    for key, value in query.items():
        if not key.startswith("filter["):
            continue
        name, _, operator = key.removeprefix("filter[").removesuffix("]").partition("][")
        if operator and query.get("newFilterSyntax") != "true":
            raise _invalid(key, "needs newFilterSyntax")
        if operator not in ("", "gte", "lte"):
            raise _invalid(key, "is no filter")
        texts = [(item, item["attributes"].get(name)) for item in found]
        if operator:
            bound = datetime.fromisoformat(value)
            dated = [(item, datetime.fromisoformat(text)) for item, text in texts if text]
            found = [item for item, at in dated if (at >= bound if operator == "gte" else at <= bound)]
        else:
            found = [item for item, text in texts if text == value]
    return found


def _sorted(items: list[Item], by: str) -> list[Item]:
    name = by.lstrip("-")
    if name == "id":
        return sorted(items, key=lambda item: item["id"], reverse=by != name)
    return sorted(items, key=lambda item: (item["attributes"].get(name) or "", item["id"]), reverse=by != name)


def _sparse(item: Item, kind: str, query: Mapping[str, str]) -> Item:
    asked = query.get(f"fields[{kind}]")
    names = None if asked is None else asked.split(",")

    def kept(part: str) -> Item:
        return {key: value for key, value in item.get(part, {}).items() if names is None or key in names}

    return {
        "type": item["type"],
        "id": item["id"],
        "attributes": kept("attributes"),
        "relationships": kept("relationships"),
    }
