"""Companies that several rooms' tests share."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.company import generate
from sandbox.company_everywhere import SYSTEMS, everywhere


def at_every_vendor(now: datetime) -> dict[str, Any]:
    """A world file's document: three days at every vendor that is read over HTTP, and as many reps as it takes to have one at each of them."""
    reps = max(len(SYSTEMS[kind]) for kind in ("crm", "dialer"))
    document = everywhere(generate(seed=3, reps=reps, days=3, now=now), now, days=3, both_mails=True)
    document["company"]["parameters"] = {"reprocess_days": 5}
    return document


def send_through(vendor: str, mails: list[dict[str, Any]], rep: str, every: int) -> None:
    """Sequences are that sequencer's; of the rest every so many, and all of a rep without a mailbox, were written there by hand."""
    for number, mail in enumerate(mails):
        if mail["direction"] == "inbound" or mail["kind"] not in ("one_to_one", "sequence"):
            continue
        if mail.get("sequencer"):
            mail["sequencer"]["system"] = vendor
            if number % 2:
                mail["crm"] = None
        elif number % every == 0 or mail["rep"] == rep:
            mail["sequencer"] = {"system": vendor, "step": None}


def done_for_linkedin(document: dict[str, Any], now: datetime) -> list[dict[str, Any]]:
    """A task for LinkedIn of each rep, one a day."""
    return [
        {"key": f"L{n}", "rep": rep["key"], "type": "linkedin", "status": "completed",
         "completed_at": (now - timedelta(days=n)).isoformat()}
        for n, rep in enumerate(document["reps"], start=1)
    ]  # fmt: skip
