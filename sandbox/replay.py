"""Serves recorded exchanges in place of the vendors: a user's recording becomes a case that anyone can run.

Mounted at the sandbox's prefixes. Requests are matched by method, path (any version of it) and parameters;
credentials are not looked at. HubSpot: replay_hubspot. Gmail: the recorded mailbox, by labels and time as asked; `me`
is its owner. CloudTalk: recorded lists, calls by `date_from` and `date_to`. What was not recorded is answered empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from sandbox.faults import Faults
from sandbox.recording import Exchange, Json, best, plain_path, read
from sandbox.replay_hubspot import Answer, RecordedHubSpot
from sandbox.server import READY, VENDORS, assemble, listen, own_routes, run, url_of
from sandbox.settings_out import REPS_HEADER, Described, Row, write
from sandbox.world import Company, World
from sandbox.world_state import Clock

PUBLIC_MAIL = ("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "yahoo.com")
_MAILBOX = re.compile(r"^/users/(?P<mailbox>[^/]+)/(?P<rest>.+)$")


class RecordedCloudTalk:
    """Recorded lists of CloudTalk; counts of pages are those of what is served."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self.exchanges = exchanges

    def answer(self, method: str, path: str, params: Mapping[str, str], _body: Any) -> Answer:
        """Status and body for a request."""
        first_page = {k: v for k, v in params.items() if k not in ("page", "limit")}
        recorded = best(self.exchanges, method, path, params) or best(self.exchanges, method, path, first_page)
        if recorded is not None and (recorded.status >= 400 or "data" not in recorded.body.get("responseData", {})):
            return recorded.status, recorded.body
        if recorded is None and not path.endswith("/index.json"):
            return 404, {"responseData": {"status": 404, "message": f"{method} {path} was not recorded"}}
        items = recorded.body["responseData"]["data"] if recorded is not None else []
        found = [item for item in items if _in_window(item, params)]
        size, page = int(params.get("limit") or 1000), int(params.get("page") or 1)
        envelope = {"itemsCount": len(found), "pageCount": -(-len(found) // size), "pageNumber": page, "limit": size}
        return 200, {"responseData": {**envelope, "data": found[(page - 1) * size : page * size]}}


def _in_window(item: Json, params: Mapping[str, str]) -> bool:
    started = item.get("Cdr", {}).get("started_at")
    if not started:
        return True
    at = _instant(str(started))
    after = "date_from" not in params or at >= _instant(params["date_from"])
    return after and ("date_to" not in params or at <= _instant(params["date_to"]))


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text.strip())
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class RecordedGmail:
    """Recorded mailboxes: messages by id, listed by labels and time; history after a recorded start."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        plain = [Exchange(e.method, _in_mailbox(e.path), e.params, e.status, e.body) for e in exchanges]
        self.owner: str = next((e.body["emailAddress"] for e in plain if e.path.endswith("/profile")), "me")
        self.exchanges = [Exchange(e.method, self._owned(e.path), e.params, e.status, e.body) for e in plain]
        self.messages = {e.path: e.body for e in self.exchanges if "/messages/" in e.path and e.status == 200}

    def _owned(self, path: str) -> str:
        return path.replace("/users/me/", f"/users/{self.owner}/")

    def answer(self, method: str, path: str, params: Mapping[str, str], _body: Any) -> Answer:
        """Status and body for a request."""
        if path == "/token":
            return 200, {"access_token": "replay", "token_type": "Bearer", "expires_in": 3599}
        path = self._owned(_in_mailbox(path))
        match = _MAILBOX.match(path)
        if match is None or not any(e.path.startswith(f"/users/{match['mailbox']}/") for e in self.exchanges):
            return 404, _gmail_error(f"{path} was not recorded")
        if match["rest"] == "messages":
            return self._list(method, path, params)
        if match["rest"] == "history":
            return self._history(method, path, params)
        recorded = best(self.exchanges, method, path, params)
        if recorded is None:
            empty = {"settings/sendAs": {"sendAs": []}, "labels": {"labels": []}}.get(match["rest"])
            return (200, empty) if empty else (404, _gmail_error(f"{path} was not recorded"))
        return recorded.status, recorded.body

    def _list(self, method: str, path: str, params: Mapping[str, str]) -> Answer:
        recorded = best(self.exchanges, method, path, params)
        if recorded is None:
            return 200, {"resultSizeEstimate": 0}
        if recorded.status >= 400:
            return recorded.status, recorded.body
        labels = {label for label in params.get("labelIds", "").split(",") if label}
        known = self.messages
        found = [
            m for m in recorded.body.get("messages", []) if _wanted(known.get(f"{path}/{m['id']}"), labels, params)
        ]
        # Without the recorded next page a token to it would lead in circles: it is given only if its page was recorded.
        token = recorded.body.get("nextPageToken")
        more = (
            {"nextPageToken": token} if any(e.params.get("pageToken") == token for e in self.exchanges if token) else {}
        )
        return 200, {"messages": found, "resultSizeEstimate": len(found), **more}

    def _history(self, method: str, path: str, params: Mapping[str, str]) -> Answer:
        recorded = best(self.exchanges, method, path, params)
        profile = best(self.exchanges, "GET", f"/users/{self.owner}/profile", {})
        start = int(params.get("startHistoryId") or 0)
        newest = int(profile.body["historyId"]) if profile is not None else start
        if recorded is None:
            return (200, {"historyId": str(newest)}) if start >= newest else (404, _gmail_error("not found"))
        if recorded.status >= 400:
            return recorded.status, recorded.body
        if start < int(recorded.params.get("startHistoryId") or 0):
            return 404, _gmail_error("Requested entity was not found.")
        later = [h for h in recorded.body.get("history", []) if int(h["id"]) > start]
        latest = max(newest, int(recorded.body["historyId"]))
        return 200, {**recorded.body, "history": later, "historyId": str(latest)}


def _in_mailbox(path: str) -> str:
    return "/" + path.strip("/").removeprefix("gmail/").strip("/")


def _wanted(message: Json | None, labels: set[str], params: Mapping[str, str]) -> bool:
    """Whether a listed message is in the labels and the time of a request; one that was not recorded itself is."""
    if message is None:
        return True
    query = params.get("q", "")
    held = set(message.get("labelIds", []))
    asked = labels | {word.upper() for word in re.findall(r"(?<![-\w])in:(sent|inbox|trash|spam)\b", query)}
    seconds = int(message["internalDate"]) / 1000
    bounds = {name: float(value) for name, value in re.findall(r"\b(after|before):(\d{6,})\b", query)}
    return asked <= held and bounds.get("after", 0) <= seconds < bounds.get("before", float("inf"))


def _gmail_error(message: str) -> Json:
    errors = [{"message": message, "domain": "global", "reason": "notFound"}]
    return {"error": {"code": 404, "message": message, "status": "NOT_FOUND", "errors": errors}}


Answering = Callable[[str, str, Mapping[str, str], Any], Answer]


def replay_app(directory: Path, faults: Faults | None = None) -> ASGIApp:
    """The recording of a folder as an ASGI app. Raises RecordingError."""
    recorded = read(directory)
    players: dict[str, Answering] = {
        "hubspot": RecordedHubSpot(recorded.get("hubspot", [])).answer,
        "cloudtalk": RecordedCloudTalk(recorded.get("cloudtalk", [])).answer,
        "gmail": RecordedGmail(recorded.get("gmail", [])).answer,
    }
    mounts: list[BaseRoute] = [Mount(VENDORS[v][1], routes=[_player(players[v])]) for v in players if v in recorded]
    world = World(company=Company(systems={}))
    clock = Clock(world, world.now())
    rules = faults or Faults()
    return assemble([*own_routes(clock, rules), *mounts], clock, rules)


def _player(answer: Answering) -> Route:
    async def play(request: Request) -> Response:
        is_json = "json" in request.headers.get("content-type", "")
        body = await request.json() if request.method == "POST" and is_json else None
        params: dict[str, str] = {}
        for name, value in request.query_params.multi_items():  # a repeated parameter is a list
            params[name] = f"{params[name]},{value}" if name in params else value
        status, told = answer(request.method, plain_path(request.path_params["path"]), params, body)
        return JSONResponse(told, status)

    return Route("/{path:path}", play, methods=["GET", "POST"])


def describe_recording(directory: Path) -> Described:
    """What settings must say to read a recording: its vendors; owners and the mailbox's owner as reps."""
    recorded = read(directory)
    owners = RecordedHubSpot(recorded.get("hubspot", [])).objects.get("owners", {}).values()
    names = {
        str(o["email"]): f"{o.get('firstName') or ''} {o.get('lastName') or ''}".strip()
        for o in owners
        if o.get("email")
    }
    mailbox = RecordedGmail(recorded["gmail"]).owner if "gmail" in recorded else None
    if mailbox is not None:
        names.setdefault(mailbox, mailbox.partition("@")[0])
    domain = (mailbox or "").partition("@")[2]
    return Described(
        company={"internal_domains": [domain] if domain and domain not in PUBLIC_MAIL else []},
        parameters={},
        vendors=[vendor for vendor in VENDORS if vendor in recorded],
        tables={
            "reps": (REPS_HEADER, [_rep_row(email, name, email == mailbox) for email, name in names.items()]),
            "teams": (("team", "name", "parent"), []),
        },
    )


def _rep_row(email: str, name: str, has_mailbox: bool) -> Row:
    known = {"email": email, "name": name, "role": "sales", "mailbox": "yes" if has_mailbox else "no"}
    return [known.get(column) for column in REPS_HEADER]


def replay(
    directory: Path, *, port: int = 0, settings_out: Path | None = None, say: Callable[[str], None] = print
) -> None:
    """Serve a recording until SIGINT or SIGTERM; `say` gets one line when ready.

    settings_out: where to write settings with which the product runs against it. Raises RecordingError, and OSError
    where the port is taken.
    """
    app = replay_app(directory)
    with listen(port) as listening:
        if settings_out is not None:
            write(describe_recording(directory), settings_out, url_of(listening))
        run(app, listening, lambda url: say(READY.format(url=url)))
