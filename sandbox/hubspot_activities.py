"""Calls, emails, meetings, tasks and notes of the CRM as HubSpot's engagement properties (see hubspot.py).

Each function gives the records with the properties of their own; what all records have is added by hubspot_records.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import msgspec

from sandbox.crm_shared import failed_at
from sandbox.hubspot_schema import dispositions
from sandbox.hubspot_wire import Json, owner_id, stamp
from sandbox.world import Call, Mail, Meeting, Note, Task
from sandbox.world_state import State, Stored

CALL_STATUS = {
    "no_answer": "NO_ANSWER",
    "busy": "BUSY",
    "failed": "FAILED",
    "cancelled": "CANCELED",
    "missed": "NO_ANSWER",
}
OUTCOMES = {
    "scheduled": "SCHEDULED",
    "held": "COMPLETED",
    "no_show": "NO_SHOW",
    "cancelled": "CANCELED",
    "rescheduled": "RESCHEDULED",
}
TASK_TYPES = {"call": "CALL", "email": "EMAIL", "todo": "TODO", "linkedin": "LINKED_IN"}
DUE_AT = time(8)  # HubSpot's proposal for a task's due time; a world knows the day only


def _owner(state: State, key: str | None) -> str | None:
    return owner_id(state.ids, key) if key else None


def calls(state: State) -> Iterator[tuple[Stored[Call], Json]]:
    guids = {label.lower(): guid for label, guid in dispositions(state.world).items()}
    for stored in state.crm_calls:
        call = stored.value
        crm = call.crm
        if crm is None or crm.timestamp is None:
            continue
        own = state.reps[call.rep].phone if call.rep in state.reps else None
        outbound = call.direction == "outbound"
        there = call.number or None
        external = state.ids.number("cloudtalk.call", call.key) if crm.external_id else None
        seconds = crm.duration_seconds
        yield (
            stored,
            {
                "hs_timestamp": stamp(crm.timestamp),
                "hubspot_owner_id": _owner(state, call.rep),
                "hs_activity_type": None,
                "hs_call_title": f"Call with {there}",
                "hs_call_body": None,
                "hs_call_direction": "OUTBOUND" if outbound else "INBOUND",
                "hs_call_disposition": guids[crm.disposition.lower()] if crm.disposition else None,
                "hs_call_duration": None if seconds is None else str(seconds * 1000),
                "hs_call_status": CALL_STATUS.get(call.result, "COMPLETED"),
                "hs_call_from_number": own if outbound else there,
                "hs_call_to_number": there if outbound else own,
                "hs_call_source": "INTEGRATIONS_PLATFORM" if external else None,
                "hs_call_app_id": "221733" if external else None,
                "hs_call_external_id": external,
                "hs_call_external_account_id": "sandbox" if external else None,
            },
        )


def emails(state: State) -> Iterator[tuple[Stored[Mail], Json]]:
    for stored in state.crm_mails:
        mail = stored.value
        bounced_at = failed_at(state, mail)
        sequence = mail.sequencer is not None and mail.sequencer.system == "hubspot"
        shown = mail.crm is None or mail.crm.message_id
        updated = max(stored.updated_at, bounced_at or stored.updated_at)
        yield (
            replace(stored, updated_at=updated),
            {
                "hs_timestamp": stamp(mail.sent_at),
                "hubspot_owner_id": _owner(state, mail.rep),
                "hs_activity_type": None,
                "hs_email_direction": "EMAIL" if mail.direction == "outbound" else "INCOMING_EMAIL",
                "hs_email_status": "BOUNCED" if bounced_at else "SENT",
                "hs_email_subject": mail.subject or f"About {mail.thread or mail.key}",
                "hs_email_headers": _headers(mail),
                "hs_email_message_id": mail.message_id if shown else None,
                "hs_email_thread_id": state.ids.number("hubspot.thread", mail.thread or mail.key),
                "hs_email_from_email": mail.from_,
                "hs_email_to_email": ";".join(mail.to) or None,
                "hs_email_cc_email": ";".join(mail.cc) or None,
                "hs_email_bcc_email": ";".join(mail.bcc) or None,
                "hs_email_logged_from": "CRM" if sequence else None,
                "hs_sequence_id": state.ids.number("hubspot.sequence", "sequence", (8, 9)) if sequence else None,
            },
        )


def _headers(mail: Mail) -> str:
    def people(addresses: list[str]) -> list[Json]:
        return [{"email": address, "raw": address} for address in addresses]

    sender = {"email": mail.from_, "raw": mail.from_}
    told = {"from": sender, "sender": sender, "to": people(mail.to), "cc": people(mail.cc), "bcc": people(mail.bcc)}
    return msgspec.json.encode(told).decode()


def meetings(state: State) -> Iterator[tuple[Stored[Meeting], Json]]:
    for stored in state.crm_meetings:
        meeting = stored.value
        attendees = dict.fromkeys([meeting.host, *meeting.attendees])
        yield (
            stored,
            {
                "hs_timestamp": stamp(meeting.start_at),
                "hubspot_owner_id": _owner(state, meeting.host),
                "hs_activity_type": None,
                "hs_meeting_title": "Meeting",
                "hs_meeting_start_time": stamp(meeting.start_at),
                "hs_meeting_end_time": stamp(meeting.end_at) if meeting.end_at else None,
                "hs_meeting_outcome": OUTCOMES[meeting.outcome],
                "hs_meeting_source": "CRM_UI",
                "hs_attendee_owner_ids": ";".join(owner_id(state.ids, key) for key in attendees if key) or None,
                "hs_i_cal_uid": meeting.ical_uid,
            },
        )


def tasks(state: State) -> Iterator[tuple[Stored[Task], Json]]:
    default = state.world.company.reporting_timezone
    for stored in state.crm_tasks:
        task = stored.value
        done = task.status == "completed"
        last = task.completed_by if done else stored.updated_by
        rep = state.reps.get(task.rep)
        zone = ZoneInfo((rep.timezone if rep else None) or default)
        due = datetime.combine(task.due_date, DUE_AT, zone).astimezone(UTC) if task.due_date else None
        yield (
            replace(stored, updated_by=last),
            {
                "hs_timestamp": stamp(due) if due else None,
                "hubspot_owner_id": _owner(state, task.rep),
                "hs_activity_type": None,
                "hs_task_subject": f"Follow up {task.contact or ''}".strip(),
                "hs_task_type": TASK_TYPES[task.type],
                "hs_task_status": "COMPLETED" if done else "NOT_STARTED",
                "hs_task_priority": "NONE",
                "hs_task_completion_date": stamp(task.completed_at) if done and task.completed_at else None,
            },
        )


def notes(state: State) -> Iterator[tuple[Stored[Note], Json]]:
    for stored in state.crm_notes:
        note = stored.value
        yield (
            replace(stored, updated_by=_last_writer(state, stored)),
            {
                "hs_timestamp": stamp(note.at),
                "hubspot_owner_id": _owner(state, note.rep),
                "hs_activity_type": None,
                "hs_note_body": "<p>A note.</p>",
            },
        )


def _last_writer(state: State, stored: Stored[Note]) -> str | None:
    """Who wrote a note last; None where it changed by nobody's hand."""
    if stored.updated_at == stored.created_at:
        return stored.created_by
    return next((w.by for w in state.writes("note", stored.key) if w.at == stored.updated_at), None)
