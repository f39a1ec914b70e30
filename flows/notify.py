"""Notices to people: what changed for the worse, what is over, and a reminder while it lasts. By webhook, by mail, or both.

A notice is made of names and numbers of ours (Problem.brief) and pages of docs/operate: never of an error's own text, so that neither
a secret nor an address nor a customer's name can be in it. Channels fail alone; a notice that fails is told and tried again
at the next occasion, and never fails a run.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Literal

import httpx
import stamina

from flows.health import Health, Problem
from flows.journal import Journal, Sent
from flows.logs import event
from flows.settings import NotifySection

TIMEOUT = 10.0  # seconds of one attempt
ATTEMPTS = 3
MOST = 10  # problems in a notice; the others are counted

Kind = Literal["problem", "reminder", "recovered"]


class NoticeError(Exception):
    """A notice could not be sent. The message names neither the webhook's address nor a password."""

    page = "notice-failed"


class _AgainError(Exception):
    """Another attempt may work."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is sent."""

    subject: str
    text: str


def tell(section: NotifySection, journal: Journal, health: Health) -> list[str]:
    """Send what is due on every channel. Returns a sentence for each notice: that it was sent, or why not."""
    said: list[str] = []
    for channel, send in _channels(section):
        was = journal.sent(channel)
        state = "\n".join(sorted({f"{p.severity} {p.subject}" for p in _told_of(section, health)}))
        kind = due(section, was, state, health.seen.now)
        new = Sent(state, health.seen.now if kind else was.told_at)
        if kind is None:
            if was.state != state or was.error:
                journal.replace(channel, was, new)
            continue
        if not journal.replace(channel, was, new):  # another process is telling it just now
            continue
        try:
            send(compose(section, kind, _told_of(section, health)))
        except NoticeError as error:
            journal.replace(channel, new, replace(was, error=str(error)))
            event("notice failed", 30, channel=channel, error=str(error), page=error.page)
            said.append(f"no notice could be sent by {channel}: {error}")
        else:
            event("notice sent", channel=channel, kind=kind)
            said.append(f"a notice was sent by {channel} ({kind})")
    return said


def due(section: NotifySection, was: Sent, state: str, now: datetime) -> Kind | None:
    """Whether a channel is told something. was: what it was told last; state: the problems it is told of, empty: none."""
    if state == was.state:
        long_ago = was.told_at is None or now - was.told_at >= timedelta(hours=section.remind_hours)
        return "reminder" if state and long_ago else None
    if state:
        return "problem"
    return "recovered" if "recovered" in section.on else None


def compose(section: NotifySection, kind: Kind, problems: list[Problem]) -> Notice:
    """A notice in plain text, which Slack and mail show alike."""
    name = f"salespulse {section.name}".rstrip()
    if kind == "recovered":
        return Notice(f"{name}: recovered", "What was told before is over: the numbers are fresh and nothing failed.")
    failed, late = (sum(p.severity == s for p in problems) for s in ("failed", "late"))
    counts = ", ".join(f"{n} {word}" for n, word in ((failed, "failed"), (late, "late")) if n)
    still = "still " if kind == "reminder" else ""
    lines = [f"{p.severity}: {p.brief}\n    To do: {p.todo} ({p.link})" for p in problems[:MOST]]
    if len(problems) > MOST:
        lines.append(f"and {len(problems) - MOST} more; `salespulse status` shows all")
    return Notice(f"{name}: {still}{counts}", "\n".join(lines))


def _told_of(section: NotifySection, health: Health) -> list[Problem]:
    wanted = {"failed": "failure", "late": "stale"}
    return [p for p in health.problems if wanted.get(p.severity) in section.on]


def _channels(section: NotifySection) -> Iterator[tuple[str, Callable[[Notice], None]]]:
    if "webhook" in section.channels:
        yield "webhook", lambda notice: _retried(lambda: _post(section, notice))
    if "mail" in section.channels:
        yield "mail", lambda notice: _retried(lambda: _mail(section, notice))


def _retried(send: Callable[[], None]) -> None:
    try:
        for attempt in stamina.retry_context(on=_AgainError, attempts=ATTEMPTS, timeout=60, wait_initial=0.5):
            with attempt:
                send()
    except _AgainError as error:
        raise NoticeError(f"{error}, {ATTEMPTS} times") from None


def _post(section: NotifySection, notice: Notice) -> None:
    """Slack's format of an incoming webhook, which Mattermost, Rocket.Chat and others read too."""
    url = section.webhook.get_secret_value() if section.webhook else ""
    host = httpx.URL(url).host
    try:
        answer = httpx.post(url, json={"text": f"*{notice.subject}*\n{notice.text}"}, timeout=TIMEOUT)
    except httpx.TransportError as error:
        raise _AgainError(
            f"{host}: {type(error).__name__}"
        ) from None  # its text may quote the address, which is a secret
    if answer.status_code == 429 or answer.status_code >= 500:
        raise _AgainError(f"{host} answered {answer.status_code}")
    if not answer.is_success:
        raise NoticeError(f"{host} answered {answer.status_code}: the webhook's address is not, or no longer, valid")


def _mail(section: NotifySection, notice: Notice) -> None:
    message = EmailMessage()
    message["Subject"] = notice.subject
    message["From"] = section.email_from or ""
    message["To"] = ", ".join(section.email_to)
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=(section.email_from or "").rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notice.text)
    host = f"{section.smtp_host}:{section.smtp_port}"
    try:
        with _server(section) as server:
            if section.smtp_user and section.smtp_password:
                server.login(section.smtp_user, section.smtp_password.get_secret_value())
            server.send_message(message)
    except smtplib.SMTPResponseException as error:
        what = f"{host} answered {error.smtp_code}"
        if 400 <= error.smtp_code < 500:
            raise _AgainError(what) from None
        raise NoticeError(f"{what} ({type(error).__name__})") from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        raise NoticeError(f"{host} refused the addresses of email_to: {', '.join(map(str, codes))}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise _AgainError(f"{host}: {type(error).__name__}") from None


def _server(section: NotifySection) -> smtplib.SMTP:
    host, port, safe = section.smtp_host or "", section.smtp_port, ssl.create_default_context()
    if section.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=safe)
    server = smtplib.SMTP(host, port, timeout=TIMEOUT)
    if section.smtp_security == "starttls":
        try:
            server.starttls(context=safe)
        except BaseException:
            server.close()
            raise
    return server
