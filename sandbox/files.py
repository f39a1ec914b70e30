"""A folder of files over a company, for whatever it names "files" as the vendor of: what a dialer without an API could export every night.

Calls as CSV, mails as Parquet, the rest as CSV; columns as in docs/sources/files.md. The folder is written with the settings, and anew whenever
the clock is moved: as its systems show things then, whole up to that instant.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from starlette.routing import Route

from sandbox.dialer_legs import legs_of
from sandbox.limits import Limits
from sandbox.world import System, World
from sandbox.world_records import via_of
from sandbox.world_seats import split
from sandbox.world_state import Clock, State
from sandbox.world_tools import actions_at
from sandbox.world_view import view

FOLDER = "files"
Row = dict[str, Any]


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """Nothing: there is no API."""
    del world, clock, limits
    return []


def folder_of(name: str) -> str:
    """The folder of "files" or "files/us"."""
    workspace = split(name)[1]
    return FOLDER if workspace == "main" else f"{FOLDER}-{workspace}"


def fed(world: World) -> Mapping[str, Sequence[System]]:
    """The systems that each of the company's folders feeds, by its name."""
    found: dict[str, list[System]] = {}
    for system in world.company.systems:
        for name in world.vendor(system):
            if split(name)[0] == "files":
                found.setdefault(name, []).append(system)
    return found


def write(state: State, world: World, beside: Path) -> None:
    """Write the folders, as of the state's clock."""
    for name, systems in fed(world).items():
        folder = beside / folder_of(name)
        folder.mkdir(parents=True, exist_ok=True)
        for system in systems:
            held = State(view(world, system, name), state.now, state.ids)
            for kind, rows in _rows(held, system, name):
                _write(folder, kind, rows)
        (folder / "_complete_through").write_text(f"{_text(state.now)}\n", "utf-8")


def _rows(state: State, system: System, name: str) -> Iterator[tuple[str, list[Row]]]:
    if system == "dialer":
        yield "calls", [row for stored in state.dialer_calls for row in _call(state, stored.value)]
        yield (
            "users",
            [
                {"email": u.email, "name": u.name, "phones": u.rep.phone if u.rep else None}
                for u in state.users("dialer")
            ],
        )
    if system == "mail":
        yield "mails", list(_mails(state))
    if system == "crm":
        yield "meetings", [_meeting(state, s.value) for s in state.crm_meetings if s.deleted_at is None]
        yield "crm_writes", [_write_of(state, w) for w in state.world.crm_writes if w.at <= state.now]
    if system == "tools":
        yield (
            "tool_actions",
            [
                {
                    "rep": _email(state, a.rep),
                    "tool": a.tool,
                    "at": a.at,
                    "action": a.action,
                    "evidence": a.evidence,
                    "succeeded": a.succeeded,
                }
                for a in actions_at(state, name)
            ],
        )


def _call(state: State, call: Any) -> Iterator[Row]:
    before = None
    for n, (leg, times) in enumerate(legs_of(call)):
        # By the id that the CRM's logs know, whichever dialer it is.
        key = state.ids.number("cloudtalk.call", f"{call.key}#{n}" if n else call.key)
        yield {
            "key": key,
            "rep": _email(state, leg.rep),
            "number": call.number,
            "started_at": times.started,
            "result": call.result,
            "direction": call.direction,
            "answered_at": times.answered,
            "ended_at": times.ended,
            "machine": call.machine,
            "talk_seconds": leg.talk_seconds if times.answered else 0,
            "transferred_from": before,
            "own_number": state.reps[leg.rep].phone if leg.rep in state.reps else None,
        }
        before = key


def _mails(state: State) -> Iterator[Row]:
    boxes: dict[str, list[str]] = {}
    mails: dict[str, Any] = {}
    for rep in state.reps:
        for stored in state.mailbox(rep):
            if not {"DRAFT", "TRASH", "SPAM"} & set(stored.value.labels):
                mails[stored.key] = stored.value
                boxes.setdefault(stored.key, []).append(rep)
    for key, mail in mails.items():
        yield {
            "key": key,
            "rep": _email(state, mail.rep),
            "from": mail.from_,
            "to": mail.to,
            "sent_at": mail.sent_at,
            "direction": mail.direction,
            "cc": mail.cc,
            "bcc": mail.bcc,
            "message_id": mail.message_id,
            "in_reply_to": mail.in_reply_to,
            "references": mail.references,
            "thread": mail.thread,
            "kind": mail.kind,
            "failed_recipients": mail.failed_recipients,
            "status": mail.status,
            "mailboxes": [state.reps[holder].email for holder in boxes[key]],
        }


def _meeting(state: State, meeting: Any) -> Row:
    contacts = {c.key: c.value for c in state.crm_contacts}
    reached = [
        contacts[k].emails[0]
        for key in meeting.contacts
        if (k := state.survivor("contact", key)) in contacts and contacts[k].emails
    ]
    return {
        "key": meeting.key,
        "rep": _email(state, meeting.rep),
        "start_at": meeting.start_at,
        "outcome": meeting.outcome,
        "host": _email(state, meeting.host),
        "contacts": ";".join(reached),
        "attendees": ";".join(_email(state, a) or "" for a in meeting.attendees),
        "booked_at": meeting.booked_at,
        "booked_by": _email(state, meeting.booked_by),
        "end_at": meeting.end_at,
        "outcome_at": meeting.outcome_at,
        "ical_uid": meeting.ical_uid,
        "via": via_of(meeting.crm.logged_by or meeting.booked_by, meeting.crm.via),
    }


def _write_of(state: State, write: Any) -> Row:
    by = write.by if write.by == "integration" else _email(state, write.by)
    return {
        "at": write.at,
        "by": by,
        "object": write.object,
        "key": write.key,
        "property": write.property,
        "via": write.via,
    }


def _email(state: State, key: str | None) -> str | None:
    if key is None:
        return None
    if key in state.reps:
        return state.reps[key].email
    return next((user.email for user in state.world.users_without_rep if user.key == key), None)


def _write(folder: Path, kind: str, rows: list[Row]) -> None:
    if kind == "mails":
        file = folder / f"{kind}.parquet"
        names = ("key", "rep", "from", "to", "sent_at")
        table = pa.Table.from_pylist(rows) if rows else pa.table({name: pa.array([], pa.string()) for name in names})
        pyarrow.parquet.write_table(table, file)
        return
    needed = {
        "calls": ("key", "rep", "number", "started_at", "result"),
        "users": ("email",),
        "meetings": ("key", "rep", "start_at", "outcome"),
        "crm_writes": ("at", "by", "object", "key"),
        "tool_actions": ("rep", "tool", "at"),
    }
    with (folder / f"{kind}.csv").open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, list(rows[0]) if rows else needed[kind])
        writer.writeheader()
        writer.writerows({name: _text(value) for name, value in row.items()} for row in rows)


def _text(value: object) -> object:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
