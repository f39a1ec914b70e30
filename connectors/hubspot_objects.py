"""What is read of HubSpot: objects and their properties, streams, scopes, and what goes dark without them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from .hubspot_settings import HubSpotSettings
from .stream import ByIds, Changes, Snapshot, Stream

VERSION = "2026-09"  # of the API, in the path of all that is read

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
