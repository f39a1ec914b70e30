"""Pipedrive's API over a company's CRM: tokens, v2 by cursor, v1 by start and limit, changelogs and mails by a record's id.

Source: Pipedrive's OpenAPI files and rate limiting guide, recorded headers. Kept quirks: v1 says "data": null where there is nothing; deleted
deals are told for thirty days, and only to who asks for them; archived ones have a list of their own; no list says how many there are; a
cursor is the place after the last record in the order asked for; updated_until is exclusive; custom fields come whole unless some are named;
a 429 has no Retry-After, and only a header tells which limit it was.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.limits import Limits
from sandbox.pipedrive_history import Json, changelog, number
from sandbox.pipedrive_records import me, table
from sandbox.world import World
from sandbox.world_deals import crm_deals
from sandbox.world_state import Clock, State

CLIENT_ID, CLIENT_SECRET, REFRESH, API_TOKEN, ACCESS = (
    "sandbox-app", "sandbox-secret", "sandbox-refresh", "sandbox-token", "v1u:sandbox",
)  # fmt: skip
BURST, WINDOW, TOKENS, DAY = 480, 2.0, 150_000, 86_400.0
MOST, USUAL = 500, 100
KEPT = timedelta(days=30)
DEALS, ARCHIVED = "/api/v2/deals", "/api/v2/deals/archived"
V2 = {
    "/api/v2/persons": ("persons", 10),
    "/api/v2/organizations": ("organizations", 10),
    "/api/v2/organizationFields": ("organizationFields", 10),
    DEALS: ("deals", 10),
    ARCHIVED: ("deals", 20),
    "/api/v2/activities": ("activities", 10),
    "/api/v2/pipelines": ("pipelines", 5),
    "/api/v2/stages": ("stages", 5),
}
OPTIONAL = (
    "email_messages_count",
    "last_incoming_mail_time",
    "last_outgoing_mail_time",
    "next_activity_id",
    "attendees",
)
CHANGELOGS = {"deals": "deal", "persons": "person", "organizations": "org"}
Make = Callable[[Request, State], Json]


class _Refused(Exception):
    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status, self.error = status, error


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """Pipedrive's endpoints, relative to https://api.pipedrive.com and, for tokens, to https://oauth.pipedrive.com."""
    del world  # the clock knows it

    async def token(request: Request) -> Response:
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        told = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {told}":
            return _json({"success": False, "error": "invalid_client", "message": "Client authentication failed"}, 401)
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != REFRESH:
            return _json(
                {"success": False, "error": "invalid_grant", "message": "Invalid grant: refresh token is invalid"}, 400
            )
        api = str(request.url).partition("/oauth/")[0]
        return _json(
            {
                "access_token": ACCESS,
                "token_type": "Bearer",
                "expires_in": 3599,
                "refresh_token": REFRESH,
                "api_domain": api,
            }
        )

    def endpoint(cost: int, make: Make) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                _admit(request, limits, cost, headers)
                return _json(make(request, clock.state()), 200, headers)
            except _Refused as refused:
                body = {"success": False, "error": refused.error, "errorCode": refused.status}
                return _json(body, refused.status, headers)

        return answer

    def v2(path: str, cost: int) -> Route:
        return Route(path, endpoint(cost, lambda request, state: _v2(request, state, path)))

    return [
        Route("/oauth/token", token, methods=["POST"]),
        *(v2(path, cost) for path, (_, cost) in V2.items()),
        Route("/v1/users", endpoint(20, lambda _, state: {"success": True, "data": table(state, "users")})),
        Route("/v1/users/me", endpoint(2, lambda _, state: {"success": True, "data": me(state)})),
        Route("/v1/roles", endpoint(20, lambda request, state: _offset(request, table(state, "roles")))),
        Route("/v1/notes", endpoint(20, _notes)),
        Route("/v1/deals/summary", endpoint(40, lambda _, state: _summary(state, archived=False))),
        Route("/v1/deals/summary/archived", endpoint(80, lambda _, state: _summary(state, archived=True))),
        Route("/v1/persons/{id}/mailMessages", endpoint(20, _mails)),
        *(Route(f"/v1/{kind}/{{id}}/changelog", endpoint(20, _changelog)) for kind in CHANGELOGS),
    ]  # fmt: skip


def _admit(request: Request, limits: Limits, cost: int, headers: dict[str, str]) -> None:
    """Raises _Refused; headers: what the answer says of the limits."""
    if request.headers.get("x-api-token") != API_TOKEN and request.headers.get("authorization") != f"Bearer {ACCESS}":
        raise _Refused(401, "unauthorized access")
    burst = limits.take("pipedrive.burst", BURST, WINDOW)
    if not limits.enabled:
        return
    headers |= {
        "x-ratelimit-limit": str(BURST),
        "x-ratelimit-remaining": str(burst.remaining),
        "x-ratelimit-reset": "2",
    }
    day = limits.take("pipedrive.tokens", TOKENS, DAY, cost) if burst.ok else None
    if day is not None:
        headers |= {
            "x-daily-ratelimit-token-limit": str(TOKENS),
            "x-daily-ratelimit-token-remaining": str(day.remaining if day.ok else 0),
        }
    if day is None or not day.ok:
        raise _Refused(429, "request over limit")


def _json(told: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(told), status, headers, "application/json")


def _v2(request: Request, state: State, path: str) -> Json:
    asked = request.query_params
    found = table(state, V2[path][0])
    if path in (DEALS, ARCHIVED):
        deleted = asked.get("status") == "deleted"
        found = [one for one in found if one["is_archived"] == (path == ARCHIVED) and one["is_deleted"] == deleted]
        found = [one for one in found if not deleted or _instant(one["update_time"]) > state.now - KEPT]
    since, until = asked.get("updated_since"), asked.get("updated_until")
    if since:
        found = [one for one in found if one["update_time"] >= since]
    if until:
        found = [one for one in found if one["update_time"] < until]
    sort = asked.get("sort_by", "id")
    if sort not in ("id", "update_time", "add_time") or asked.get("sort_direction", "asc") != "asc":
        raise _Refused(400, "sort_by is not valid")
    found = sorted(found, key=lambda one: (one[sort], one["id"]))
    if cursor := asked.get("cursor"):
        try:
            place: list[Any] = msgspec.json.decode(base64.urlsafe_b64decode(cursor))
        except ValueError:
            raise _Refused(400, "cursor is not valid") from None
        found = [one for one in found if [one[sort], one["id"]] > place]
    size = min(int(asked.get("limit", USUAL)), MOST)
    shown = found[:size]
    last = (
        base64.urlsafe_b64encode(msgspec.json.encode([shown[-1][sort], shown[-1]["id"]])).decode()
        if len(found) > size
        else None
    )
    wanted = set(asked.get("include_fields", "").split(","))
    own = asked.get("custom_fields")
    data = [{k: v for k, v in one.items() if k not in OPTIONAL or k in wanted} for one in shown]
    if own:
        data = [
            {**one, "custom_fields": {k: v for k, v in one["custom_fields"].items() if k in own.split(",")}}
            for one in data
        ]
    if asked.get("include_option_labels") != "true":
        data = [{**one, "custom_fields": {k: v["id"] if isinstance(v, dict) else v for k, v in one["custom_fields"].items()}}
                if "custom_fields" in one else one for one in data]  # fmt: skip
    return {"success": True, "data": data, "additional_data": {"next_cursor": last}}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _offset(request: Request, found: list[Json]) -> Json:
    start, size = int(request.query_params.get("start", "0")), min(int(request.query_params.get("limit", USUAL)), MOST)
    shown, more = found[start : start + size], start + size < len(found)
    paging: Json = {"start": start, "limit": size, "more_items_in_collection": more}
    if more:
        paging["next_start"] = start + size
    return {"success": True, "data": shown or None, "additional_data": {"pagination": paging}}


def _notes(request: Request, state: State) -> Json:
    since = request.query_params.get("updated_since", "")
    found = [one for one in table(state, "notes") if one["update_time"] >= since.replace("T", " ").rstrip("Z")]
    return _offset(request, found)


def _mails(request: Request, state: State) -> Json:
    person = int(request.path_params["id"])
    by_person = state.cached("pipedrive.mails.by_person", lambda: _mails_by_person(state))
    if person not in by_person:
        raise _Refused(404, "Person not found")
    items = [
        {
            "object": "mailMessage",
            "timestamp": one["add_time"],
            "data": {k: v for k, v in one.items() if k != "persons"},
        }
        for one in by_person[person]
    ]
    told = _offset(request, items)
    told["additional_data"] = told["additional_data"]["pagination"]  # not within, unlike that of other lists
    return told


def _mails_by_person(state: State) -> dict[int, list[Json]]:
    found: dict[int, list[Json]] = {one["id"]: [] for one in table(state, "persons")}
    for one in table(state, "mails"):
        for person in one["persons"]:
            if person in found:
                found[person].append(one)
    return found


def _changelog(request: Request, state: State) -> Json:
    kind = CHANGELOGS[request.url.path.rsplit("/", 3)[-3]]
    by_id = state.cached(f"pipedrive.{kind}.by_id", lambda: _by_id(state, kind))
    one = by_id.get(int(request.path_params["id"]))
    if one is None:
        raise _Refused(404, "Not found")
    entries = changelog(state, kind, one)
    start, size = int(request.query_params.get("cursor", "0")), int(request.query_params.get("limit", USUAL))
    following = str(start + size) if start + size < len(entries) else None
    return {"success": True, "data": entries[start : start + size], "additional_data": {"next_cursor": following}}


def _by_id(state: State, kind: str) -> dict[int, Any]:
    """Things that have a changelog: a deal keeps it when it was deleted."""
    stored = {
        "deal": lambda: crm_deals(state),
        "person": lambda: state.crm_contacts,
        "org": lambda: state.crm_companies,
    }[kind]()
    return {number(state, kind, one.key): one for one in stored if kind == "deal" or one.deleted_at is None}


def _summary(state: State, *, archived: bool) -> Json:
    found = [one for one in table(state, "deals") if one["is_archived"] == archived and not one["is_deleted"]]
    return {"success": True, "data": {"total_count": len(found)}}
