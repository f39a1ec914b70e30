"""A company whose records stand close to each other and do not stay what they are, for whatever is matched one to one, threaded or merged.

Numbers and addresses are shared, dials and logs of one number lie minutes apart, and records are edited, deleted and merged while nights pass.
"""

from __future__ import annotations

import copy
import random
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
CALL_ENDS = ("started_at", "answered_at", "ended_at")


def iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def unsettled(world: Json, chance: random.Random, start: datetime) -> Json:
    """The world, which ends at its company's `now`, made so; whatever moves does so after `start`."""
    _Unsettled(world, chance, start).all()
    return world


class _Unsettled:
    def __init__(self, world: Json, chance: random.Random, start: datetime) -> None:
        self.world, self.chance, self.start = world, chance, start
        self.end = datetime.fromisoformat(world["company"]["now"])
        self.reps = [rep["key"] for rep in world["reps"]]
        few = world["contacts"][:12]
        self.numbers = [number for contact in few for number in contact.get("phones", [])]
        self.addresses = [address for contact in few for address in contact.get("emails", [])]

    def all(self) -> None:
        world = self.world
        world["calls"] += [near for call in list(world["calls"]) for near in self.call(call)]
        world["mails"] += [near for mail in list(world["mails"]) for near in self.mail(mail)]
        for number, contact in enumerate(world["contacts"]):
            self.contact(contact, may_be_merged=number >= 6)
        for rep in world["reps"]:
            if self.is_so(0.5):
                change = self.one(
                    {"team": self.one(*world["teams"])["key"]}, {"timezone": self.one("Asia/Tokyo", "America/New_York")}
                )
                rep.setdefault("changes", []).append({"at": self.later(), "set": change})
        for account in world["accounts"]:
            if self.is_so(0.3):
                change = self.one(
                    {"territory": "AMER"}, {"segment": "mid"}, {"domain": f"new{self.chance.randint(1, 9)}.com"}
                )
                account.setdefault("changes", []).append({"at": self.later(), "set": change})
        for meeting in world["meetings"]:
            moved = {"start_at": self.near(meeting["start_at"], 90_000)}
            self.edit(0.25, meeting, meeting["booked_at"], {"outcome": "held"}, {"outcome": "no_show"}, moved)
            self.delete(0.1, meeting, meeting["booked_at"])
        for task in world["tasks"]:
            self.delete(0.1, task, task["created_at"])

    def call(self, call: Json) -> list[Json]:
        """What stands near it: other dials and logs of the same number."""
        ended, dialer, crm = call["ended_at"] or call["started_at"], call.get("dialer", {}), call.get("crm")
        if self.is_so(0.4):
            call["number"] = self.one(*self.numbers)
        other = {"rep": self.one(*self.reps)}
        if dialer is not None:
            call["dialer"] = dialer
            self.delete(0.15, dialer, ended)
            talked = {"talk_seconds": self.one(20, 60, 120, 400)}
            self.edit(0.2, dialer, ended, {"number": self.one(*self.numbers)}, other, talked)
        if crm:
            crm["external_id"] = self.is_so(0.5)
            if self.is_so(0.3):
                crm["timestamp"] = self.near(call["started_at"], 400)
            self.delete(0.25, crm, crm["logged_at"])
            moved = {"timestamp": self.near(call["started_at"], 700)}
            talked = {"duration_seconds": self.one(0, 20, 120, 400)}
            self.edit(0.25, crm, crm["logged_at"], moved, talked, {"disposition": "Connected"}, other)
        return [self.beside(call, number) for number in range(self.one(0, 0, 0, 1, 2))]

    def beside(self, call: Json, number: int) -> Json:
        by = timedelta(seconds=self.chance.randint(-600, 900))
        near = copy.deepcopy(call) | {"key": f"{call['key']}n{number}", "legs": []}
        near |= {end: iso(datetime.fromisoformat(near[end]) + by) for end in CALL_ENDS if near.get(end)}
        kind = self.one("dial", "log", "both")
        near["dialer"] = None if kind == "log" else {"deleted_at": (call.get("dialer") or {}).get("deleted_at")}
        logged = self.after(near["ended_at"] or near["started_at"], 3_000)
        near["crm"] = None if kind == "dial" else {
            "logged_at": logged, "timestamp": near["started_at"], "duration_seconds": self.one(0, 60, 120, 300),
            "disposition": self.one("Connected", "No answer", None), "external_id": False,
        }  # fmt: skip
        if near["crm"]:
            self.delete(0.3, near["crm"], logged)
        return near

    def mail(self, mail: Json) -> list[Json]:
        """What stands near it: a mail of the same sender and recipients, of which the CRM's log does not say which it is."""
        self.delete(0.08, mail, mail["sent_at"])
        is_ours = mail["direction"] == "outbound"
        if is_ours:
            self.edit(
                0.1, mail, mail["sent_at"], {"mailboxes": self.chance.sample(self.reps, self.chance.randint(0, 2))}
            )
        if crm := mail.get("crm"):
            crm["message_id"] = self.is_so(0.4)
            self.delete(0.2, crm, crm["logged_at"])
        if mail.get("thread") and self.is_so(0.1):
            mail["references"] = [*(mail.get("references") or []), self.one(*self.world["mails"])["message_id"]]
        if not is_ours or mail.get("kind", "one_to_one") != "one_to_one" or not self.is_so(0.2):
            return []
        near = copy.deepcopy(mail) | {
            "key": f"{mail['key']}n",
            "sent_at": self.near(mail["sent_at"], 200),
            "edits": [],
            "deleted_at": None,
        }
        near["message_id"] = mail["message_id"].replace("<", "<n")
        near["crm"] = self.one(
            {"logged_at": self.after(near["sent_at"], 600), "contacts": [], "message_id": False}, None
        )
        self.delete(0.3, near, near["sent_at"])
        return [near]

    def contact(self, contact: Json, *, may_be_merged: bool) -> None:
        since = contact["created_at"]
        more = [*contact.get("emails", []), f"x{self.chance.randint(1, 5)}@cust.com"]
        account = self.one(*self.world["accounts"])["key"]
        addresses, numbers = [self.one(*self.addresses)], [self.one(*self.numbers)]
        self.edit(
            0.25, contact, since, {"emails": addresses}, {"emails": more}, {"phones": numbers}, {"account": account}
        )
        if may_be_merged and not contact.get("merged_into") and self.is_so(0.12):
            contact |= {"merged_into": self.one(*self.world["contacts"][:6])["key"], "merged_at": self.later(since)}

    def edit(self, likely: float, record: Json, since: str, *changes: Json) -> None:
        if self.is_so(likely):
            record.setdefault("edits", []).append({"at": self.later(since), "set": self.one(*changes)})

    def delete(self, likely: float, record: Json, since: str) -> None:
        if self.is_so(likely):
            record["deleted_at"] = self.later(since)

    def later(self, since: str = "") -> str:
        """An instant before the end at which something that is there since then may move."""
        first = max(self.start, datetime.fromisoformat(since)) if since else self.start
        first = min(first, self.end - timedelta(hours=1))
        return iso(first + (self.end - first) * self.chance.random())

    def near(self, at: str, seconds: int) -> str:
        return iso(datetime.fromisoformat(at) + timedelta(seconds=self.chance.randint(-seconds, seconds)))

    def after(self, at: str, minutes: int) -> str:
        return iso(datetime.fromisoformat(at) + timedelta(minutes=self.chance.randint(1, minutes)))

    def one(self, *of: Any) -> Any:
        return self.chance.choice(of)

    def is_so(self, likely: float) -> bool:
        return self.chance.random() < likely
