"""What is read of Pipedrive: its lists and what is asked for a record, with the cost of a call in tokens, and what goes dark without them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import msgspec

from .pipedrive_records import Account, Activity, Deal, Field, Note, Organization, Person, Role, Stage, User
from .pipedrive_settings import PipedriveSettings
from .stream import ByIds, Changes, Snapshot, Stream

# What is read a call a record: in parts by the last digit of the id, so that a night's tokens get on with it.
PARTS = tuple("0123456789")


@dataclass(frozen=True, slots=True)
class List:
    """A list as a stream. way: how it is paged; tokens: of a call; own: settings that name custom fields; more: further parameters.

    changing: v2's filter of updated_since and updated_until, or v1's of updated_since; None: read whole.
    """

    stream: str
    path: str
    kind: type[msgspec.Struct]
    tokens: int
    scope: str
    feeds: str
    way: Literal["cursor", "offset", "one"] = "cursor"
    own: tuple[str, ...] = ()
    more: Mapping[str, str] | None = None
    key: str = "id"
    changing: bool = False
    updated: str | None = None
    optional: bool = False


DEALS = "crm_deal"
LISTS: Mapping[str, List] = {
    one.stream: one
    for one in (
        List("crm_user", "/v1/users", User, 20, "users:read", "who is who in the CRM, and sign-ins", "one", updated="modified"),
        List("crm_team", "/v1/roles", Role, 20, "admin", "the hierarchy of roles, which are the teams", "offset", optional=True),
        List("crm_account", "/v1/users/me", Account, 2, "base", "the company's address, currency and time zone", "one", key="company_id"),
        List("crm_pipeline", "/api/v2/pipelines", Stage, 5, "deals:read", "names of pipelines", updated="update_time"),
        List("crm_pipeline_stage", "/api/v2/stages", Stage, 5, "deals:read", "which stages there are", updated="update_time"),
        List("crm_company_field", "/api/v2/organizationFields", Field, 10, "contacts:read", "territories and segments that are options",
             key="field_code"),
        List("crm_contact", "/api/v2/persons", Person, 10, "contacts:read",
             "contacts: conversations and mail pressure by contact, records created", changing=True,
             more={"include_fields": "email_messages_count,last_incoming_mail_time,last_outgoing_mail_time"}),
        List("crm_company", "/api/v2/organizations", Organization, 10, "contacts:read", "accounts: territory and segment, records created",
             changing=True, own=("territory_field", "segment_field", "domain_field")),
        List(DEALS, "/api/v2/deals", Deal, 10, "deals:read", "deals and pipeline created, won and lost", changing=True,
             own=("sourcing_field",), more={"include_fields": "next_activity_id"}),
        List("crm_activity", "/api/v2/activities", Activity, 10, "activities:read",
             "calls and their logging in time, meetings, completed tasks", changing=True, more={"include_fields": "attendees"}),
        List("crm_note", "/v1/notes", Note, 20, "deals:read", "notes in CRM usage", "offset", changing=True, more={"sort": "id ASC"}),
    )
}  # fmt: skip
BY_IDS: Mapping[str, tuple[str, str, str, str]] = {  # stream -> of which, its path, scope, what goes dark
    "crm_deal_history": (DEALS, "/v1/deals/{id}/changelog", "recents:read", "stages and amounts as they were; deal edits in CRM usage"),
    "crm_company_history": ("crm_company", "/v1/organizations/{id}/changelog", "recents:read",
                            "who made a company; territories as they were; company edits in CRM usage"),
    "crm_contact_history": ("crm_contact", "/v1/persons/{id}/changelog", "recents:read", "who made a contact; contact edits in CRM usage"),
    "crm_mail": ("crm_contact", "/v1/persons/{id}/mailMessages", "mail:read", "mails that were logged in Pipedrive"),
}  # fmt: skip
BY_ID_TOKENS = 20


def streams_of(settings: PipedriveSettings) -> tuple[Stream, ...]:
    """What is read, with each stream's clock and permission."""
    changes = Changes(
        lookback=timedelta(minutes=settings.lookback_minutes),
        lag=timedelta(minutes=5),
        relist=timedelta(days=settings.relist_days),
    )
    lists = [
        Stream(
            name=one.stream,
            reading=changes if one.changing else Snapshot(),
            key=(one.key,),
            updated_at="update_time" if one.changing else one.updated,
            happened_at="add_time" if one.changing else None,
            deleted="is_deleted" if one.changing else None,
            scopes=(one.scope,),
            feeds=one.feeds,
            optional=one.optional,
        )
        for one in LISTS.values()
    ]
    unused = {f"crm_{name}" for name in settings.unused}
    return (
        *lists,
        *(
            Stream(name=stream, reading=ByIds((of,)), partitioned=True, deleted="is_deleted" if stream == "crm_mail" else None,
                   updated_at="update_time" if stream == "crm_mail" else None, scopes=(scope,), feeds=feeds)
            for stream, (of, _, scope, feeds) in BY_IDS.items() if stream not in unused
        ),
    )  # fmt: skip
