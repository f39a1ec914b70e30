"""Companies that several rooms' tests share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.company import generate
from sandbox.company_everywhere import SYSTEMS, everywhere


def at_every_vendor(now: datetime) -> dict[str, Any]:
    """A world file's document: three days at every vendor that is read over HTTP, and as many reps as it takes to have one at each of them."""
    reps = max(len(SYSTEMS[kind]) for kind in ("crm", "dialer"))
    document = everywhere(generate(seed=3, reps=reps, days=3, now=now), now, days=3, both_mails=True)
    document["company"]["parameters"] = {"reprocess_days": 5}
    return document
