"""What truth.py and its parts share: whose day it is, who is inside, who is a test, which contact a number belongs to.

References like (0.2) are to METRICS, which these modules follow by its text, not by anybody's SQL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world import Rep
from sandbox.world_state import State, digits, rep_at

DEFAULTS: dict[str, float] = {
    "connect_min_talk_seconds": 30,
    "conversation_min_talk_seconds": 60,
    "call_match_before_seconds": 300,
    "call_match_after_seconds": 900,
    "amount_grace_days": 30,
    "fx_carry_days": 7,
}
HUMAN = ("ui", "mobile")
Row = defaultdict[str, Any]
Rows = defaultdict[tuple[str, date], Row]  # (rep's key, local day) -> metric -> number


def new_rows() -> Rows:
    return defaultdict(lambda: defaultdict(int))


class Frame:
    """A state of the company with the rules that hold for every metric (0.1 to 0.4)."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.world = state.world
        self.reps: dict[str, Rep] = {r.key: r for r in self.world.reps}
        company = self.world.company
        self.internal_domains = [d.lower() for d in company.internal_domains]
        self.test_domains = [d.lower() for d in company.test_domains]

    def parameter(self, name: str) -> float:
        """A threshold of METRICS, as this company sets it or by default."""
        return float(self.world.company.parameters.get(name, DEFAULTS[name]))

    def day(self, rep: str, at: datetime) -> date:
        """(0.2) The local date of an instant in the rep's time zone valid at that instant."""
        zone = rep_at(self.reps[rep], at).timezone or self.world.company.reporting_timezone
        return at.astimezone(ZoneInfo(zone)).date()

    def rep_of_address(self, address: str) -> str | None:
        """(0.3) Whose address it is: a rep's own or one of its aliases."""
        return self._addresses.get(address.lower())

    @cached_property
    def _addresses(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for rep in self.world.reps:
            later = [c.set for c in rep.changes]
            changed = [s["email"] for s in later if "email" in s] + [a for s in later for a in s.get("aliases", [])]
            for address in [rep.email, *rep.aliases, *changed]:
                found.setdefault(address.lower(), rep.key)
        return found

    def internal_address(self, address: str) -> bool:
        """(0.4) Internal domains, their sub-domains, and personal aliases of reps."""
        return self.rep_of_address(address) is not None or _within(address, self.internal_domains)

    def test_address(self, address: str) -> bool:
        return _within(address, self.test_domains)

    def external(self, addresses: Iterable[str]) -> list[str]:
        """Distinct addresses of the outside that are no tests, lower-case."""
        lowered = dict.fromkeys(a.lower() for a in addresses)
        return [a for a in lowered if not self.internal_address(a) and not self.test_address(a)]

    def internal_number(self, number: str) -> bool:
        """(0.4) Own numbers: those of the settings, as numbers or ranges by last digits, and the reps' own."""
        told = digits(number)
        return told in self._rep_numbers or any(
            low <= told <= high for low, high in self._ranges if len(low) == len(told)
        )

    @cached_property
    def _rep_numbers(self) -> set[str]:
        numbers = [r.phone for r in self.world.reps] + [c.set.get("phone") for r in self.world.reps for c in r.changes]
        return {digits(n) for n in numbers if n}

    @cached_property
    def _ranges(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for text in self.world.company.internal_numbers:
            first, _, last = text.partition("-")
            low = digits(first)
            found.append((low, low[: len(low) - len(last)] + last if last else low))
        return found

    def test_number(self, number: str) -> bool:
        """Whether a number belongs to test contacts only."""
        holders = self.state.contacts_by_phone.get(digits(number), [])
        return bool(holders) and all(self.test_contact(key) for key in holders)

    def test_contact(self, key: str) -> bool:
        emails = self._emails.get(key, [])
        return bool(emails) and all(self.test_address(e) for e in emails)

    @cached_property
    def _emails(self) -> dict[str, list[str]]:
        return {c.key: c.value.emails for c in self.state.crm_contacts}

    def contact_of_number(self, number: str) -> str:
        """(4d) The contact's key, or the number itself where no contact has it."""
        told = digits(number)
        return next(iter(self.state.contacts_by_phone.get(told, [])), f"+{told}")

    def contact_of_address(self, address: str) -> str:
        """(4d) The contact's key, or the address itself where no contact has it."""
        return next(iter(self.state.contacts_by_email.get(address.lower(), [])), address.lower())

    def contact(self, key: str) -> str:
        """(0.4) The contact that a key goes by after all merges."""
        return self.state.survivor("contact", key)


def _within(address: str, domains: list[str]) -> bool:
    domain = address.lower().rpartition("@")[2]
    return any(domain == d or domain.endswith("." + d) for d in domains)


def same_number(one: str, other: str) -> bool:
    """(0.5) Equal in E.164; by the last nine digits where a country code is missing."""
    a, b = digits(one), digits(other)
    if a == b:
        return True
    incomplete = not (one.startswith(("+", "00")) and other.startswith(("+", "00")))
    return incomplete and min(len(a), len(b)) >= 9 and a[-9:] == b[-9:]
