"""HubSpot: owners, teams, CRM records, activities with their associations and histories, pipelines, sign-ins.

Docs: developers.hubspot.com, date-based API 2026-09 (GA 2026-09-08; v1-v4 paths unsupported from September 2027).
Limits: 190 requests per 10 s for a private app or service key on Professional and Enterprise (100 on Free and Starter, 250
with the API add-on), and 5 searches a second for the whole account, all its apps together. A 429 names its policy
(TEN_SECONDLY_ROLLING, SECONDLY, DAILY); Retry-After is not reliably there; search answers carry no rate headers.
Three id spaces for people: owner id (hubspot_owner_id), settings user id (hs_created_by_user_id, updatedByUserId, sign-ins)
and the id of the users object. Bodies, subjects and titles are never asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
import msgspec

from . import hubspot_by_ids as by_ids
from . import hubspot_price as price
from .auth import BearerAuth, OAuthRefreshAuth
from .client import Client, Denied, Fail, Reauth, Retry, Verdict, judge_http
from .hubspot_search import search
from .hubspot_settings import HubSpotSettings
from .limits import Budget, Day, Limiter, Told, shared
from .paging import cursor_pages, records_of, value_at
from .stream import (
    ByIds,
    Changes,
    Check,
    ConnectorError,
    FormatChanged,
    Page,
    PermissionMissing,
    Price,
    Snapshot,
    Stream,
    Traffic,
    Window,
)

__all__ = ["HubSpot", "HubSpotSettings"]

VERSION = "2026-09"
LIST_SIZE = 100
NEXT = "paging.next.after"
CLOCK_SLACK = timedelta(minutes=1)  # of the quarter of an hour by which the search index may be late
SEARCH_COST = {"requests": 1, "search": 1}

_SOURCE = (
    "hs_object_source",
    "hs_object_source_label",
    "hs_created_by_user_id",
    "hs_updated_by_user_id",
    "hubspot_owner_id",
)
_ACTIVITY = (*_SOURCE, "hs_timestamp", "hs_createdate", "hs_lastmodifieddate")
_RECORD = (*_SOURCE, "createdate", "hs_merged_object_ids")

# Object type and the properties that the metrics need; never a body, a subject or a title.
OBJECTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "crm_contact": (
        "contacts",
        (*_RECORD, "lastmodifieddate", "email", "hs_additional_emails", "phone", "mobilephone", "hs_whatsapp_phone_number",
         "associatedcompanyid", "hs_calculated_merged_vids", "first_conversion_date"),
    ),
    "crm_company": ("companies", (*_RECORD, "hs_lastmodifieddate", "name", "domain")),
    "crm_deal": (
        "deals",
        (*_RECORD, "hs_lastmodifieddate", "dealname", "dealstage", "pipeline", "amount", "deal_currency_code", "closedate",
         "notes_next_activity_date"),
    ),
    "crm_call": (
        "calls",
        (*_ACTIVITY, "hs_call_direction", "hs_call_disposition", "hs_call_duration", "hs_call_status", "hs_call_from_number",
         "hs_call_to_number", "hs_call_app_id", "hs_call_external_id"),
    ),
    "crm_email": (
        "emails",
        (*_ACTIVITY, "hs_email_direction", "hs_email_status", "hs_email_message_id", "hs_email_thread_id", "hs_email_headers",
         "hs_email_from_email", "hs_email_to_email", "hs_email_cc_email", "hs_email_bcc_email", "hs_sequence_id"),
    ),
    "crm_meeting": (
        "meetings",
        (*_ACTIVITY, "hs_meeting_start_time", "hs_meeting_end_time", "hs_meeting_outcome", "hs_i_cal_uid", "hs_attendee_owner_ids"),
    ),
    "crm_task": ("tasks", (*_ACTIVITY, "hs_task_status", "hs_task_type", "hs_task_completion_date")),
    "crm_note": ("notes", _ACTIVITY),
}  # fmt: skip
# What describes a contact: wiped when the person is forgotten. When and by whom it was changed stays, for CRM usage.
CONTACT = ("properties.firstname", "properties.lastname", "properties.jobtitle")
CONTACT_HISTORY = ("propertiesWithHistory.*.value", "propertiesWithHistory.*.sourceId")
SCOPES = {
    "crm_contact": "crm.objects.contacts.read",
    "crm_company": "crm.objects.companies.read",
    "crm_deal": "crm.objects.deals.read",
}
FEEDS = {
    "crm_contact": "contacts: conversations and mail pressure by contact, records created",
    "crm_company": "companies: territory and segment, records created",
    "crm_deal": "deals and pipeline created, won and lost",
    "crm_call": "logged calls and their outcomes, logging in time",
    "crm_email": "logged and sequence mails",
    "crm_meeting": "meetings booked and held",
    "crm_task": "completed tasks in CRM usage",
    "crm_note": "notes in CRM usage",
}


def modified_property(object_type: str) -> str:
    """The property that search filters changes by; contacts' has another name than everybody else's."""
    return "lastmodifieddate" if object_type == "contacts" else "hs_lastmodifieddate"


def _object_stream(name: str, settings: HubSpotSettings) -> Stream:
    happened = {"crm_contact": "createdate", "crm_company": "createdate", "crm_deal": "createdate"}.get(
        name, "hs_timestamp"
    )
    return Stream(
        name=name,
        reading=Changes(lookback=settings.lookback, relist=timedelta(days=settings.relist_days)),
        updated_at="updatedAt",
        happened_at=f"properties.{happened}",
        deleted="archived",
        scopes=(SCOPES.get(name, "crm.objects.contacts.read"),),
        feeds=FEEDS[name],
        personal=CONTACT if name == "crm_contact" else (),
    )


def streams_of(settings: HubSpotSettings) -> tuple[Stream, ...]:
    """What is read, with each stream's key, clock and permission."""
    activities = ("crm_call", "crm_email", "crm_meeting", "crm_task", "crm_note")
    streams = [
        Stream("crm_user", Snapshot(), updated_at="updatedAt", scopes=("crm.objects.owners.read",), feeds="who is who in the CRM"),
        Stream("crm_user_profile", Snapshot(), updated_at="updatedAt", scopes=("crm.objects.users.read",),
               feeds="time zones of reps that reps.csv gives none for"),
        Stream("crm_team", Snapshot(), scopes=("settings.users.teams.read",), feeds="the hierarchy of teams"),
        *(_object_stream(name, settings) for name in OBJECTS),
        Stream("crm_pipeline_stage", Snapshot(), updated_at="updatedAt", scopes=("crm.objects.deals.read",),
               feeds="which stages are won and lost"),
        Stream("crm_call_outcome", Snapshot(), scopes=("crm.objects.contacts.read",), feeds="names of call outcomes"),
        Stream("crm_account", Snapshot(), key=("portalId",), scopes=("oauth",), feeds="the account's currency and time zone"),
        Stream("crm_exchange_rate", Snapshot(), updated_at="updatedAt", scopes=("multi-currency-read",), optional=True,
               feeds="amounts in currencies that fx.csv has no rate for"),
        Stream("crm_login", Snapshot(), happened_at="loginAt", scopes=("account-info.security.read",),
               feeds="sign-ins as evidence of CRM usage", personal=("ipAddress", "location", "userAgent")),
        Stream("crm_association", ByIds((*activities, "crm_deal", "crm_contact"), "recent"),
               key=("from_type", "from_id", "to_type"), scopes=("crm.objects.contacts.read",),
               feeds="which contact, company and deal an activity belongs to"),
        Stream("crm_deal_history", ByIds(("crm_deal",)), updated_at="updatedAt", scopes=("crm.objects.deals.read",),
               feeds="stages and amounts as they were; deal edits in CRM usage"),
        Stream("crm_contact_history", ByIds(("crm_contact",)), updated_at="updatedAt", scopes=("crm.objects.contacts.read",),
               feeds="contact edits in CRM usage", personal=CONTACT_HISTORY),
        Stream("crm_company_history", ByIds(("crm_company",)), updated_at="updatedAt", scopes=("crm.objects.companies.read",),
               feeds="company edits in CRM usage"),
    ]  # fmt: skip
    if settings.audit_log == "auto":
        streams.append(
            Stream("crm_audit", Snapshot(), happened_at="occurredAt", scopes=("account-info.security.read",), optional=True,
                   feeds="nothing that is published: the audit log (Enterprise) is kept as evidence beside property histories")
        )  # fmt: skip
    return tuple(streams)


class HubSpot:
    """One HubSpot account."""

    name = "hubspot"
    system: Literal["crm", "dialer", "mail"] = "crm"
    streams: Sequence[Stream] = streams_of(HubSpotSettings.model_construct())
    # Record pages are addressed by the portal and the type's id: hubspot.com's own "Copy link to record".
    links: Mapping[str, str] = {
        kind: f"https://{{domain}}/contacts/{{account}}/record/{number}/{{id}}"
        for kind, number in {
            "contact": "0-1", "company": "0-2", "deal": "0-3", "meeting": "0-47", "call": "0-48", "email": "0-49",
        }.items()
    }  # fmt: skip

    def __init__(
        self, settings: HubSpotSettings, *, workspace: str, now: datetime, mailboxes: Sequence[str] = ()
    ) -> None:
        del mailboxes  # of no use to a CRM
        self.workspace = workspace
        self.now = now
        self.streams = streams_of(settings)
        self._settings = settings
        self._limiter = shared(self.name, f"{settings.base_url} {workspace}", budgets_of(settings))
        self._client = Client(
            source=self.name,
            base_url=settings.base_url,
            auth=_auth(settings),
            limiter=self._limiter,
            judge=judge,
            tells=tells,
            network=settings.network,
        )

    @property
    def limiter(self) -> Limiter:
        return self._limiter

    def close(self) -> None:
        self._client.close()

    def partitions(self, stream: Stream) -> Sequence[str]:
        del stream
        return ("",)

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """The pages of a window; see connectors.stream.Connector."""
        name = window.stream
        if name in OBJECTS:
            return self._objects(window, traffic)
        if name == "crm_association":
            return by_ids.associations(self._poster(traffic), VERSION, known)
        if name.endswith("_history"):
            return self._history(window, known, traffic)
        if name in ("crm_user", "crm_user_profile"):
            path = f"/crm/owners/{VERSION}" if name == "crm_user" else f"/crm/objects/{VERSION}/users"
            extra: dict[str, Any] = {
                "properties": "hs_standard_time_zone,hs_internal_user_id,hs_email,hubspot_owner_id"
            }
            return self._list(path, extra if name == "crm_user_profile" else {}, traffic, archived=(False, True))
        if name in ("crm_login", "crm_audit"):
            what = {"crm_login": "login", "crm_audit": "audit-logs"}[name]
            return self._until_known(f"/account-info/{VERSION}/activity/{what}", known.get(name, ()), traffic)
        if name == "crm_exchange_rate":
            return self._list(f"/settings/currencies/{VERSION}/exchange-rates", {}, traffic, archived=())
        return self._small(name, traffic)

    def check(self) -> Iterator[Check]:
        """One small real call for every permission."""
        traffic = Traffic()
        calls: list[tuple[str, str, dict[str, Any]]] = [
            ("crm.objects.owners.read", f"/crm/owners/{VERSION}", {"limit": 1}),
            *(
                (SCOPES.get(n, f"{SCOPES['crm_contact']} ({t})"), f"/crm/objects/{VERSION}/{t}", {"limit": 1})
                for n, (t, _) in OBJECTS.items()
            ),
            ("account-info.security.read", f"/account-info/{VERSION}/activity/login", {"limit": 1}),
        ]
        for scope, path, params in calls:
            try:
                self._client.fetch("GET", path, params=params, traffic=traffic)
                yield Check(self.name, scope, True, f"GET {path} answered")
            except PermissionMissing as error:
                remedy = f"Grant the scope {scope} to the key or app, then run this again."
                yield Check(self.name, scope, False, str(error), remedy)
            except ConnectorError as error:  # not a matter of scopes: the other calls would fare alike
                yield Check(self.name, scope, False, str(error))
                return

    def count(self, window: Window) -> int | None:
        """Of an object, what search counts; see connectors.stream.Connector."""
        if window.stream not in OBJECTS:
            return None
        kind, _ = OBJECTS[window.stream]
        body = self._poster(Traffic(), SEARCH_COST)(
            f"/crm/objects/{VERSION}/{kind}/search", price.counting(window, modified_property(kind))
        )
        total = value_at(body, "total")
        return total if isinstance(total, int) else None

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """See connectors.stream.Connector."""
        return price.price(windows, records, LIST_SIZE, windows[0].stream in OBJECTS)

    def _properties(self, stream: str) -> list[str]:
        own = {
            "crm_company": (self._settings.territory_property, self._settings.segment_property),
            "crm_deal": (self._settings.sourcing_property,),
        }
        return sorted({*OBJECTS[stream][1], *own.get(stream, ())})

    def _objects(self, window: Window, traffic: Traffic) -> Iterator[Page]:
        """A full listing, or what changed; then what is archived, which neither shows."""
        kind, _ = OBJECTS[window.stream]
        properties = self._properties(window.stream)
        path = f"/crm/objects/{VERSION}/{kind}"
        params = {"properties": ",".join(properties)}
        if window.kind == "full":
            yield from self._list(path, params, traffic, archived=(False,))
        else:
            if window.start is None or window.end is None:
                raise ValueError(f"{window.window_id}: a changes window has a start and an end")
            post = self._poster(traffic, SEARCH_COST)
            what = f"hubspot: POST {path}/search"
            # The end is the run's clock: what is stamped later belongs to the next run, which looks back.
            yield from search(
                lambda body: post(f"{path}/search", body),
                modified_property(kind),
                properties,
                window.start,
                window.end,
                what,
            )
        yield from self._list(path, params, traffic, archived=(True,))
        self._check_clock(window)

    def _check_clock(self, window: Window) -> None:
        """A clock of ours that is ahead would have the next run begin after changes that this one has not seen."""
        ahead = timedelta(seconds=self._client.ahead)
        if ahead > self._settings.lookback + CLOCK_SLACK:
            raise ConnectorError(
                f"{window.window_id}: this machine's clock is {ahead.total_seconds() / 60:.0f} minutes ahead of HubSpot's, more than the "
                f"{self._settings.lookback_minutes} that changes are read again (hubspot.lookback_minutes): some would be lost. Nothing was "
                "landed. Set the clock (NTP) and run again."
            )

    def _list(
        self, path: str, params: Mapping[str, Any], traffic: Traffic, *, archived: Sequence[bool]
    ) -> Iterator[Page]:
        """All pages; of what can be archived, first the one kind and then the other. An empty `archived` asks without."""
        for asked in [{"archived": str(flag).lower()} for flag in archived] or [{}]:
            for body in self._pages(path, {**params, **asked}, traffic):
                records, rejected = records_of(body, "results")
                yield Page(records=records, rejected=rejected)

    def _pages(self, path: str, params: Mapping[str, Any], traffic: Traffic) -> Iterator[bytes]:
        def fetch(cursor: str | None) -> bytes:
            after = {"after": cursor} if cursor is not None else {}
            return self._client.fetch("GET", path, params={"limit": LIST_SIZE, **params, **after}, traffic=traffic)

        return cursor_pages(fetch, NEXT, f"{self.name}: GET {path}")

    def _until_known(self, path: str, known: Sequence[str], traffic: Traffic) -> Iterator[Page]:
        """Newest first, without a date filter: on until a page holds what landed before. Sign-ins are kept for 90 days only."""
        before = set(known)
        for body in self._pages(path, {}, traffic):
            records, rejected = records_of(body, "results")
            yield Page(records=records, rejected=rejected)
            if before.intersection(str(r.id) for r in msgspec.json.decode(body, type=by_ids.Results).results):
                return

    def _small(self, name: str, traffic: Traffic) -> Iterator[Page]:
        """Lists without pages."""
        paths = {
            "crm_team": f"/settings/teams/{VERSION}-beta",
            "crm_pipeline_stage": f"/crm/pipelines/{VERSION}/deals",
            "crm_call_outcome": "/calling/v1/dispositions",
            "crm_account": f"/account-info/{VERSION}/details",
        }
        body = self._client.fetch("GET", paths[name], traffic=traffic)
        if name == "crm_account" and value_at(body, "portalId") is None:
            raise FormatChanged(f"hubspot: GET {paths[name]}: no portalId in {body[:200]!r}; the window stays due.")
        if name == "crm_account":  # one object, and a bare list: given the shape of the others
            body = b'{"results": [' + body + b"]}"
        elif name == "crm_call_outcome":
            body = b'{"results": ' + body + b"}"
        records, rejected = records_of(body, "results")
        yield Page(records=records, rejected=rejected)

    def _history(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        parent = window.stream.removesuffix("_history")
        kind = OBJECTS[parent][0]
        ids = known.get(parent, ())
        if not ids:
            return
        body = self._client.fetch("GET", f"/crm/properties/{VERSION}/{kind}", traffic=traffic)
        placed = (self._settings.territory_property, self._settings.segment_property) if parent == "crm_company" else ()
        names = by_ids.watched_properties(body, kind, self._settings.history_properties, placed)
        yield from by_ids.histories(self._poster(traffic), f"/crm/objects/{VERSION}/{kind}/batch/read", ids, names)

    def _poster(self, traffic: Traffic, cost: Mapping[str, int] | None = None) -> by_ids.Post:
        def post(path: str, body: dict[str, Any]) -> bytes:
            return self._client.fetch("POST", path, json=body, cost=cost, traffic=traffic)

        return post


def _auth(settings: HubSpotSettings) -> httpx.Auth:
    if settings.token is not None:
        return BearerAuth(settings.token.get_secret_value())
    assert settings.client_id and settings.client_secret and settings.refresh_token  # the settings' own validator
    return OAuthRefreshAuth(
        token_url=f"{settings.base_url}/oauth/{VERSION}/token",
        client_id=settings.client_id,
        client_secret=settings.client_secret.get_secret_value(),
        refresh_token=settings.refresh_token.get_secret_value(),
    )


def budgets_of(settings: HubSpotSettings) -> dict[str, Budget | Day]:
    """HubSpot counts a request when it comes in: at least 4 % of a window are left for ways and queues of unequal length."""
    reserve = settings.reserve
    return {
        "requests": Budget(settings.requests_per_10_seconds, 10.0, reserve, transit=0.4),
        "search": Budget(settings.search_per_second, 1.0, reserve, transit=0.04),
        # Its limit is told by every answer but search's; an OAuth app has none.
        "day": Day(None, settings.time_zone, reserve),
    }


def tells(response: httpx.Response) -> Iterator[Told]:
    """What HubSpot's headers say of the limits. Of the burst limit only if it is one of ten seconds, as ours."""
    head = response.headers
    if head.get("X-HubSpot-RateLimit-Interval-Milliseconds", "10000") == "10000":
        limit, left = (_whole(head.get(f"X-HubSpot-RateLimit-{name}")) for name in ("Max", "Remaining"))
        if limit is not None:
            yield Told("requests", limit, left)
    limit, left = (_whole(head.get(f"X-HubSpot-RateLimit-{name}")) for name in ("Daily", "Daily-Remaining"))
    if response.status_code == 429 and _document(response).get("policyName") == "DAILY":
        left = 0
    if limit is not None or left is not None:
        yield Told("day", limit, left)


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 12 else None


def judge(response: httpx.Response) -> Verdict:
    """HubSpot's own answers: limits by policyName, missing scopes by name. Source: error-handling and usage guides."""
    if response.status_code == 429:
        return _limited(response)
    if response.status_code == 401:
        return Reauth(
            "The token is not accepted. Make a new service key (Development > Keys), or check that this one was not rotated."
        )
    if response.status_code == 403:
        scopes = _scopes(_document(response))
        return Denied(f"Grant the scope {scopes or 'that this call needs'} to the key or app in HubSpot.", scopes)
    if response.status_code == 423:
        return Retry("the record is locked", after=2.0)
    return judge_http(response)


def _limited(response: httpx.Response) -> Verdict:
    policy = str(_document(response).get("policyName", ""))
    told = judge_http(response)
    after = told.after if isinstance(told, Retry) else None
    if policy == "DAILY":
        return Fail("The account's daily limit is used up; it begins anew at midnight in the account's time zone.")
    burst = policy.startswith("TEN_SECONDLY")
    return Retry(
        f"limit {policy or 'of the account'} reached",
        after=after if after is not None else 10.0 if burst else 1.0,
        everyone=True,
        budget="requests" if burst else "search" if response.request.url.path.endswith("/search") else "",
    )


def _document(response: httpx.Response) -> Mapping[str, Any]:
    try:
        found: Any = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _scopes(document: Mapping[str, Any]) -> str:
    """Names of missing scopes: context.requiredGranularScopes or requiredScopes, at the top or in errors."""
    places: list[Any] = [document, *(document.get("errors") or [])]
    found: list[str] = []
    for place in places:
        context = place.get("context") or {} if isinstance(place, dict) else {}
        for key in ("requiredGranularScopes", "requiredScopes"):
            found += [str(scope) for scope in context.get(key) or []]
    return " or ".join(dict.fromkeys(found))
