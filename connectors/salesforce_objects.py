"""What is read of Salesforce: objects, their fields, and what goes dark without them. Never a body, a subject or a description.

Source: Object Reference and Field Reference (developer.salesforce.com): names and properties of fields. ContentNote has no SystemModstamp;
TaskRelation is there with Shared Activities only, as is IsWhat of EventRelation; field history is kept 18 to 24 months, and a row that is
too old has not been undone. TaskSubtype cannot be updated, so a task never moves between the calls and the other tasks. Formula fields
are not read, for they change without SystemModstamp; HasOpenActivity is the one exception.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from .salesforce_settings import SalesforceSettings
from .stream import Changes, DateRange, Snapshot, Stream

KEPT = timedelta(days=180)  # of sign-ins
WHO = ("CreatedById", "CreatedBy.Username", "CreatedDate", "SystemModstamp")
RECORD = ("Id", "IsDeleted", "OwnerId", *WHO, "LastModifiedById", "LastModifiedBy.Username")
LINKS = ("WhoId", "WhatId", "AccountId")
HISTORY = ("Id", "IsDeleted", "Field", "CreatedById", "CreatedBy.Username", "CreatedDate")
RELATION = ("Id", "IsDeleted", "RelationId", "SystemModstamp")
TASK = ("TaskSubtype", "Status", "IsClosed", "CompletedDateTime", "ActivityDate")


@dataclass(frozen=True, slots=True)
class Object:
    """An object as a stream. stamp: the field that tells changes; optional: fields that not every org has; own: settings that name a field.

    where: a condition of the stream's own. rare: not every org has the object itself. fades: old rows go without having been undone.
    unbinned: what is taken away is not in the recycle bin and no query shows it; Get Deleted does, for about fifteen days.
    """

    stream: str
    name: str
    fields: tuple[str, ...]
    feeds: str
    stamp: str = "SystemModstamp"
    happened: str | None = "CreatedDate"
    optional: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    where: str = ""
    rare: bool = False
    fades: bool = False
    unbinned: bool = False


CHANGING: tuple[Object, ...] = (
    Object("crm_contact", "Contact", (*RECORD, "MasterRecordId", "AccountId", "Email", "Phone", "MobilePhone"),
           "contacts: conversations and mail pressure by contact, records created", optional=("OtherPhone", "HomePhone")),
    Object("crm_lead", "Lead", (*RECORD, "MasterRecordId", "Email", "Phone", "MobilePhone", "LeadSource", "IsConverted",
           "ConvertedContactId", "ConvertedDate"), "leads: who they are, how fast they are answered"),
    Object("crm_company", "Account", (*RECORD, "MasterRecordId", "Name", "Website"), "accounts: territory and segment, records created",
           optional=("IsPersonAccount",), own=("territory_field", "segment_field")),
    Object("crm_deal", "Opportunity", (*RECORD, "AccountId", "StageName", "Amount", "CloseDate", "HasOpenActivity"),
           "deals and pipeline created, won and lost", optional=("CurrencyIsoCode", "RecordTypeId"), own=("sourcing_field",)),
    Object("crm_call", "Task", (*RECORD, *LINKS, *TASK, "CallType", "CallDurationInSeconds", "CallDisposition", "CallObject"),
           "logged calls and their outcomes, logging in time", own=("call_time_field", "call_number_field", "call_id_field")),
    Object("crm_task", "Task", (*RECORD, *LINKS, *TASK, "Type"), "completed tasks in CRM usage"),
    Object("crm_email", "EmailMessage", ("Id", "IsDeleted", *WHO, "ActivityId", "Activity.OwnerId", "RelatedToId", "MessageDate", "Incoming",
           "Status", "FromAddress", "ToAddress", "CcAddress", "BccAddress", "MessageIdentifier"), "mails logged in Salesforce",
           happened="MessageDate", optional=("ThreadIdentifier", "IsBounced", "ActionCadenceStepTrackerId")),
    Object("crm_meeting", "Event", (*RECORD, *LINKS, "StartDateTime", "EndDateTime", "IsChild", "IsAllDayEvent", "IsRecurrence",
           "GroupEventType"), "meetings booked and held", happened="StartDateTime", where="IsChild = false",
           own=("meeting_outcome_field", "meeting_uid_field")),
    Object("crm_note", "ContentNote", ("Id", "IsDeleted", "OwnerId", "CreatedById", "CreatedBy.Username", "CreatedDate", "LastModifiedById",
           "LastModifiedBy.Username", "LastModifiedDate"), "notes in CRM usage", stamp="LastModifiedDate"),
    Object("crm_deal_contact", "OpportunityContactRole", ("Id", "IsDeleted", "OpportunityId", "ContactId", "SystemModstamp"),
           "which contacts a deal has", happened=None),
    Object("crm_task_relation", "TaskRelation", (*RELATION, "TaskId"), "which contacts a call or a task has beside its first", happened=None,
           rare=True, unbinned=True),
    Object("crm_meeting_relation", "EventRelation", (*RELATION, "EventId"), "who was invited to a meeting", happened=None, unbinned=True),
    Object("crm_email_relation", "EmailMessageRelation", (*RELATION, "EmailMessageId", "RelationType"), "which contacts a mail has",
           happened=None),
    Object("crm_deal_history", "OpportunityHistory", ("Id", "IsDeleted", "OpportunityId", "StageName", "Amount", "CloseDate", "CreatedById",
           "CreatedBy.Username", "CreatedDate"), "stages and amounts as they were", stamp="CreatedDate"),
    Object("crm_deal_field_history", "OpportunityFieldHistory", (*HISTORY, "OpportunityId", "OldValue", "NewValue"),
           "owners as they were; deal edits in CRM usage", stamp="CreatedDate", fades=True),
    Object("crm_company_history", "AccountHistory", (*HISTORY, "AccountId", "OldValue", "NewValue"),
           "territories as they were; account edits in CRM usage", stamp="CreatedDate", fades=True),
    Object("crm_contact_history", "ContactHistory", (*HISTORY, "ContactId"), "contact edits in CRM usage", stamp="CreatedDate", fades=True),
    Object("crm_lead_history", "LeadHistory", (*HISTORY, "LeadId"), "lead edits in CRM usage", stamp="CreatedDate", fades=True),
)  # fmt: skip
WHOLE: tuple[Object, ...] = (
    Object("crm_user", "User", ("Id", "Username", "Email", "Name", "IsActive", "UserType", "ManagerId", "TimeZoneSidKey", "UserRoleId",
           "UserRole.Name", "CreatedDate", "SystemModstamp"), "who is who in the CRM", where="UserType = 'Standard'"),
    Object("crm_team", "UserRole", ("Id", "Name", "ParentRoleId", "SystemModstamp"), "the hierarchy of roles, which are the teams"),
    Object("crm_pipeline_stage", "OpportunityStage", ("Id", "ApiName", "MasterLabel", "IsActive", "IsClosed", "IsWon", "SortOrder",
           "SystemModstamp"), "which stages are won and lost"),
    Object("crm_pipeline", "RecordType", ("Id", "DeveloperName", "Name", "SobjectType", "SystemModstamp"),
           "pipelines: record types of opportunities", where="SobjectType = 'Opportunity'"),
    Object("crm_account", "Organization", ("Id", "TimeZoneSidKey", "SystemModstamp"), "the account's time zone"),
    Object("crm_currency", "CurrencyType", ("Id", "IsoCode", "ConversionRate", "IsCorporate", "SystemModstamp"),
           "which currency the others are told in", rare=True),
    Object("crm_exchange_rate", "DatedConversionRate", ("Id", "IsoCode", "StartDate", "NextStartDate", "ConversionRate", "SystemModstamp"),
           "amounts in currencies that fx.csv has no rate for", rare=True),
)  # fmt: skip
LOGIN = Object("crm_login", "LoginHistory", ("Id", "UserId", "LoginTime", "LoginType", "Status", "Application"),
               "sign-ins as evidence of CRM usage", stamp="LoginTime", happened="LoginTime")  # fmt: skip
OBJECTS = {one.stream: one for one in (*WHOLE, *CHANGING, LOGIN)}
RARE = {one.stream for one in OBJECTS.values() if one.rare}
ATTRIBUTES = tuple(f"{where}attributes" for where in ("", "CreatedBy.", "LastModifiedBy.", "Activity.", "UserRole."))


def streams_of(settings: SalesforceSettings) -> tuple[Stream, ...]:
    """What is read, with each stream's clock and permission."""
    changes = Changes(
        lookback=timedelta(minutes=settings.lookback_minutes),
        lag=timedelta(minutes=5),
        relist=timedelta(days=settings.relist_days),
    )
    return (
        *(_stream(one, Snapshot()) for one in WHOLE),
        *(_stream(one, replace(changes, absence_means="kept" if one.fades else "deleted")) for one in CHANGING),
        _stream(LOGIN, DateRange(span=timedelta(days=30), reread=timedelta(days=2), kept=KEPT)),
    )


def _stream(one: Object, reading: Snapshot | Changes | DateRange) -> Stream:
    return Stream(
        name=one.stream,
        reading=reading,
        key=("Id",),
        updated_at=one.stamp,
        happened_at=one.happened if not isinstance(reading, Snapshot) else None,
        deleted="IsDeleted" if "IsDeleted" in one.fields else None,
        volatile=ATTRIBUTES,
        scopes=("Monitor Login History" if one is LOGIN else f"read {one.name}",),
        feeds=one.feeds,
        optional=one.rare,
    )
