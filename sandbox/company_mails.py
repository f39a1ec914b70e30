"""One invented thread of mails: a rep writes, and the other side answers, is away, does not exist, or keeps silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.company_people import DOMAIN, People
from sandbox.company_text import instant

if TYPE_CHECKING:
    from sandbox.company_days import Workday

Document = dict[str, Any]
OUTCOMES = ("silence", "reply", "auto_reply", "bounce", "internal", "newsletter", "invitation", "sequence", "test")
SHARES = (52, 17, 4, 2, 3, 4, 2, 15, 1)


def write_thread(today: Workday, number: int, contact: Document, sent: datetime, staff: People) -> list[Document]:
    """The mails of one thread, from `sent` on, as far as the clock allows. number: of the first mail, for its key."""
    thread = _Thread(today, number, contact)
    outcome = today.rng.choices(OUTCOMES, SHARES)[0]
    getattr(thread, f"_{outcome}")(sent, staff)
    return thread.mails


class _Thread:
    def __init__(self, today: Workday, number: int, contact: Document) -> None:
        self.today = today
        self.rng = today.rng
        self.rep = today.rep
        self.number = number
        self.contact = contact
        self.other = contact["emails"][0]
        self.mails: list[Document] = []

    def _silence(self, sent: datetime, staff: People) -> None:
        mail = self._send(sent, [self.other])
        if self.rng.random() < 0.12:
            mail["cc"] = [self.rng.choice(staff.reps).email]
        if self.rng.random() < 0.1:
            mail["to"] = [self.other, staff.contacts[self.rng.choice(self.rep.contacts)]["emails"][0]]
        if self.rng.random() < 0.01:
            mail["deleted_at"] = instant(sent + timedelta(days=1))

    def _reply(self, sent: datetime, _staff: People) -> None:
        self._send(sent, [self.other])
        at = sent
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            at += timedelta(hours=self.rng.lognormvariate(1.2, 1.1))
            self._receive(at, self.other)
            if self.rng.random() < 0.25:
                return
            at += timedelta(hours=self.rng.uniform(0.2, 5))
            self._send(at, [self.other])

    def _auto_reply(self, sent: datetime, _staff: People) -> None:
        self._send(sent, [self.other])
        self._receive(sent + timedelta(seconds=50), self.other, "auto_reply")

    def _bounce(self, sent: datetime, _staff: People) -> None:
        missing = f"nobody.{self.number}@{self.other.split('@')[1]}"
        self._send(sent, [missing])
        bounce = self._receive(sent + timedelta(seconds=9), "mailer-daemon@googlemail.com", "bounce")
        if bounce is not None:
            bounce |= {"failed_recipients": [missing], "status": self.rng.choice(("5.1.1", "5.1.1", "5.2.1", "4.4.1"))}

    def _internal(self, sent: datetime, staff: People) -> None:
        self._send(sent, [self.rng.choice(staff.reps).email])["crm"] = None

    def _test(self, sent: datetime, _staff: People) -> None:
        self._send(sent, ["probe@test.example"])["crm"] = None

    def _newsletter(self, sent: datetime, _staff: People) -> None:
        self._receive(sent, "news@letters.example", "bulk")

    def _invitation(self, sent: datetime, _staff: People) -> None:
        self._send(sent, [self.other])["kind"] = "calendar"

    def _sequence(self, sent: datetime, _staff: People) -> None:
        step = self.rng.randrange(1, 5)
        mail = self._send(sent, [self.other])
        mail |= {
            "kind": "sequence",
            "sequencer": {"system": "hubspot", "step": step},
            "crm": self._logged(sent, "automation"),
        }
        if self.rng.random() < 0.5:
            mail["mailboxes"] = []
        if self.rng.random() < 0.08 and mail.get("mailboxes") is None:
            self._receive(sent + timedelta(hours=self.rng.uniform(0.5, 60)), self.other)

    def _send(self, at: datetime, to: list[str]) -> Document:
        mail = self._mail(at, "outbound", self.rep.email, to, "one_to_one")
        if "crm" in self.rep.seats and self.rng.random() < self.rep.logs_mails:
            via = self.rng.choices(("integration", "ui"), (70, 30))[0]
            mail["crm"] = self._logged(at + timedelta(seconds=self.rng.randrange(1, 300)), via)
        return mail

    def _logged(self, at: datetime, via: str) -> Document:
        has_id = self.rng.random() < 0.97 or via == "automation"
        return {"logged_at": instant(at), "logged_by": self.rep.key, "via": via, "contacts": [self.contact["key"]]} | (
            {} if has_id else {"message_id": False}
        )

    def _receive(self, at: datetime, sender: str, kind: str = "one_to_one") -> Document | None:
        if at > self.today.clock:
            return None
        return self._mail(at, "inbound", sender, [self.rep.email], kind)

    def _mail(self, at: datetime, direction: str, sender: str, to: list[str], kind: str) -> Document:
        last = self.mails[-1]["message_id"] if self.mails else None
        n = self.number + len(self.mails)
        host = f"mail.{DOMAIN}" if direction == "outbound" else f"mx.{sender.split('@')[1]}"
        mail: Document = {
            "key": f"M{n}",
            "rep": self.rep.key,
            "direction": direction,
            "from": sender,
            "to": to,
            "sent_at": instant(at),
            "message_id": f"<m{n}.{self.rng.getrandbits(40):010x}@{host}>",
            "in_reply_to": last,
            "references": [m["message_id"] for m in self.mails],
            "thread": f"T{self.number}",
            "kind": kind,
        }
        if at <= self.today.clock:
            self.mails.append(mail)
        return mail
