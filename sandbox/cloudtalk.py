"""CloudTalk's API v1.7 over a company's dialer: agents, groups, numbers, tags and call history.

Source: CloudTalk's own API document (developers.cloudtalk.io, OpenAPI 1.7): paths, parameters, envelopes, example
bodies, Basic auth, 60 operations a minute per company. What it leaves open is chosen to be inconvenient: calls newest
first (pages shift while calls come in), `date_from` and `date_to` both inclusive, a page past the end is a 404.

What the wire says of a world's call, one item (`Cdr`) a leg:

- `Cdr.id`: ids("cloudtalk.call", key) of the first leg, key + "#n" of later ones, which name the leg before them in
  `transferred_from`. `hs_call_external_id` in HubSpot is the first leg's.
- `user_id`: ids("cloudtalk.agent", rep), null when it rang nobody in particular. Deleted agents leave /agents only.
- `talking_time`: the leg's talk; `waiting_time`: ring; `answered_at`: null when nobody and nothing picked up.
- why a call was not answered: a tag (`Busy`, `Failed`, `Cancelled`, `No answer`, `Missed`); `is_voicemail` for a
  voicemail or an answering machine. Dispositions live in the CRM, not here.
- kept quirks: strings and integers mixed, telephone numbers as integers, two spellings of UTC times, a
  `recording_link` that is another one at every read, no time of modification.
"""

from __future__ import annotations

import base64
import binascii
import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.dialer_legs import LegTimes, legs_of
from sandbox.limits import Limits
from sandbox.world import Call, Leg, World
from sandbox.world_state import Clock, State, User, digits

ACCESS_KEY_ID, ACCESS_KEY_SECRET = "sandbox", "sandbox-secret"
OPERATIONS, WINDOW_SECONDS = 60, 60.0  # per company, reads and writes alike
DEFAULT_LIMIT, MAX_LIMIT = 50, 1000
REASONS = {"no_answer": "No answer", "busy": "Busy", "failed": "Failed", "cancelled": "Cancelled", "missed": "Missed"}

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _CallItem:
    """A rendered leg and what calls can be filtered by."""

    started_at: datetime
    answered: bool
    item: Item


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """CloudTalk's endpoints, relative to https://my.cloudtalk.io/api."""
    del world  # the clock knows it
    listings: dict[str, Callable[[State, Mapping[str, str]], Sequence[Item]]] = {
        "/calls/index.json": _calls,
        "/agents/index.json": _agents,
        "/groups/index.json": _groups,
        "/numbers/index.json": _numbers,
        "/tags/index.json": _tags,
    }

    def endpoint(listing: Callable[[State, Mapping[str, str]], Sequence[Item]]) -> Any:
        async def answer(request: Request) -> Response:
            return _answer(limits, request, lambda: _page(listing(clock.state(), request.query_params), request))

        return answer

    async def unknown(request: Request) -> Response:
        def refuse() -> Item:
            raise _Refused(404, "Not Found")

        return _answer(limits, request, refuse)

    return [Route(path, endpoint(listing)) for path, listing in listings.items()] + [Route("/{path:path}", unknown)]


def _answer(limits: Limits, request: Request, make: Callable[[], Item]) -> Response:
    headers: dict[str, str] = {}
    status = 200
    try:
        _authorise(request)
        taken = limits.take("cloudtalk", OPERATIONS, WINDOW_SECONDS)
        if limits.enabled:  # without limits none is told, for clients keep to what they are told
            headers = {
                "X-CloudTalkAPI-Limit": str(OPERATIONS),
                "X-CloudTalkAPI-Remaining": str(taken.remaining),
                "X-CloudTalkAPI-ResetTime": str(math.ceil(time.time() + taken.resets_in)),
            }
        if taken.ok:
            body = make()
        else:
            status, body = 429, {"status": 429, "message": "Too Many Requests"}
    except _Refused as refused:
        status, body = refused.status, {"status": refused.status, "message": refused.message}
    return Response(msgspec.json.encode({"responseData": body}), status, headers, "application/json; charset=UTF-8")


def _authorise(request: Request) -> None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        given = ""
    if given != f"{ACCESS_KEY_ID}:{ACCESS_KEY_SECRET}":
        raise _Refused(401, "Unauthorized")


def _page(items: Sequence[Item], request: Request) -> Item:
    limit = _number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    page = _number(request, "page", 1, None)
    pages = math.ceil(len(items) / limit)
    if page > max(pages, 1):
        raise _Refused(404, "Not Found")
    shown = [_fresh(item) for item in items[(page - 1) * limit : page * limit]]
    return {"itemsCount": len(items), "pageCount": pages, "pageNumber": page, "limit": limit, "data": shown}


def _number(request: Request, name: str, default: int, most: int | None) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isdigit() or int(text) < 1 or (most is not None and int(text) > most):
        raise _Refused(400, f"Invalid value of parameter {name}")
    return int(text)


def _fresh(item: Item) -> Item:
    """The item with a recording link that no earlier answer had."""
    cdr: Item = item.get("Cdr", {})
    if not cdr.get("recording_link"):
        return item
    return {**item, "Cdr": {**cdr, "recording_link": f"{cdr['recording_link']}?t={secrets.token_hex(8)}"}}


def _calls(state: State, query: Mapping[str, str]) -> Sequence[Item]:
    found: list[_CallItem] = state.cached("cloudtalk.calls", lambda: _render_calls(state))
    start, end = _instant(query, "date_from"), _instant(query, "date_to")
    wanted = {name: query[name] for name in ("user_id", "type", "call_id", "public_external") if query.get(name)}
    status = query.get("status")
    return [
        call.item
        for call in found
        if (start is None or call.started_at >= start)
        and (end is None or call.started_at <= end)
        and (status is None or call.answered == (status == "answered"))
        and all(str(call.item["Cdr"]["id" if n == "call_id" else n]) == v.lstrip("+") for n, v in wanted.items())
    ]


def _instant(query: Mapping[str, str], name: str) -> datetime | None:
    text = query.get(name)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _Refused(400, f"Invalid value of parameter {name}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _render_calls(state: State) -> list[_CallItem]:
    agents = {user.key: _agent(state, user) for user in state.users("dialer")}
    found = [item for stored in state.dialer_calls for item in _legs(state, stored.value, agents)]
    return sorted(found, key=lambda call: (call.started_at, len(str(call.item["Cdr"]["id"]))), reverse=True)


def _legs(state: State, call: Call, agents: Mapping[str, Item]) -> list[_CallItem]:
    items: list[_CallItem] = []
    before = ""
    for n, (leg, times) in enumerate(legs_of(call)):
        cdr = _cdr(state, call, n, times, before)
        items.append(_CallItem(times.started, times.answered is not None, _item(state, call, leg, cdr, agents)))
        before = cdr["id"]
    return items


def _cdr(state: State, call: Call, n: int, times: LegTimes, before: str) -> Item:
    leg = call.legs[n]
    own = state.reps[leg.rep].phone if leg.rep in state.reps else None
    identifier = state.ids.number("cloudtalk.call", f"{call.key}#{n}" if n else call.key)
    odd = int(identifier) % 2 == 1
    voicemail = call.machine or call.result == "voicemail"
    talked = leg.talk_seconds if times.answered else 0
    waiting = ((times.answered or times.ended) - times.started).total_seconds()
    return {
        "id": identifier,
        "billsec": str(talked),
        "type": "outgoing" if call.direction == "outbound" else "incoming",
        "country_code": None,
        "public_external": _number_of(call.number),
        "public_internal": _number_of(own or next(iter(state.world.company.internal_numbers), "")),
        "recorded": times.answered is not None,
        "is_voicemail": ("1" if voicemail else "0") if odd else voicemail,
        "fax_email": "0",
        "is_redirected": "0",
        "redirected_from": "",
        "transferred_from": before,
        "is_local": False,
        "user_id": state.ids.number("cloudtalk.agent", leg.rep, (6, 9)) if leg.rep else None,
        "talking_time": str(talked),
        "started_at": _spelt(times.started, odd),
        "answered_at": _spelt(times.answered, odd) if times.answered else None,
        "ended_at": _spelt(times.ended, odd),
        "waiting_time": int(waiting),
        "wrapup_time": 5,
        "recording_link": f"https://my.cloudtalk.io/r/play/{identifier}" if times.answered else "",
    }


def _item(state: State, call: Call, leg: Leg, cdr: Item, agents: Mapping[str, Item]) -> Item:
    reason = REASONS.get(call.result)
    tags = [{"id": state.ids.number("cloudtalk.tag", reason, (5, 8)), "name": reason}] if reason else []
    return {
        "Cdr": cdr,
        "Contact": {"contact_numbers": [cdr["public_external"]] if cdr["public_external"] else []},
        "CallNumber": {"caller_id_e164": cdr["public_internal"], "internal_name": "Sales"},
        "BillingCall": {"price": "0.000000"},
        "Agent": agents.get(leg.rep or "", {}),
        "Notes": cast(list[Item], []),
        "Tags": tags,
        "Ratings": cast(list[Item], []),
    }


def _number_of(text: str) -> int | None:
    """A telephone number as the API writes it: an integer, so neither plus sign nor leading zeros."""
    found = digits(text.partition("-")[0])
    return int(found) if found else None


def _spelt(instant: datetime, odd: bool) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S" if odd else "%Y-%m-%dT%H:%M:%S.000Z")


def _agent(state: State, user: User) -> Item:
    first, _, last = user.name.partition(" ")
    phone = user.rep.phone if user.rep else None
    teams = {team.key: team.name or team.key for team in state.teams}
    return {
        "id": state.ids.number("cloudtalk.agent", user.key, (6, 9)),
        "firstname": first,
        "lastname": last,
        "fullname": user.name,
        "email": user.email or "",
        "language": "en",
        "role": "Agent",
        "status": "online",
        "default_outbound_number": _number_of(phone or ""),
        "associated_numbers": [_number_of(phone)] if phone else [],
        "groups": [teams[user.rep.team]] if user.rep and user.rep.team in teams else [],
    }


def _agents(state: State, query: Mapping[str, str]) -> Sequence[Item]:
    found: list[Item] = []
    for user in state.users("dialer"):
        agent = _agent(state, user)
        if not user.active or query.get("id", agent["id"]) != agent["id"]:
            continue
        phone = user.rep.phone if user.rep else None
        told = {name: agent[name] for name in ("id", "firstname", "lastname", "email")}
        told |= {
            "name": agent["id"],
            "is_daily_limit_ok": True,
            "status_outbound": True,
            "availability_status": "online",
            "extension": agent["id"],
            "call_number_id": int(state.ids.number("cloudtalk.number", phone, (6, 9))) if phone else None,
            "default_number": phone,  # with its plus sign here, as in the documented example
            "associated_numbers": [phone] if phone else [],
        }
        found.append({"Agent": told})
    return found


def _groups(state: State, _query: Mapping[str, str]) -> Sequence[Item]:
    return [
        {"Group": {"id": state.ids.number("cloudtalk.group", team.key, (5, 8)), "internal_name": team.name or team.key}}
        for team in state.teams
    ]


def _numbers(state: State, _query: Mapping[str, str]) -> Sequence[Item]:
    phones = dict.fromkeys(u.rep.phone for u in state.users("dialer") if u.active and u.rep and u.rep.phone)
    return [
        {
            "CallNumber": {
                "id": state.ids.number("cloudtalk.number", phone, (6, 9)),
                "country_code": None,
                "area_code": None,
                "internal_name": "Sales",
                "caller_id_e164": _number_of(phone),
                "is_redirected": False,
                "connected_to": "1",
                "source_id": None,
            }
        }
        for phone in phones
    ]


def _tags(state: State, _query: Mapping[str, str]) -> Sequence[Item]:
    return [{"Tag": {"id": state.ids.number("cloudtalk.tag", name, (5, 8)), "name": name}} for name in REASONS.values()]
