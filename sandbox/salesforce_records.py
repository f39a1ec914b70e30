"""A company's CRM as rows of Salesforce objects: flat dicts by field name, related fields under dotted names.

Instants are datetimes here and are spelt where they are told. Ids: the object's three-letter prefix and fifteen further characters.

What the wire says of a world's thing:
- people: User; teams: UserRole, a rep's team is the role; a machine writes as the integration user.
- a contact who filled in a form: also a Lead with LeadSource Web, converted to the contact.
- a merged contact or account: IsDeleted, MasterRecordId names the survivor; merged deals do not exist here: the merged one is deleted.
- a deal's pipeline: its record type, "default" has none; a deal's merged ones cannot be told.
- calls: tasks with TaskSubtype Call; when and to which number stands in fields of the org's own (CTI), CallObject has the dialer's id.
- mails: EmailMessage with the Task that every one has; meetings: Event, their outcome in a field of the org's own.
- who did it "by import", "by api" and the like: the integration user, since Salesforce does not tell how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sandbox.crm_shared import called, failed_at, mailed
from sandbox.world import INTEGRATION
from sandbox.world_deals import DealNow, crm_deals, pipelines
from sandbox.world_state import BEFORE_ALL, State, Stored, Version

Row = dict[str, Any]
PREFIX = {
    "User": "005", "UserRole": "00E", "Contact": "003", "Lead": "00Q", "Account": "001", "Opportunity": "006", "Task": "00T", "Event": "00U",
    "EmailMessage": "02s", "ContentNote": "069", "RecordType": "012", "OpportunityStage": "01J", "Organization": "00D", "LoginHistory": "0Ya",
    "OpportunityContactRole": "00K", "TaskRelation": "0RT", "EventRelation": "0RE", "EmailMessageRelation": "0DZ", "OpportunityHistory": "008",
    "OpportunityFieldHistory": "017", "ContactHistory": "01K", "AccountHistory": "01L", "LeadHistory": "01M", "DatedConversionRate": "04w",
    "CurrencyType": "0J1", "PermissionSet": "0PS", "PermissionSetAssignment": "0Pa",
}  # fmt: skip
MACHINE = "machine"
MACHINE_NAME = "integration@acme.example"
OUTCOMES = {
    "scheduled": None,
    "held": "Held",
    "no_show": "No Show",
    "cancelled": "Cancelled",
    "rescheduled": "Rescheduled",
}
LOST_NAMES = {"won": "Closed Won", "lost": "Closed Lost"}
CALL_TYPES = {"outbound": "Outbound", "inbound": "Inbound"}
TASK_TYPES = {"call": "Call", "email": "Email", "todo": "Other", "linkedin": "LinkedIn"}


def identifier(state: State, name: str, key: str) -> str:
    """The id of a world's thing as a row of an object."""
    number = state.ids.number(f"salesforce.{name}", key, (10, 12))
    return f"{PREFIX[name]}{number:0>12}AAA"


def table(state: State, name: str) -> list[Row]:
    """The rows of an object, deleted ones too."""
    found: list[Row] = state.cached(f"salesforce.{name}", lambda: list(MAKERS[name](state)))
    return found


def _who(state: State, key: str | None, via: str) -> str:
    person = key if key not in (None, INTEGRATION) and via in ("ui", "mobile") else MACHINE
    return identifier(state, "User", str(person))


def _username(state: State, user: str) -> str:
    names: dict[str, str] = state.cached(
        "salesforce.usernames", lambda: {row["Id"]: row["Username"] for row in table(state, "User")}
    )
    return names[user]


def _stamps(state: State, stored: Stored[Any], owner: str | None = None, at: datetime | None = None) -> Row:
    """Fields that all records have."""
    creator = _who(state, stored.created_by, stored.created_via)
    last = _last_writer(state, stored)
    gone = stored.deleted_at is not None
    return {
        "IsDeleted": gone,
        "CreatedById": creator,
        "CreatedBy.Username": _username(state, creator),
        "CreatedDate": stored.created_at,
        "LastModifiedById": last,
        "LastModifiedBy.Username": _username(state, last),
        "LastModifiedDate": at or stored.updated_at,
        "SystemModstamp": at or stored.updated_at,
        "OwnerId": identifier(state, "User", owner or MACHINE),
    }


def _last_writer(state: State, stored: Stored[Any]) -> str:
    if stored.updated_at == stored.created_at:
        return _who(state, stored.created_by, stored.created_via)
    writes = [v for v in stored.history if v.at == stored.updated_at]
    return _who(state, writes[-1].by, writes[-1].via) if writes else _who(state, stored.updated_by, "ui")


def _users(state: State) -> Iterator[Row]:
    for user in state.users("crm"):
        role = user.rep.team if user.rep else None
        roles = {team.key: team.name or team.key for team in state.teams}
        yield {
            "Id": identifier(state, "User", user.key),
            "Username": user.email or f"{user.key}@queue.example",
            "Email": user.email,
            "Name": user.name,
            "IsActive": user.active,
            "UserType": "Standard",
            "ManagerId": identifier(state, "User", user.rep.manager) if user.rep and user.rep.manager else None,
            "TimeZoneSidKey": (user.rep.timezone if user.rep else None) or state.world.company.reporting_timezone,
            "UserRoleId": identifier(state, "UserRole", role) if role in roles else None,
            "UserRole.Name": roles.get(role or ""),
            "CreatedDate": user.created_at,
            "SystemModstamp": user.updated_at,
        }
    yield {
        "Id": identifier(state, "User", MACHINE),
        "Username": MACHINE_NAME,
        "Email": MACHINE_NAME,
        "Name": "Integration User",
        "IsActive": True,
        "UserType": "Standard",
        "ManagerId": None,
        "TimeZoneSidKey": "America/Los_Angeles",
        "UserRoleId": None,
        "UserRole.Name": None,
        "CreatedDate": BEFORE_ALL,
        "SystemModstamp": BEFORE_ALL,
    }


def _roles(state: State) -> Iterator[Row]:
    for team in state.teams:
        parent = identifier(state, "UserRole", team.parent) if team.parent else None
        yield {
            "Id": identifier(state, "UserRole", team.key),
            "Name": team.name or team.key,
            "ParentRoleId": parent,
            "SystemModstamp": BEFORE_ALL,
        }


def _contacts(state: State) -> Iterator[Row]:
    for stored in state.crm_contacts:
        contact = stored.value
        phones = [*contact.phones, None, None, None, None]
        account = state.survivor("company", contact.account) if contact.account else None
        yield {
            "Id": identifier(state, "Contact", stored.key),
            **_stamps(state, stored, contact.owner),
            "MasterRecordId": None,
            "AccountId": identifier(state, "Account", account) if account else None,
            "Email": contact.emails[0] if contact.emails else None,
            **dict(zip(("Phone", "MobilePhone", "OtherPhone", "HomePhone"), phones, strict=False)),
        }
    yield from _merged(state, "Contact", state.crm_contacts)


def _merged(state: State, name: str, survivors: Sequence[Stored[Any]]) -> Iterator[Row]:
    """Losers of merges: in the recycle bin, each with the record it lives on in, empty but for that."""
    empty = {"AccountId", "Email", "Phone", "MobilePhone", "OtherPhone", "HomePhone", "Website", "Name"}
    for stored in survivors:
        for loser in stored.merged:
            row = {**dict.fromkeys(FIELDS[name]), **_stamps(state, stored)}
            row |= dict.fromkeys(empty & set(row))
            yield row | {
                "Id": identifier(state, name, loser),
                "IsDeleted": True,
                "MasterRecordId": identifier(state, name, stored.key),
                "CreatedDate": BEFORE_ALL,
                "CreatedById": identifier(state, "User", MACHINE),
                "CreatedBy.Username": MACHINE_NAME,
            }


def _leads(state: State) -> Iterator[Row]:
    by_key = {stored.key: stored for stored in state.crm_contacts}
    for contact in state.world.contacts:
        at = contact.lead_at
        survivor = by_key.get(state.survivor("contact", contact.key))
        if at is None or at > state.now or survivor is None:
            continue
        machine = identifier(state, "User", MACHINE)
        yield {
            **dict.fromkeys(FIELDS["Lead"]),
            **_stamps(state, survivor, contact.owner),
            "Id": identifier(state, "Lead", contact.key),
            "IsDeleted": False,
            "CreatedById": machine,
            "CreatedBy.Username": MACHINE_NAME,
            "LastModifiedById": machine,
            "LastModifiedBy.Username": MACHINE_NAME,
            "CreatedDate": at,
            "SystemModstamp": max(at, survivor.updated_at),
            "Email": contact.emails[0] if contact.emails else None,
            "LeadSource": "Web",
            "IsConverted": True,
            "ConvertedContactId": identifier(state, "Contact", contact.key),
            "ConvertedDate": at.date(),
        }


def _accounts(state: State) -> Iterator[Row]:
    for stored in state.crm_companies:
        yield {
            "Id": identifier(state, "Account", stored.key),
            **_stamps(state, stored),
            "MasterRecordId": None,
            "Name": stored.value.name or stored.key,
            "Website": f"https://www.{stored.value.domain}/" if stored.value.domain else None,
            "Sales_Territory__c": stored.value.territory,
            "Market_Segment__c": stored.value.segment,
        }
    yield from _merged(state, "Account", state.crm_companies)


def _stage_name(state: State, stage_id: str) -> str:
    names: dict[str, str] = state.cached(
        "salesforce.stages",
        lambda: {s.id: LOST_NAMES.get(s.name, s.name) for p in pipelines(state.world) for s in p.stages},
    )
    return names[stage_id]


def _opportunities(state: State) -> Iterator[Row]:
    for stored in crm_deals(state):
        deal: DealNow = stored.value
        account = identifier(state, "Account", deal.account) if deal.account else None
        planned = deal.next_activity_at is not None and deal.next_activity_at > state.now
        yield {
            "Id": identifier(state, "Opportunity", stored.key),
            **_stamps(state, stored, deal.owner),
            "AccountId": account,
            "StageName": _stage_name(state, deal.stage_id),
            "Amount": None if deal.amount is None else float(deal.amount),
            "CloseDate": deal.close_date,
            "HasOpenActivity": planned,
            "CurrencyIsoCode": deal.currency,
            "RecordTypeId": None if deal.pipeline == "default" else identifier(state, "RecordType", deal.pipeline),
            "Sourced_By__c": identifier(state, "User", deal.sourced_by) if deal.sourced_by else None,
        }


def _record_types(state: State) -> Iterator[Row]:
    for line in pipelines(state.world):
        if line.id != "default":
            yield {
                "Id": identifier(state, "RecordType", line.id),
                "DeveloperName": line.id,
                "Name": line.id.capitalize(),
                "SobjectType": "Opportunity",
                "SystemModstamp": BEFORE_ALL,
            }


def _stages(state: State) -> Iterator[Row]:
    known: dict[str, Row] = {}
    for line in pipelines(state.world):
        for stage in line.stages:
            name = LOST_NAMES.get(stage.name, stage.name)
            position = 900 + stage.is_won if stage.is_closed else stage.position
            known.setdefault(
                name,
                {
                    "Id": identifier(state, "OpportunityStage", name),
                    "ApiName": name,
                    "MasterLabel": name.capitalize() if name.islower() else name,
                    "IsActive": True,
                    "IsClosed": stage.is_closed,
                    "IsWon": stage.is_won,
                    "SortOrder": position,
                    "SystemModstamp": BEFORE_ALL,
                },
            )
    yield from known.values()


def _links(state: State, contacts: Sequence[str], account: str | None = None) -> Row:
    return {
        "WhoId": identifier(state, "Contact", contacts[0]) if contacts else None,
        "WhatId": None,
        "AccountId": account,
    }


def _survivors(state: State, keys: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(state.survivor("contact", key) for key in keys))


def _tasks(state: State) -> Iterator[Row]:
    people = dict(called(state))
    for stored in state.crm_calls:
        call, crm = stored.value, stored.value.crm
        if crm is None:
            continue
        own = {
            "TaskSubtype": "Call",
            "Type": "Call",
            "Status": "Completed",
            "IsClosed": True,
            "CompletedDateTime": stored.created_at,
            "CallType": CALL_TYPES[call.direction],
            "CallDurationInSeconds": crm.duration_seconds,
            "CallDisposition": crm.disposition,
            "CallObject": state.ids.number("cloudtalk.call", call.key) if crm.external_id else None,
            "Call_Started__c": crm.timestamp,
            "Call_Number__c": call.number or None,
        }
        links = _links(state, _survivors(state, people.get(stored.key, [])))
        yield {
            **dict.fromkeys(FIELDS["Task"]),
            **_stamps(state, stored, call.rep),
            **links,
            **own,
            "Id": identifier(state, "Task", f"call {stored.key}"),
        }
    for stored in state.crm_tasks:
        task = stored.value
        done = task.status == "completed"
        by = identifier(state, "User", task.completed_by) if done and task.completed_by else None
        last = {"LastModifiedById": by, "LastModifiedBy.Username": _username(state, by)} if by else {}
        yield {
            **dict.fromkeys(FIELDS["Task"]),
            **_stamps(state, stored, task.rep),
            **last,
            **_links(state, _survivors(state, [task.contact] if task.contact else [])),
            "Id": identifier(state, "Task", f"task {stored.key}"),
            "TaskSubtype": "LinkedIn" if task.type == "linkedin" else "Task",
            "Type": TASK_TYPES[task.type],
            "Status": "Completed" if done else "Not Started",
            "IsClosed": done,
            "CompletedDateTime": task.completed_at if done else None,
            "ActivityDate": task.due_date,
        }
    for stored in _logged_mails(state):  # every EmailMessage has a task beside it
        yield {
            **dict.fromkeys(FIELDS["Task"]),
            **_stamps(state, stored, stored.value.rep),
            "Id": identifier(state, "Task", f"mail {stored.key}"),
            "TaskSubtype": "Email",
            "Type": "Email",
            "Status": "Completed",
            "IsClosed": True,
            "CompletedDateTime": stored.created_at,
        }


def _logged_mails(state: State) -> list[Stored[Any]]:
    """Mails that HubSpot's own sequencer sent are in HubSpot only."""
    kept = {mail.key for mail in state.world.mails if mail.crm is not None}
    return [stored for stored in state.crm_mails if stored.key in kept]


def _mails(state: State) -> Iterator[Row]:
    for stored in _logged_mails(state):
        mail = stored.value
        bounced = failed_at(state, mail)
        at = max(stored.updated_at, bounced or stored.updated_at)
        shown = mail.crm is None or mail.crm.message_id
        yield {
            **_stamps(state, stored, mail.rep, at),
            "Id": identifier(state, "EmailMessage", stored.key),
            "ActivityId": identifier(state, "Task", f"mail {stored.key}"),
            "Activity.OwnerId": identifier(state, "User", mail.rep),
            "RelatedToId": None,
            "MessageDate": mail.sent_at,
            "Incoming": mail.direction == "inbound",
            "Status": "0" if mail.direction == "inbound" else "3",
            "FromAddress": mail.from_,
            "ToAddress": "; ".join(mail.to) or None,
            "CcAddress": "; ".join(mail.cc) or None,
            "BccAddress": "; ".join(mail.bcc) or None,
            "MessageIdentifier": mail.message_id if shown else None,
            "ThreadIdentifier": state.ids.number("salesforce.thread", mail.thread or mail.key),
            "IsBounced": bounced is not None,
        }


def _meetings(state: State) -> Iterator[Row]:
    for stored in state.crm_meetings:
        meeting = stored.value
        links = _links(state, _survivors(state, meeting.contacts))
        first = {
            **_stamps(state, stored, meeting.host),
            **links,
            "Id": identifier(state, "Event", stored.key),
            "StartDateTime": meeting.start_at,
            "EndDateTime": meeting.end_at,
            "IsChild": False,
            "IsAllDayEvent": False,
            "IsRecurrence": False,
            "GroupEventType": "1" if meeting.attendees else "0",
            "Outcome__c": OUTCOMES[meeting.outcome],
            "Calendar_UID__c": meeting.ical_uid,
        }
        yield first
        for guest in dict.fromkeys(meeting.attendees):  # invitees have a copy each
            if guest != meeting.host:
                copy = {"Id": identifier(state, "Event", f"{stored.key} {guest}"), "IsChild": True}
                yield {**first, **copy, "OwnerId": identifier(state, "User", guest)}


def _notes(state: State) -> Iterator[Row]:
    for stored in state.crm_notes:
        changed = stored.updated_at != stored.created_at
        write = next((w for w in state.writes("note", stored.key) if w.at == stored.updated_at), None)
        stamps = _stamps(state, stored, stored.value.rep)
        if changed:
            by = _who(state, write.by, write.via) if write else identifier(state, "User", MACHINE)
            stamps |= {"LastModifiedById": by, "LastModifiedBy.Username": _username(state, by)}
        yield {**stamps, "Id": identifier(state, "ContentNote", stored.key)}


def _relation(state: State, name: str, key: str, at: datetime, gone: bool, more: Row) -> Row:
    return {"Id": identifier(state, name, key), "IsDeleted": gone, "SystemModstamp": at, **more}


def _task_relations(state: State) -> Iterator[Row]:
    people = dict(called(state))
    for stored in state.crm_calls:
        for contact in _survivors(state, people.get(stored.key, [])):
            yield _relation(
                state, "TaskRelation", f"{stored.key} {contact}", stored.updated_at, stored.deleted_at is not None,
                {"TaskId": identifier(state, "Task", f"call {stored.key}"), "RelationId": identifier(state, "Contact", contact),
                 "IsWhat": False},
            )  # fmt: skip


def _event_relations(state: State) -> Iterator[Row]:
    for stored in state.crm_meetings:
        meeting = stored.value
        people = [identifier(state, "Contact", key) for key in _survivors(state, meeting.contacts)]
        people += [identifier(state, "User", key) for key in dict.fromkeys([meeting.host, *meeting.attendees]) if key]
        for person in people:
            yield _relation(
                state, "EventRelation", f"{stored.key} {person}", stored.updated_at, stored.deleted_at is not None,
                {"EventId": identifier(state, "Event", stored.key), "RelationId": person},
            )  # fmt: skip


def _mail_relations(state: State) -> Iterator[Row]:
    people = dict(mailed(state))
    for stored in _logged_mails(state):
        for contact in _survivors(state, people.get(stored.key, [])):
            yield _relation(
                state, "EmailMessageRelation", f"{stored.key} {contact}", stored.updated_at, stored.deleted_at is not None,
                {"EmailMessageId": identifier(state, "EmailMessage", stored.key), "RelationId": identifier(state, "Contact", contact),
                 "RelationType": "ToAddress"},
            )  # fmt: skip


def _contact_roles(state: State) -> Iterator[Row]:
    for stored in crm_deals(state):
        for contact in stored.value.contacts:
            yield _relation(
                state, "OpportunityContactRole", f"{stored.key} {contact}", stored.updated_at, stored.deleted_at is not None,
                {"OpportunityId": identifier(state, "Opportunity", stored.key), "ContactId": identifier(state, "Contact", contact)},
            )  # fmt: skip


def _by(state: State, version: Version) -> Row:
    user = _who(state, version.by, version.via)
    return {"CreatedById": user, "CreatedBy.Username": _username(state, user), "CreatedDate": version.at}


def _deal_history(state: State) -> Iterator[Row]:
    """A row whenever stage, amount or close date changed, with all three as they were then."""
    for stored in crm_deals(state):
        now: Row = {"StageName": None, "Amount": None, "CloseDate": stored.value.close_date}
        writes = state.writes("deal", stored.key)  # those without a value left it as it was
        by_instant: dict[datetime, list[Version]] = {}
        for version in stored.history:
            if version.property in ("stage", "amount", "close_date"):
                by_instant.setdefault(version.at, []).append(version)
        for at, versions in sorted(by_instant.items()):
            for version in versions:
                if version.property == "stage" and version.value is not None:
                    now["StageName"] = _stage_name(state, str(version.value))
                elif version.property == "amount" and not (version.value is None and version in writes):
                    now["Amount"] = None if version.value is None else float(version.value)
            yield {
                "Id": identifier(state, "OpportunityHistory", f"{stored.key} {at.isoformat()}"),
                "IsDeleted": stored.deleted_at is not None,
                "OpportunityId": identifier(state, "Opportunity", stored.key),
                **now,
                **_by(state, versions[-1]),
            }


DEAL_FIELDS = {"stage": "StageName", "amount": "Amount", "owner": "Owner", "pipeline": "RecordType", "close_date": "CloseDate",
               "name": "Name", "currency": "CurrencyIsoCode"}  # fmt: skip
OTHER_FIELDS = {"owner": "Owner", "account": "Account", "name": "Name", "emails": "Email", "phones": "Phone",
                "territory": "Sales_Territory__c", "segment": "Market_Segment__c"}  # fmt: skip


def _field_history(
    name: str, parent: str, names: dict[str, str], records: Callable[[State], Sequence[Stored[Any]]]
) -> Callable[[State], Iterator[Row]]:
    def rows(state: State) -> Iterator[Row]:
        for stored in records(state):
            last: dict[str, Any] = {}
            for n, version in enumerate(stored.history):
                field = names.get(version.property, f"{version.property.title().replace(' ', '_')}__c")
                before, last[field] = last.get(field), version.value
                if version.at_creation or version.at <= stored.created_at:
                    continue
                base = {
                    "IsDeleted": stored.deleted_at is not None,
                    "Field": field,
                    f"{parent}Id": identifier(state, parent, stored.key),
                    **_by(state, version),
                }
                key = f"{stored.key} {n}"
                yield {**base, "Id": identifier(state, name, key), "OldValue": _shown(state, field, before, ids=False),
                       "NewValue": _shown(state, field, version.value, ids=False)}  # fmt: skip
                if field in ("Owner", "RecordType"):  # of references there are two rows: names, and ids
                    yield {**base, "Id": identifier(state, name, f"{key} id"), "OldValue": _shown(state, field, before, ids=True),
                           "NewValue": _shown(state, field, version.value, ids=True)}  # fmt: skip

    return rows


def _shown(state: State, field: str, value: Any, *, ids: bool) -> Any:
    if value is None or isinstance(value, list):
        return None
    if field == "Owner":
        return identifier(state, "User", str(value)) if ids else str(value).capitalize()
    if field == "RecordType":
        return (None if value == "default" else identifier(state, "RecordType", str(value))) if ids else str(value)
    if field == "StageName":
        return _stage_name(state, str(value))
    return str(value)


def _logins(state: State) -> Iterator[Row]:
    for n, login in enumerate(state.world.logins):
        if login.system == "crm" and state.now - timedelta(days=183) <= login.at <= state.now:
            yield {
                "Id": identifier(state, "LoginHistory", str(n)),
                "UserId": identifier(state, "User", login.rep),
                "LoginTime": login.at,
                "LoginType": "Application",
                "Status": "Success" if login.succeeded else "Invalid Password",
                "Application": "Browser",
            }


def _organization(state: State) -> Iterator[Row]:
    yield {
        "Id": identifier(state, "Organization", "acme"),
        "TimeZoneSidKey": state.world.company.reporting_timezone,
        "SystemModstamp": BEFORE_ALL,
    }


def _rates(state: State) -> Iterator[Row]:
    for rate in state.world.fx:
        at = datetime(rate.date.year, rate.date.month, rate.date.day, tzinfo=UTC)
        if at <= state.now:
            yield {
                "Id": identifier(state, "DatedConversionRate", f"{rate.currency} {rate.date}"),
                "IsoCode": rate.currency,
                "StartDate": rate.date,
                "NextStartDate": rate.date + timedelta(days=1),  # a world's rate is the quote of its day
                "ConversionRate": float(1 / rate.rate),
                "SystemModstamp": at,
            }


def _currencies(state: State) -> Iterator[Row]:
    own = state.world.company.reporting_currency
    for code in dict.fromkeys([own, *(deal.currency or own for deal in state.world.deals)]):
        known = [r for r in state.world.fx if r.currency == code and r.date <= state.now.date()]
        rate = max(known, key=lambda r: r.date, default=None)
        if code == own or rate is not None:
            yield {
                "Id": identifier(state, "CurrencyType", code),
                "IsoCode": code,
                "ConversionRate": float(1 / rate.rate) if rate else 1.0,
                "IsCorporate": code == own,
                "SystemModstamp": BEFORE_ALL,
            }


def _assignments(state: State) -> Iterator[Row]:
    yield {
        "Id": identifier(state, "PermissionSetAssignment", MACHINE),
        "AssigneeId": identifier(state, "User", MACHINE),
        **{f"PermissionSet.{power}": True for power in _POWERS.split()},
    }


def spelt(value: Any) -> Any:
    """A value as REST tells it."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}+0000"
    return value.isoformat() if isinstance(value, date) else value


MAKERS: dict[str, Callable[[State], Iterator[Row]]] = {
    "User": _users,
    "UserRole": _roles,
    "Contact": _contacts,
    "Lead": _leads,
    "Account": _accounts,
    "Opportunity": _opportunities,
    "RecordType": _record_types,
    "OpportunityStage": _stages,
    "Task": _tasks,
    "EmailMessage": _mails,
    "Event": _meetings,
    "ContentNote": _notes,
    "TaskRelation": _task_relations,
    "EventRelation": _event_relations,
    "EmailMessageRelation": _mail_relations,
    "OpportunityContactRole": _contact_roles,
    "OpportunityHistory": _deal_history,
    "OpportunityFieldHistory": _field_history("OpportunityFieldHistory", "Opportunity", DEAL_FIELDS, crm_deals),
    "ContactHistory": _field_history("ContactHistory", "Contact", OTHER_FIELDS, lambda s: s.crm_contacts),
    "AccountHistory": _field_history("AccountHistory", "Account", OTHER_FIELDS, lambda s: s.crm_companies),
    "LeadHistory": lambda _: iter(()),
    "LoginHistory": _logins,
    "Organization": _organization,
    "DatedConversionRate": _rates,
    "CurrencyType": _currencies,
    "PermissionSetAssignment": _assignments,
}
_STAMPS = "IsDeleted OwnerId CreatedById CreatedBy.Username CreatedDate LastModifiedById LastModifiedBy.Username LastModifiedDate SystemModstamp"
_POWERS = "PermissionsManageUsers PermissionsMonitorLoginHistory PermissionsViewAllData PermissionsQueryAllFiles"
_HISTORY = "Id IsDeleted Field CreatedById CreatedBy.Username CreatedDate OldValue NewValue"
FIELDS: dict[str, frozenset[str]] = {
    name: frozenset(text.split())
    for name, text in {
        "User": "Id Username Email Name IsActive UserType ManagerId TimeZoneSidKey UserRoleId UserRole.Name CreatedDate SystemModstamp",
        "UserRole": "Id Name ParentRoleId SystemModstamp",
        "Contact": f"Id {_STAMPS} MasterRecordId AccountId Email Phone MobilePhone OtherPhone HomePhone",
        "Lead": f"Id {_STAMPS} MasterRecordId Email Phone MobilePhone LeadSource IsConverted ConvertedContactId ConvertedDate",
        "Account": f"Id {_STAMPS} MasterRecordId Name Website Sales_Territory__c Market_Segment__c",
        "Opportunity": f"Id {_STAMPS} AccountId StageName Amount CloseDate HasOpenActivity CurrencyIsoCode RecordTypeId Sourced_By__c",
        "RecordType": "Id DeveloperName Name SobjectType SystemModstamp",
        "OpportunityStage": "Id ApiName MasterLabel IsActive IsClosed IsWon SortOrder SystemModstamp",
        "Task": f"Id {_STAMPS} WhoId WhatId AccountId TaskSubtype Type Status IsClosed CompletedDateTime ActivityDate CallType "
        "CallDurationInSeconds CallDisposition CallObject Call_Started__c Call_Number__c",
        "EmailMessage": f"Id {_STAMPS} ActivityId Activity.OwnerId RelatedToId MessageDate Incoming Status FromAddress ToAddress CcAddress "
        "BccAddress MessageIdentifier ThreadIdentifier IsBounced",
        "Event": f"Id {_STAMPS} WhoId WhatId AccountId StartDateTime EndDateTime IsChild IsAllDayEvent IsRecurrence GroupEventType "
        "Outcome__c Calendar_UID__c",
        "ContentNote": f"Id {_STAMPS.replace(' SystemModstamp', '')}",
        "TaskRelation": "Id IsDeleted SystemModstamp TaskId RelationId IsWhat",
        "EventRelation": "Id IsDeleted SystemModstamp EventId RelationId",
        "EmailMessageRelation": "Id IsDeleted SystemModstamp EmailMessageId RelationId RelationType",
        "OpportunityContactRole": "Id IsDeleted SystemModstamp OpportunityId ContactId",
        "OpportunityHistory": "Id IsDeleted OpportunityId StageName Amount CloseDate CreatedById CreatedBy.Username CreatedDate",
        "OpportunityFieldHistory": f"{_HISTORY} OpportunityId",
        "ContactHistory": f"{_HISTORY} ContactId",
        "AccountHistory": f"{_HISTORY} AccountId",
        "LeadHistory": f"{_HISTORY} LeadId",
        "LoginHistory": "Id UserId LoginTime LoginType Status Application",
        "Organization": "Id TimeZoneSidKey SystemModstamp",
        "DatedConversionRate": "Id IsoCode StartDate NextStartDate ConversionRate SystemModstamp",
        "CurrencyType": "Id IsoCode ConversionRate IsCorporate SystemModstamp",
        "PermissionSet": f"Id {_POWERS}",
        "PermissionSetAssignment": f"Id AssigneeId PermissionSet.{_POWERS.replace(' ', ' PermissionSet.')}",
    }.items()
}
