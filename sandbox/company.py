"""Makes up a company that lives, as a world file: reps with habits, customers, and weeks of calls, mails and deals.

Deterministic: the same seed, size and clock give the same company, and a rep's day does not change when another's does.
Names, addresses and numbers are invented; domains end in .example, numbers come from ranges kept for fiction.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from sandbox.company_days import Days
from sandbox.company_deals import add_deals
from sandbox.company_people import DOMAIN, People, people
from sandbox.company_text import instant

Document = dict[str, Any]


def generate(seed: int = 1, reps: int = 40, days: int = 35, now: datetime | None = None) -> Document:
    """A company as the document of a world file.

    reps: how many people sell (at least 1), in up to 5 teams and 4 time zones. days: how many days up to `now` are
    told (weekends off, leave taken). now: the clock of the company, timezone-aware; None: 06:00 UTC of the real today.
    """
    if reps < 1 or days < 1:
        raise ValueError(f"a company needs at least one rep and one day, found {reps} and {days}")
    clock = now or datetime.combine(datetime.now(UTC).date(), time(6), UTC)
    first = clock.date() - timedelta(days=days)
    staff = people(seed, reps, first, clock)
    lived = Days(seed, staff, clock)
    for rep in staff.reps:
        for n in range((clock.date() - first).days + 1):
            lived.live(rep, first + timedelta(days=n))
    lived.stranger(first)
    lived.robots(first)
    deals = add_deals(seed, staff, first, clock)
    return {
        "company": _company(clock),
        **staff.document(),
        **lived.document(),
        "deals": deals,
        "seats": _seats(staff),
        "targets": _targets(staff, first),
        "fx": _rates(seed, first - timedelta(days=14), clock.date()),
        "outages": [],
    }


def _company(clock: datetime) -> Document:
    return {
        "now": instant(clock),
        "reporting_timezone": "Europe/Berlin",
        "reporting_currency": "EUR",
        "internal_domains": [DOMAIN],
        "internal_numbers": ["+12125550000-0099"],
        "test_domains": ["test.example"],
        "systems": {"crm": "hubspot", "dialer": "cloudtalk", "mail": "gmail"},
        "parameters": {},
    }


def _seats(staff: People) -> list[Document]:
    cost = {"crm": "90.00", "dialer": "30.00", "mail": "12.00"}
    return [
        {"rep": rep.key, "tool": tool, "from": "2025-01-01", "to": rep.end_date, "monthly_cost": cost[tool]}
        for rep in staff.reps
        for tool in rep.seats
    ]


def _targets(staff: People, first: date) -> list[Document]:
    return [
        {"rep": rep.key, "metric": metric, "from": first.isoformat(), "per_working_day": goal}
        for rep in staff.reps
        for metric, goal in (("calls_made", round(rep.dials)), ("emails_sent", round(rep.mails)))
    ]


def _rates(seed: int, first: date, last: date) -> list[Document]:
    """A rate to EUR for every working day: a slow walk around a plausible value."""
    rng = Random(f"{seed}/fx")
    rates = {"USD": 0.92, "GBP": 1.17, "SGD": 0.68}
    found: list[Document] = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        if day.weekday() < 5:
            rates = {currency: rate * (1 + rng.uniform(-0.004, 0.004)) for currency, rate in rates.items()}
            found += [{"date": day.isoformat(), "currency": c, "rate": f"{rate:.6f}"} for c, rate in rates.items()]
    return found
