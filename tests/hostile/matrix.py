"""Which faults are tried on which streams, and what must come of each. docs/network.md shows this as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from connectors.salesforce_objects import OBJECTS as SALESFORCE

Rule = dict[str, Any]
Match = dict[str, str]
# Where each stream's requests go: regular expressions of the path, or of the query.
OBJECTS = ("contacts", "companies", "deals", "calls", "emails", "meetings", "tasks", "notes")
NAMES = {"companies": "crm_company", "contacts": "crm_contact"}
HISTORIES = {f"{NAMES.get(kind, f'crm_{kind[:-1]}')}_history": kind for kind in ("contacts", "companies", "deals")}


def at(**paths: str) -> Mapping[str, Match]:
    return {stream: {"path": path} for stream, path in paths.items()}


PLACES: Mapping[str, Mapping[str, Match]] = {
    "hubspot": at(
        crm_user="/crm/owners/",
        crm_user_profile="/objects/[^/]+/users$",
        crm_team="/settings/teams/",
        **{NAMES.get(kind, f"crm_{kind[:-1]}"): f"/objects/[^/]+/{kind}(/search)?$" for kind in OBJECTS},
        crm_pipeline_stage="/crm/pipelines/",
        crm_call_outcome="/dispositions$",
        crm_account="/account-info/[^/]+/details$",
        crm_exchange_rate="/exchange-rates$",
        crm_login="/activity/login$",
        crm_audit="/activity/audit-logs$",
        crm_association="/crm/associations/",
        **{stream: f"/objects/[^/]+/{kind}/batch/read$" for stream, kind in HISTORIES.items()},
    ),
    "salesforce": {
        stream: {"path": "^/salesforce/.*/query(All)?$", "query": rf"FROM(\+|%20){one.name}(\+|%20|&|$)"}
        for stream, one in SALESFORCE.items()
    },
    "pipedrive": at(
        crm_user="^/pipedrive/v1/users$",
        crm_team="/v1/roles$",
        crm_account="/v1/users/me$",
        crm_pipeline="/api/v2/pipelines$",
        crm_pipeline_stage="/api/v2/stages$",
        crm_company_field="/api/v2/organizationFields$",
        crm_contact="/api/v2/persons$",
        crm_company="/api/v2/organizations$",
        crm_deal="/api/v2/deals(/archived)?$",
        crm_activity="/api/v2/activities$",
        crm_note="/v1/notes$",
        crm_deal_history="/v1/deals/[^/]+/changelog$",
        crm_company_history="/v1/organizations/[^/]+/changelog$",
        crm_contact_history="/v1/persons/[^/]+/changelog$",
        crm_mail="/v1/persons/[^/]+/mailMessages$",
    ),
    "cloudtalk": at(
        dialer_user="/agents/", dialer_group="/groups/", dialer_number="/numbers/", dialer_call="/calls/index"
    ),
    "aircall": at(
        **{f"dialer_{name[:-1]}": f"^/aircall/.*/{name}$" for name in ("users", "teams", "numbers", "calls")}
    ),
    "dialpad": at(
        dialer_user="^/dialpad/.*/users$", dialer_number="^/dialpad/.*/numbers$", dialer_call="^/dialpad/.*/call$"
    ),
    "gmail": at(
        mail_account="/profile$",
        mail_message="/gmail/v1/.*/messages$|/batch/|/history$",
        mail_count="/admin/reports/v1/usage/",
    ),
    "microsoft365": {
        "mail_account": {"path": "^/microsoft365/v1.0/users/[^/]+$"},
        "mail_folder": {"path": "/mailFolders/"},
        "mail_message": {"path": "/v1.0/users/[^/]+/messages$"},
        "mail_message by rounds": {"path": "/messages/delta$"},
        "mail_count": {"path": "/v1.0/reports/"},
        "mail_count's file": {"path": "/reports-data/"},
    },
    "okta": at(
        tool_user="/okta/api/v1/users$",
        tool_app="/okta/api/v1/apps$",
        tool_app_user="/okta/api/v1/apps/[^/]+/users$",
        tool_action="/okta/api/v1/logs$",
    ),
    "google_admin": at(tool_action="^/google_admin/admin/"),
    "entra": at(tool_action="/signIns$"),
    "outreach": at(
        seq_user="/outreach/api/v2/users$",
        seq_call_disposition="/callDispositions$",
        seq_send="/mailings$",
        seq_state="/sequenceStates$",
        seq_task="/outreach/api/v2/tasks$",
        seq_call="/outreach/api/v2/calls$",
    ),
    "salesloft": at(
        seq_user="/salesloft/v2/users$",
        seq_send="/activities/emails$",
        seq_reply="/activity_histories$",
        seq_state="/cadence_memberships$",
        seq_task="/salesloft/v2/tasks$",
        seq_call="/activities/calls$",
        seq_call_record="/call_data_records$",
    ),
}
SOURCES = tuple(PLACES)
# Whose credential is a token that is fetched, and from where.
TOKENS = {
    "hubspot": "^/hubspot/.*token$",
    "salesforce": "^/salesforce/.*token$",
    "pipedrive": "^/pipedrive/oauth/token$",
    "gmail": "^/gmail/token$",
    "microsoft365": "^/microsoft365/.*token$",
    "google_admin": "^/google_admin/token$",
    "entra": "^/entra/.*token$",
    "outreach": "^/outreach/oauth/token$",
    "salesloft": "^/salesloft/oauth/token$",
}
# Pipedrive's lists that are paged by cursor.
CURSORS = (
    *("crm_pipeline", "crm_pipeline_stage", "crm_company_field"),
    *("crm_contact", "crm_company", "crm_deal", "crm_activity"),
)
# Lists that come in pages; the others are one answer.
PAGED: Mapping[str, Sequence[str]] = {
    **{
        source: tuple(PLACES[source])
        for source in (
            *("salesforce", "cloudtalk", "aircall", "dialpad", "okta", "google_admin", "entra"),
            *("outreach", "salesloft"),
        )
    },
    "hubspot": ("crm_user", "crm_user_profile", *(NAMES.get(k, f"crm_{k[:-1]}") for k in OBJECTS)),
    "pipedrive": (*CURSORS, "crm_team", "crm_note"),
    "gmail": ("mail_message",),
    "microsoft365": ("mail_message",),
}
# Nothing counts these lists: a record that a page, or the last page of notes, leaves out is found by the next full listing only.
LISTED = {
    "hubspot": tuple(NAMES.get(kind, f"crm_{kind[:-1]}") for kind in OBJECTS),
    "pipedrive": (*CURSORS, "crm_note"),
}
Outcome = Literal["retried", "window fails", "read"]


@dataclass(frozen=True)
class Case:
    """A fault that strikes every stream of the sources.

    rule: the fault, armed once for each stream. outcome of the run that meets it, the next one is always whole: 'retried': every
    window is read all the same; 'window fails': every stream that it strikes stays due; 'read': either. more: rules beside it.
    """

    name: str
    rule: Rule
    outcome: Outcome
    sources: Sequence[str] = SOURCES
    paged: bool = False
    more: Sequence[Rule] = ()
    network: Mapping[str, float] = field(default_factory=dict[str, float])
    versions: bool = True  # are there no more versions than without the fault?
    without: Mapping[str, Sequence[str]] = field(
        default_factory=dict[str, Sequence[str]]
    )  # streams that it is not tried on

    def tried(self, source: str) -> list[str]:
        """The streams of a source that the fault is aimed at."""
        if not self.rule or source not in self.sources:
            return []
        there = PAGED[source] if self.paged else PLACES[source]
        return [stream for stream in PLACES[source] if stream in there and stream not in self.without.get(source, ())]

    def rules(self) -> list[Rule]:
        """The fault, aimed at each stream of its own."""
        places = [PLACES[source][stream] for source in SOURCES for stream in self.tried(source)]
        once_each = {tuple(place.items()): place for place in places}  # Salesforce's calls and tasks lie in one object
        return [*self.more, *({**self.rule, "match": place} for place in once_each.values())]


def once(fault: str, **more: Any) -> Rule:
    return {"fault": fault, "times": 1, **more}


def always(fault: str, **more: Any) -> Rule:
    return {"fault": fault, **more}


def at_token_endpoints(fault: str) -> Sequence[Rule]:
    return [once(fault, match={"path": path}) for path in TOKENS.values()]


SMALL_PAGES = always("small_pages", size=2)
HOUR = 3600
SIZE = 8_000_000  # bytes; the bound is set to 1 MiB
CASES = (
    Case("429 with Retry-After", once("429", retry_after=0), "retried"),
    Case("429 without Retry-After", once("429", policy="SECONDLY"), "retried"),
    Case(
        "429 with Retry-After as a date, server's clock an hour ahead",
        once("429", retry_at=True, seconds=HOUR),
        "retried",
        more=[always("skew", seconds=HOUR)],
    ),
    Case("500", once("500"), "retried"),
    Case("502", once("502"), "retried"),
    Case("503", once("503"), "retried"),
    Case("504", once("504"), "retried"),
    Case("no answer in time", once("timeout", seconds=3), "retried", network={"timeout_seconds": 0.5}),
    Case("connection reset in mid-body", once("cut"), "retried"),
    Case("HTML instead of JSON", once("html"), "retried"),
    Case("truncated JSON", once("truncated"), "retried"),
    Case("malformed JSON", once("malformed"), "retried"),
    Case("empty body", once("empty"), "retried"),
    Case("gzip that is none", once("not_gzip"), "retried"),
    Case("gzip that ends early", once("gzip_cut"), "retried"),
    Case("token expires in mid-run", once("expired_token"), "retried", sources=tuple(TOKENS)),
    Case("token endpoint answers HTML", {}, "retried", sources=tuple(TOKENS), more=at_token_endpoints("html")),
    Case("token endpoint answers 503", {}, "retried", sources=tuple(TOKENS), more=at_token_endpoints("503")),
    Case("server's clock an hour ahead", {}, "retried", more=[always("skew", seconds=HOUR)]),
    Case("server's clock an hour behind", {}, "retried", more=[always("skew", seconds=-HOUR)]),
    Case("500 throughout", always("500"), "window fails"),
    Case("no permission (403)", always("forbidden"), "window fails"),
    Case("credential refused (401)", always("expired_token"), "window fails"),
    Case("redirect to a login", always("redirect"), "window fails"),
    Case("somebody else's JSON", always("other_json"), "window fails"),
    Case("JSON 100,000 levels deep", always("deep"), "window fails"),
    Case("a body without end", always("huge", size=SIZE), "window fails"),
    Case("a zip bomb", always("bomb", size=SIZE), "window fails"),
    Case("a zip bomb in a zip bomb", always("bomb_in_bomb", size=SIZE), "window fails"),
    Case("a page that repeats", once("repeat", after=1), "read", paged=True, more=[SMALL_PAGES]),
    Case(
        "a page that shrinks",
        once("short_page", after=1),
        "read",
        paged=True,
        more=[SMALL_PAGES],
        versions=False,
        without=LISTED,
    ),
    Case("a cursor that expires", once("expired_cursor", after=1), "read", paged=True, more=[SMALL_PAGES]),
)
