"""One rep's mailbox as Gmail holds it now: messages with labels and headers, threads, and the history of changes.

Headers and shapes are those of a recorded mailbox (April 2026): a bounce comes from mailer-daemon with an empty
Return-Path, Auto-Submitted, X-Failed-Recipients and the failed mail's Message-ID in In-Reply-To and References, in its
thread; header names come in two cases; a mail to oneself carries SENT and INBOX. Ids and threads are the mailbox's own.

History ids grow with time: the id of a change is its second since 2020, so they are the same in every run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, formataddr
from typing import Any

from sandbox.world import Mail
from sandbox.world_state import BEFORE_ALL, State, with_edits

Json = dict[str, Any]
Header = tuple[str, str]
FIRST_HISTORY_ID = 1000
CATEGORIES = {"bulk": "CATEGORY_PROMOTIONS", "bounce": "CATEGORY_UPDATES", "auto_reply": "CATEGORY_UPDATES"}


@dataclass(frozen=True, slots=True)
class Message:
    """One copy of a mail. history_id: of its last change."""

    id: str
    thread_id: str
    labels: tuple[str, ...]
    internal_date: int  # epoch milliseconds
    history_id: int
    mime_type: str
    headers: tuple[Header, ...]
    mail: Mail

    def header(self, name: str) -> str:
        return next((value for n, value in self.headers if n.lower() == name), "")

    @property
    def size(self) -> int:
        return 1500 + sum(len(n) + len(v) for n, v in self.headers)


@dataclass(slots=True)
class Change:
    """One history record: everything that happened in one second."""

    id: int
    at: datetime
    added: list[str] = field(default_factory=list[str])
    deleted: list[str] = field(default_factory=list[str])
    labels_added: list[tuple[str, tuple[str, ...]]] = field(default_factory=list[tuple[str, tuple[str, ...]]])
    labels_removed: list[tuple[str, tuple[str, ...]]] = field(default_factory=list[tuple[str, tuple[str, ...]]])


@dataclass(frozen=True, slots=True)
class Mailbox:
    """messages: newest first. threads, last_labels: of all messages that ever were here, by id. changes: oldest first."""

    email: str
    name: str
    aliases: Sequence[str]
    messages: Sequence[Message]
    by_id: Mapping[str, Message]
    threads: Mapping[str, str]
    last_labels: Mapping[str, tuple[str, ...]]
    changes: Sequence[Change]

    @property
    def history_id(self) -> int:
        return self.changes[-1].id if self.changes else FIRST_HISTORY_ID


def mailbox(state: State, rep: str) -> Mailbox:
    """A rep's mailbox as of the state. Made once per state."""
    found: Mailbox = state.cached(f"gmail.{rep}", lambda: _mailbox(state, rep))
    return found


def addresses_of(state: State, rep: str) -> list[str]:
    """A mailbox's addresses, the primary one first. An address that was primary before stays as an alias."""
    here = state.reps[rep]
    first = next(r for r in state.world.reps if r.key == rep)
    former = [first.email, *(c.set["email"] for c in first.changes if "email" in c.set and c.at <= state.now)]
    return list(dict.fromkeys([here.email, *here.aliases, *former]))


def history_id(at: datetime) -> int:
    return FIRST_HISTORY_ID + int((at - BEFORE_ALL).total_seconds())


def _mailbox(state: State, rep: str) -> Mailbox:
    here = state.reps[rep]
    addresses = addresses_of(state, rep)
    own = {address.lower() for address in addresses}
    present = [stored.value for stored in state.mailbox(rep)]
    gone = [mail for _, mail in state.mail_deletions(rep)]
    ever = sorted([*present, *gone], key=lambda m: (m.sent_at, m.key))
    ids = {mail.key: state.ids.hexadecimal("gmail.message", f"{rep} {mail.key}") for mail in ever}
    threads = _threads(ever, ids)
    originals = {mail.key: mail for mail in state.world.mails}
    changes, last = _changes(state, [originals[m.key] for m in ever], ids, lambda mail: labels(mail, rep, own))
    messages = [
        _message(m, labels(m, rep, own), own, (ids[m.key], threads[m.key], last.get(m.key, FIRST_HISTORY_ID)))
        for m in present
    ]
    messages.sort(key=lambda m: (m.internal_date, m.id), reverse=True)
    left = {ids[m.key]: labels(with_edits(m, m.edits, m.deleted_at or state.now), rep, own) for m in gone}
    return Mailbox(
        email=here.email,
        name=here.name or here.key,
        aliases=addresses[1:],
        messages=messages,
        by_id={m.id: m for m in messages},
        threads={ids[key]: thread for key, thread in threads.items()},
        last_labels=left | {m.id: m.labels for m in messages},
        changes=changes,
    )


def _threads(mails: Iterable[Mail], ids: Mapping[str, str]) -> dict[str, str]:
    """The thread of each mail: the id of its first message. Joined by the world's thread, or by what it answers."""
    by_name: dict[str, str] = {}
    by_message: dict[str, str] = {}
    found: dict[str, str] = {}
    for mail in mails:
        answered = [by_message[m] for m in (mail.in_reply_to, *reversed(mail.references)) if m in by_message]
        named = by_name.get(mail.thread) if mail.thread else None
        thread = named or (answered[0] if answered else ids[mail.key])
        found[mail.key] = thread
        if mail.thread:
            by_name.setdefault(mail.thread, thread)
        if mail.message_id:
            by_message.setdefault(mail.message_id, thread)
    return found


def _changes(
    state: State, mails: Iterable[Mail], ids: Mapping[str, str], label: Callable[[Mail], tuple[str, ...]]
) -> tuple[list[Change], dict[str, int]]:
    """History up to now, and the id of each mail's last change."""
    found: dict[int, Change] = {}
    last: dict[str, int] = {}

    def change(mail: Mail, at: datetime) -> Change:
        identifier = history_id(at)
        last[mail.key] = identifier
        return found.setdefault(identifier, Change(identifier, at))

    for mail in mails:
        arrived = mail.visible_at or mail.sent_at
        change(mail, arrived).added.append(ids[mail.key])
        before = label(with_edits(mail, mail.edits, arrived))
        for edit in sorted(mail.edits, key=lambda e: e.at):
            if not arrived < edit.at <= state.now:
                continue
            after = label(with_edits(mail, mail.edits, edit.at))
            gained, lost = tuple(x for x in after if x not in before), tuple(x for x in before if x not in after)
            if gained:
                change(mail, edit.at).labels_added.append((ids[mail.key], gained))
            if lost:
                change(mail, edit.at).labels_removed.append((ids[mail.key], lost))
            before = after
        if mail.deleted_at is not None and mail.deleted_at <= state.now:
            change(mail, mail.deleted_at).deleted.append(ids[mail.key])
    return [found[key] for key in sorted(found)], last


def labels(mail: Mail, rep: str, own: set[str]) -> tuple[str, ...]:
    """Gmail's labels of a copy in the mailbox of `rep`, whose addresses are `own`."""
    extra = [label for label in mail.labels if label not in ("SENT", "INBOX")]
    if "DRAFT" in extra:
        return ("DRAFT",)
    addressed = any(a.lower() in own for a in (*mail.to, *mail.cc, *mail.bcc))
    # Of a mail that went out, whoever was not written to holds a copy for having sent it, as a delegate in another's name.
    sent = mail.from_.lower() in own or (mail.direction == "outbound" and (mail.rep == rep or not addressed))
    found = ["SENT"] if sent else []
    if (addressed or not sent) and not {"TRASH", "SPAM"} & set(extra):
        found = ["UNREAD", *found, "INBOX"]
    if not sent:
        found.insert(1, CATEGORIES.get(mail.kind, "CATEGORY_PERSONAL"))
    return tuple(dict.fromkeys([*found, *extra]))


def _message(mail: Mail, found: tuple[str, ...], own: set[str], ids: tuple[str, str, int]) -> Message:
    identifier, thread, last = ids
    mime, headers = _headers(mail, identifier, sender="SENT" in found or "DRAFT" in found, own=own)
    milliseconds = int(mail.sent_at.timestamp() * 1000)
    return Message(identifier, thread, found, milliseconds, last, mime, tuple(headers), mail)


def _headers(mail: Mail, identifier: str, *, sender: bool, own: set[str]) -> tuple[str, list[Header]]:
    """MIME type and headers of a copy; `sender`: in the sender's mailbox, where Bcc is to be seen."""
    boundary = f"00000000000{identifier}"
    mime, special = _kind(mail, boundary)
    found: list[Header] = []
    if not sender:
        found.append(("Delivered-To", next((a for a in (*mail.to, *mail.cc, *mail.bcc) if a.lower() in own), min(own))))
        found.append(("Return-Path", "<>" if mail.kind == "bounce" else f"<{mail.from_}>"))
    found.append(("Content-Type", special.pop("Content-Type")))
    found += [(name, ", ".join(who)) for name, who in (("To", mail.to), ("Cc", mail.cc)) if who]
    if mail.bcc and sender:
        found.append(("Bcc", ", ".join(mail.bcc)))
    if mail.kind == "bounce":
        found.append(("Return-Path", "<>"))  # twice, as recorded
    if mail.message_id:
        found.append(("Message-Id" if int(identifier, 16) % 2 else "Message-ID", mail.message_id))
    found.append(("Date", format_datetime(mail.sent_at.astimezone(UTC))))
    found.append(("From", formataddr(("Mail Delivery Subsystem", mail.from_)) if mail.kind == "bounce" else mail.from_))
    found.append(("Subject", _subject(mail)))
    references = mail.references or ([mail.in_reply_to] if mail.in_reply_to else [])
    if references:
        found.append(("References", " ".join(references)))
    if mail.in_reply_to or (mail.kind == "bounce" and references):
        found.append(("In-Reply-To", mail.in_reply_to or references[-1]))
    given = {name.lower() for name in mail.headers}
    found += special.items()
    return mime, [h for h in found if h[0].lower() not in given] + list(mail.headers.items())


def _kind(mail: Mail, boundary: str) -> tuple[str, dict[str, str]]:
    """MIME type, and the headers that show of which kind a mail is."""
    match mail.kind:
        case "bounce":
            report = f'multipart/report; boundary="{boundary}"; report-type=delivery-status'
            failed = {"X-Failed-Recipients": ", ".join(mail.failed_recipients)} if mail.failed_recipients else {}
            return "multipart/report", {"Content-Type": report, "Auto-Submitted": "auto-replied", **failed}
        case "receipt":
            report = f'multipart/report; boundary="{boundary}"; report-type=disposition-notification'
            return "multipart/report", {"Content-Type": report}
        case "calendar":
            return "text/calendar", {"Content-Type": 'text/calendar; charset="UTF-8"; method=REQUEST'}
        case "auto_reply":
            return "text/plain", {"Content-Type": "text/plain; charset=UTF-8", "Auto-Submitted": "auto-replied"}
        case "bulk":
            domain = mail.from_.rpartition("@")[2]
            return "multipart/alternative", {
                "Content-Type": f'multipart/alternative; boundary="{boundary}"',
                "List-Unsubscribe": f"<mailto:unsubscribe@{domain}>",
                "Precedence": "bulk",
            }
        case _:
            return "multipart/alternative", {"Content-Type": f'multipart/alternative; boundary="{boundary}"'}


def _subject(mail: Mail) -> str:
    if mail.subject is not None:
        return mail.subject
    if mail.kind == "bounce":
        delay = not mail.failed_recipients and (mail.status or "5").startswith("4")
        return f"Delivery Status Notification ({'Delay' if delay else 'Failure'})"
    if mail.kind == "auto_reply":
        return "Automatic reply: away"
    return f"{'Re: ' if mail.in_reply_to else ''}About {mail.thread or mail.key}"
