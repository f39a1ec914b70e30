"""HubSpot's API over a company's CRM, on date-based paths (`/crm/objects/2026-09/calls`) and any other version's.

Sources: HubSpot-public-api-spec-collection@9989379 (2026-09 rollouts), HubSpot's search, objects and usage guides, and
recorded responses. Rate limits, credentials and errors: hubspot_wire; search: hubspot_search; associations:
hubspot_links; owners, teams, logins, audit log, account, currencies: hubspot_people.

What the sandbox alone understands: `GET/POST /hubspot/__sandbox__/options` (hubspot_wire.Options) makes the account
lack scopes or an audit log, delays its search index, compares ids as text, or gives short pages.

Ids (sandbox.world_ids): owner ("hubspot.owner", key), login user ("hubspot.user", key), records ("hubspot.contacts",
key) and so on by plural type name; three id spaces for people, as in HubSpot (owner, settings user, users object).

| world | HubSpot |
|---|---|
| contact.emails | email, hs_additional_emails (`;`) |
| contact.phones | phone, mobilephone, hs_whatsapp_phone_number |
| contact.account, .owner | associatedcompanyid, hubspot_owner_id |
| account.territory, .segment | sales_territory, market_segment: as of now, changes in the history |
| merged_into, merged_at | the loser is gone, the survivor has hs_merged_object_ids |
| deal events | dealstage, pipeline, amount, deal_currency_code, hubspot_owner_id and their histories |
| deal.sourced_by, .close_date | sourced_by_owner_id, closedate (noon of the account's zone) |
| call.crm | hs_timestamp (timestamp), hs_createdate (logged_at), hs_call_duration (ms), hs_call_disposition (GUID) |
| call.crm.external_id | hs_call_external_id: the id of CloudTalk's first Cdr |
| call.result | hs_call_status: COMPLETED for answered and voicemail, else BUSY, NO_ANSWER, FAILED, CANCELED |
| mail.crm, hubspot sequencer | emails; hs_email_headers (JSON), hs_email_message_id, hs_sequence_id |
| a bounce that names the mail | hs_email_status BOUNCED, once nobody outside got it |
| meeting.host, .booked_by | hubspot_owner_id, hs_created_by_user_id; .attendees: hs_attendee_owner_ids |
| task.due_date | hs_timestamp, 08:00 in the rep's zone; .completed_by: hs_updated_by_user_id |
| created_by, via | hs_created_by_user_id, hs_object_source (CRM_UI, MOBILE_IOS, IMPORT, ...: hubspot_records.SOURCES) |
| crm_writes | versions in propertiesWithHistory: sourceType, updatedByUserId; of notes: hs_updated_by_user_id |
| edits, deleted_at | hs_lastmodifieddate; archived with archivedAt |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import hubspot_people as people
from sandbox.hubspot_links import batch_read as read_links
from sandbox.hubspot_records import document, shelf
from sandbox.hubspot_schema import (
    dispositions,
    object_type,
    pipeline_document,
    properties,
    property_definition,
    returned,
)
from sandbox.hubspot_search import search
from sandbox.hubspot_wire import (
    MAX_URL,
    Account,
    Ask,
    Json,
    Options,
    Refused,
    answer,
    authorise,
    check_scopes,
    decoded,
    grant,
    keep_limits,
    refused,
    stamp,
)
from sandbox.limits import Limits
from sandbox.world import World
from sandbox.world_deals import pipelines
from sandbox.world_state import Clock

MAX_LIST, MAX_LIST_WITH_HISTORY, MAX_BATCH, MAX_BATCH_WITH_HISTORY = 100, 50, 100, 50
MAX_BODY = 3000  # characters, of a search
VERSION = re.compile(r"^(\d{4}-\d{2}(-beta)?|v\d)$")

Handler = Callable[..., "Json | tuple[int, Json] | list[Json]"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path without its version; `*` stands for a part that is handed on. scopes: may name the type with `{0}`."""

    method: str
    path: str
    handler: Handler
    scopes: tuple[str, ...] = ()

    def match(self, method: str, parts: list[str]) -> list[str] | None:
        mine = self.path.split("/")
        if method != self.method or len(mine) != len(parts):
            return None
        if any(m not in ("*", p) for m, p in zip(mine, parts, strict=True)):
            return None
        return [p for m, p in zip(mine, parts, strict=True) if m == "*"]


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """HubSpot's endpoints, relative to https://api.hubapi.com."""
    del world  # the clock knows it
    account = Account(limits)

    async def options(request: Request) -> Response:
        if request.method == "POST":
            try:
                account.options = msgspec.json.decode(await request.body(), type=Options)
            except msgspec.DecodeError as error:
                return answer(400, {"message": f"options: {error}"})
        return answer(200, account.options)

    async def token(request: Request) -> Response:
        try:
            return answer(200, grant(account, dict(parse_qsl((await request.body()).decode()))))
        except Refused as error:
            return answer(error.status, error.body)

    async def everything(request: Request) -> Response:
        return _respond(request, await request.body(), clock, account)

    return [
        Route("/__sandbox__/options", options, methods=["GET", "POST"]),
        Route("/oauth/{version}/token", token, methods=["POST"]),
        Route("/{path:path}", everything, methods=["GET", "POST"]),
    ]


def _respond(request: Request, raw: bytes, clock: Clock, account: Account) -> Response:
    headers: Mapping[str, str] = {}
    try:
        authorise(account, request.headers.get("authorization", ""))
        endpoint, version, found = _endpoint(request)
        headers = keep_limits(account, search=endpoint.handler is _search)
        ask = Ask(str(request.path_params["path"]), version, request.query_params, decoded(raw), clock.state(), account)
        check_scopes(account, _scopes(endpoint, found))
        if endpoint.handler is _search and len(raw.decode()) > MAX_BODY:
            raise refused(400, f"The request body must not be longer than {MAX_BODY} characters.")
        told = endpoint.handler(ask, *found)
    except Refused as error:
        return answer(error.status, error.body, {**headers, **error.headers})
    if isinstance(told, tuple):
        return answer(told[0], told[1], headers)
    return answer(200, told, headers)


def _endpoint(request: Request) -> tuple[Endpoint, str, list[str]]:
    if len(str(request.url)) > MAX_URL:
        raise refused(414, "URI Too Long")
    parts = str(request.path_params["path"]).strip("/").split("/")
    versions = [part for part in parts if VERSION.match(part)]
    plain = [part for part in parts if not VERSION.match(part)]
    for endpoint in ENDPOINTS if len(versions) == 1 else ():
        found = endpoint.match(request.method, plain)
        if found is not None:
            return endpoint, versions[0], found
    raise refused(404, "resource not found", "OBJECT_NOT_FOUND")


def _scopes(endpoint: Endpoint, found: list[str]) -> set[str]:
    def name(scope: str, n: int) -> str:
        return scope.replace(f"{{{n}}}", _scope_name(found[n])) if f"{{{n}}}" in scope else scope

    return {name(name(scope, 0), 1) for scope in endpoint.scopes}


def _scope_name(name: str) -> str:
    """The type whose scope opens a type: engagements come with contacts."""
    kind = object_type(name)
    return kind if kind in ("companies", "deals", "users") else "contacts"


def _list(ask: Ask, name: str) -> Json:
    """One page of all records of a type, archived or not, in order of id."""
    kind, history = object_type(name), ask.names("propertiesWithHistory")
    size = ask.shown(ask.size("limit", 10, MAX_LIST_WITH_HISTORY if history else MAX_LIST))
    found, after = shelf(ask.state, kind), ask.query.get("after")
    if after is not None and not after.isdigit():
        raise refused(400, "Invalid input: the paging cursor has expired or is not valid.")
    records = found.archived if ask.flag("archived") else found.live
    rest = [r for r in records if int(r.id) >= int(after)] if after else records
    names = returned(kind, ask.names("properties"))
    page: Json = {"results": [document(kind, r, found.names, names, history) for r in rest[:size]]}
    if len(rest) > size:
        page["paging"] = ask.next_page(rest[size].id)
    return page


def _one(ask: Ask, name: str, identifier: str) -> Json:
    kind = object_type(name)
    found = shelf(ask.state, kind)
    record = found.by_id.get(identifier)
    if record is None or (record.archived_at is not None) != ask.flag("archived"):
        raise refused(404, "Object not found.  objectId are usually numeric.", "OBJECT_NOT_FOUND")
    names = returned(kind, ask.names("properties"))
    return document(kind, record, found.names, names, ask.names("propertiesWithHistory"))


def _batch_read(ask: Ask, name: str) -> tuple[int, Json]:
    """Records by id; ids that are not there make the answer a 207 with one error for all of them."""
    kind, body = object_type(name), ask.body
    inputs = [str(i.get("id")) for i in cast("list[Json]", body.get("inputs") or [])]
    history = [str(n) for n in body.get("propertiesWithHistory") or []]
    most = MAX_BATCH_WITH_HISTORY if history else MAX_BATCH
    if not 1 <= len(inputs) <= most:
        what = "for property histories is" if history else "is"
        raise refused(400, f"The maximum number of inputs supported in a batch request {what} {most}.")
    found = shelf(ask.state, kind)
    names = returned(kind, [str(n) for n in body.get("properties") or []])
    archived = ask.flag("archived")
    there = [
        r for r in (found.by_id.get(i) for i in dict.fromkeys(inputs)) if r and (r.archived_at is not None) == archived
    ]
    now = stamp(ask.state.now)
    told: Json = {"status": "COMPLETE", "startedAt": now, "completedAt": now}
    told["results"] = [document(kind, r, found.names, names, history) for r in there]
    missing = sorted(set(inputs) - {r.id for r in there})
    if not missing:
        return 200, told
    message = f"Could not get some {kind.upper()} objects, they may be deleted or not exist. Check that ids are valid."
    error = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": {"ids": missing}}
    return 207, told | {"numErrors": 1, "errors": [error]}


def _search(ask: Ask, name: str) -> Json:
    return search(ask, name)


def _properties(ask: Ask, name: str) -> Json:
    found = {} if ask.flag("archived") else properties(ask.state.world, object_type(name))
    return {"results": [property_definition(p) for p in found.values()]}


def _property(ask: Ask, name: str, wanted: str) -> Json:
    found = properties(ask.state.world, object_type(name)).get(wanted)
    if found is None:
        raise refused(404, f'Property "{wanted}" does not exist', "OBJECT_NOT_FOUND")
    return property_definition(found)


def _pipelines(ask: Ask) -> Json:
    return {"results": [pipeline_document(p) for p in pipelines(ask.state.world)]}


def _pipeline(ask: Ask, identifier: str) -> Json:
    for pipeline in pipelines(ask.state.world):
        if pipeline.id == identifier:
            return pipeline_document(pipeline)
    raise refused(404, "resource not found", "OBJECT_NOT_FOUND")


def _dispositions(ask: Ask) -> list[Json]:
    return [{"id": guid, "label": label, "deleted": False} for label, guid in dispositions(ask.state.world).items()]


_TYPE = ("crm.objects.{0}.read",)
_SECURITY, _CURRENCY = ("account-info.security.read",), ("multi-currency-read",)
_OWNERS, _TEAMS = ("crm.objects.owners.read",), ("settings.users.teams.read",)
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "crm/objects/*", _list, _TYPE),
    Endpoint("GET", "crm/objects/*/*", _one, _TYPE),
    Endpoint("POST", "crm/objects/*/search", _search, _TYPE),
    Endpoint("POST", "crm/objects/*/batch/read", _batch_read, _TYPE),
    Endpoint("POST", "crm/associations/*/*/batch/read", read_links, ("crm.objects.{0}.read", "crm.objects.{1}.read")),
    Endpoint("GET", "crm/properties/*", _properties, _TYPE),
    Endpoint("GET", "crm/properties/*/*", _property, _TYPE),
    Endpoint("GET", "crm/pipelines/deals", _pipelines, ("crm.objects.deals.read",)),
    Endpoint("GET", "crm/pipelines/deals/*", _pipeline, ("crm.objects.deals.read",)),
    Endpoint("GET", "crm/owners", people.owners, _OWNERS),
    Endpoint("GET", "crm/owners/*", people.owner, _OWNERS),
    Endpoint("GET", "settings/teams", people.teams, _TEAMS),
    Endpoint("GET", "settings/users/teams", people.teams, _TEAMS),
    Endpoint("GET", "settings/teams/*/members", people.team_members, _TEAMS),
    Endpoint("GET", "settings/users", people.settings_users, ("settings.users.read",)),
    Endpoint("GET", "account-info/activity/login", people.logins, _SECURITY),
    Endpoint("GET", "account-info/activity/audit-logs", people.audit_logs, _SECURITY),
    Endpoint("GET", "account-info/details", people.account_details, ("oauth",)),
    Endpoint("GET", "account-info/api-usage/daily/private-apps", people.usage, ()),
    Endpoint("GET", "settings/currencies/company-currency", people.company_currency, _CURRENCY),
    Endpoint("GET", "settings/currencies/exchange-rates", people.exchange_rates, _CURRENCY),
    Endpoint("GET", "settings/currencies/exchange-rates/current", people.current_rates, _CURRENCY),
    Endpoint("GET", "calling/dispositions", _dispositions, ("crm.objects.contacts.read",)),
)
