"""What is read of Outreach: lists, the fields that the metrics need, and what goes dark without them. Never a subject, a body or a note.

Source: the OpenAPI file of api.outreach.io (resources mailing, recipient, prospect, sequenceState, task, call, callDisposition, user).
What a record has beyond these fields is dropped, whether it was asked for or not. A mailing does not carry its recipients: they come
beside it, so that it lands as {"id", "at", "mailing", "recipients", "prospect_emails"}.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from .left_out import cut_down
from .shape import decode
from .stream import DateRange, Page, Snapshot, Stream

LAG = timedelta(minutes=15)  # after which Outreach is sure to show what happened


class Ref(msgspec.Struct, omit_defaults=True):
    id: int | str | None = None


class One(msgspec.Struct, omit_defaults=True):
    """A relationship to one; some carry links alone."""

    data: Ref | None = None


class Many(msgspec.Struct, omit_defaults=True):
    data: list[Ref] | None = None


class Attributes(msgspec.Struct, omit_defaults=True, rename="camel"):
    """Of all kinds of records."""

    created_at: str | None = None
    updated_at: str | None = None
    state: str | None = None
    state_changed_at: str | None = None
    # mailing
    message_id: str | None = None
    references: list[str] | None = None
    mailing_type: str | None = None
    mailbox_address: str | None = None
    delivered_at: str | None = None
    bounced_at: str | None = None
    replied_at: str | None = None
    # task
    action: str | None = None
    task_type: str | None = None
    completed_at: str | None = None  # of a call too
    # call
    direction: str | None = None
    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    outcome: str | None = None  # of a disposition too
    dialed_at: str | None = None
    answered_at: str | None = None
    external_vendor: str | None = None
    vendor_call_id: str | None = None
    voicemail_recording_url: str | None = None
    # user, disposition
    name: str | None = None
    email: str | None = None
    locked: bool | None = None
    current_sign_in_at: str | None = None
    last_sign_in_at: str | None = None
    # recipient, prospect
    value: str | None = None
    recipient_type: str | None = None
    primary: bool | None = None
    emails: list[str] | None = None


class Relationships(msgspec.Struct, omit_defaults=True, rename="camel"):
    user: One | None = None
    owner: One | None = None
    completer: One | None = None
    creator: One | None = None
    prospect: One | None = None
    recipients: Many | None = None
    sequence: One | None = None
    sequence_state: One | None = None
    sequence_step: One | None = None
    task: One | None = None
    call_disposition: One | None = None
    outbound_voicemail: One | None = None


class Record(msgspec.Struct, omit_defaults=True):
    """A JSON:API resource, cut down to what is needed."""

    type: str | None = None
    id: int | str | None = None
    attributes: Attributes | None = None
    relationships: Relationships | None = None


class _Links(msgspec.Struct):
    next: str | None = None


class _Linked(msgspec.Struct):
    links: _Links | None = None


@dataclass(frozen=True, slots=True)
class List:
    """A list as a stream. stamps: fields whose ranges tell all its records, none for a list read whole; happened: path of the first.

    unused: under which name the settings may leave it out.
    """

    stream: str
    path: str
    fields: tuple[str, ...]
    scope: str
    feeds: str
    stamps: tuple[str, ...] = ()
    happened: str | None = None
    more: Mapping[str, str] = field(default_factory=dict[str, str])
    unused: str = ""
    optional: bool = False
    is_mailing: bool = False

    @property
    def params(self) -> dict[str, str]:
        """fields[<type>]: of every kind of record in the answer; relationships are fields too."""
        kind = self.path.strip("/").removesuffix("s")
        return {f"fields[{kind}]": ",".join(self.fields), **self.more}


LISTS: Mapping[str, List] = {
    one.stream: one
    for one in (
        List("seq_user", "/users", ("email", "name", "locked", "createdAt", "updatedAt", "currentSignInAt", "lastSignInAt"), "users.read",
             "who is who in Outreach, seats and sign-ins"),
        List("seq_call_disposition", "/callDispositions", ("name", "outcome", "createdAt", "updatedAt"), "callDispositions.read",
             "dispositions of calls that are in Outreach alone", optional=True, unused="calls"),
        # One that bounced at once was never delivered.
        List("seq_send", "/mailings", ("createdAt", "updatedAt", "state", "messageId", "references", "mailingType", "mailboxAddress",
             "deliveredAt", "bouncedAt", "repliedAt", "user", "prospect", "recipients", "sequence", "sequenceState", "sequenceStep", "task"),
             "mailings.read",
             "which mails were sent by a sequence, mails that no mailbox holds", stamps=("deliveredAt", "bouncedAt"), happened="at",
             more={"include": "recipients,prospect", "fields[recipient]": "value,recipientType,primary", "fields[prospect]": "emails"},
             is_mailing=True),
        List("seq_state", "/sequenceStates", ("createdAt", "updatedAt", "state", "stateChangedAt", "creator", "prospect", "sequence"),
             "sequenceStates.read", "enrolments as use of the sequencer", stamps=("createdAt",), happened="attributes.createdAt",
             unused="sequence_states"),
        List("seq_task", "/tasks", ("createdAt", "updatedAt", "state", "stateChangedAt", "action", "taskType", "completedAt", "completer",
             "owner", "sequenceStep"), "tasks.read", "tasks as use of the sequencer, and of LinkedIn", stamps=("stateChangedAt",),
             happened="attributes.stateChangedAt", more={"filter[state]": "complete"}, unused="tasks"),
        List("seq_call", "/calls", ("createdAt", "updatedAt", "state", "direction", "from", "to", "outcome", "dialedAt", "answeredAt",
             "completedAt", "externalVendor", "vendorCallId", "voicemailRecordingUrl", "user", "callDisposition", "outboundVoicemail"),
             "calls.read", "calls that are in Outreach alone", stamps=("createdAt",), happened="attributes.createdAt", unused="calls"),
    )
}  # fmt: skip


def streams_of(window_days: int) -> tuple[Stream, ...]:
    """What is read, with each stream's clock and permission."""
    ranges = DateRange(span=timedelta(days=window_days), lag=LAG)
    return tuple(
        Stream(
            name=one.stream,
            reading=ranges if one.stamps else Snapshot(),
            updated_at="mailing.attributes.updatedAt" if one.is_mailing else "attributes.updatedAt",
            happened_at=one.happened,
            # Openings and the like move it, and tell nothing that is kept.
            volatile=("mailing.attributes.updatedAt",) if one.is_mailing else ("attributes.updatedAt",),
            scopes=(one.scope, *(("prospects.read",) if one.is_mailing else ())),
            feeds=one.feeds,
            optional=one.optional,
        )
        for one in LISTS.values()
    )


def plain(body: bytes) -> Page:
    """The records of a page."""
    return cut_down(body, "data", Record)


def ids_of(page: Page) -> set[str]:
    """The records' ids, as landing knows them; also of those that came and are left out."""
    return {str(_ref.decode(record).id) for record in page.records}.union(page.seen)


_ref = msgspec.json.Decoder(Ref)


def next_of(body: bytes, what: str) -> str | None:
    """The address of the next page. Raises FormatChanged."""
    told = decode(body, _Linked, what)
    return told.links.next if told.links else None
