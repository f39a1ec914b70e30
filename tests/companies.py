"""Companies that several rooms' tests share."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.company import generate

TOOLS = {"linkedin": "okta", "gong": "google_admin", "notion": "entra"}


def at_every_vendor(now: datetime) -> dict[str, Any]:
    """A world file's document: two reps over three days, at every vendor that is read over HTTP: one at one CRM and dialer, one at the other."""
    document = generate(seed=3, reps=2, days=3, now=now)
    document["company"] |= {
        "parameters": {"reprocess_days": 5},
        "systems": {
            "crm": ["hubspot", "salesforce"],
            "dialer": ["cloudtalk", "aircall"],
            "mail": ["gmail", "microsoft365"],
            "tools": ["okta", "google_admin", "entra"],
            "sequencer": "outreach",
        },
        "tools": [
            {
                "name": name,
                "price_per_seat": "10.00",
                "evidence": [source],
                **({"seats": "okta"} if source == "okta" else {}),
            }
            for name, source in TOOLS.items()
        ],
    }
    for rep, seats in zip(document["reps"], (("hubspot", "cloudtalk"), ("salesforce", "aircall")), strict=True):
        rep["seats"] = [*seats, "gmail", "microsoft365"]
    for number, mail in enumerate(m for m in document["mails"] if m["direction"] == "outbound"):
        mail["sequencer"] = {"system": "outreach"} if number % 2 else mail.get("sequencer")
    for call in document["calls"][::4]:
        call["sequencer"] = {}
    reps = [rep["key"] for rep in document["reps"]]
    document["seats"] += [{"rep": rep, "tool": "linkedin", "from": "2026-01-01"} for rep in reps]
    document["tool_actions"] = [
        {"rep": rep, "tool": tool, "at": f"{now:%Y-%m}-{day:02}T{hour:02}:00:00Z", "evidence": "login"}
        for rep in reps
        for tool in TOOLS
        for day in ((now - timedelta(days=ago)).day for ago in (1, 2, 3))
        for hour in (9, 13)
    ]
    return document
