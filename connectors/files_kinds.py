"""What a file of activities may hold: its kinds, by the name of the file, and their columns, in the words of docs/world.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .stream import DateRange, Reading, Snapshot, Stream, System

IGNORE = "ignore"
WEEKS = DateRange()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of activity. at: the column of the instant at which it happened ("" for what does not happen).

    needed: columns that every file of it must have; more: those that it may have. id: columns that tell one activity from another; rows
    that are alike in them are one. counted: rows of one file that are alike are so many of it.
    """

    name: str
    system: System
    stream: str
    at: str
    needed: tuple[str, ...]
    more: tuple[str, ...]
    instants: tuple[str, ...]
    id: tuple[str, ...] = ("key",)
    counted: bool = False
    feeds: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.needed, *self.more, "deleted")

    def declared(self) -> Stream:
        """The stream that its records land in. Where a row stood is told, but makes no version of it."""
        reading: Reading = WEEKS if self.at else Snapshot("deleted")
        return Stream(
            self.stream,
            reading,
            key=("id",),
            happened_at=self.at or None,
            volatile=("file", "line"),
            feeds=self.feeds,
        )


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "calls",
            "dialer",
            "dialer_call",
            "started_at",
            needed=("key", "rep", "number", "started_at", "result"),
            more=(
                *("direction", "answered_at", "ended_at", "machine", "talk_seconds", "transferred_from"),
                *("own_number", "disposition"),
            ),
            instants=("started_at", "answered_at", "ended_at"),
            feeds="calls made, talk time, conversations by call",
        ),
        Kind(
            "users",
            "dialer",
            "dialer_user",
            "",
            needed=("email",),
            more=("name", "phones"),
            instants=(),
            id=("email",),
            feeds="who has an account in the dialer",
        ),
        Kind(
            "mails",
            "mail",
            "mail_message",
            "sent_at",
            needed=("key", "rep", "from", "to", "sent_at"),
            more=(
                *("direction", "cc", "bcc", "message_id", "in_reply_to", "references", "thread", "kind"),
                *("failed_recipients", "status", "mailboxes"),
            ),
            instants=("sent_at",),
            feeds="emails sent, replies, conversations by mail",
        ),
        Kind(
            "meetings",
            "crm",
            "crm_meeting",
            "start_at",
            needed=("key", "rep", "start_at", "outcome"),
            more=(
                *("host", "contacts", "attendees", "booked_at", "booked_by", "end_at", "outcome_at", "ical_uid"),
                "via",
            ),
            instants=("start_at", "end_at", "booked_at", "outcome_at"),
            feeds="meetings",
        ),
        Kind(
            "crm_writes",
            "crm",
            "crm_write",
            "at",
            needed=("at", "by", "object", "key"),
            more=("property", "via"),
            instants=("at",),
            id=("at", "by", "object", "key", "property", "via"),
            feeds="CRM usage",
        ),
        Kind(
            "tool_actions",
            "tools",
            "tool_action",
            "at",
            needed=("rep", "tool", "at"),
            more=("action", "evidence", "succeeded"),
            instants=("at",),
            id=("at", "rep", "tool", "action", "evidence", "succeeded"),
            counted=True,
            feeds="use of tools",
        ),
    )
}
# The stretches of time that the files tell whole: {"stream": …, "from": …, "until": …} (transforms/coverage.py).
STRETCHES = Stream("told_stretch", Snapshot("deleted"), key=("stream", "from"), feeds="which days are complete")
NAMED = re.compile(rf"^({'|'.join(KINDS)})(?![a-z])", re.IGNORECASE)


def kind_of(file: Path) -> Kind | None:
    """By the name of the file or of a folder that it lies in, relative to the source's folder: calls.csv, calls_2026-03.csv, calls/7.parquet."""
    for part in (file.name, *reversed(file.parts[:-1])):
        if found := NAMED.match(part):
            return KINDS[found.group(1).lower()]
    return None
