"""Google Admin's Reports API over a company: audit activities of saml, token and login, and the token endpoint.

Source: discovery document admin.reports_v1 (20260929), the appendix of saml, token and login events, the page of limits. A list without
activities has a kind and no items; newest first; at most 1,000 a page; `pageToken` is opaque; startTime and endTime both inclusive;
`uniqueQualifier` is an int64 as text and may be negative. A tool's sign-in is a saml login_success with the tool's name as
application_name; one whose action is "authorize" is a token authorize, one to the tool "google" a login. Beside them stands what is not asked
for: token activity, the calls that tools make by themselves.
"""

from __future__ import annotations

import base64
import math
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.limits import Limits
from sandbox.world import ToolAction, World
from sandbox.world_state import Clock, State
from sandbox.world_tools import actions_at, key_of

SCOPE = "https://www.googleapis.com/auth/admin.reports.audit.readonly"
PER_MINUTE, MOST = 250, 1000
KEPT = timedelta(days=180)
APPLICATIONS = ("saml", "token", "login")

Item = dict[str, Any]


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """The endpoints, relative to https://admin.googleapis.com, and `/token`."""
    del world  # the clock knows it
    tokens: set[str] = set()

    async def activities(request: Request) -> Response:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in tokens:
            return _refused(401, "Invalid Credentials", "authError")
        if not limits.take("google_admin", PER_MINUTE, 60.0).ok:
            return _refused(403, "Quota exceeded for quota metric 'Filtered queries'.", "rateLimitExceeded")
        return _activities(clock.state(), request)

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        try:
            part = str(form.get("assertion", "")).split(".")[1]
            claims = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=dict[str, Any])
        except (IndexError, ValueError):
            claims = {}
        if claims.get("scope") != SCOPE or "@" not in str(claims.get("sub", "")):
            told = {
                "error": "unauthorized_client",
                "error_description": "Client is unauthorized to retrieve access tokens.",
            }
            return Response(msgspec.json.encode(told), 401, media_type="application/json")
        given = f"ya29.{uuid.uuid4().hex}"
        tokens.add(given)
        told = {"access_token": given, "expires_in": 3599, "token_type": "Bearer"}
        return Response(msgspec.json.encode(told), media_type="application/json")

    path = "/admin/reports/v1/activity/users/{user}/applications/{application}"
    return [Route(path, activities), Route("/token", token, methods=["POST"])]


def _refused(status: int, message: str, reason: str) -> Response:
    details = [{"message": message, "domain": "global", "reason": reason}]
    told = {"error": {"code": status, "message": message, "errors": details}}
    return Response(msgspec.json.encode(told), status, media_type="application/json")


def _activities(state: State, request: Request) -> Response:
    query, application = request.query_params, request.path_params["application"]
    if application not in APPLICATIONS or request.path_params["user"] != "all":
        return _refused(400, "Invalid value for: applicationName", "invalidParameter")
    try:
        start = datetime.fromisoformat(query.get("startTime", "1970-01-01T00:00:00Z"))
        end = datetime.fromisoformat(query.get("endTime", state.now.isoformat()))
        size, at = int(query.get("maxResults", MOST)), int(query.get("pageToken", "A:0").removeprefix("A:"))
    except ValueError:
        return _refused(400, "Invalid value", "invalidParameter")
    if not 0 < size <= MOST or start > end:
        return _refused(400, "Start time must be before end time.", "invalidParameter")
    items: list[tuple[str, datetime, Item]] = state.cached("google_admin.activities", lambda: _rendered(state))
    wanted = [
        item
        for kind, when, item in items
        if kind == application
        and max(start, state.now - KEPT) <= when <= min(end, state.now)
        and query.get("eventName") in (None, item["events"][0]["name"])
    ]
    told: Item = {"kind": "admin#reports#activities", "etag": "e"}
    if shown := wanted[at : at + size]:
        told["items"] = shown
    if at + size < len(wanted):
        told["nextPageToken"] = f"A:{at + size}"
    return Response(msgspec.json.encode(told), media_type="application/json")


def _rendered(state: State) -> list[tuple[str, datetime, Item]]:
    found = [_activity(state, action) for action in actions_at(state, "google_admin")]
    found += [_call_by_token(state, action) for action in actions_at(state, "google_admin")]
    return sorted(found, key=lambda one: (one[1], one[2]["id"]["uniqueQualifier"]), reverse=True)


def _activity(state: State, action: ToolAction) -> tuple[str, datetime, Item]:
    named = {"name": "application_name", "value": action.tool}
    if action.tool == "google":
        kind, name, parameters = "login", "login_success", [{"name": "login_type", "value": "google_password"}]
    elif action.action == "authorize":
        kind, name = "token", "authorize"
        parameters = [{"name": "client_id", "value": action.tool}, {"name": "app_name", "value": action.tool}]
    else:
        kind, name, parameters = "saml", "login_success", [{"name": "initiated_by", "value": "sp"}, named]
    if not action.succeeded:
        name = "login_failure"
    scope: list[Item] = [{"name": "scope", "multiValue": ["openid", "email"]}] if kind == "token" else []
    return kind, action.at, _item(state, action, kind, name, [*parameters, *scope])


def _call_by_token(state: State, action: ToolAction) -> tuple[str, datetime, Item]:
    """The tool's own call a second later."""
    at = action.at + timedelta(seconds=1)
    parameters = [{"name": "client_id", "value": action.tool}, {"name": "num_response_bytes", "intValue": "512"}]
    return "token", at, _item(state, action, "token", "activity", parameters, at)


def _item(
    state: State, action: ToolAction, kind: str, name: str, parameters: list[Item], at: datetime | None = None
) -> Item:
    number = int(state.ids.number("google_admin.activity", f"{kind}/{name}/{key_of(action)}", (15, 18)))
    rep = state.reps[action.rep]
    when = (at or action.at).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    signed = number if math.fmod(number, 2) else -number
    return {
        "kind": "admin#reports#activity",
        "id": {"time": when, "uniqueQualifier": str(signed), "applicationName": kind, "customerId": "C0sandbox"},
        "etag": "e",
        "actor": {"email": rep.email, "profileId": state.ids.number("google.profile", rep.key, (21, 21))},
        "ipAddress": "203.0.113.7",
        "events": [{"type": "login" if kind != "token" else "auth", "name": name, "parameters": parameters}],
    }
