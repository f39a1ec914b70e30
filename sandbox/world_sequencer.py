"""What a sequencer of its own (Outreach, Salesloft) shows of a company: mails sent through it, enrolments, tasks, calls, users.

A mail is there if its `sequencer` names a vendor that the company has, a call if it has a `sequencer` block, a task if it is one for
LinkedIn. Who was enrolled when, is not in the world's words: at the first mail of a rep's to an address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sandbox.world import SEQUENCERS, Call, Mail, Task, World
from sandbox.world_seats import split
from sandbox.world_state import State, User, call_end, with_edits
from sandbox.world_tools import bounds_of, seats_of

TOOL = "sequencer"  # under which name its use stands where no tool of the company's takes it


def vendors(world: World) -> list[str]:
    """The company's sequencers that are systems of their own."""
    return [v for v in dict.fromkeys(split(name)[0] for name in world.vendor("sequencer")) if v in SEQUENCERS]


def is_used(world: World) -> bool:
    return bool(vendors(world))


def is_there(world: World, mail: Mail) -> bool:
    return mail.sequencer is not None and mail.sequencer.system in vendors(world)


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail as the sequencer knows it. bounced_at: when the first recipient's system refused it; replied_at: the first human answer."""

    mail: Mail
    bounced_at: datetime | None
    replied_at: datetime | None

    @property
    def first(self) -> str:
        return (self.mail.to or self.mail.cc or self.mail.bcc or [""])[0].lower()


@dataclass(frozen=True, slots=True)
class Enrolment:
    rep: str
    address: str
    at: datetime


def sent(state: State) -> list[Sent]:
    """Mails of the sequencer now, in order of sending."""
    return state.cached("sequencer.sent", lambda: list(_sent(state)))


def _sent(state: State) -> Iterator[Sent]:
    if not is_used(state.world):
        return
    there = [m for m in state.world.mails if (m.visible_at or m.sent_at) <= state.now and not _gone(m, state)]
    arrived = [m for m in there if m.direction == "inbound"]
    cited: dict[str, list[Mail]] = {}
    for mail in arrived:
        for name in {mail.in_reply_to, *mail.references} - {None}:
            cited.setdefault(str(name), []).append(mail)
    for mail in sorted(there, key=lambda m: (m.sent_at, m.key)):
        if mail.direction != "outbound" or not is_there(state.world, mail):
            continue
        now = with_edits(mail, mail.edits, state.now)
        one = Sent(now, None, None)
        answers = [m for m in cited.get(mail.message_id or "", []) if m.sent_at >= mail.sent_at]
        bounces = [m.sent_at for m in answers if m.kind == "bounce" and _failed(m, one.first)]
        replies = [m.sent_at for m in answers if m.kind == "one_to_one"]
        yield Sent(now, min(bounces, default=None), min(replies, default=None))


def _gone(mail: Mail, state: State) -> bool:
    return mail.deleted_at is not None and mail.deleted_at <= state.now


def _failed(notice: Mail, address: str) -> bool:
    said = {a.lower() for a in notice.failed_recipients}
    return address in said if said else not (notice.status or "5").startswith("4")


def enrolments(state: State) -> list[Enrolment]:
    first: dict[tuple[str, str], datetime] = {}
    for one in sent(state):
        if one.mail.sequencer is not None and one.mail.sequencer.step is not None:
            first.setdefault((one.mail.rep, one.first), one.mail.sent_at)
    return [Enrolment(rep, address, at) for (rep, address), at in first.items()]


def tasks(state: State) -> list[Task]:
    """Tasks of the sequencer that are done now; completed_by is filled in."""
    found: list[Task] = []
    for task in state.world.tasks if is_used(state.world) else []:
        now = with_edits(task, task.edits, state.now)
        done = now.completed_at
        standing = now.deleted_at is None or now.deleted_at > state.now
        if now.type == "linkedin" and now.status == "completed" and done is not None and done <= state.now and standing:
            found.append(now)
    return found


def completer(task: Task) -> str:
    return task.completed_by or task.rep


def calls(state: State) -> list[Call]:
    """Calls of the sequencer now, in order of start."""
    found: list[Call] = []
    for call in state.world.calls if is_used(state.world) else []:
        own = call.sequencer
        if own is None or (own.visible_at or call_end(call)) > state.now:
            continue
        if own.deleted_at is None or own.deleted_at > state.now:
            found.append(call)
    return sorted(found, key=lambda c: (c.started_at, c.key))


def called_at(call: Call) -> datetime:
    """When the sequencer says that it was."""
    return (call.sequencer and call.sequencer.timestamp) or call.started_at


def users(state: State) -> list[User]:
    """Who has a seat there by `seats`, by the tool's seats, or by what was done there."""
    world = state.world
    acting = {m.rep for m in world.mails if is_there(world, m)}
    acting |= {c.rep for c in world.calls if c.sequencer is not None and c.rep}
    acting |= {completer(t) for t in world.tasks if t.type == "linkedin"}
    acting |= {s.rep for v in vendors(world) for s in seats_of(world, v)}
    return state.users("sequencer", also=acting)


def seat_of(state: State, user: User) -> tuple[datetime, datetime | None]:
    """From when until when a user may sign in."""
    seats = [seat for v in vendors(state.world) for seat in seats_of(state.world, v)]
    bounds = [bounds_of(state, seat) for seat in seats if seat.rep == user.key]
    if not bounds:
        return user.created_at, None if user.active else user.updated_at
    last = [end for _, end in bounds]
    return min(start for start, _ in bounds), None if None in last else max(e for e in last if e)


def sign_ins(state: State, user: User) -> list[datetime]:
    named = ("sequencer", *vendors(state.world))
    return sorted(
        e.at
        for e in state.world.logins
        if e.rep == user.key and e.system in named and e.succeeded and e.at <= state.now
    )


def uses(state: State) -> Iterator[tuple[str, datetime, str]]:
    """(rep, instant, action) of each step executed and each enrolment (METRICS 5a)."""
    for one in sent(state):
        yield one.mail.rep, one.mail.sent_at, "mail"
    for entry in enrolments(state):
        yield entry.rep, entry.at, "enrol"
    for task in tasks(state):
        if task.completed_at is not None:
            yield completer(task), task.completed_at, "linkedin"
    for call in calls(state):
        if call.rep is not None:
            yield call.rep, called_at(call), "call"


def tool_names(world: World) -> list[str]:
    """Under which names the sequencer's use stands: those tools that take all of it, else its own."""
    tools = world.company.tools or []
    whole = [t.name for t in tools for v in vendors(world) if v in t.evidence and t.name.lower() in (v, TOOL)]
    return whole or [TOOL]
