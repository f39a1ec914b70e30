"""What every CRM tells alike of a company's activities: whose they are, and which mails came back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sandbox.world import Mail
from sandbox.world_state import State, digits


def called(state: State) -> Iterator[tuple[str, list[str]]]:
    """Logged calls and the contacts of each."""
    for stored in state.crm_calls:
        crm = stored.value.crm
        named = crm.contacts if crm else []
        yield stored.key, named or state.contacts_by_phone.get(digits(stored.value.number), [])


def mailed(state: State) -> Iterator[tuple[str, list[str]]]:
    """Logged mails and the contacts of each."""
    by_email = state.contacts_by_email
    for stored in state.crm_mails:
        mail = stored.value
        named = mail.crm.contacts if mail.crm else []
        people = [mail.from_, *mail.to, *mail.cc, *mail.bcc]
        yield stored.key, named or [key for address in people for key in by_email.get(address.lower(), [])]


def _bounces(state: State) -> dict[str, list[Mail]]:
    """Delivery failures that have arrived, by the Message-ID of the mail that failed; notices of delay are none."""
    found: dict[str, list[Mail]] = {}
    for mail in state.world.mails:
        delay = not mail.failed_recipients and (mail.status or "5").startswith("4")
        if mail.kind == "bounce" and mail.sent_at <= state.now and not delay:
            for message_id in {mail.in_reply_to, *mail.references} - {None}:
                found.setdefault(str(message_id), []).append(mail)
    return found


def failed_at(state: State, mail: Mail) -> datetime | None:
    """When the last external recipient's delivery had failed; None where anybody outside got it."""
    bounces: dict[str, list[Mail]] = state.cached("crm.bounces", lambda: _bounces(state))
    failures = bounces.get(mail.message_id or "", [])
    internal = tuple(state.world.company.internal_domains)
    outside = {a.lower() for a in (*mail.to, *mail.cc, *mail.bcc)}
    outside = {a for a in outside if not any(a.endswith((f"@{d}", f".{d}")) for d in internal)}
    failed = {a.lower() for f in failures for a in f.failed_recipients}
    whole = any(not f.failed_recipients for f in failures)  # names nobody: the mail as such failed
    return max(f.sent_at for f in failures) if failures and (whole or outside <= failed) else None
