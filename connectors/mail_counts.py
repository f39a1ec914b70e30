"""How many mails a mailbox sent and received on a day, where a company opens no mailboxes: what its sources share.

A record is a day that the vendor's usage report has told whole, with the counts of the mailboxes that are asked about, of nobody else.
`reads = "counts"` in a mail source's settings; metrics that need mails one by one are NULL then (docs/sources/mail_counts.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from .stream import Check, ConnectorError, PermissionMissing, Snapshot, Stream

COUNTS = Stream("mail_count", Snapshot(), key=("date",), happened_at="begins", feeds="emails sent a day")
ACCOUNTS = Stream("mail_account", Snapshot(), key=("mailbox",), feeds="whose mails are counted")
CHANGES_WITHIN = 7  # days in which a report may still be corrected (a guess): these are read again


class Counted(msgspec.Struct):
    """A mailbox's day. sent: to whomever; received: from whomever."""

    mailbox: str
    sent: int
    received: int


def asked_of(mailboxes: Iterable[str]) -> str:
    """Of whom counts are kept, as a cursor. It names them as the records do, so that forgetting finds them: a digest would stay."""
    return " ".join(sorted({mailbox.lower() for mailbox in mailboxes}))


def days_due(
    known: Iterable[str], newest: date, days: int, *, cursor: str | None = None, asked: Iterable[str] = ()
) -> list[date]:
    """Of the last `days` up to `newest`, those that are not known or may have been corrected, newest first.

    cursor: of whom the known ones were asked; all are due when somebody has joined them, of whom they say nothing.
    """
    joined = set(asked_of(asked).split()) - set((cursor or "").split())
    landed = set[str]() if joined else set(known)
    last = (newest - timedelta(days=n) for n in range(days))
    return [day for n, day in enumerate(last) if n < CHANGES_WITHIN or day.isoformat() not in landed]


def day_record(day: date, offset: timedelta, counted: Sequence[Counted], asked: Iterable[str]) -> bytes:
    """A day's record. offset: of the vendor's days from UTC; asked: of whom anything is kept.

    Whoever is asked about and not in the report has zeros: who is not in the record was not asked about, and nothing is known.
    """
    sent, received = Counter[str](), Counter[str]()
    for one in counted:
        sent[one.mailbox.lower()] += one.sent
        received[one.mailbox.lower()] += one.received
    kept = [Counted(mailbox, sent[mailbox], received[mailbox]) for mailbox in sorted({m.lower() for m in asked})]
    begins = datetime(day.year, day.month, day.day, tzinfo=UTC) - offset
    return msgspec.json.encode({"date": day, "begins": f"{begins:%Y-%m-%dT%H:%M:%SZ}", "counts": kept})


def account_records(there: Iterable[str], asked: Iterable[str]) -> list[bytes]:
    """Records of the accounts that a report knows, of those that are asked about."""
    found = {mailbox.lower() for mailbox in there} & {mailbox.lower() for mailbox in asked}
    return [msgspec.json.encode({"mailbox": mailbox, "aliases": []}) for mailbox in sorted(found)]


def report_check(source: str, there: Iterable[str], asked: Sequence[str]) -> Check:
    """Does a report know whom it is asked about?"""
    unknown = sorted({m.lower() for m in asked} - {mailbox.lower() for mailbox in there})
    if not unknown:
        return Check(source, COUNTS.name, True, f"the report knows all {len(asked)} mailboxes")
    told = ", ".join(unknown[:3]) + (f" and {len(unknown) - 3} more" if len(unknown) > 3 else "")
    remedy = f"Give their primary addresses in reps.csv or {source}.mailboxes, or say mailbox = no. Until then: no {COUNTS.feeds} of theirs."
    return Check(source, COUNTS.name, False, f"the report does not know {told}", remedy)


def failed_check(source: str, error: ConnectorError, scope: str) -> Check:
    """A check that met an error; `scope` is what to grant."""
    remedy = f"Grant {scope}. Without it: no {COUNTS.feeds}." if isinstance(error, PermissionMissing) else ""
    return Check(source, COUNTS.name, False, str(error), remedy)
