"""The truth of a company, as numbers a rep and day: METRICS computed in plain Python from the world itself.

It knows nothing of any warehouse: it reads the page of definitions and the state of the systems at the clock, so that a
test can hold the product's tables against it. Where METRICS leaves a choice, the choice stands in docs/world.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from sandbox.truth_calls import Physical, count_calls, excluded, is_conversation, physical_calls, reached_network
from sandbox.truth_crm import count_crm_usage, count_deals, count_meetings, meetings
from sandbox.truth_frame import Frame, Row, Rows, new_rows
from sandbox.truth_mails import Message, conversations, count_mails, is_sent, messages
from sandbox.truth_tools import usage, uses
from sandbox.world import Rep, World
from sandbox.world_deals import crm_deals
from sandbox.world_state import State, Stored, rep_at

METRICS = (
    *("calls_made", "calls_cancelled", "calls_answered", "calls_connected", "call_conversations"),
    *("calls_answered_short", "calls_no_answer", "calls_busy", "calls_wrong_number", "voicemails_left"),
    *("talk_seconds", "calls_inbound", "calls_inbound_answered", "calls_inbound_missed", "calls_handled"),
    *("emails_sent", "emails_sent_one_to_one", "emails_sent_sequence", "email_recipients"),
    *("recipients_delivered", "recipients_bounced", "emails_delivered", "emails_bounced"),
    *("replies_received", "auto_replies_received"),
    *("conversations", "conversations_new"),
    *("conversation_contacts_call", "conversation_contacts_email", "conversation_contacts_meeting"),
    *("meetings_booked", "meetings_held", "meetings_no_show", "meetings_cancelled"),
    *("crm_active", "crm_writes", "crm_records_created", "crm_activities_logged", "tools_active"),
    *("deals_created", "deals_created_without_amount", "pipeline_created_amount"),
)
Told = dict[tuple[str, date], dict[str, Any]]


def truth(world: World, now: datetime) -> Told:
    """(rep's e-mail, local day) -> metric -> number, of what the systems show at `now`.

    A row for every rep of role "sales" and day of employment, from the first day on which anything happened to the
    local today; a metric without anything is 0. Amounts are Decimal in the reporting currency, the rest int.
    """
    return told(State(world, now))


def told(state: State) -> Told:
    """`truth` of a state."""
    frame = Frame(state)
    rows = new_rows()
    calls = physical_calls(frame)
    mails = messages(frame)
    count_calls(frame, calls, rows)
    count_mails(frame, mails, rows)
    count_meetings(frame, rows)
    count_deals(frame, rows)
    count_crm_usage(frame, rows)
    _count_conversations(frame, calls, mails, rows)
    _count_tools(frame, calls, mails, rows)
    return _dense(frame, rows)


def _count_conversations(frame: Frame, calls: list[Physical], mails: list[Message], rows: Rows) -> None:
    """(4) Distinct (rep, contact, local day); a contact counts once a day, whatever the channels."""
    channels: dict[tuple[str, date], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    first: dict[str, tuple[datetime, tuple[str, date]]] = {}
    for channel, rep, contact, at in _exchanges(frame, calls, mails):
        known = rep in frame.reps
        cell = rep, frame.day(rep, at) if known else date.min
        if known:
            channels[cell][contact].add(channel)
        first[contact] = min(first.get(contact, (at, cell)), (at, cell))  # by anyone: also by a user who is no rep
    for cell, contacts in channels.items():
        row = rows[cell]
        row["conversations"] = len(contacts)
        row["conversations_new"] = sum(first[contact][1] == cell for contact in contacts)
        for channel in ("call", "email", "meeting"):
            row[f"conversation_contacts_{channel}"] = sum(channel in used for used in contacts.values())


def _exchanges(frame: Frame, calls: list[Physical], mails: list[Message]) -> Iterator[tuple[str, str, str, datetime]]:
    for call in calls:
        if not excluded(frame, call) and is_conversation(frame, call):
            yield "call", call.rep or "", frame.contact_of_number(call.number), call.started_at
    for rep, contact, at in conversations(frame, mails):
        yield "email", rep, contact, at
    for stored in meetings(frame):
        meeting = stored.value
        if meeting.outcome == "held" and meeting.start_at <= frame.state.now and meeting.host in frame.reps:
            for contact in dict.fromkeys(frame.contact(c) for c in meeting.contacts):
                if not frame.test_contact(contact):
                    yield "meeting", meeting.host, contact, meeting.start_at


def _count_tools(frame: Frame, calls: list[Physical], mails: list[Message], rows: Rows) -> None:
    """(5a) Tools with a qualifying action: crm (1a), dialer (a call made or answered), mail (a mail sent), and those of [[tools]]."""
    used: dict[tuple[str, date], set[str]] = defaultdict(set)
    for call in calls:
        if call.in_dialer and not excluded(frame, call):
            acted = reached_network(call) if call.direction == "outbound" else call.answered and not call.machine
            for leg in call.legs if acted else ():
                if leg.rep in frame.reps:
                    used[leg.rep, frame.day(leg.rep, call.started_at)].add("dialer")
    for message in mails:
        # A step that the sequencer sends from its own servers leaves no copy, and is no use of the mail system.
        if message.rep is not None and message.in_mailbox and is_sent(frame, message):
            used[message.rep, frame.day(message.rep, message.at)].add("mail")
    for rep, day, tool in uses(frame):
        used[rep, day].add(tool)
    for cell in {*rows, *used}:
        others = used[cell] - {"crm"}
        rows[cell]["tools_active"] = len(others) + bool(rows[cell]["crm_active"] or "crm" in used[cell])


def _dense(frame: Frame, rows: Rows) -> Told:
    start = min((day for _, day in rows), default=None)
    if start is None:
        return {}
    found: Told = {}
    for rep in frame.reps.values():
        for day in _days(frame, rep, start):
            if rep_at(rep, datetime.combine(day, time(12), UTC)).role == "sales":
                found[rep.email, day] = {metric: rows[rep.key, day][metric] for metric in METRICS}
    return found


def _days(frame: Frame, rep: Rep, start: date) -> Iterator[date]:
    """(0.7) Every date of employment from `start` to the rep's own today, weekends and leave included."""
    now = frame.state.reps[rep.key]
    day = max(start, now.hire_date or start)
    last = min(frame.day(rep.key, frame.state.now), now.end_date or date.max)
    while day <= last:
        yield day
        day += timedelta(days=1)


def document(state: State) -> dict[str, Any]:
    """The world as its systems show it at the clock, as a world file; beside it `daily`: `truth` as a list, and `tools`: truth_tools."""
    world = state.world
    deals = {d.key for d in crm_deals(state)}
    shown: dict[str, Any] = {
        **msgspec.structs.asdict(world),
        "reps": list(state.reps.values()),
        "accounts": [s.value for s in state.crm_companies],
        "contacts": [s.value for s in state.crm_contacts],
        "calls": _calls(state),
        "mails": _mails(state),
        "meetings": _standing(state.crm_meetings),
        "tasks": _standing(state.crm_tasks),
        "notes": _standing(state.crm_notes),
        "deals": [
            msgspec.structs.replace(d, events=[e for e in d.events if e.at <= state.now])
            for d in world.deals
            if d.key in deals
        ],
        "crm_writes": [w for w in world.crm_writes if w.at <= state.now],
        "logins": [entry for entry in world.logins if entry.at <= state.now],
        "tool_actions": [a for a in world.tool_actions if a.at <= state.now],
    }
    shown["company"] = msgspec.structs.replace(world.company, now=state.now)
    daily = [{"email": email, "date": day, **row} for (email, day), row in told(state).items()]
    return msgspec.to_builtins(shown | {"daily": daily, "tools": usage(Frame(state))})


def _standing(found: list[Stored[Any]]) -> list[Any]:
    return [s.value for s in found if s.deleted_at is None]


def _calls(state: State) -> list[Any]:
    """Calls that the dialer or the CRM shows; the block of a system that does not show the call is null."""
    dialled = {s.key: s.value for s in state.dialer_calls}
    logged = {s.key: s.value for s in state.crm_calls if s.deleted_at is None}
    found: list[Any] = []
    for call in state.world.calls:
        if call.key in dialled:
            crm = logged[call.key].crm if call.key in logged else None
            found.append(msgspec.structs.replace(dialled[call.key], crm=crm))
        elif call.key in logged:
            found.append(msgspec.structs.replace(logged[call.key], dialer=None))
    return found


def _mails(state: State) -> list[Any]:
    found = {s.key: s.value for s in state.crm_mails if s.deleted_at is None}
    for rep in state.reps:
        found |= {s.key: msgspec.structs.replace(s.value, crm=None) for s in state.mailbox(rep) if s.key not in found}
    return list(found.values())


__all__ = ["METRICS", "Row", "Told", "document", "told", "truth"]
