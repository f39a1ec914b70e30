"""Outreach's resources, made of a company's sequencer, with all their fields: what is asked for of them is the wire's matter.

A resource has beside it, under `beside`, what may be asked to be included.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox import world_sequencer as sequencer
from sandbox.aircall import TAGS
from sandbox.world import Call
from sandbox.world_sequencer import Sent
from sandbox.world_state import State, User, call_end

DISPOSITIONS = (*TAGS.values(), "Connected", "Left live message", "Left voicemail", "Wrong number")
Item = dict[str, Any]


def _resource(
    kind: str, identifier: str, attributes: Item, beside: Mapping[str, list[Item]] | None = None, **to: Any
) -> Item:
    """to: relationships: a resource identifier, a list of them, or None; `mailings` is one that carries links alone."""
    related: Item = {name: {"data": one} for name, one in to.items()}
    related["mailings"] = {
        "links": {"related": f"https://api.outreach.io/api/v2/mailings?filter[{kind}][id]={identifier}"}
    }
    return {
        "type": kind,
        "id": int(identifier),
        "attributes": attributes,
        "relationships": related,
        "beside": beside or {},
    }


def _ref(state: State, kind: str, key: str | None) -> Item | None:
    return None if key is None else {"type": kind, "id": int(_id(state, kind, key))}


def _id(state: State, kind: str, key: str) -> str:
    return state.ids.number(f"outreach.{kind}", key, (9, 10))


def _at(instant: datetime | None) -> str | None:
    return (
        None if instant is None else instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def mailings(state: State) -> list[Item]:
    return [_mailing(state, one) for one in sequencer.sent(state)]


def _mailing(state: State, one: Sent) -> Item:
    mail = one.mail
    by_hand = mail.sequencer is None or mail.sequencer.step is None
    named = [("to", a) for a in mail.to] + [("cc", a) for a in mail.cc] + [("bcc", a) for a in mail.bcc]
    recipients = [
        _resource(
            "recipient",
            _id(state, "recipient", f"{mail.key}/{n}"),
            {"value": address, "recipientType": how, "primary": n == 0},
        )
        for n, (how, address) in enumerate(named)
    ]
    contact = next(iter(state.contacts_by_email.get(one.first, [])), one.first)
    emails = next((c.value.emails for c in state.crm_contacts if c.key == contact), [one.first])
    prospect = _resource("prospect", _id(state, "prospect", contact), {"emails": emails, "firstName": "Someone"})
    last = max(at for at in (mail.sent_at, one.bounced_at, one.replied_at) if at)
    attributes = {
        "createdAt": _at(mail.sent_at),
        "updatedAt": _at(last),
        "state": "bounced" if one.bounced_at else "replied" if one.replied_at else "delivered",
        "stateChangedAt": _at(last),
        "mailingType": "single" if by_hand else "sequence",
        "deliveredAt": _at(mail.sent_at),
        "bouncedAt": _at(one.bounced_at),
        "repliedAt": _at(one.replied_at),
        "messageId": mail.message_id,
        "references": [*mail.references],
        "mailboxAddress": mail.from_,
        "subject": mail.subject or "A subject that nobody asked for",
        "bodyHtml": "<p>a body that nobody asked for</p>",
        "openCount": 1,
        "replySentiment": None,
    }
    step = None if by_hand or mail.sequencer is None else str(mail.sequencer.step)
    return _resource(
        "mailing",
        _id(state, "mailing", mail.key),
        attributes,
        {"recipients": recipients, "prospect": [prospect]},
        user=_ref(state, "user", mail.rep),
        recipients=[{"type": "recipient", "id": r["id"]} for r in recipients],
        prospect={"type": "prospect", "id": prospect["id"]},
        sequence=_ref(state, "sequence", None if by_hand else "main"),
        sequenceState=_ref(state, "sequenceState", None if by_hand else f"{mail.rep}/{one.first}"),
        sequenceStep=_ref(state, "sequenceStep", step),
    )


def enrolments(state: State) -> list[Item]:
    return [
        _resource(
            "sequenceState",
            _id(state, "sequenceState", f"{one.rep}/{one.address}"),
            {
                "createdAt": _at(one.at),
                "updatedAt": _at(one.at),
                "state": "active",
                "stateChangedAt": _at(one.at),
                "deliverCount": 1,
            },
            creator=_ref(state, "user", one.rep),
            sequence=_ref(state, "sequence", "main"),
        )
        for one in sequencer.enrolments(state)
    ]


def tasks(state: State) -> list[Item]:
    return [
        _resource(
            "task",
            _id(state, "task", task.key),
            {"createdAt": _at(task.created_at or task.completed_at), "updatedAt": _at(task.completed_at), "state": "complete",
             "stateChangedAt": _at(task.completed_at), "completedAt": _at(task.completed_at), "action": "action_item",
             "taskType": "sequence_step_linkedin_send_message", "note": "a note that nobody asked for"},
            owner=_ref(state, "user", task.rep),
            completer=_ref(state, "user", sequencer.completer(task)),
        )
        for task in sequencer.tasks(state)
    ]  # fmt: skip


def calls(state: State) -> list[Item]:
    return [_call(state, call) for call in sequencer.calls(state)]


def _call(state: State, call: Call) -> Item:
    own = call.sequencer
    assert own is not None
    at, ended = sequencer.called_at(call), call_end(call)
    phone = next((r.phone for r in state.reps.values() if r.key == call.rep), None)
    outbound = call.direction == "outbound"
    machine = call.machine or (outbound and call.result == "voicemail")
    reason = TAGS.get(call.result) if outbound and call.result != "voicemail" else None
    told = own.disposition or (reason if call.dialer is None else None)
    moved = at - call.started_at
    return _resource(
        "call",
        _id(state, "call", call.key),
        {"createdAt": _at(own.visible_at or ended), "updatedAt": _at(own.visible_at or ended), "state": "completed", "direction": call.direction,
         "to": call.number if outbound else phone, "from": phone if outbound else call.number,
         "outcome": "Answered" if call.answered_at else "Not Answered", "dialedAt": _at(at),
         "answeredAt": _at(call.answered_at + moved if call.answered_at else None), "completedAt": _at(ended + moved),
         "externalVendor": "cloudtalk" if own.external_id else None,
         "vendorCallId": state.ids.number("cloudtalk.call", call.key) if own.external_id else None,
         "voicemailRecordingUrl": "https://calls.example/v.mp3" if not outbound and call.result == "voicemail" else None,
         "note": "a note that nobody asked for"},
        user=_ref(state, "user", call.rep),
        callDisposition=_ref(state, "callDisposition", told),
        outboundVoicemail=_ref(state, "outboundVoicemail", "one" if machine and outbound else None),
    )  # fmt: skip


def dispositions(state: State) -> list[Item]:
    used = [c.sequencer.disposition for c in sequencer.calls(state) if c.sequencer and c.sequencer.disposition]
    at = "2020-01-02T11:41:01.000Z"
    return [
        _resource(
            "callDisposition",
            _id(state, "callDisposition", name),
            {"name": name, "outcome": "Answered", "createdAt": at, "updatedAt": at},
        )
        for name in dict.fromkeys([*DISPOSITIONS, *used])
    ]


def users(state: State) -> list[Item]:
    return [_user(state, user) for user in sequencer.users(state)]


def _user(state: State, user: User) -> Item:
    begun, ended = sequencer.seat_of(state, user)
    signed = sequencer.sign_ins(state, user)
    locked = ended is not None and ended <= state.now
    stamps = [begun, *signed, *([ended] if locked and ended else [])]
    return _resource(
        "user",
        _id(state, "user", user.key),
        {"email": user.email, "name": user.name, "username": user.key, "locked": locked, "createdAt": _at(begun), "updatedAt": _at(max(stamps)),
         "currentSignInAt": _at(signed[-1] if signed else None), "lastSignInAt": _at(signed[-2] if len(signed) > 1 else None),
         "title": "Rep", "phoneNumber": None},
    )  # fmt: skip
