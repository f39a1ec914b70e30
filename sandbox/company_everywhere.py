"""A made-up company moved to every vendor that is read over HTTP, as after some mergers: for benchmarks and tests that want all at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

TOOLS = {"linkedin": "okta", "gong": "google_admin", "notion": "entra"}
SYSTEMS = {
    "crm": ["hubspot", "salesforce"],
    "dialer": ["cloudtalk", "aircall"],
    "mail": ["gmail", "microsoft365"],
    "tools": ["okta", "google_admin", "entra"],
    "sequencer": "outreach",
}


def everywhere(document: dict[str, Any], now: datetime, days: int, *, both_mails: bool = False) -> dict[str, Any]:
    """The company with its reps at one CRM, dialer and mail system and at the other by turns. Changes the document, and returns it.

    days: for how many of the last days people sign in to their tools. both_mails: whether everybody has a mailbox in both mail systems.
    """
    document["company"]["systems"] = SYSTEMS
    document["company"]["tools"] = [
        {
            "name": name,
            "price_per_seat": "10.00",
            "evidence": [source],
            **({"seats": "okta"} if source == "okta" else {}),
        }
        for name, source in TOOLS.items()
    ]
    sides = [list(side) for side in zip(SYSTEMS["crm"], SYSTEMS["dialer"], SYSTEMS["mail"], strict=True)]
    for rep, side in zip(document["reps"], cycle(sides)):
        rep["seats"] = [*side[:2], *(SYSTEMS["mail"] if both_mails else side[2:])]
    for number, mail in enumerate(m for m in document["mails"] if m["direction"] == "outbound"):
        mail["sequencer"] = {"system": "outreach"} if number % 2 else mail.get("sequencer")
    for call in document["calls"][::4]:
        call["sequencer"] = {}
    reps = [rep["key"] for rep in document["reps"]]
    document["seats"] += [{"rep": rep, "tool": "linkedin", "from": "2026-01-01"} for rep in reps]
    document["tool_actions"] = [
        {"rep": rep, "tool": tool, "at": f"{now - timedelta(days=ago):%Y-%m-%d}T{hour:02}:00:00Z", "evidence": "login"}
        for rep in reps
        for tool in TOOLS
        for ago in range(1, days + 1)
        for hour in (9, 13)
    ]
    return document
