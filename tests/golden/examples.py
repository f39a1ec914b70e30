"""Worked examples that share a world: each has reps, contacts and days of its own, so that one reading serves many.

An `Example` names what happened and what the rows of a rep's days must say. `whole_way` serves all examples of a list as one
world, reads it over HTTP and builds; `differences` says where a row differs. All instants are UTC, all zones UTC unless told.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.pipeline import Pipeline, serving

Json = dict[str, Any]
NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
FIRST = date(2026, 3, 1)


@dataclass(frozen=True, slots=True)
class Example:
    """What happened, why it counts as it does, and the rows it must give: {"rep 2026-03-16": {"calls_made": 2}}.

    The rep whose key is the example's name is there by itself; `parts` are lists of a world (calls, mails, reps, …).
    """

    name: str
    why: str
    expected: Mapping[str, Mapping[str, Any]]
    parts: Mapping[str, list[Json]] = field(default_factory=dict[str, list[Json]])


def rep(key: str, **more: Any) -> Json:
    return {
        "key": key,
        "name": key.title(),
        "email": f"{key}@acme.com",
        "timezone": "UTC",
        "team": "T1",
        "hire_date": "2025-01-01",
        **more,
    }


def contact(key: str, **more: Any) -> Json:
    return {
        "key": key,
        "name": key.title(),
        "emails": [f"{key}@cust.com"],
        "account": "A1",
        "created_at": "2025-06-01T00:00:00Z",
        **more,
    }


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def after(at: str, seconds: int) -> str:
    return iso(instant(at) + timedelta(seconds=seconds))


def call(key: str, who: str, number: str, at: str, talk: int | None, **more: Any) -> Json:
    """An outbound call, answered at the instant it began, so that call and talk are equally long; talk None: nobody answered, 30 s."""
    return {
        "key": key,
        "rep": who,
        "direction": "outbound",
        "number": number,
        "started_at": at,
        "answered_at": None if talk is None else at,
        "ended_at": after(at, 30 if talk is None else talk),
        "result": "no_answer" if talk is None else "answered",
        **more,
    }


def log(key: str, who: str, number: str, at: str, disposition: str | None, seconds: int | None, **more: Any) -> Json:
    """A call that stands in the CRM alone, logged half an hour later."""
    return {
        "key": key,
        "rep": who,
        "direction": "outbound",
        "number": number,
        "started_at": at,
        "result": "answered",
        "dialer": None,
        "crm": {
            "logged_at": after(at, 1800),
            "timestamp": at,
            "duration_seconds": seconds,
            "disposition": disposition,
        },
        **more,
    }


def mail(key: str, who: str, to: Sequence[str] | str, at: str, **more: Any) -> Json:
    return {
        "key": key,
        "rep": who,
        "direction": "outbound",
        "from": f"{who}@acme.com",
        "to": [to] if isinstance(to, str) else list(to),
        "sent_at": at,
        "message_id": f"<{key}@mail.acme.com>",
        "kind": "one_to_one",
        **more,
    }


def inbound(key: str, who: str, sender: str, at: str, answers: str | None = None, **more: Any) -> Json:
    """A mail to a rep; `answers` is the key of the rep's mail that it replies to."""
    return {
        "key": key,
        "rep": who,
        "direction": "inbound",
        "from": sender,
        "to": [f"{who}@acme.com"],
        "sent_at": at,
        "message_id": f"<{key}@cust.com>",
        "in_reply_to": None if answers is None else f"<{answers}@mail.acme.com>",
        "kind": "one_to_one",
        **more,
    }


def world(examples: Sequence[Example], now: datetime = NOW, **company: Any) -> Json:
    """One company in which all the examples happen."""
    parts: dict[str, list[Json]] = {
        "teams": [{"key": "T1", "name": "One"}, {"key": "T2", "name": "Two"}],
        "accounts": [{"key": "A1", "name": "Cust", "domain": "cust.com"}],
        "reps": [],
        "contacts": [],
    }
    for example in examples:
        for name, things in example.parts.items():
            parts.setdefault(name, []).extend(things)
        if example.name not in {r["key"] for r in parts["reps"]}:
            parts["reps"].append(rep(example.name))
    return {
        "company": {
            "now": iso(now), "reporting_timezone": "UTC", "reporting_currency": "EUR", "internal_domains": ["acme.com"],
            "internal_numbers": ["+12125550000-0099"], "test_domains": ["test.example"],
            "systems": {"crm": "hubspot", "dialer": "cloudtalk", "mail": "gmail"}, **company,
        },
        **parts,
    }  # fmt: skip


@contextmanager
def whole_way(
    examples: Sequence[Example], folder: Path, *nights: datetime, first: date = FIRST
) -> Generator[tuple[Pipeline, str]]:
    """The examples' world, read and built as of NOW or of the nights given, the first of which is the world's own clock."""
    runs = nights or (NOW,)
    with serving(world(examples, runs[0]), folder) as (pipeline, url):
        pipeline.nightly(runs[0], first=first)
        for night in runs[1:]:
            sleep_until(night, url)
            pipeline.nightly(night, first=first)
        yield pipeline, url


def sleep_until(night: datetime, url: str) -> None:
    """Move the sandbox's clock."""
    httpx.post(f"{url}/__sandbox__/now", json={"now": night.isoformat()}).raise_for_status()


def differences(pipeline: Pipeline, example: Example) -> list[str]:
    """What the rows of the example say otherwise, a line a number."""
    wrong: list[str] = []
    for cell, values in example.expected.items():
        who, day = cell.split(" ")
        row = pipeline.day(f"{who}@acme.com", day)
        wrong += [f"{cell}: {name} is {row[name]}, not {value}" for name, value in values.items() if row[name] != value]
    return wrong
