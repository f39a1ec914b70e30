"""Mails by METRICS 0.4, 0.5, 3 to 3b and 4, and RESPONSE_RATE: what was sent, what failed, who answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from sandbox import world_sequencer as sequencer
from sandbox.truth_frame import Frame, Rows
from sandbox.world import Mail


@dataclass(slots=True)
class Message:
    """One mail, however many systems hold a copy. holders: reps in whose mailboxes or under whose name it lies."""

    mail: Mail
    rep: str | None  # outbound: owner of From; inbound: whom it reached
    holders: list[str]
    thread: str = ""
    sequence: bool = False
    refused: str | None = None  # to whom the sequencer says that it bounced
    in_mailbox: bool = False

    @property
    def outbound(self) -> bool:
        return self.mail.direction == "outbound"

    @property
    def at(self) -> datetime:
        return self.mail.sent_at

    @property
    def human(self) -> bool:
        return self.mail.kind in ("one_to_one", "sequence")

    @property
    def recipients(self) -> list[str]:
        return [*self.mail.to, *self.mail.cc, *self.mail.bcc]


def messages(frame: Frame) -> list[Message]:
    """Every mail that a mailbox, the CRM or the sequencer holds now, once each (0.5), with its thread, in order of sending."""
    found: dict[str, Message] = {}
    for mail, holder, in_mailbox in _copies(frame):
        if "DRAFT" in mail.labels:
            continue
        key = message_id(mail.message_id) or f"key {mail.key}"
        if key not in found:
            owner = frame.rep_of_address(mail.from_) if mail.direction == "outbound" else None
            found[key] = Message(mail, owner or mail.rep, [])
        found[key].sequence |= mail.kind == "sequence" or (
            mail.sequencer is not None and mail.sequencer.step is not None
        )
        found[key].in_mailbox |= in_mailbox
        if holder not in found[key].holders:
            found[key].holders.append(holder)
    for one in sequencer.sent(frame.state):
        key = message_id(one.mail.message_id) or f"key {one.mail.key}"
        if key not in found:  # its provider's thread is not known, for it lies in no mailbox
            owner = frame.rep_of_address(one.mail.from_) or one.mail.rep
            found[key] = Message(replace(one.mail, thread=None), owner, [one.mail.rep])
        found[key].sequence = one.mail.sequencer is not None and one.mail.sequencer.step is not None
        found[key].refused = one.first if one.bounced_at else None
    for answer, rep in _told_answers(frame, found):
        found[f"answer {answer.key}"] = Message(answer, rep, [rep])
    ordered = sorted(found.values(), key=lambda m: (m.at, m.mail.key))
    _thread(ordered)
    return ordered


def _copies(frame: Frame) -> Iterator[tuple[Mail, str, bool]]:
    """(mail, holder, does it lie in the holder's mailbox?)"""
    for rep in frame.reps:
        for stored in frame.state.mailbox(rep):
            yield stored.value, rep, True
    for stored in frame.state.crm_mails:
        if stored.deleted_at is None:
            yield stored.value, stored.value.rep, False


def _told_answers(frame: Frame, found: dict[str, Message]) -> list[tuple[Mail, str]]:
    """Answers that the sequencer alone tells of, as mails: to reps without a mailbox, the first one of the prospect's to each mail."""
    known = {message_id(m.mail.message_id) for m in found.values()}
    told: list[tuple[Mail, str]] = []
    for one in sequencer.sent(frame.state):
        rep = one.mail.rep
        if one.replied_at is None or rep not in frame.reps or "mail" in frame.state.reps[rep].seats:
            continue
        logged = [m for m in found.values() if not m.outbound and m.mail.from_.lower() == one.first]
        if any(one.mail.sent_at <= m.at <= one.replied_at + timedelta(days=1) for m in logged):
            continue
        assert message_id(one.mail.message_id) in known
        answer = Mail(
            key=one.mail.key, rep=rep, direction="inbound", from_=one.first, to=[one.mail.from_], sent_at=one.replied_at,
            in_reply_to=one.mail.message_id,
        )  # fmt: skip
        told.append((answer, rep))
    return told


def message_id(text: str | None) -> str | None:
    """(0.5) A Message-ID without its brackets, domain in lower case; None where there is none."""
    if not text or not text.strip():
        return None
    left, at, domain = text.strip().strip("<>").strip().rpartition("@")
    return left + at + domain.lower() if at else domain


def _thread(found: list[Message]) -> None:
    """Join what refers to one another, over all mailboxes, and what a provider keeps in one thread of one mailbox."""
    root: dict[str, str] = {}

    def find(name: str) -> str:
        while root.setdefault(name, name) != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    names = [f"id {message_id(m.mail.message_id) or m.mail.key}" for m in found]
    for name, message in zip(names, found, strict=True):
        cited = [message_id(r) for r in [message.mail.in_reply_to, *message.mail.references]]
        joined = [f"id {c}" for c in cited if c]
        if message.mail.thread is not None:
            joined += [f"thread {holder} {message.mail.thread}" for holder in message.holders]
        for other in joined:
            root[find(other)] = find(name)
    for name, message in zip(names, found, strict=True):
        message.thread = find(name)


def is_sent(frame: Frame, message: Message) -> bool:
    """(3) Counted as sent: one-to-one or sequence, by a rep, to at least one external recipient who is no test."""
    return message.outbound and message.human and message.rep in frame.reps and bool(frame.external(message.recipients))


def count_mails(frame: Frame, found: list[Message], rows: Rows) -> None:
    """Add emails_sent and its parts, recipients, deliveries and bounces (all on the day of sending), and replies."""
    failed = _failures(frame, found)
    for message in found:
        if message.rep not in frame.reps:
            continue
        if is_sent(frame, message):
            reached = frame.external(message.recipients)
            lost = [a for a in reached if a in failed[id(message)]]
            row = rows[message.rep, frame.day(message.rep, message.at)]
            row["emails_sent"] += 1
            row["emails_sent_sequence" if message.sequence else "emails_sent_one_to_one"] += 1
            row["email_recipients"] += len(reached)
            row["recipients_bounced"] += len(lost)
            row["recipients_delivered"] += len(reached) - len(lost)
            row["emails_bounced" if len(lost) == len(reached) else "emails_delivered"] += 1
    for message, to in replies(frame, found):
        if to.rep in frame.reps:
            row = rows[to.rep, frame.day(to.rep, message.at)]
            row["replies_received" if message.human else "auto_replies_received"] += 1


def _failures(frame: Frame, found: list[Message]) -> dict[int, set[str]]:
    """id of a sent Message -> addresses that it did not reach. A notice of delay names nobody as failed."""
    by_id = {message_id(m.mail.message_id): m for m in found if m.outbound and m.mail.message_id}
    failed: dict[int, set[str]] = defaultdict(set)
    for notice in found:
        mail = notice.mail
        if notice.outbound or mail.kind != "bounce":
            continue
        said = {a.lower() for a in mail.failed_recipients}
        if not said and (mail.status or "5").startswith("4"):
            continue
        named = [message_id(r) for r in [mail.in_reply_to, *reversed(mail.references)] if r]
        sent = next((by_id[name] for name in named if name in by_id), None)
        if not named:
            sent = _last_to(found, notice, said)
        if sent is not None:
            failed[id(sent)] |= said or set(frame.external(sent.recipients))
    for message in found:
        if message.refused is not None:
            failed[id(message)].add(message.refused)
    return failed


def _last_to(found: list[Message], notice: Message, said: set[str]) -> Message | None:
    """The last mail before a notice that went from the same mailbox to one of the addresses that failed."""
    earlier = [m for m in found if m.outbound and m.at <= notice.at and set(m.holders) & set(notice.holders)]
    return next((m for m in reversed(earlier) if said & {a.lower() for a in m.recipients}), None)


def replies(frame: Frame, found: list[Message]) -> Iterator[tuple[Message, Message]]:
    """(reply, the last mail of ours before it in its thread): inbound, from outside, human or automatic."""
    last: dict[str, Message] = {}
    for message in found:
        if message.outbound:
            if frame.external(message.recipients) and message.human:
                last[message.thread] = message
        elif message.thread in last and frame.external([message.mail.from_]) and _answers(message):
            yield message, last[message.thread]


def _answers(message: Message) -> bool:
    return message.human or message.mail.kind == "auto_reply"


def conversations(frame: Frame, found: list[Message]) -> Iterator[tuple[str, str, datetime]]:
    """(4a, 4b) (rep, contact, instant) of each mail that makes or continues a two-way exchange.

    An inbound human mail in a thread where the rep wrote before; or the rep's first answer to an inbound human mail.
    """
    wrote: set[tuple[str, str]] = set()  # (thread, rep)
    waiting: dict[tuple[str, str], set[str]] = defaultdict(
        set
    )  # (thread, rep) -> senders whom the rep has not answered
    for message in found:
        if not message.human:
            continue
        if message.outbound:
            if message.rep is None or not frame.external(message.recipients):
                continue
            here = (message.thread, message.rep)
            answered = waiting[here] & set(frame.external(message.recipients))
            waiting[here] -= answered  # who was not written to still waits
            for sender in answered:
                yield message.rep, frame.contact_of_address(sender), message.at
            wrote.add(here)
        elif sender := frame.external([message.mail.from_]):
            for rep in message.holders:
                if (message.thread, rep) in wrote:
                    waiting[message.thread, rep].discard(sender[0])
                    yield rep, frame.contact_of_address(sender[0]), message.at
                else:
                    waiting[message.thread, rep].add(sender[0])
