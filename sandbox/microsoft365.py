"""Microsoft Graph's mail over a company: messages and folders of mailboxes, delta rounds, people, and the token endpoint.

Source: Graph v1.0 CSDL, user-list-messages, mailfolder-delta, message-delta, delta-query-messages, a recorded mailbox, throttling-limits. Kept
quirks: `/messages` tells every folder, a hidden one with Teams chats too; ten a page unless `$top` (in a delta round: Prefer:
odata.maxpagesize) says more; `$orderby` only by what `$filter` has; internetMessageHeaders only when selected, and of sent items not even
then; ids change with the folder unless immutable ones are asked for; a recipient is {"emailAddress": {"name", "address"}}; instants in whole
seconds. A delta round is one folder's: a move is a removal here and a message there, of a change only ids and places are told, the links
lead to mailFolders('…'), and a state older than `state_days` is a 410 SyncStateNotFound.

A copy lies by its labels: SENT in Sent Items, TRASH in Deleted Items, SPAM in Junk, DRAFT in Drafts; else in the inbox, one in five in a folder
of the rep's own. A mail to oneself has two copies.

What the sandbox alone understands: `POST /microsoft365/__sandbox__/options` (Options).
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.gmail_mailbox import Mailbox, Message, mailbox
from sandbox.limits import Limits
from sandbox.mail_usage import MicrosoftReports
from sandbox.world import World
from sandbox.world_state import Clock, State

TENANT, CLIENT_ID, CLIENT_SECRET = "sandbox", "sandbox-app", "sandbox-secret"
PER_10_MINUTES, REPORTS_PER_10_MINUTES, MOST, MOST_FILTERED = 10_000, 14, 1000, 5_000
BOUND = re.compile(r"receivedDateTime (ge|lt) (\S+)")
FOLDER_PATH = re.compile(r"^mailFolders(?:/([^/()]+)|\('([^']+)'\))(?:/(messages(?:/delta)?))?$")
PAGE_SIZE = re.compile(r"odata\.maxpagesize=(\d+)")
FOLDERS = ("inbox", "sentitems", "drafts", "deleteditems", "junkemail", "customers", "teams")
PERMISSIONS = ("Mail.ReadBasic.All", "User.Read.All", "Reports.Read.All")
Item = dict[str, Any]


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What differs between tenants. granted: application permissions. headers: are they shown? state_days: how long a delta state is kept.

    concealed: hashes instead of names in usage reports.
    """

    granted: tuple[str, ...] = PERMISSIONS
    headers: bool = True
    state_days: float = 30
    concealed: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """A message in a folder. item: all of Graph's properties; headers are told on request only."""

    received: datetime
    folder: str
    item: Item
    headers: list[Item] | None


class Round(msgspec.Struct):
    """What a token of a delta round stands for. then: the state that the round compares with, as epoch seconds; skip: where its page begins."""

    then: float | None = None
    skip: int | None = None
    select: str = ""


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """The endpoints, relative to the sandbox's mount: Graph at /v1.0, tokens at /{tenant}/oauth2/v2.0/token."""
    del world  # the clock knows it
    tokens: set[str] = set()
    options = [Options()]
    reports = MicrosoftReports()

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        given = (request.path_params["tenant"], form.get("client_id"), form.get("client_secret"))
        is_right = form.get("grant_type") == "client_credentials" and str(form.get("scope", "")).endswith("/.default")
        if given != (TENANT, CLIENT_ID, CLIENT_SECRET) or not is_right:
            told = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
            return answered(told, 401)
        text = uuid.uuid4().hex
        tokens.add(text)
        return answered({"token_type": "Bearer", "expires_in": 3599, "access_token": text})

    async def own(request: Request) -> Response:
        if request.method == "POST":
            options[0] = msgspec.json.decode(await request.body(), type=Options)
        return answered(msgspec.to_builtins(options[0]))

    async def everything(request: Request) -> Response:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in tokens:
            return refused(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
        state, user = clock.state(), request.path_params["user"].lower()
        taken = limits.take(f"microsoft365.{user}", PER_10_MINUTES, 600.0)
        if not taken.ok:
            answer = refused(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.")
            answer.headers["Retry-After"] = str(int(taken.resets_in) + 1)
            return answer
        needed = "Mail.ReadBasic.All" if request.path_params.get("path") else "User.Read.All"
        if needed not in options[0].granted or (
            "internetMessageHeaders" in str(request.query_params) and not options[0].headers
        ):
            return refused(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        rep = next((key for key, r in state.reps.items() if r.email.lower() == user and "mail" in r.seats), None)
        if rep is None:
            return refused(404, "ErrorInvalidUser", f"The requested user '{user}' is invalid.")
        return _respond(state, rep, request, options[0])

    async def report(request: Request) -> Response:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in tokens:
            return refused(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
        if not limits.take("microsoft365 reports", REPORTS_PER_10_MINUTES, 600.0).ok:
            return refused(429, "TooManyRequests", "Too many requests.")
        if "Reports.Read.All" not in options[0].granted:
            return refused(403, "S2SUnauthorized", "Invalid permission.")
        answer = reports.answer(clock.state(), request, concealed=options[0].concealed)
        return answer or refused(400, "InvalidArgument", "Invalid date value specified.")

    return [
        Route("/v1.0/reports/{call}", report),
        Route("/reports-data/{name}", reports.file),
        Route("/__sandbox__/options", own, methods=["GET", "POST"]),
        Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
        Route("/v1.0/users/{user}", everything),
        Route("/v1.0/users/{user}/{path:path}", everything),
    ]


def answered(told: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(told), status, media_type="application/json")


def refused(status: int, code: str, message: str) -> Response:
    return answered({"error": {"code": code, "message": message, "innerError": {"request-id": "r"}}}, status)


def _not_found() -> Response:
    return refused(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def _respond(state: State, rep: str, request: Request, options: Options) -> Response:
    path = request.path_params.get("path", "")
    if not path:
        box = mailbox(state, rep)
        proxies = [f"SMTP:{box.email}", *(f"smtp:{alias}" for alias in box.aliases)]
        return answered({"mail": box.email, "userPrincipalName": box.email.title(), "proxyAddresses": proxies})
    if path == "messages":
        return _messages(copies(state, rep), request)
    if path == "mailFolders/delta":
        folders = [
            {"id": _folder(state, rep, name), "parentFolderId": _folder(state, rep, "top"), "isHidden": name == "teams"}
            for name in FOLDERS
        ]
        return answered({"value": folders, "@odata.deltaLink": f"{request.url}&$deltatoken=x"})
    if path.startswith("messages/"):
        found = next((c for c in copies(state, rep) if c.item["id"] == path.partition("/")[2]), None)
        selected = request.query_params.get("$select", "").split(",")
        return answered(_told(found, selected, immutable=True)) if found else _not_found()
    told = FOLDER_PATH.match(path)
    name = told and next((n for n in FOLDERS if (told[1] or told[2]) in (n, _folder(state, rep, n))), None)
    if not told or name is None:
        return _not_found()
    if told[3] is None:
        return answered({"id": _folder(state, rep, name)})
    if told[3] == "messages":
        return _messages([c for c in copies(state, rep) if c.folder == name], request)
    return _round(state, rep, name, request, options)


def _folder(state: State, rep: str, name: str) -> str:
    return "AAMk" + state.ids.hexadecimal("microsoft365.folder", f"{rep} {name}", 24)


def _messages(found: list[Copy], request: Request) -> Response:
    query = request.query_params
    try:
        bounds = {op: datetime.fromisoformat(text) for op, text in BOUND.findall(query.get("$filter", ""))}
        size, skip = int(query.get("$top", "10")), int(query.get("$skip", "0"))
    except ValueError:
        return refused(400, "BadRequest", "Invalid filter clause.")
    if query.get("$orderby") and "receivedDateTime" not in query.get("$filter", ""):
        return refused(400, "InefficientFilter", "The restriction or sort order is too complex for this operation.")
    if not 0 < size <= MOST:
        return refused(400, "BadRequest", "Invalid page size specified.")
    first, last = bounds.get("ge"), bounds.get("lt")
    wanted = [c for c in found if (first is None or c.received >= first) and (last is None or c.received < last)]
    selected = query.get("$select", "").split(",")
    immutable = "ImmutableId" in request.headers.get("prefer", "")
    told: Item = {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users/messages"}
    if query.get("$count") == "true":
        told["@odata.count"] = len(wanted)
    told["value"] = [_told(copy, selected, immutable=immutable) for copy in wanted[skip : skip + size]]
    if skip + size < len(wanted):
        kept = {name: value for name, value in query.items() if name != "$skip"}
        told["@odata.nextLink"] = f"{str(request.url).partition('?')[0]}?{urlencode({**kept, '$skip': skip + size})}"
    return answered(told)


def _round(state: State, rep: str, folder: str, request: Request, options: Options) -> Response:
    """A page of a delta round: what lies in the folder now, or what differs from then."""
    query = request.query_params
    at = Round(select=query.get("$select", ""))
    if packed := query.get("$deltatoken") or query.get("$skiptoken"):
        try:
            at = msgspec.json.decode(base64.urlsafe_b64decode(packed), type=Round)
        except (ValueError, msgspec.DecodeError):
            return refused(400, "BadRequest", "Badly formed token.")
    if at.then is not None and state.now.timestamp() - at.then > options.state_days * 86_400:
        return refused(
            410, "SyncStateNotFound", "The sync state generation is not found; a full synchronization is required."
        )
    immutable = "ImmutableId" in request.headers.get("prefer", "")
    here = {c.item["id"]: c for c in copies(state, rep) if c.folder == folder}
    selected = at.select.split(",")
    if at.then is None:
        told = [_told(c, selected, immutable=immutable) for c in here.values()]
        if "$filter" in query:
            told = told[:MOST_FILTERED]
    else:
        then = datetime.fromtimestamp(at.then, UTC)
        earlier = state.cached(f"microsoft365.state.{at.then}", lambda: State(state.world, then))
        before = {c.item["id"]: c for c in copies(earlier, rep) if c.folder == folder}
        removed = [{"id": one, "@removed": {"reason": "deleted"}} for one in before if one not in here]
        slim = [name for name in selected if name in ("id", "parentFolderId", "isRead")]
        told = [*removed, *(_told(c, slim, immutable=immutable) for one, c in here.items() if before.get(one) != c)]
    size = min(MOST, int(match[1])) if (match := PAGE_SIZE.search(request.headers.get("prefer", ""))) else 10
    skip = at.skip or 0
    page: Item = {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Collection(message)",
        "value": told[skip : skip + size],
    }
    base = (
        str(request.url).partition("/mailFolders")[0] + f"/mailFolders('{_folder(state, rep, folder)}')/messages/delta"
    )
    if skip + size < len(told):
        page["@odata.nextLink"] = f"{base}?$skiptoken={_packed(at.then, skip + size, at.select)}"
    else:
        page["@odata.deltaLink"] = f"{base}?$deltatoken={_packed(state.now.timestamp(), None, at.select)}"
    return answered(page)


def _packed(then: float | None, skip: int | None, select: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(Round(then, skip, select))).decode()


def _told(copy: Copy, selected: list[str], *, immutable: bool) -> Item:
    item = {
        name: value
        for name, value in copy.item.items()
        if name in ("id", "@odata.etag", "@odata.type") or name in selected
    }
    if not immutable:
        item["id"] = f"{item['id']}{copy.folder}"
    if "internetMessageHeaders" in selected and copy.headers is not None:
        item["internetMessageHeaders"] = copy.headers
    return item


def copies(state: State, rep: str) -> list[Copy]:
    """The messages of a mailbox as they lie now, oldest first."""
    made: Callable[[], list[Copy]] = lambda: sorted(_copies(state, rep), key=lambda c: (c.received, c.item["id"]))  # noqa: E731
    found: list[Copy] = state.cached(f"microsoft365.{rep}", made)
    return found


def _copies(state: State, rep: str) -> Iterator[Copy]:
    box = mailbox(state, rep)
    for message in box.messages:
        places = [_place(message)]
        if places == ["sentitems"] and "INBOX" in message.labels:
            places.append("inbox")
        for place in places:
            yield _copy(state, rep, box, message, place)
    at = state.now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(hours=20)
    chat = {
        "id": f"AAkTeams{rep}",
        "parentFolderId": _folder(state, rep, "teams"),
        "sentDateTime": _spelt(at),
        "receivedDateTime": _spelt(at),
        "from": _person(box.email),
        "toRecipients": [_person("guest@cust.example")],
        "internetMessageId": f"<teams-{rep}@teams>",
    }
    yield Copy(at, "teams", chat, None)


def _place(message: Message) -> str:
    for label, folder in (("DRAFT", "drafts"), ("TRASH", "deleteditems"), ("SPAM", "junkemail"), ("SENT", "sentitems")):
        if label in message.labels:
            return folder
    return "customers" if int(message.id, 16) % 5 == 0 else "inbox"


def _copy(state: State, rep: str, box: Mailbox, message: Message, place: str) -> Copy:
    mail = message.mail
    at = datetime.fromtimestamp(message.internal_date / 1000, UTC)
    sent = place in ("sentitems", "drafts") or mail.from_.lower() == box.email.lower()
    headers = [{"name": name, "value": value} for name, value in message.headers]
    headers.insert(0, {"name": "Received", "value": f"from mx.example; {format_datetime(at)}"})
    item = {
        "@odata.etag": 'W/"CQAAAB"',
        "id": f"AAk{message.id}{'' if place != 'inbox' or 'SENT' not in message.labels else 'i'}",
        "internetMessageId": mail.message_id or f"<{message.id}@outlook.example>",
        "conversationId": f"AAQk{message.thread_id}",
        "subject": "A subject",
        "bodyPreview": "never to be kept",
        "from": _person(mail.from_),
        "toRecipients": [_person(a) for a in mail.to],
        "ccRecipients": [_person(a) for a in mail.cc],
        "bccRecipients": [_person(a) for a in mail.bcc] if sent else [],
        "sentDateTime": _spelt(at),
        "receivedDateTime": _spelt(at),
        "isDraft": place == "drafts",
        "parentFolderId": _folder(state, rep, place),
    }
    if mail.kind == "calendar":
        item["@odata.type"] = "#microsoft.graph.eventMessageRequest"
    return Copy(at.replace(microsecond=0), place, item, None if place in ("sentitems", "drafts") else headers)


def _person(address: str) -> Item:
    return {"emailAddress": {"name": "A Name", "address": address}}


def _spelt(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
