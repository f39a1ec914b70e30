"""A rep's working day, told as calls, mails, meetings, notes, tasks, logins and writes of a world file.

Nothing happens after the company's clock, except meetings that are in the calendar already.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from sandbox.company_calls import log_call, make_call
from sandbox.company_mails import write_thread
from sandbox.company_people import Habits, People
from sandbox.company_text import instant

Document = dict[str, Any]
LISTS = ("calls", "mails", "meetings", "tasks", "notes", "logins", "crm_writes")


class Workday:
    """One rep on one day: its randomness, and clock times of its own time zone as UTC instants."""

    def __init__(self, seed: int, rep: Habits, day: date, staff: People, clock: datetime) -> None:
        self.rng = Random(f"{seed}/{rep.key}/{day}")
        self.rep = rep
        self.day = day
        self.staff = staff
        self.clock = clock
        self.share = rep.share_of_day(day)
        self._zone = rep.zone(day)
        self._known = [c for c in rep.contacts if staff.contacts[c]["created_at"] < instant(self.at(8))]

    def at(self, hour: float) -> datetime:
        """The instant of a local hour, e.g. 14.5."""
        seconds = int(hour * 3600)
        local = datetime.combine(self.day, time(seconds // 3600, seconds // 60 % 60, seconds % 60), self._zone)
        return local.astimezone(UTC)

    def sometime(self) -> datetime:
        """An instant of the day's working hours."""
        return self.at(self.rng.uniform(8.5, 8.5 + 9 * self.share))

    def count(self, mean: float) -> int:
        """How often a thing happens today: around its mean, less on half a day."""
        return max(0, round(self.rng.gauss(mean, mean**0.5 / 1.5) * self.share))

    def contact(self) -> Document:
        """One of the rep's contacts who exists by now; the first ones are the rep's favourites."""
        n = min(int(self.rng.expovariate(3 / len(self._known))), len(self._known) - 1)
        return self.staff.contacts[self._known[n]]


class Days:
    """Collects what happened on all days."""

    def __init__(self, seed: int, staff: People, clock: datetime) -> None:
        self.seed = seed
        self.staff = staff
        self.clock = clock
        self.lists: dict[str, list[Document]] = {name: [] for name in LISTS}

    def document(self) -> Document:
        return dict(self.lists)

    def live(self, rep: Habits, day: date) -> None:
        """Add one rep's day. Weekends are quiet, but not for everybody."""
        today = Workday(self.seed, rep, day, self.staff, self.clock)
        if today.share == 0:
            if day.weekday() < 5 or today.rng.random() > 0.04 or rep.end_date or rep.hire_date > day.isoformat():
                return
            today.share = 0.25  # an hour or two at the weekend
        if today.at(8) > self.clock:
            return
        if "dialer" in rep.seats:
            self._calls(today)
        if "mail" in rep.seats:
            self._mails(today)
        if "crm" in rep.seats:
            self._crm(today)

    def _next(self, name: str, letter: str) -> str:
        return f"{letter}{len(self.lists[name])}"

    def _calls(self, today: Workday) -> None:
        rep, rng = today.rep, today.rng
        for _ in range(today.count(rep.dials)):
            contact = today.contact()
            started = today.sometime()
            inbound = rng.random() < 0.08
            call = make_call(
                rng, rep, self._next("calls", "D"), contact["phones"][0], started, inbound=inbound, staff=self.staff
            )
            if instant(started) >= instant(self.clock - timedelta(minutes=40)):
                continue
            if "crm" in rep.seats and rng.random() < rep.logs_calls:
                call["crm"] = log_call(rng, rep, call)
            self.lists["calls"].append(call)
            talked = call["result"] == "answered" and call["answered_at"] and not inbound
            if talked and rng.random() < rep.meetings * 0.25:
                self._book(today, contact, started + timedelta(minutes=10))

    def _book(self, today: Workday, contact: Document, booked: datetime) -> None:
        rng, rep = today.rng, today.rep
        day = today.day + timedelta(days=rng.randrange(1, 8))
        day += timedelta(days=(7 - day.weekday()) % 7 if day.weekday() >= 5 else 0)
        start = Workday(self.seed, rep, day, self.staff, self.clock).at(rng.choice((9, 10, 11, 14, 15, 16.5)))
        end = start + timedelta(minutes=rng.choice((30, 30, 45, 60)))
        outcome = rng.choices(("held", "no_show", "cancelled", "rescheduled"), (70, 14, 11, 5))[0]
        told = end + timedelta(minutes=rng.randrange(5, 600))
        if outcome in ("cancelled", "rescheduled"):
            told = start - (start - booked) * rng.uniform(0.05, 0.9)
        if told > self.clock:
            outcome, told = "scheduled", booked
        colleague = rng.choice(self.staff.reps)
        host = colleague if rng.random() < 0.25 and colleague.team is rep.team else rep
        self.lists["meetings"].append(
            {
                "key": self._next("meetings", "W"),
                "rep": host.key,
                "host": host.key,
                "contacts": [contact["key"]],
                "attendees": [] if host is rep else [rep.key],
                "booked_at": instant(booked),
                "booked_by": rep.key,
                "start_at": instant(start),
                "end_at": instant(end),
                "outcome": outcome,
                "outcome_at": instant(told),
                "crm": {"logged_at": instant(booked)},
            }
        )

    def _mails(self, today: Workday) -> None:
        for _ in range(today.count(today.rep.mails)):
            sent = today.sometime()
            if sent < self.clock - timedelta(minutes=10):
                thread = write_thread(today, len(self.lists["mails"]), today.contact(), sent, self.staff)
                self.lists["mails"] += thread

    def _crm(self, today: Workday) -> None:
        rep, rng = today.rep, today.rng
        if rng.random() < 0.97:
            for _ in range(rng.choice((1, 1, 2))):
                at = today.at(rng.uniform(7.8, 9.5))
                succeeded = rng.random() > 0.04
                self._add("logins", at, {"rep": rep.key, "system": "crm", "at": instant(at), "succeeded": succeeded})
        for _ in range(today.count(rep.writes)):
            at, contact = today.sometime(), today.contact()
            company = rng.random() < 0.2
            write: Document = {
                "at": instant(at),
                "by": rep.key,
                "object": "company" if company else "contact",
                "key": contact["account"] if company else contact["key"],
                "property": "description" if company else rng.choice(("jobtitle", "hs_lead_status", "lifecyclestage")),
                "via": rng.choices(("ui", "mobile", "import", "api"), (80, 12, 4, 4))[0],
            }
            self._add("crm_writes", at, write)
        for _ in range(today.count(1.2)):
            at = today.sometime()
            note = {
                "key": self._next("notes", "N"),
                "rep": rep.key,
                "at": instant(at),
                "contact": today.contact()["key"],
            }
            self._add("notes", at, note)
        for _ in range(today.count(1.0)):
            self._task(today)

    def _task(self, today: Workday) -> None:
        rng = today.rng
        created = today.sometime()
        done = created + timedelta(hours=rng.uniform(0.2, 70))
        completed = rng.random() < 0.7 and done < self.clock
        task: Document = {
            "key": self._next("tasks", "K"),
            "rep": today.rep.key,
            "type": rng.choice(("call", "email", "todo", "linkedin")),
            "due_date": (today.day + timedelta(days=rng.randrange(0, 6))).isoformat(),
            "status": "completed" if completed else "not_started",
            "completed_at": instant(done) if completed else None,
            "completed_by": today.rep.key if completed else None,
            "contact": today.contact()["key"],
            "created_at": instant(created),
        }
        self._add("tasks", created, task)

    def _add(self, name: str, at: datetime, item: Document) -> None:
        if at <= self.clock:
            self.lists[name].append(item)

    def stranger(self, first: date) -> None:
        """Calls of a dialer user whom nobody knows as a rep."""
        rng = Random(f"{self.seed}/stranger")
        contacts = list(self.staff.contacts.values())
        for n in range((self.clock.date() - first).days):
            started = datetime.combine(first + timedelta(days=n), time(11, rng.randrange(60)), UTC)
            number = rng.choice(contacts)["phones"][0]
            key = self._next("calls", "D")
            call = make_call(rng, self.staff.reps[0], key, number, started, inbound=False, staff=None)
            self.lists["calls"].append(call | {"rep": "front-desk"})

    def robots(self, first: date) -> None:
        """Nightly writes of an integration, which are nobody's work."""
        rng = Random(f"{self.seed}/robots")
        keys = list(self.staff.contacts)
        for n in range((self.clock.date() - first).days):
            at = datetime.combine(first + timedelta(days=n), time(2, 30), UTC)
            for key in rng.sample(keys, min(15, len(keys))):
                write = {"at": instant(at), "by": "integration", "object": "contact", "key": key}
                if self.staff.contacts[key]["created_at"] < instant(at):
                    self.lists["crm_writes"].append(write | {"property": "hs_lead_status", "via": "api"})
