"""Worlds for the sandbox's tests: small ones by hand, and one invented company shared by the session."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.company import generate
from sandbox.world import World, parse

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)


def at(text: str) -> datetime:
    """An instant of March 2026 (UTC): "02 09:30" or "02 09:30:15"."""
    return datetime.fromisoformat(f"2026-03-{text.replace(' ', 'T')}+00:00")


def stamp(text: str) -> str:
    return at(text).isoformat().replace("+00:00", "Z")


def world(**lists: Any) -> World:
    """A world of two reps (bob in New York, ana in Berlin) and one contact, with what a test adds or replaces."""
    document: dict[str, Any] = {
        "company": {"now": "2026-03-20T06:00:00Z", "internal_domains": ["acme.com"], "test_domains": ["test.example"]},
        "reps": [
            {"key": "bob", "email": "bob@acme.com", "timezone": "America/New_York", "phone": "+12125550001"},
            {"key": "ana", "email": "ana@acme.com", "timezone": "Europe/Berlin"},
        ],
        "accounts": [{"key": "A1", "name": "Cust Ltd", "domain": "cust.com"}],
        "contacts": [{"key": "C1", "emails": ["cora@cust.com"], "phones": ["+442071838750"], "account": "A1"}],
    }
    return parse(document | lists)


@pytest.fixture(scope="session")
def company() -> dict[str, Any]:
    """An invented company of 14 reps over 12 days, as a document."""
    return generate(seed=3, reps=14, days=12, now=NOW)
