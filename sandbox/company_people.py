"""Who is there: reps with their habits, teams, accounts, contacts; who joined, left, moved, was merged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.company_text import FIRST, LAST, PLACES, TRADES, instant, phone

Document = dict[str, Any]
DOMAIN = "acme.example"
CONTACTS_PER_REP = 36


@dataclass(frozen=True, slots=True)
class TeamPlan:
    key: str
    name: str
    zone: str
    region: str
    territory: str
    segment: str
    currency: str


TEAMS = (
    TeamPlan("dach", "DACH Mid-market", "Europe/Berlin", "DE", "EMEA", "mid", "EUR"),
    TeamPlan("uki", "UK & Ireland", "Europe/London", "GB", "EMEA", "smb", "GBP"),
    TeamPlan("east", "US East", "America/New_York", "US", "AMER", "mid", "USD"),
    TeamPlan("enterprise", "US Enterprise", "America/New_York", "US", "AMER", "enterprise", "USD"),
    TeamPlan("apac", "Asia Pacific", "Asia/Singapore", "SG", "APAC", "smb", "SGD"),
)


@dataclass(slots=True)
class Habits:
    """A rep and how it works: daily means, shares in 0..1, and what it does with the CRM."""

    key: str
    name: str
    email: str
    phone: str
    team: TeamPlan
    dials: float
    mails: float
    answered: float
    logs_calls: float
    by_hand: float  # share of logged calls that the rep logs itself, the rest by the dialer's integration
    logs_mails: float
    logs_late: float
    writes: float
    meetings: float  # chance of one from a conversation
    seats: list[str]
    contacts: list[str] = field(default_factory=list)
    hire_date: str = "2024-01-01"
    end_date: str | None = None
    leave: dict[date, float] = field(default_factory=dict)
    changes: list[Document] = field(default_factory=list)

    def zone(self, day: date) -> ZoneInfo:
        """The rep's time zone on a day; a move counts from the day after it was made."""
        name = self.team.zone
        for change in self.changes:
            if datetime.fromisoformat(change["at"]).date() < day:
                name = change["set"].get("timezone", name)
        return ZoneInfo(name)

    def share_of_day(self, day: date) -> float:
        """0, 0.5 or 1: how much of a day the rep works."""
        employed = self.hire_date <= day.isoformat() and (self.end_date is None or day.isoformat() <= self.end_date)
        return 0.0 if not employed or day.weekday() >= 5 else 1 - self.leave.get(day, 0.0)


@dataclass(slots=True)
class People:
    """Everybody inside and outside, as habits to live by and as parts of a world file."""

    reps: list[Habits]
    teams: list[TeamPlan]
    accounts: list[Document]
    contacts: dict[str, Document]

    def document(self) -> Document:
        """The lists of a world file that are about people."""
        return {
            "reps": [self._rep(rep) for rep in self.reps],
            "teams": [{"key": t.key, "name": t.name, "parent": None} for t in self.teams],
            "users_without_rep": [
                {"key": "front-desk", "system": "dialer", "email": "desk@agency.example", "name": "Front Desk"}
            ],
            "accounts": self.accounts,
            "contacts": list(self.contacts.values()),
            "availability": [
                {"rep": rep.key, "date": day.isoformat(), "working_fraction": 1 - share, "leave_type": "leave"}
                for rep in self.reps
                for day, share in sorted(rep.leave.items())
            ],
        }

    def _rep(self, rep: Habits) -> Document:
        lead = next(r for r in self.reps if r.team is rep.team)
        return {
            "key": rep.key,
            "name": rep.name,
            "email": rep.email,
            "aliases": [rep.email.replace(".", "", 1)],
            "timezone": rep.team.zone,
            "region": rep.team.region,
            "team": rep.team.key,
            "manager": None if lead is rep else lead.key,
            "territory": rep.team.territory,
            "segment": rep.team.segment,
            "role": "sales",
            "hire_date": rep.hire_date,
            "end_date": rep.end_date,
            "seats": rep.seats,
            "phone": rep.phone,
            "ramp": [0.5, 0.75],
            "changes": rep.changes,
        }


def people(seed: int, count: int, first: date, clock: datetime) -> People:
    """`count` reps spread over the teams, each with customers of its own, and what happens to some of them."""
    teams = list(TEAMS[: min(count, len(TEAMS))])
    reps = [_rep(Random(f"{seed}/rep/{i}"), i, teams[i % len(teams)]) for i in range(count)]
    staff = People(reps, teams, [], {})
    for i, rep in enumerate(reps):
        _customers(Random(f"{seed}/customers/{i}"), staff, rep, first, clock)
        _leave(Random(f"{seed}/leave/{i}"), rep, first, (clock.date() - first).days)
    _lives(staff, first, clock)
    _corrections(Random(f"{seed}/corrections"), staff, first, clock)
    return staff


def _rep(rng: Random, i: int, team: TeamPlan) -> Habits:
    name = f"{FIRST[i % len(FIRST)]} {LAST[(i * 7 + i // len(FIRST)) % len(LAST)]}"
    key = name.lower().replace(" ", ".") + (str(i) if i >= len(FIRST) else "")
    return Habits(
        key=key,
        name=name,
        email=f"{key}@{DOMAIN}",
        phone=f"+12125550{i % 100:03d}" if i < 100 else f"+12125551{i:03d}",
        team=team,
        dials=rng.uniform(8, 22),
        mails=rng.uniform(2, 5.5),
        answered=rng.uniform(0.28, 0.45),
        logs_calls=rng.uniform(0.72, 0.98),
        by_hand=rng.choice((0.1, 0.3, 0.9)),
        logs_mails=rng.uniform(0.3, 0.8),
        logs_late=rng.uniform(0.02, 0.2),
        writes=rng.uniform(1, 6),
        meetings=rng.uniform(0.15, 0.35),
        seats=["crm", "dialer", "mail"],
    )


def _customers(rng: Random, staff: People, rep: Habits, first: date, clock: datetime) -> None:
    for _ in range(CONTACTS_PER_REP // 6):
        n = len(staff.accounts)
        name = f"{PLACES[n % len(PLACES)]} {TRADES[(n // len(PLACES) + n) % len(TRADES)]}"
        domain = f"{name.lower().replace(' ', '-')}-{n}.example"
        account: Document = {
            "key": f"A{n}",
            "name": f"{name} {n}",
            "domain": domain,
            "territory": rep.team.territory if rng.random() < 0.93 else None,
            "segment": rep.team.segment if rng.random() < 0.8 else rng.choice(("smb", "mid", "enterprise")),
        }
        staff.accounts.append(account)
        for _ in range(6):
            _contact(rng, staff, rep, account, first=first, clock=clock)


def _contact(rng: Random, staff: People, rep: Habits, account: Document, *, first: date, clock: datetime) -> None:
    n = len(staff.contacts)
    name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
    contact: Document = {
        "key": f"C{n}",
        "name": name,
        "emails": [f"{name.lower().replace(' ', '.')}.{n}@{account['domain']}"],
        "phones": [phone(rep.team.region, n)],
        "account": account["key"],
        "created_by": "integration",
    }
    if rng.random() < 0.12:  # made in the weeks that are told, by hand
        at = clock - timedelta(minutes=rng.randrange(60, (clock.date() - first).days * 24 * 60))
        contact |= {"created_by": rep.key, "created_at": instant(at)}
    else:
        contact["created_at"] = instant(datetime.combine(first, time(9), UTC) - timedelta(days=rng.randrange(5, 300)))
    rep.contacts.append(contact["key"])
    staff.contacts[contact["key"]] = contact


def _leave(rng: Random, rep: Habits, first: date, days: int) -> None:
    for _ in range(rng.choice((0, 1, 1, 2))):
        day = first + timedelta(days=rng.randrange(days))
        if day.weekday() < 5:
            rep.leave[day] = rng.choice((0.5, 1.0, 1.0))


def _lives(staff: People, first: date, clock: datetime) -> None:
    """One rep joins, one leaves, one changes team, one moves; two lack a seat. Too much for small companies."""
    days = (clock.date() - first).days

    def at(share: float) -> datetime:
        return datetime.combine(first + timedelta(days=int(days * share)), time(0), UTC)

    if len(staff.reps) < 12:
        return
    joins, leaves, transfers, moves, no_dialer, no_mail = staff.reps[-6:]
    joins.hire_date = at(0.4).date().isoformat()
    leaves.end_date = at(0.7).date().isoformat()
    other = next(t for t in staff.teams if t is not transfers.team)
    transfers.changes.append({"at": instant(at(0.5)), "set": {"team": other.key}})
    moves.changes.append({"at": instant(at(0.6)), "set": {"timezone": "America/Los_Angeles"}})
    no_dialer.seats = ["crm", "mail"]
    no_mail.seats = ["crm", "dialer"]


def _corrections(rng: Random, staff: People, first: date, clock: datetime) -> None:
    """Merged and deleted contacts, a merged company, companies that change territory or segment."""
    days = (clock.date() - first).days

    def later() -> str:
        return instant(clock - timedelta(hours=rng.randrange(20, days * 24)))

    for rep in staff.reps[::6]:
        survivor, loser = staff.contacts[rep.contacts[0]], staff.contacts[rep.contacts[1]]
        at = later()
        if max(survivor["created_at"], loser["created_at"]) < at:
            loser |= {"merged_into": survivor["key"], "merged_at": at}
    for rep in staff.reps[3::9]:
        contact = staff.contacts[rep.contacts[-1]]
        at = later()
        if contact["created_at"] < at:
            contact["deleted_at"] = at
    for account in staff.accounts[4::31]:
        account["changes"] = [{"at": later(), "set": {"segment": rng.choice(("smb", "mid", "enterprise"))}}]
    for account in staff.accounts[11::57]:
        account["changes"] = [{"at": later(), "set": {"territory": rng.choice(("EMEA", "AMER", "APAC"))}}]
    if len(staff.accounts) > 20:
        staff.accounts[19] |= {"merged_into": staff.accounts[18]["key"], "merged_at": later()}
