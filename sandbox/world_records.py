"""What a record of one system is, and how it is told from a world's: edits up to an instant, dependent defaults.

`State` (world_state) makes these; nothing here knows a system's whole content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace as changed

from sandbox.world import INTEGRATION, Call, CallInCrm, Edit, Meeting, Rep, Task, Via, World

BEFORE_ALL = datetime(2020, 1, 1, tzinfo=UTC)  # when things began that say no other time
INDEX_LAG = timedelta(
    minutes=15
)  # what is visible later than this after logging was written then, not just indexed then
T = TypeVar("T", bound=Struct)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Version:
    """One value of one property from `at` on. by: a key of reps or users_without_rep, "integration", or None."""

    property: str
    value: Any
    at: datetime
    by: str | None
    via: Via
    at_creation: bool = False


@dataclass(frozen=True, slots=True)
class Stored(Generic[V]):
    """A record as one system holds it now. value: the world's record with edits applied and dependent defaults filled.

    created_by: a key of reps or users_without_rep, "integration", or None. deleted_at: when it was archived, or None.
    merged: keys of the records merged into this one, oldest first. history: property versions, oldest first.
    """

    value: V
    key: str
    created_at: datetime
    created_by: str | None
    created_via: Via
    updated_at: datetime
    updated_by: str | None = None
    deleted_at: datetime | None = None
    merged: tuple[str, ...] = ()
    history: tuple[Version, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """An account in one system. active: false once the person left. rep: false for users_without_rep."""

    key: str
    name: str
    email: str | None
    active: bool
    created_at: datetime
    updated_at: datetime
    rep: Rep | None


def via_of(by: str | None, via: Via | None) -> Via:
    """How a thing was written where the file does not say: by hand for a person, by integration or automation else."""
    if via is not None:
        return via
    return "integration" if by == INTEGRATION else "automation" if by is None else "ui"


def with_edits(value: T, edits: Sequence[Edit], now: datetime) -> T:
    """`value` with every edit up to `now` applied in order of time; msgspec.ValidationError on an unknown field."""
    due = sorted((e for e in edits if e.at <= now), key=lambda e: e.at)
    if not due:
        return value
    document = msgspec.to_builtins(value, builtin_types=(datetime,))
    for edit in due:
        if strange := set(edit.set) - set(document):
            raise msgspec.ValidationError(f"{type(value).__name__} has no field {sorted(strange)[0]!r}")
        document.update(edit.set)
    return msgspec.convert(document, type(value))


def last_edit(edits: Iterable[Edit], now: datetime) -> datetime | None:
    return max((e.at for e in edits if e.at <= now), default=None)


def rep_at(rep: Rep, instant: datetime) -> Rep:
    """The rep as of an instant: team, manager, time zone and so on by its changes."""
    return with_edits(rep, rep.changes, instant)


def applied_edits(world: World) -> Iterator[tuple[str, Callable[[], object]]]:
    """(path, what applies them) of each list of edits; that raises msgspec.ValidationError if one does not fit."""
    end = datetime.max.replace(tzinfo=UTC)
    for name, field_name in (("reps", "changes"), ("accounts", "changes"), ("contacts", "edits"), ("mails", "edits")):
        for i, item in enumerate(getattr(world, name)):
            yield f"{name}[{i}].{field_name}", partial(with_edits, item, getattr(item, field_name), end)
    for i, call in enumerate(world.calls):
        if call.dialer is not None:
            yield f"calls[{i}].dialer.edits", partial(with_edits, call, call.dialer.edits, end)
        if call.crm is not None:
            yield f"calls[{i}].crm.edits", partial(edited_call, call, call.crm, end)
    for i, mail in enumerate(world.mails):
        if mail.crm is not None:
            yield f"mails[{i}].crm.edits", partial(with_edits, mail.crm, mail.crm.edits, end)
    for name in ("meetings", "tasks", "notes"):
        for i, item in enumerate(getattr(world, name)):
            edits = [*item.edits, *(item.crm.edits if item.crm else [])]
            yield f"{name}[{i}].edits", partial(with_edits, item, edits, end)


def call_end(call: Call) -> datetime:
    return call.ended_at or call.answered_at or call.started_at


def talk_seconds(call: Call) -> int:
    """Seconds of talk over all legs: as given, else the legs' sum, else ended − answered; 0 where nobody answered."""
    if call.talk_seconds is not None:
        return call.talk_seconds
    if call.legs:
        return sum(leg.talk_seconds for leg in call.legs)
    if call.answered_at is None or call.ended_at is None:
        return 0
    return int((call.ended_at - call.answered_at).total_seconds())


def full_meeting(meeting: Meeting) -> Meeting:
    """A meeting with host, end_at, booked_at, booked_by, outcome_at and crm.logged_at filled in."""
    end = meeting.end_at or meeting.start_at + timedelta(minutes=30)
    logged = meeting.crm.logged_at if meeting.crm else None
    booked = meeting.booked_at or logged or meeting.start_at
    outcome_at = meeting.outcome_at or (end if meeting.outcome in ("held", "no_show") else booked)
    return changed(
        meeting,
        host=meeting.host or meeting.rep,
        end_at=end,
        booked_at=booked,
        booked_by=meeting.booked_by or meeting.rep,
        outcome_at=outcome_at,
        crm=changed(meeting.crm, logged_at=logged or booked) if meeting.crm else None,
    )


def task_created(task: Task) -> datetime:
    """When a task was made: as given, else when logged, completed or due (midnight UTC), else before everything."""
    logged = task.crm.logged_at if task.crm else None
    due = datetime(*task.due_date.timetuple()[:3], tzinfo=UTC) if task.due_date else None
    return task.created_at or logged or task.completed_at or due or BEFORE_ALL


def digits(number: str) -> str:
    """The digits of a telephone number, without a leading international 00."""
    found = "".join(c for c in number if c.isdigit())
    return found.removeprefix("00")


def edited_call(call: Call, crm: CallInCrm, now: datetime) -> Call:
    """The CRM's copy of a call: an edit may set fields of the `crm` block, and of the call as the CRM tells it."""
    block_fields = CallInCrm.__struct_fields__
    block = [Edit(at=e.at, set={k: v for k, v in e.set.items() if k in block_fields}) for e in crm.edits]
    own = [Edit(at=e.at, set={k: v for k, v in e.set.items() if k not in block_fields}) for e in crm.edits]
    return changed(with_edits(call, own, now), crm=with_edits(crm, block, now))
