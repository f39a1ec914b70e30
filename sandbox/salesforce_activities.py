"""Tasks, events, mails and notes, and whom they are with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.crm_shared import called, failed_at, mailed
from sandbox.salesforce_fields import FIELDS
from sandbox.salesforce_rows import MACHINE, Row, identifier, links, relation, stamps, survivors, username, who
from sandbox.world_state import State, Stored

OUTCOMES = {
    "scheduled": None,
    "held": "Held",
    "no_show": "No Show",
    "cancelled": "Cancelled",
    "rescheduled": "Rescheduled",
}

CALL_TYPES = {"outbound": "Outbound", "inbound": "Inbound"}

TASK_TYPES = {"call": "Call", "email": "Email", "todo": "Other", "linkedin": "LinkedIn"}


def tasks(state: State) -> Iterator[Row]:
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
        linked = links(state, survivors(state, people.get(stored.key, [])))
        yield {
            **dict.fromkeys(FIELDS["Task"]),
            **stamps(state, stored, call.rep),
            **linked,
            **own,
            "Id": identifier(state, "Task", f"call {stored.key}"),
        }
    for stored in state.crm_tasks:
        task = stored.value
        done = task.status == "completed"
        by = identifier(state, "User", task.completed_by) if done and task.completed_by else None
        last = {"LastModifiedById": by, "LastModifiedBy.Username": username(state, by)} if by else {}
        yield {
            **dict.fromkeys(FIELDS["Task"]),
            **stamps(state, stored, task.rep),
            **last,
            **links(state, survivors(state, [task.contact] if task.contact else [])),
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
            **stamps(state, stored, stored.value.rep),
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


def mails(state: State) -> Iterator[Row]:
    for stored in _logged_mails(state):
        mail = stored.value
        bounced = failed_at(state, mail)
        at = max(stored.updated_at, bounced or stored.updated_at)
        shown = mail.crm is None or mail.crm.message_id
        yield {
            **stamps(state, stored, mail.rep, at),
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


def meetings(state: State) -> Iterator[Row]:
    for stored in state.crm_meetings:
        meeting = stored.value
        linked = links(state, survivors(state, meeting.contacts))
        first = {
            **stamps(state, stored, meeting.host),
            **linked,
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


def notes(state: State) -> Iterator[Row]:
    for stored in state.crm_notes:
        changed = stored.updated_at != stored.created_at
        write = next((w for w in state.writes("note", stored.key) if w.at == stored.updated_at), None)
        stamped = stamps(state, stored, stored.value.rep)
        if changed:
            by = who(state, write.by, write.via) if write else identifier(state, "User", MACHINE)
            stamped |= {"LastModifiedById": by, "LastModifiedBy.Username": username(state, by)}
        yield {**stamped, "Id": identifier(state, "ContentNote", stored.key)}


def task_relations(state: State) -> Iterator[Row]:
    people = dict(called(state))
    for stored in state.crm_calls:
        for contact in survivors(state, people.get(stored.key, [])):
            yield relation(
                state, "TaskRelation", f"{stored.key} {contact}", stored.updated_at, stored.deleted_at is not None,
                {"TaskId": identifier(state, "Task", f"call {stored.key}"), "RelationId": identifier(state, "Contact", contact),
                 "IsWhat": False},
            )  # fmt: skip


def event_relations(state: State) -> Iterator[Row]:
    for stored in state.crm_meetings:
        meeting = stored.value
        people = [identifier(state, "Contact", key) for key in survivors(state, meeting.contacts)]
        people += [identifier(state, "User", key) for key in dict.fromkeys([meeting.host, *meeting.attendees]) if key]
        for person in people:
            yield relation(
                state, "EventRelation", f"{stored.key} {person}", stored.updated_at, stored.deleted_at is not None,
                {"EventId": identifier(state, "Event", stored.key), "RelationId": person},
            )  # fmt: skip


def mail_relations(state: State) -> Iterator[Row]:
    people = dict(mailed(state))
    for stored in _logged_mails(state):
        for contact in survivors(state, people.get(stored.key, [])):
            yield relation(
                state, "EmailMessageRelation", f"{stored.key} {contact}", stored.updated_at, stored.deleted_at is not None,
                {"EmailMessageId": identifier(state, "EmailMessage", stored.key), "RelationId": identifier(state, "Contact", contact),
                 "RelationType": "ToAddress"},
            )  # fmt: skip
