"""Salesloft's records, made of a company's sequencer, with all their fields: what is asked for of them is the wire's matter.

What the wire says of a world: a step's mail has a cadence, a step and the task that sending it completed, one by hand has none; `bounced` when
the first recipient failed; the first human answer is an activity email_reply of that mail. A call that no dialer has was made with Salesloft's
own telephone, and logged if it has a disposition or reached a machine; one that a dialer has was logged alone, if it went out. Further
recipients in To are told as people, without an address; of some mails by hand no message_id is told, which the
contract does not have. LinkedIn tasks are tasks of type general. Times have the team's offset, or Z, by list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sandbox import world_sequencer as sequencer
from sandbox.world import Call
from sandbox.world_sequencer import Sent
from sandbox.world_state import State, User, call_end, talk_seconds

ZONE = ZoneInfo("America/New_York")
HREF = "https://api.salesloft.com/v2"
STATUS = {"answered": "completed", "voicemail": "completed", "no_answer": "no-answer", "busy": "busy", "failed": "failed",
          "cancelled": "canceled", "missed": "no-answer"}  # fmt: skip
DISPOSITIONS = {
    "voicemail": "Left Voicemail",
    "no_answer": "No Answer",
    "busy": "Busy",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
Item = dict[str, Any]


def _id(state: State, kind: str, key: str) -> int:
    return int(state.ids.number(f"salesloft.{kind}", key, (9, 10)))


def _ref(state: State, kind: str, key: str | None) -> Item | None:
    if key is None:
        return None
    number = _id(state, kind, key)
    return {"id": number, "_href": f"{HREF}/{kind}/{number}"}


def _guid(state: State, rep: str) -> str:
    return str(UUID(state.ids.hexadecimal("salesloft.guid", rep, 32)))


def _local(at: datetime | None) -> str | None:
    """As the team's zone has it."""
    return None if at is None else at.astimezone(ZONE).isoformat(timespec="microseconds")


def _utc(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def users(state: State) -> list[Item]:
    return [_user(state, user) for user in sequencer.users(state)]


def _user(state: State, user: User) -> Item:
    begun, ended = sequencer.seat_of(state, user)
    gone = ended is not None and ended <= state.now
    stamps = [begun, *([ended] if gone and ended else [])]
    return {
        "id": _id(state, "users", user.key), "guid": _guid(state, user.key), "created_at": _local(begun), "updated_at": _local(max(stamps)),
        "name": user.name, "email": user.email, "sending_email_address": user.email, "active": not gone, "team_admin": False,
        "email_signature": "<p>a signature that nobody asked for</p>", "twitter_handle": None,
    }  # fmt: skip


def emails(state: State) -> list[Item]:
    return [_email(state, one) for one in sequencer.sent(state)]


def _email(state: State, one: Sent) -> Item:
    mail = one.mail
    step = None if mail.sequencer is None or mail.sequencer.step is None else str(mail.sequencer.step)
    last = max(at for at in (mail.sent_at, one.bounced_at, one.replied_at) if at)
    number = _id(state, "emails", mail.key)
    named = {"cc": ", ".join(mail.cc), "bcc": ", ".join(mail.bcc)}
    return {
        "id": number, "created_at": _local(mail.sent_at), "updated_at": _local(last), "sent_at": _local(mail.sent_at),
        "send_after": None, "status": "sent", "bounced": one.bounced_at is not None, "recipient_email_address": one.first,
        "message_id": None if step is None and number % 3 == 0 else (mail.message_id or "").strip("<>") or None,
        "headers": {name: text for name, text in named.items() if text},
        "subject": None, "error_message": None, "body": "<p>a body that nobody asked for</p>", "personalization": "13.4",
        "view_tracking": True, "click_tracking": False, "counts": {"views": 1, "clicks": 0, "replies": int(one.replied_at is not None)},
        "user": _ref(state, "users", mail.rep), "recipient": _ref(state, "people", one.first),
        "additional_recipients": [_ref(state, "people", address.lower()) for address in mail.to[1:]],
        "cadence": _ref(state, "cadences", step and mail.rep), "step": _ref(state, "steps", step),
        "mailing": {"id": _id(state, "mailings", mail.key)},
        "task": _ref(state, "tasks", step and f"mail/{mail.key}"), "action": None, "crm_activity": None,
    }  # fmt: skip


def replies(state: State) -> list[Item]:
    """Activities: those that are read of them."""
    return [_reply(state, one, one.replied_at) for one in sequencer.sent(state) if one.replied_at]


def _reply(state: State, one: Sent, at: datetime) -> Item:
    return {
        "id": f"email_reply-{_id(state, 'replies', one.mail.key)}", "type": "email_reply", "created_at": _utc(at), "updated_at": _utc(at),
        "occurred_at": _utc(at), "user_guid": _guid(state, one.mail.rep),
        "resource_type": "person", "resource_id": _id(state, "people", one.first),
        "static_data": {"email_id": _id(state, "emails", one.mail.key)}, "tags": [], "pinned_at": None, "failed_dynamic_resources": [],
        "dynamic_data": {"subject": "A subject that nobody asked for"},
    }  # fmt: skip


def memberships(state: State) -> list[Item]:
    """Who is in a rep's cadence; a record changes with whatever happens to its mails."""
    moved: dict[tuple[str, str], list[datetime]] = {}
    for mail in state.world.mails:
        if mail.direction == "outbound" and sequencer.is_there(state.world, mail):
            to = (mail.to or mail.cc or mail.bcc or [""])[0].lower()
            stamps = [mail.visible_at or mail.sent_at, mail.deleted_at, *(edit.at for edit in mail.edits)]
            moved.setdefault((mail.rep, to), []).extend(at for at in stamps if at and at <= state.now)
    return [
        {
            "id": _id(state, "cadence_memberships", f"{one.rep}/{one.address}"), "added_at": _local(one.at), "created_at": _local(one.at),
            "updated_at": _local(max([one.at, *moved.get((one.rep, one.address), [])])), "person_deleted": False, "currently_on_cadence": True,
            "current_state": "active", "cadence": _ref(state, "cadences", one.rep), "person": _ref(state, "people", one.address),
            "user": _ref(state, "users", one.rep), "counts": {"views": 1, "sent_emails": 1},
        }
        for one in sequencer.enrolments(state)
    ]  # fmt: skip


def tasks(state: State) -> list[Item]:
    """Tasks that are done, and those that sending a step's mail has completed; one for later, which nobody counts."""
    steps = [one.mail for one in sequencer.sent(state) if one.mail.sequencer and one.mail.sequencer.step is not None]
    done = [(t.key, t.rep, sequencer.completer(t), t.completed_at, "general") for t in sequencer.tasks(state)]
    done += [(f"mail/{mail.key}", mail.rep, mail.rep, mail.sent_at, "email") for mail in steps]
    return [
        *(_task(state, key, rep, by, at, kind) for key, rep, by, at, kind in done),
        *(_task(state, f"later/{user.key}", user.key, None, None, "call") for user in sequencer.users(state)),
    ]


def _task(state: State, key: str, rep: str, by: str | None, at: datetime | None, kind: str) -> Item:
    stamp = _local(at or datetime(2026, 1, 5, 9, tzinfo=UTC))
    return {
        "id": _id(state, "tasks", key), "created_at": stamp, "updated_at": stamp, "due_date": "2026-01-05", "due_at": None,
        "current_state": "completed" if at else "scheduled", "task_type": kind, "completed_at": _local(at),
        "completed_by": _ref(state, "users", by), "user": _ref(state, "users", rep), "person": None,
        "subject": "A subject that nobody asked for", "description": "a note that nobody asked for",
    }  # fmt: skip


def _is_dialled(call: Call) -> bool:
    """Was it made with Salesloft's own telephone? What came in was, whoever else has it."""
    return call.dialer is None or call.direction == "inbound"


def _kind(call: Call) -> str:
    return "voicemail" if call.machine and call.direction == "outbound" else call.result


def _is_logged(call: Call) -> bool:
    own = call.sequencer
    outbound = call.direction == "outbound"
    return outbound and (
        not _is_dialled(call) or _kind(call) == "voicemail" or (own is not None and own.disposition is not None)
    )


def _length(call: Call) -> int:
    return talk_seconds(call) if call.answered_at is not None else 0


def _seen_at(call: Call) -> datetime:
    """When it came to be there: logged by hand, at its end; a log's own time is all that tells when the call was."""
    assert call.sequencer is not None
    moved = sequencer.called_at(call) - call.started_at
    return call.sequencer.visible_at or call_end(call) + moved


def calls(state: State) -> list[Item]:
    return [_call(state, call) for call in sequencer.calls(state) if _is_logged(call)]


def _call(state: State, call: Call) -> Item:
    own = call.sequencer
    assert own is not None
    stamp = _local(_seen_at(call))
    told = own.disposition or DISPOSITIONS.get(_kind(call))
    return {
        "id": _id(state, "calls", call.key), "to": call.number, "duration": _length(call), "disposition": told, "sentiment": None,
        "connected": call.answered_at is not None and _kind(call) == "answered", "positive": False, "created_at": stamp, "updated_at": stamp,
        "recordings": [{"url": "https://calls.example/r.mp3", "status": "completed"}], "user": _ref(state, "users", call.rep),
        "note": {"id": 1}, "called_person": _ref(state, "people", call.number), "cadence": None, "step": None, "task": None, "action": None,
    }  # fmt: skip


def call_records(state: State) -> list[Item]:
    return [_record(state, call) for call in sequencer.calls(state) if _is_dialled(call)]


def _record(state: State, call: Call) -> Item:
    moved = sequencer.called_at(call) - call.started_at
    phone = next((r.phone for r in state.reps.values() if r.key == call.rep), None)
    outbound = call.direction == "outbound"
    stamp = _utc(_seen_at(call))
    return {
        "id": _id(state, "call_data_records", call.key), "call_uuid": str(UUID(state.ids.hexadecimal("salesloft.uuid", call.key, 32))),
        "call_type": "call", "direction": call.direction, "from": phone if outbound else call.number, "to": call.number if outbound else phone,
        "status": STATUS["no_answer" if not outbound and call.result == "voicemail" else _kind(call)], "duration": _length(call),
        "started_at": _utc(call.started_at + moved), "ended_at": _utc(call_end(call) + moved), "created_at": stamp, "updated_at": stamp,
        "recording": {"url": "https://calls.example/r.mp3", "status": "completed"}, "user": _ref(state, "users", call.rep),
        "called_person": None, "call": _ref(state, "calls", call.key if _is_logged(call) else None),
    }  # fmt: skip


LISTS: dict[str, tuple[Callable[[State], Sequence[Item]], str, tuple[str, ...], tuple[str, ...]]] = {
    # path: (its records, scope, what it can be sorted by, the first being the default; instants that it is filtered by)
    "users": (users, "team:read", ("id", "email", "name", "group", "role"), ()),
    "activities/emails": (emails, "emails:read", ("updated_at", "send_time"), ("updated_at", "sent_at")),
    "activities/calls": (calls, "calls:read", ("updated_at", "created_at"), ("updated_at", "created_at")),
    "call_data_records": (call_records, "calls:read", ("updated_at", "created_at"), ("updated_at", "created_at")),
    "cadence_memberships": (memberships, "cadences:read", ("updated_at", "added_at"), ("updated_at",)),
    "tasks": (tasks, "tasks:read", ("due_date", "due_at", "updated_at"), ("updated_at", "completed_at")),
    "activity_histories": (replies, "activities:read", ("occurred_at", "updated_at"), ("occurred_at", "updated_at")),
}
