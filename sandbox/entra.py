"""Microsoft Graph's sign-in log over a company, and the token endpoint.

Source: Graph v1.0 CSDL (signIn), the page of signin-list, the page of throttling limits, OAuth 2.0 client credentials of the Microsoft identity
platform. Newest first; 1,000 a page by default and at most; `@odata.nextLink` with an opaque `$skiptoken`; seven decimals; sign-ins
of the last 30 days; errorCode 0 for a success.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.limits import Limits
from sandbox.world import World
from sandbox.world_state import Clock, State
from sandbox.world_tools import actions_at, app_id, key_of

TENANT, CLIENT_ID, CLIENT_SECRET = "sandbox", "sandbox-app", "sandbox-secret"
PER_10_SECONDS, MOST = 5, 1000
KEPT = timedelta(days=30)
BOUND = re.compile(r"createdDateTime (ge|lt) (\S+)")

Item = dict[str, Any]


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """The endpoints, relative to the sandbox's mount: Graph at /v1.0, tokens at /{tenant}/oauth2/v2.0/token."""
    del world  # the clock knows it
    tokens: set[str] = set()

    async def sign_ins(request: Request) -> Response:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in tokens:
            return _refused(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
        taken = limits.take("entra", PER_10_SECONDS, 10.0)
        if not taken.ok:
            answer = _refused(429, "TooManyRequests", "Too many requests.")
            answer.headers["Retry-After"] = str(int(taken.resets_in) + 1)
            return answer
        return _sign_ins(clock.state(), request)

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        given = (request.path_params["tenant"], form.get("client_id"), form.get("client_secret"))
        is_right = form.get("grant_type") == "client_credentials" and str(form.get("scope", "")).endswith("/.default")
        if given != (TENANT, CLIENT_ID, CLIENT_SECRET) or not is_right:
            told = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
            return Response(msgspec.json.encode(told), 401, media_type="application/json")
        text = uuid.uuid4().hex
        tokens.add(text)
        told = {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": text}
        return Response(msgspec.json.encode(told), media_type="application/json")

    return [
        Route("/v1.0/auditLogs/signIns", sign_ins),
        Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
    ]


def _refused(status: int, code: str, message: str) -> Response:
    told = {"error": {"code": code, "message": message, "innerError": {"request-id": "r"}}}
    return Response(msgspec.json.encode(told), status, media_type="application/json")


def _sign_ins(state: State, request: Request) -> Response:
    query = request.query_params
    try:
        bounds = {op: datetime.fromisoformat(text) for op, text in BOUND.findall(query.get("$filter", ""))}
        size, at = int(query.get("$top", MOST)), int(query.get("$skiptoken", "0_0").split("_")[0])
    except ValueError:
        return _refused(400, "BadRequest", "Invalid filter clause.")
    if not 0 < size <= MOST:
        return _refused(400, "BadRequest", "Invalid page size specified. Must be between 1 and 1000 inclusive.")
    items: list[tuple[datetime, Item]] = state.cached("entra.sign_ins", lambda: _rendered(state))
    first = max(bounds.get("ge", state.now - KEPT), state.now - KEPT)
    wanted = [item for when, item in items if first <= when < bounds.get("lt", state.now + timedelta(days=1))]
    told: Item = {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#auditLogs/signIns",
        "value": wanted[at : at + size],
    }
    if at + size < len(wanted):
        kept = {name: query[name] for name in ("$filter", "$top") if name in query}
        told["@odata.nextLink"] = (
            f"{str(request.url).partition('?')[0]}?{urlencode({**kept, '$skiptoken': f'{at + size}_0'})}"
        )
    return Response(msgspec.json.encode(told), media_type="application/json")


def _rendered(state: State) -> list[tuple[datetime, Item]]:
    found: list[tuple[datetime, Item]] = []
    for action in actions_at(state, "entra"):
        rep = state.reps[action.rep]
        user = state.ids.hexadecimal("entra.user", rep.key, 32)
        found.append(
            (
                action.at,
                {
                    "id": str(uuid.UUID(hex=state.ids.hexadecimal("entra.signIn", key_of(action), 32))),
                    "createdDateTime": f"{action.at.astimezone(UTC).isoformat(timespec='microseconds')[:26]}3Z",
                    "userDisplayName": rep.name,
                    "userPrincipalName": rep.email.title(),
                    "userId": str(uuid.UUID(hex=user)),
                    "appId": app_id(state.ids, "entra", action.tool),
                    "appDisplayName": action.tool.title(),
                    "ipAddress": "203.0.113.7",
                    "isInteractive": True,
                    "status": {"errorCode": 0 if action.succeeded else 50126, "failureReason": "Other."},
                    "location": {"city": "Berlin", "countryOrRegion": "DE"},
                },
            )
        )
    return sorted(found, key=lambda pair: (pair[0], pair[1]["id"]), reverse=True)
