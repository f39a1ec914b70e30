"""Okta's management API over a company: System Log, apps, who is assigned an app, users.

Source: okta/okta-management-openapi-spec (2026.06.3) for paths, parameters and fields; okta/okta-developer-docs system-log-query for bounded
and polling queries, errors and limits. Kept quirks: a query without `until` names a next page for ever, also from an empty one; one that is
bounded ends; times have milliseconds; the sign-in's second target is the user's name inside the tool, which may differ from the actor's;
`after` is opaque; deactivated people leave /users but not the log; `until` beyond the clock is allowed.

A tool of the company is an app (`0oa…`), its sign-ins are `user.authentication.sso`; seats that Okta assigns are app users, and their beginning
and end stand in the log as `application.user_membership.add` and `.remove`.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.limits import Limits, Taken
from sandbox.world import World
from sandbox.world_state import Clock, State
from sandbox.world_tools import actions_at, app_id, bounds_of, key_of, seats_of, tools_of

TOKEN = "sandbox-okta"  # noqa: S105  opens a sandbox
PER_MINUTE = {"logs": 60, "apps": 100, "users": 300}
MOST = {"logs": 1000, "apps": 200, "users": 200, "appUsers": 500}
KEPT = timedelta(days=90)
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Item = dict[str, Any]


class _Refused(Exception):
    def __init__(self, status: int, code: str, summary: str) -> None:
        super().__init__(summary)
        self.status, self.code, self.summary = status, code, summary


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """Okta's endpoints, relative to https://acme.okta.com."""
    del world  # the clock knows it
    tokens: set[str] = set()

    async def logs(request: Request) -> Response:
        return _answer(request, limits, tokens, "logs", lambda: _log(clock.state(), request))

    async def apps(request: Request) -> Response:
        return _answer(request, limits, tokens, "apps", lambda: _listed(request, _apps(clock.state()), "apps"))

    async def app_users(request: Request) -> Response:
        def make() -> tuple[list[Item], str]:
            return _listed(request, _app_users(clock.state(), request.path_params["app"]), "appUsers")

        return _answer(request, limits, tokens, "apps", make)

    async def users(request: Request) -> Response:
        return _answer(request, limits, tokens, "users", lambda: _listed(request, _users(clock.state()), "users"))

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        right = form.get("grant_type") == "client_credentials" and form.get("client_assertion_type") == ASSERTION
        if not right or str(form.get("client_assertion", "")).count(".") != 2:
            told = {"error": "invalid_client", "error_description": "The parameter client_assertion is invalid."}
            return Response(msgspec.json.encode(told), 401, media_type="application/json")
        given = uuid.uuid4().hex
        tokens.add(given)
        told = {"token_type": "Bearer", "expires_in": 3600, "access_token": given, "scope": str(form.get("scope", ""))}
        return Response(msgspec.json.encode(told), media_type="application/json")

    return [
        Route("/api/v1/logs", logs),
        Route("/api/v1/apps", apps),
        Route("/api/v1/apps/{app}/users", app_users),
        Route("/api/v1/users", users),
        Route("/oauth2/v1/token", token, methods=["POST"]),
    ]


def _answer(
    request: Request, limits: Limits, tokens: set[str], budget: str, make: Callable[[], tuple[list[Item], str]]
) -> Response:
    headers: dict[str, str] = {}
    try:
        _authorise(request, tokens)
        taken = limits.take(f"okta.{budget}", PER_MINUTE[budget], 60.0)
        if limits.enabled:
            headers = {
                "X-Rate-Limit-Limit": str(PER_MINUTE[budget]),
                "X-Rate-Limit-Remaining": str(taken.remaining),
                "X-Rate-Limit-Reset": str(math.ceil(time.time() + taken.resets_in)),
            }
        _within(taken)
        items, following = make()
    except _Refused as refused:
        told = {
            "errorCode": refused.code,
            "errorSummary": refused.summary,
            "errorLink": refused.code,
            "errorId": "oae1",
        }
        return Response(msgspec.json.encode(told), refused.status, headers, "application/json")
    answer = Response(msgspec.json.encode(items), 200, headers, "application/json")
    answer.headers.append("Link", f'<{request.url}>; rel="self"')
    if following:
        address = f"{str(request.url).partition('?')[0]}?{following}"
        answer.headers.append("Link", f'<{address}>; rel="next"')
    return answer


def _authorise(request: Request, tokens: set[str]) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if (scheme, given) != ("SSWS", TOKEN) and not (scheme == "Bearer" and given in tokens):
        raise _Refused(401, "E0000011", "Invalid token provided")


def _within(taken: Taken) -> None:
    if not taken.ok:
        raise _Refused(429, "E0000047", "API call exceeded rate limit due to too many requests.")


def _limit(request: Request, kind: str, default: int) -> int:
    text = request.query_params.get("limit", str(default))
    if not text.isdigit() or int(text) > MOST[kind]:
        raise _Refused(400, "E0000001", "Api validation failed: limit")
    return int(text)


def _listed(request: Request, items: Sequence[Item], kind: str) -> tuple[list[Item], str]:
    size = _limit(request, kind, 20)
    after = request.query_params.get("after", "")
    start = next((i + 1 for i, item in enumerate(items) if item["id"] == after), 0) if after else 0
    shown = list(items[start : start + size])
    more = start + size < len(items) and bool(shown)
    return shown, urlencode({"limit": size, "after": shown[-1]["id"]}) if more else ""


def _log(state: State, request: Request) -> tuple[list[Item], str]:
    query = request.query_params
    size = _limit(request, "logs", 100)
    since, until = _instant(query, "since"), _instant(query, "until")
    since = since or state.now - timedelta(days=7)
    if since < state.now - 2 * KEPT:
        raise _Refused(400, "E0000053", "Invalid format provided for a datetime: since is too far in the past.")
    wanted = [part.split('"')[1] for part in query.get("filter", "").split(" or ") if 'eventType eq "' in part]
    events: list[tuple[datetime, Item]] = state.cached("okta.log", lambda: _events(state))
    first = max(since, state.now - KEPT)
    found = [
        item
        for at, item in events
        if first <= at < (until or state.now) and (not wanted or item["eventType"] in wanted)
    ]
    if query.get("sortOrder", "ASCENDING") == "DESCENDING":
        found.reverse()
    start = int(query.get("after", "0_1").split("_")[0]) if query.get("after", "0_1").split("_")[0].isdigit() else 0
    shown = found[start : start + size]
    polling = until is None and query.get("sortOrder", "ASCENDING") == "ASCENDING"
    if not polling and start + size >= len(found):
        return shown, ""
    kept = {name: query[name] for name in ("since", "until", "filter", "sortOrder") if name in query}
    return shown, urlencode({**kept, "limit": size, "after": f"{start + len(shown)}_1"})


def _instant(query: Mapping[str, str], name: str) -> datetime | None:
    text = query.get(name)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _Refused(400, "E0000001", f"Api validation failed: {name}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _spelt(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _user_id(state: State, rep: str) -> str:
    return f"00u{state.ids.hexadecimal('okta.user', rep, 17)}"


def _events(state: State) -> list[tuple[datetime, Item]]:
    found: list[tuple[datetime, Item]] = []
    for action in actions_at(state, "okta"):
        person = _person(state, action.rep)
        inside = {"id": f"0ua{state.ids.hexadecimal('okta.inside', key_of(action), 17)}", "type": "AppUser"}
        targets = [_app_target(state, action.tool), {**inside, "alternateId": action.rep, "displayName": action.rep}]
        outcome = {"result": "SUCCESS" if action.succeeded else "FAILURE", "reason": None}
        found.append(
            (action.at, _event(state, key_of(action), action.at, "user.authentication.sso", person, targets, outcome))
        )
    admin = {"id": "00uadmin", "type": "User", "alternateId": "admin@example.com", "displayName": "Admin"}
    for seat in seats_of(state.world, "okta"):
        begins, ends = bounds_of(state, seat)
        for at, name in ((begins, "add"), (ends, "remove")):
            if at is not None and at <= state.now:
                targets = [_app_target(state, seat.tool), _person(state, seat.rep)]
                kind, key = f"application.user_membership.{name}", f"{seat.rep}/{seat.tool}/{name}/{at}"
                found.append((at, _event(state, key, at, kind, admin, targets, {"result": "SUCCESS", "reason": None})))
    return sorted(found, key=lambda pair: (pair[0], pair[1]["uuid"]))


def _event(state: State, key: str, at: datetime, kind: str, actor: Item, targets: list[Item], outcome: Item) -> Item:
    return {
        "actor": {**actor, "detailEntry": None},
        "client": {"ipAddress": "203.0.113.7", "geographicalContext": {"city": "Berlin", "country": "Germany"}},
        "displayMessage": "User single sign on to app",
        "eventType": kind,
        "outcome": outcome,
        "published": _spelt(at),
        "severity": "INFO",
        "debugContext": {"debugData": {"requestUri": "/app/saml/sso"}},
        "legacyEventType": "app.auth.sso",
        "transaction": {"type": "WEB", "id": "t", "detail": {}},
        "uuid": str(uuid.UUID(hex=state.ids.hexadecimal("okta.event", key, 32))),
        "version": "0",
        "target": [{**target, "detailEntry": None} for target in targets],
    }


def _app_target(state: State, tool: str) -> Item:
    named = {"alternateId": tool.title(), "displayName": tool.title()}
    return {"id": app_id(state.ids, "okta", tool), "type": "AppInstance", **named}


def _person(state: State, rep: str) -> Item:
    known = state.reps[rep]
    return {"id": _user_id(state, rep), "type": "User", "alternateId": known.email, "displayName": known.name or rep}


def _apps(state: State) -> list[Item]:
    return [
        {
            "id": app_id(state.ids, "okta", tool.name),
            "name": tool.name.lower(),
            "label": tool.name.title(),
            "status": "ACTIVE",
            "created": "2024-01-01T00:00:00.000Z",
            "lastUpdated": "2024-01-01T00:00:00.000Z",
            "signOnMode": "SAML_2_0",
        }
        for tool in tools_of(state.world)
    ]


def _app_users(state: State, app: str) -> list[Item]:
    names = {t.name for t in tools_of(state.world) if app_id(state.ids, "okta", t.name) == app}
    if not names:
        raise _Refused(404, "E0000007", f"Not found: Resource not found: {app} (AppInstance)")
    found: list[Item] = []
    for seat in seats_of(state.world, "okta"):
        begins, ends = bounds_of(state, seat)
        if seat.tool in names and begins <= state.now and (ends is None or ends > state.now):
            person = _person(state, seat.rep)
            found.append(
                {
                    "id": person["id"],
                    "externalId": person["alternateId"],
                    "created": _spelt(begins),
                    "lastUpdated": _spelt(begins),
                    "scope": "USER",
                    "status": "ACTIVE",
                    "syncState": "DISABLED",
                    "credentials": {"userName": person["alternateId"]},
                    "profile": {"email": person["alternateId"], "secondEmail": "home@example.net"},
                }
            )
    return sorted(found, key=lambda item: item["id"])


def _users(state: State) -> list[Item]:
    today = state.now.date()
    people = [r for r in state.reps.values() if r.end_date is None or r.end_date >= today]
    return [
        {
            "id": _user_id(state, rep.key),
            "status": "ACTIVE",
            "created": "2024-01-01T00:00:00.000Z",
            "lastUpdated": "2024-01-01T00:00:00.000Z",
            "profile": {
                "firstName": rep.name,
                "lastName": "",
                "login": rep.email,
                "email": rep.email,
                "mobilePhone": rep.phone,
            },
        }
        for rep in people
    ]
