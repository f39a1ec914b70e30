"""Gmail's API over a company's mailboxes: profile, messages, history, sendAs, batch, and Google's token endpoint.

Sources: Gmail v1 discovery document (paths, parameters, page sizes, scopes by method), its guides on filtering,
batching and quotas (prices since 2026-05-01), a recorded mailbox (gmail_mailbox), error bodies as quoted in
googleapis issues. Which header carries what of a world's mail: gmail_mailbox; tokens: gmail_auth; `q` and `fields`:
gmail_query.

Under the metadata scope (also beside readonly) `q`, format=full and format=raw are refused, without readonly sendAs is.
A mailbox holds what `mailboxes` says. Deleted mail is gone, with a messagesDeleted record; labels change by edits.
History is kept for `history_days`: asking from before a change that old is a 404, as is an id of the future.

What the sandbox alone understands: `GET/POST /gmail/__sandbox__/options` (Options).
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import gmail_batch
from sandbox.gmail_auth import METADATA, READONLY, USAGE, Token, TokenRefused, Tokens, mailbox_of
from sandbox.gmail_mailbox import Change, Json, Mailbox, Message, mailbox
from sandbox.gmail_query import FieldsError, only, query, read_fields, spam_or_trash
from sandbox.limits import Limits
from sandbox.mail_usage import google_day
from sandbox.world import World
from sandbox.world_state import Clock, State

DEFAULT_PAGE, MAX_PAGE, MANY = 100, 500, 201
PRICES = {"get": 20, "list": 5, "history": 2, "profile": 1, "sendAs": 1}
USER_PATH = re.compile(r"^(?:gmail/)?v1/users/([^/]+)/(.+)$")


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What differs between domains and projects; set by `POST /gmail/__sandbox__/options`.

    granted: scopes that the administrator delegated. history_days: how long history is kept. Units: prices of methods
    and budgets a minute, per user and per project.
    """

    granted: tuple[str, ...] = (METADATA, READONLY, USAGE)
    token_seconds: float = 3599
    history_days: float = 7
    units: dict[str, int] = msgspec.field(default_factory=lambda: dict(PRICES))
    units_per_user: int = 6000
    units_per_project: int = 1_200_000


@dataclass(slots=True)
class Domain:
    """One Google Workspace domain and one Cloud project."""

    limits: Limits
    options: Options = field(default_factory=Options)
    tokens: Tokens = field(default_factory=Tokens)

    def change(self, options: Options) -> None:
        self.options = options
        self.tokens.granted = frozenset(options.granted)
        self.tokens.seconds = options.token_seconds


class GoogleError(Exception):
    """An answer that is an error, in Google's shape."""

    def __init__(self, code: int, message: str, reason: str, status: str, **more: Any) -> None:
        super().__init__(message)
        self.code = code
        details = {"message": more.pop("short", message), "domain": more.pop("domain", "global"), "reason": reason}
        self.body = {"error": {"code": code, "message": message, "errors": [details], "status": status, **more}}


@dataclass(frozen=True, slots=True)
class Ask:
    """One call in the name of a mailbox."""

    box: Mailbox
    query: QueryParams
    token: Token
    domain: Domain
    state: State

    def page_size(self) -> int:
        text = self.query.get("maxResults", str(DEFAULT_PAGE))
        if not text.isdigit():
            raise invalid(f"Invalid value at 'max_results' (TYPE_UINT32), \"{text}\"")
        return min(max(int(text), 1), MAX_PAGE)  # more than the maximum is quietly the maximum


def invalid(message: str) -> GoogleError:
    return GoogleError(400, message, "invalidArgument", "INVALID_ARGUMENT")


def not_found() -> GoogleError:
    return GoogleError(404, "Requested entity was not found.", "notFound", "NOT_FOUND")


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """Gmail's endpoints, relative to https://gmail.googleapis.com, and the token endpoint at /token."""
    del world  # the clock knows it
    domain = Domain(limits)

    async def options(request: Request) -> Response:
        if request.method == "POST":
            try:
                domain.change(msgspec.json.decode(await request.body(), type=Options))
            except msgspec.DecodeError as error:
                return _json(400, {"message": f"options: {error}"})
        return _json(200, domain.options)

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        try:
            return _json(
                200, domain.tokens.give(clock.state(), form, time.time() + request.scope.get("sandbox.skew", 0.0))
            )
        except TokenRefused as error:
            return _json(error.status, error.body)

    async def batch(request: Request) -> Response:
        header = request.headers.get("authorization", "")

        def one(method: str, path: str) -> tuple[int, bytes]:
            bare, _, given = path.partition("?")
            status, body = respond(clock, domain, header, (method, bare.lstrip("/"), QueryParams(given)))
            return status, msgspec.json.encode(body)

        try:
            kind, body = gmail_batch.answer(request.headers.get("content-type", ""), await request.body(), one)
        except gmail_batch.BatchError as error:
            return _json(400, invalid(str(error)).body)
        return Response(body, 200, media_type=kind)

    async def usage(request: Request) -> Response:
        token = domain.tokens.find(request.headers.get("authorization", ""))
        if token is None or USAGE not in token.scopes:
            return _json(
                401, {"error": {"code": 401, "message": "Invalid Credentials", "errors": [{"reason": "authError"}]}}
            )
        return google_day(clock.state(), request)

    async def everything(request: Request) -> Response:
        call = (request.method, str(request.path_params["path"]), request.query_params)
        return _json(*respond(clock, domain, request.headers.get("authorization", ""), call))

    return [
        Route("/__sandbox__/options", options, methods=["GET", "POST"]),
        Route("/token", token, methods=["POST"]),
        Route("/batch/gmail/v1", batch, methods=["POST"]),
        Route("/batch", batch, methods=["POST"]),
        Route("/admin/reports/v1/usage/users/all/dates/{date}", usage),
        Route("/{path:path}", everything, methods=["GET", "POST"]),
    ]


def _json(status: int, body: Any) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json; charset=UTF-8")


def respond(clock: Clock, domain: Domain, header: str, call: tuple[str, str, QueryParams]) -> tuple[int, Any]:
    """Status and body of one call (method, path, query), alone or in a batch."""
    method, path, given = call
    try:
        token = _token(domain, header)
        state = clock.state()
        user, name, handler, rest = _endpoint(method, path)
        _check_user(state, token, user)
        _spend(domain, token, name)
        fields = read_fields(given["fields"]) if given.get("fields") else None
        return 200, only(handler(Ask(mailbox(state, token.mailbox), given, token, domain, state), *rest), fields)
    except FieldsError as error:
        return 400, invalid(f"Invalid field selection {error}").body
    except GoogleError as error:
        return error.code, error.body


def _token(domain: Domain, header: str) -> Token:
    token = domain.tokens.find(header)
    if token is not None:
        return token
    raise GoogleError(
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential.",
        "authError",
        "UNAUTHENTICATED",
        short="Invalid Credentials",
    )


def _endpoint(method: str, path: str) -> tuple[str, str, Callable[..., Json], list[str]]:
    found = USER_PATH.match(path)
    if found and method == "GET":
        user, rest = found.groups()
        if rest in _HANDLERS:
            return user, *_HANDLERS[rest], []
        if rest.startswith("messages/") and rest.count("/") == 1:
            return user, "get", _get, [rest.removeprefix("messages/")]
    raise not_found()


def _check_user(state: State, token: Token, user: str) -> None:
    if user != "me" and mailbox_of(state, user) != token.mailbox:
        raise GoogleError(403, f"Delegation denied for {token.email}", "forbidden", "PERMISSION_DENIED")
    if not token.scopes & {METADATA, READONLY}:
        raise _insufficient()


def _insufficient() -> GoogleError:
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
        "metadata": {"service": "gmail.googleapis.com"},
    }
    return GoogleError(
        403,
        "Request had insufficient authentication scopes.",
        "insufficientPermissions",
        "PERMISSION_DENIED",
        short="Insufficient Permission",
        details=[info],
    )


def _spend(domain: Domain, token: Token, name: str) -> None:
    """Spend the units of one call. Raises GoogleError: 403 for the project's budget, 429 for the user's."""
    cost, options = domain.options.units.get(name, 1), domain.options
    if not domain.limits.take("gmail.project", options.units_per_project, 60.0, cost).ok:
        words = (
            "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service 'gmail.googleapis.com'"
        )
        raise GoogleError(403, words, "rateLimitExceeded", "RESOURCE_EXHAUSTED", domain="usageLimits")
    if not domain.limits.take(f"gmail.user.{token.mailbox}", options.units_per_user, 60.0, cost).ok:
        words = "User-rate limit exceeded.  Retry later."
        raise GoogleError(429, words, "rateLimitExceeded", "RESOURCE_EXHAUSTED", domain="usageLimits")


def _profile(ask: Ask) -> Json:
    return {
        "emailAddress": ask.box.email,
        "messagesTotal": len(ask.box.messages),
        "threadsTotal": len({m.thread_id for m in ask.box.messages}),
        "historyId": str(ask.box.history_id),
    }


def _send_as(ask: Ask) -> Json:
    if READONLY not in ask.token.scopes:
        raise _insufficient()
    primary = {"sendAsEmail": ask.box.email, "displayName": ask.box.name, "isPrimary": True, "isDefault": True}
    others = [
        {"sendAsEmail": a, "displayName": ask.box.name, "treatAsAlias": True, "verificationStatus": "accepted"}
        for a in ask.box.aliases
    ]
    return {"sendAs": [primary, *others]}


def _list(ask: Ask) -> Json:
    """Ids of messages, newest first. A page's token is the last message's place, so pages do not shift."""
    text = ask.query.get("q")
    if text is not None and ask.token.metadata_only:
        message = "Metadata scope does not support 'q' parameter"
        raise GoogleError(403, message, "forbidden", "PERMISSION_DENIED")
    wanted = set(ask.query.getlist("labelIds"))
    hidden: set[str] = set() if _anywhere(ask, wanted, text or "") else {"SPAM", "TRASH"}
    test = query(text or "")
    found = [
        m for m in ask.box.messages if wanted <= set(m.labels) and not hidden & set(m.labels) and (not text or test(m))
    ]
    if ask.query.get("pageToken"):
        place = _place(ask.query["pageToken"])
        found = [m for m in found if (m.internal_date, m.id) < place]
    size = ask.page_size()
    page = found[:size]
    if not page:
        return {"resultSizeEstimate": 0}
    answer: Json = {"messages": [{"id": m.id, "threadId": m.thread_id} for m in page]}
    if len(found) > size:
        answer["nextPageToken"] = base64.urlsafe_b64encode(f"{page[-1].internal_date} {page[-1].id}".encode()).decode()
    return answer | {"resultSizeEstimate": MANY if len(found) > size else len(page)}


def _anywhere(ask: Ask, wanted: set[str], text: str) -> bool:
    given = ask.query.get("includeSpamTrash", "false").lower() == "true"
    return given or bool(wanted & {"SPAM", "TRASH"}) or spam_or_trash(text)


def _place(token: str) -> tuple[int, str]:
    try:
        date, identifier = base64.urlsafe_b64decode(token.encode()).decode().split(" ")
        return int(date), identifier
    except (ValueError, binascii.Error):
        raise invalid("Invalid pageToken") from None


def _get(ask: Ask, identifier: str) -> Json:
    form = ask.query.get("format", "full").lower()
    if form not in ("minimal", "metadata", "full", "raw"):
        raise invalid(f"Invalid value at 'format': {form}")
    if form in ("full", "raw") and ask.token.metadata_only:
        message = f"Metadata scope doesn't allow format {form.upper()}"
        raise GoogleError(403, message, "forbidden", "PERMISSION_DENIED")
    message = ask.box.by_id.get(identifier)
    if message is None:
        raise not_found()
    told: Json = {"id": message.id, "threadId": message.thread_id, "labelIds": list(message.labels)}
    told["snippet"] = f"Text of {message.mail.key}"
    if form != "minimal":
        told |= _payload(message, form, {name.lower() for name in ask.query.getlist("metadataHeaders")})
    size = {"sizeEstimate": message.size, "historyId": str(message.history_id)}
    return told | size | {"internalDate": str(message.internal_date)}


def _payload(message: Message, form: str, wanted: set[str]) -> Json:
    headers = [{"name": n, "value": v} for n, v in message.headers if not wanted or n.lower() in wanted]
    text = base64.urlsafe_b64encode(f"Text of {message.mail.key}".encode()).decode()
    if form == "raw":
        return {"raw": text}
    payload: Json = {"mimeType": message.mime_type, "headers": headers}
    if form == "full":
        payload |= {"partId": "", "filename": "", "body": {"size": len(text), "data": text}}
    return {"payload": payload}


def _history(ask: Ask) -> Json:
    """Changes after startHistoryId, oldest first. Raises GoogleError, 404, where some are no longer kept."""
    text = ask.query.get("startHistoryId", "")
    if not text.isdigit():
        raise invalid("Missing or invalid startHistoryId")
    start, box = int(text), ask.box
    kept_from = ask.state.now - timedelta(days=ask.domain.options.history_days)
    newer = [change for change in box.changes if change.id > start]
    if start > box.history_id or (newer and newer[0].at < kept_from):
        raise not_found()
    place = ask.query.get("pageToken", "0")
    if not place.isdigit():
        raise invalid("Invalid pageToken")
    types, label = set(ask.query.getlist("historyTypes")), ask.query.get("labelId")
    told = [t for t in (_record(box, c, types, label) for c in newer if c.id > int(place)) if t]
    size = ask.page_size()
    answer: Json = {"history": told[:size]} if told else {}
    if len(told) > size:
        answer["nextPageToken"] = told[size - 1]["id"]
    return answer | {"historyId": str(box.history_id)}


def _record(box: Mailbox, change: Change, types: set[str], label: str | None) -> Json | None:
    """One history record, or None where nothing of it was asked for."""

    def copy(identifier: str) -> Json:
        labels = list(box.last_labels[identifier])
        return {"id": identifier, "threadId": box.threads[identifier], "labelIds": labels}

    def seen(identifier: str, labels: tuple[str, ...] = ()) -> bool:
        return label is None or label in labels or label in box.last_labels[identifier]

    told: Json = {}
    for name, kind, identifiers in (
        ("messagesAdded", "messageAdded", change.added),
        ("messagesDeleted", "messageDeleted", change.deleted),
    ):
        items = [{"message": copy(i)} for i in identifiers if seen(i)]
        if items and (not types or kind in types):
            told[name] = items
    for name, kind, pairs in (
        ("labelsAdded", "labelAdded", change.labels_added),
        ("labelsRemoved", "labelRemoved", change.labels_removed),
    ):
        items = [{"message": copy(i), "labelIds": list(ls)} for i, ls in pairs if seen(i, ls)]
        if items and (not types or kind in types):
            told[name] = items
    if not told:
        return None
    touched = dict.fromkeys(item["message"]["id"] for items in told.values() for item in items)
    messages = [{"id": i, "threadId": box.threads[i]} for i in touched]
    return {"id": str(change.id), "messages": messages, **told}


_HANDLERS: dict[str, tuple[str, Callable[..., Json]]] = {
    "profile": ("profile", _profile),
    "messages": ("list", _list),
    "history": ("history", _history),
    "settings/sendAs": ("sendAs", _send_as),
}
