"""What is read of Salesloft: lists, the fields that the metrics need, and what goes dark without them. Never a subject, a body or a note.

Source: the published contract of API v2 (resources Email, Call, CallDataRecord, Task, CadenceMembership, User, ActivityHistory) and, for
fields that are younger than it (message_id, connected, started_at, ended_at), developers.salesloft.com/docs/api as public connectors cite it.
Salesloft has no way to name fields (sparse fieldsets), so what a record has beyond these is dropped before it lands: bodies, recordings,
counts of openings and clicks, which no metric reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from .stream import Changes, DateRange, Reading, Snapshot, Stream

LAG = timedelta(minutes=15)  # after which Salesloft is sure to show what happened

Number = int | float | str


class Ref(msgspec.Struct, omit_defaults=True):
    """Another record, by its id."""

    id: int | str | None = None


class _Base(msgspec.Struct, omit_defaults=True):
    id: int | str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class User(_Base, omit_defaults=True):
    guid: str | None = None
    name: str | None = None
    email: str | None = None
    sending_email_address: str | None = None
    active: bool | None = None


class Headers(msgspec.Struct, omit_defaults=True):
    """Of a mail, if it used them."""

    cc: str | list[str] | None = None
    bcc: str | list[str] | None = None


class Email(_Base, omit_defaults=True):
    sent_at: str | None = None
    status: str | None = None
    bounced: bool | None = None
    message_id: str | None = None
    recipient_email_address: str | None = None
    headers: Headers | None = None
    user: Ref | None = None
    recipient: Ref | None = None
    cadence: Ref | None = None
    step: Ref | None = None
    task: Ref | None = None


class OfReply(msgspec.Struct, omit_defaults=True):
    email_id: int | str | None = None


class Reply(_Base, omit_defaults=True):
    type: str | None = None
    occurred_at: str | None = None
    user_guid: str | None = None
    static_data: OfReply | None = None


class Membership(_Base, omit_defaults=True):
    added_at: str | None = None
    user: Ref | None = None
    cadence: Ref | None = None


class Task(_Base, omit_defaults=True):
    current_state: str | None = None
    task_type: str | None = None
    completed_at: str | None = None
    completed_by: Ref | None = None
    user: Ref | None = None


class Call(_Base, omit_defaults=True):
    """A call that somebody logged."""

    to: str | None = None
    duration: Number | None = None
    disposition: str | None = None
    sentiment: str | None = None
    connected: bool | None = None
    user: Ref | None = None
    step: Ref | None = None
    task: Ref | None = None


class CallRecord(_Base, omit_defaults=True):
    """A call as Salesloft's own telephone had it; which call was logged of it, if any."""

    call_uuid: str | None = None
    call_type: str | None = None
    direction: str | None = None
    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    status: str | None = None
    duration: Number | None = None
    started_at: str | None = None
    ended_at: str | None = None
    user: Ref | None = None
    call: Ref | None = None


@dataclass(frozen=True, slots=True)
class List:
    """A list as a stream. stamp: the field whose ranges tell all its records, none for a list read whole.

    sort: in which order its pages come; one that openings and edits leave as it is, where the vendor offers any. changes: the stamp is when a
    record changed, so records leave a range while it is read. unused: under which name the settings may leave it out.
    """

    stream: str
    path: str
    kind: type[msgspec.Struct]
    scope: str
    feeds: str
    sort: str
    stamp: str = ""
    changes: bool = False
    more: Mapping[str, str] = field(default_factory=dict[str, str])
    unused: str = ""

    @property
    def params(self) -> dict[str, str]:
        return {"sort_by": self.sort, "sort_direction": "ASC", **self.more}


LISTS: Mapping[str, List] = {
    one.stream: one
    for one in (
        # Without visible_only=false whoever was deactivated is hidden.
        List("seq_user", "/users", User, "team:read", "who is who in Salesloft, and seats", "id", more={"visible_only": "false"}),
        List("seq_send", "/activities/emails", Email, "emails:read", "which mails a cadence sent, mails that no mailbox holds",
             "send_time", "sent_at"),
        List("seq_reply", "/activity_histories", Reply, "activities:read", "answers to mails of reps whose mailbox is not read", "occurred_at",
             "occurred_at", more={"type": "email_reply"}, unused="replies"),
        List("seq_state", "/cadence_memberships", Membership, "cadences:read", "enrolments as use of the sequencer", "added_at", "updated_at",
             changes=True, unused="cadence_memberships"),
        List("seq_task", "/tasks", Task, "tasks:read", "tasks as use of the sequencer", "updated_at", "completed_at",
             more={"current_state": "completed"}, unused="tasks"),
        List("seq_call", "/activities/calls", Call, "calls:read", "calls that were logged, and their dispositions", "created_at", "created_at",
             unused="calls"),
        List("seq_call_record", "/call_data_records", CallRecord, "calls:read", "calls that Salesloft's own telephone made", "created_at",
             "created_at", unused="calls"),
    )
}  # fmt: skip


def streams_of(window_days: int) -> tuple[Stream, ...]:
    """What is read, with each stream's clock and permission."""

    def reading(one: List) -> Reading:
        if one.changes:
            return Changes(lag=LAG)
        return DateRange(span=timedelta(days=window_days), lag=LAG) if one.stamp else Snapshot()

    return tuple(
        Stream(
            name=one.stream,
            reading=reading(one),
            updated_at="updated_at",
            happened_at=None if one.changes else one.stamp or None,
            volatile=("updated_at",),  # openings and the like move it, and tell nothing that is kept
            scopes=(one.scope,),
            feeds=one.feeds,
        )
        for one in LISTS.values()
    )
