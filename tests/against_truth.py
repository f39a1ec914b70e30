"""The daily table held against the truth that the sandbox computes in plain Python: every metric, rep and day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import httpx

from sandbox.truth import METRICS
from tests.pipeline import Pipeline

Cells = Mapping[tuple[str, date], Mapping[str, Any]]


def read_nights(pipeline: Pipeline, url: str, nights: Sequence[datetime], first: date) -> None:
    """A night at each of these instants, the sandbox's clock moved along: what changed between them comes as changes."""
    for night in nights:
        httpx.post(f"{url}/__sandbox__/now", json={"now": night.isoformat()}).raise_for_status()
        pipeline.nightly(night, first=first)


def differences(pipeline: Pipeline, wanted: Cells) -> list[str]:
    """Where daily_rep_activity says something else. A number that is not known is one, too; so is a row that is missing."""
    rows = pipeline.rows(
        "select d.*, r.email from marts.daily_rep_activity as d inner join core.dim_rep as r on d.rep_id = r.rep_id and r.is_current"
    )
    found = {(row["email"], row["activity_date"]): row for row in rows}
    assert wanted, "nothing to compare"
    assert set(wanted) <= set(found), f"rows are missing: {sorted(set(wanted) - set(found))[:5]}"
    return [
        f"{email} {day} {metric}: {told} instead of {values[metric]}"
        for (email, day), values in sorted(wanted.items())
        for metric in METRICS
        if (told := found[email, day][metric]) is None or Decimal(str(told)) != Decimal(str(values[metric]))
    ]
