"""A company's calls, meetings and tasks as Pipedrive's activities, its notes and logged mails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sandbox.crm_shared import called, mailed
from sandbox.pipedrive_history import Json, number, of_v1, of_v2, stamps, user
from sandbox.world_state import State, Stored

TYPES = {"no_show": "no_show", "cancelled": "cancelled"}  # of meetings; all others are "meeting"


def activities(state: State) -> Iterator[Json]:
    """Deleted ones too, said to be so."""
    people = dict(called(state))
    for stored in state.crm_calls:
        call, crm = stored.value, stored.value.crm
        if crm is not None and crm.timestamp is not None:
            named = people.get(stored.key, [])
            yield {
                **_activity(state, stored, f"call {stored.key}", call.rep, named),
                "type": "call",
                **_planned(crm.timestamp, crm.duration_seconds),
                **_done(stored.created_at),
            }
    for stored in state.crm_meetings:
        meeting = stored.value
        seconds = int(((meeting.end_at or meeting.start_at) - meeting.start_at).total_seconds())
        yield {
            **_activity(state, stored, f"meeting {stored.key}", meeting.host, meeting.contacts),
            "type": TYPES.get(meeting.outcome, "meeting"),
            **_planned(meeting.start_at, seconds),
            **_done(stored.updated_at if meeting.outcome == "held" else None),
            "attendees": [
                {"user_id": user(state, key), "email": "x@acme.example", "name": "X"}
                for key in dict.fromkeys(meeting.attendees)
            ],
        }
    for stored in state.crm_tasks:
        task = stored.value
        yield {
            **_activity(state, stored, f"task {stored.key}", task.rep, [task.contact] if task.contact else []),
            "type": task.type if task.type in ("email", "linkedin") else "task",
            "due_date": task.due_date.isoformat() if task.due_date else None,
            "done": task.status == "completed",
            "marked_as_done_time": of_v2(task.completed_at) if task.completed_at else None,
        }


def living(state: State) -> Iterator[Json]:
    """Those that are shown."""
    yield from (one for one in activities(state) if not one["is_deleted"])


def _activity(state: State, stored: Stored[Any], key: str, owner: str | None, people: list[str]) -> Json:
    persons = list(dict.fromkeys(number(state, "person", state.survivor("contact", one)) for one in people))
    return {
        **stamps(state, stored, owner),
        "id": number(state, "activity", key),
        "subject": "About the offer",
        "note": "what was said",
        "creator_user_id": user(state, stored.created_by, stored.created_via),
        "due_date": None,
        "due_time": None,
        "duration": None,
        "done": False,
        "marked_as_done_time": None,
        "person_id": persons[0] if persons else None,
        "participants": [{"person_id": one, "primary": n == 0} for n, one in enumerate(persons)],
        "attendees": [],
        "is_deleted": stored.deleted_at is not None,
    }


def _planned(at: datetime, seconds: int | None) -> Json:
    minutes, rest = divmod(seconds or 0, 60)
    lasts = f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}" if seconds is not None else None
    return {
        "due_date": f"{at.astimezone(UTC):%Y-%m-%d}",
        "due_time": f"{at.astimezone(UTC):%H:%M:%S}",
        "duration": lasts,
    }


def _done(at: datetime | None) -> Json:
    return {"done": at is not None, "marked_as_done_time": of_v2(at) if at else None}


def notes(state: State) -> Iterator[Json]:
    for stored in state.crm_notes:
        contact = stored.value.contact
        yield {
            "id": number(state, "note", stored.key),
            "content": "<p>what was said</p>",
            "active_flag": stored.deleted_at is None,
            "add_time": of_v1(stored.created_at),
            "update_time": of_v1(stored.updated_at),
            "user_id": user(state, stored.created_by, stored.created_via),
            "last_update_user_id": user(state, stored.updated_by),
            "person_id": number(state, "person", state.survivor("contact", contact)) if contact else None,
            "user": {"email": "x@acme.example", "name": "X"},
        }


def mails(state: State) -> Iterator[Json]:
    """Mails with `persons`, the ids of those under whom they are listed."""
    people = dict(mailed(state))
    own = {mail.key for mail in state.world.mails if mail.crm is not None}  # not those that HubSpot's sequencer sent
    for stored in state.crm_mails:
        mail = stored.value
        by_hand = stored.created_via in ("ui", "mobile")
        if stored.key in own:
            yield {
                "id": number(state, "mail", stored.key),
                "persons": {
                    number(state, "person", state.survivor("contact", key)) for key in people.get(stored.key, [])
                },
                "from": [{"email_address": mail.from_, "name": "X"}],
                **{
                    name: [{"email_address": one, "name": "X"} for one in getattr(mail, name)]
                    for name in ("to", "cc", "bcc")
                },
                "subject": "About the offer",
                "snippet": "what was said",
                "user_id": user(state, mail.rep),
                "mail_thread_id": number(state, "thread", mail.thread or mail.key),
                "message_time": of_v2(mail.sent_at),
                "add_time": of_v2(stored.created_at),
                "update_time": of_v2(stored.updated_at),
                "mua_message_id": mail.message_id,
                "sent_flag": int(mail.direction == "outbound"),
                "draft_flag": 0,
                "synced_flag": int(not by_hand),
                "sent_from_pipedrive_flag": int(by_hand and mail.direction == "outbound"),
                "smart_bcc_flag": int(by_hand and mail.direction == "inbound"),
                "deleted_flag": int(stored.deleted_at is not None),
            }
