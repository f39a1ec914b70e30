"""Companies that several rooms' tests share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.company import generate
from sandbox.company_everywhere import everywhere


def at_every_vendor(now: datetime) -> dict[str, Any]:
    """A world file's document: two reps over three days, at every vendor that is read over HTTP: one at one CRM and dialer, one at the other."""
    document = everywhere(generate(seed=3, reps=2, days=3, now=now), now, days=3, both_mails=True)
    document["company"]["parameters"] = {"reprocess_days": 5}
    return document
