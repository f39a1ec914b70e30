"""A made-up company moved to every vendor that is read over HTTP, as after some mergers: for benchmarks and tests that want all at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

TOOLS = {"linkedin": "okta", "gong": "google_admin", "notion": "entra"}
SYSTEMS = {
    "crm": ["hubspot", "salesforce", "pipedrive"],
    "dialer": ["cloudtalk", "aircall", "dialpad"],
    "mail": ["gmail", "microsoft365"],
    "tools": ["okta", "google_admin", "entra"],
    "sequencer": ["outreach", "salesloft"],
}


def everywhere(document: dict[str, Any], now: datetime, days: int, *, both_mails: bool = False) -> dict[str, Any]:
    """The company with its reps at one CRM, dialer and mail system and at the others by turns. Changes the document, and returns it.

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
    turns = zip(*(cycle(SYSTEMS[kind]) for kind in ("crm", "dialer", "sequencer", "mail")), strict=False)
    for rep, (crm, dialer, sequencer, mail) in zip(document["reps"], turns, strict=False):
        rep["seats"] = [crm, dialer, sequencer, *(SYSTEMS["mail"] if both_mails else [mail])]
    sequencers = {rep["key"]: rep["seats"][2] for rep in document["reps"]}
    for account, crm in zip(document["accounts"], SYSTEMS["crm"], strict=False):  # each has a company at least
        account["systems"] = [crm]
    for number, mail in enumerate(m for m in document["mails"] if m["direction"] == "outbound"):
        mail["sequencer"] = {"system": sequencers[mail["rep"]]} if number % 2 else mail.get("sequencer")
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


def act_at_home(document: dict[str, Any], home: Mapping[str, str], first: str) -> None:
    """Nobody does anything in a CRM in which they have no account, and customers are in all of them. Changes the document.

    home: rep -> their CRM. first: the CRM of what nobody among them made.
    """
    crms = sorted({first, *home.values()})

    def among(crm: str, person: str | None, instead: str | None) -> str | None:
        return person if home.get(person or "", crm) == crm else instead

    for record in (*document["contacts"], *document["accounts"]):
        own = home.get(record.get("created_by", ""), first)
        record["systems"] = [own, *(crm for crm in crms if crm != own)]
    for call in document["calls"]:
        if call.get("crm"):
            call["crm"].pop("logged_by", None)
    for meeting in document["meetings"]:
        meeting.update(host=meeting["rep"], booked_by=meeting["rep"], attendees=[])
    for task in document["tasks"]:
        task["completed_by"] = None
    for deal in document["deals"]:
        owner = deal["owner"]
        crm = home[owner]
        deal.update(
            systems=[crm],
            created_by=among(crm, deal.get("created_by"), owner),
            sourced_by=among(crm, deal.get("sourced_by"), None),
        )
        deal["events"] = [
            e for e in deal["events"] if e["type"] not in ("owner", "merged_into") or among(crm, e.get("owner"), None)
        ]
        for event in deal["events"]:
            event["by"] = among(crm, event.get("by"), owner)
    made = {
        **{deal["key"]: deal["systems"][0] for deal in document["deals"]},
        **{note["key"]: home[note["rep"]] for note in document["notes"]},
    }
    document["crm_writes"] = [
        write
        for write in document["crm_writes"]
        if write["by"] not in home or home[write["by"]] == made.get(write["key"], home[write["by"]])
    ]
