"""What exports tell, files of a folder and jobs alike: who did what on which day, under which key, and which days are told whole.

A key is made of day, person and action, numbered where a row is an action or several count it; what is told of a person's day replaces what
was known of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import msgspec

from .stream import Page, Snapshot, Stream

ACTIONS = Stream("tool_action", Snapshot(), key=("key",), happened_at="at", feeds="use of LinkedIn Sales Navigator")
DAYS = Stream("tool_day", Snapshot(), key=("day",), happened_at="day", feeds="on which days nobody used it")


@dataclass(slots=True)
class Told:
    """Records by person and day, with the file that tells them; days told whole; rows that cannot be read."""

    rows: dict[tuple[date, str], tuple[str, list[dict[str, object]]]] = field(default_factory=dict)
    days: set[date] = field(default_factory=set)
    rejected: list[tuple[str, str]] = field(default_factory=list)

    def add(self, day: date, email: str, file: str, records: Sequence[dict[str, object]]) -> None:
        """What another file told of that person and day before is told no more."""
        known = self.rows.get((day, email))
        if known is None or known[0] != file:
            known = self.rows[day, email] = (file, [])
        known[1].extend(records)

    def days_page(self) -> Page:
        """The days that are told whole."""
        return Page([msgspec.json.encode({"day": f"{day}T00:00:00Z"}) for day in sorted(self.days)])

    def actions_page(self, known: Iterable[str], *, is_everything: bool) -> Page:
        """What was done, and which of the known keys have gone. is_everything: nobody did anything else on a day that is told whole."""
        records: list[bytes] = []
        keys: set[str] = set()
        for (day, email), (_, found) in sorted(self.rows.items()):
            met: dict[str, int] = {}
            for one in found:
                name = f"{day}/{email}/{one['action']}"
                met[name] = met.get(name, 0) + 1
                key = name if "count" in one and met[name] == 1 else f"{name}#{met[name]}"
                keys.add(key)
                records.append(msgspec.json.encode({"key": key, "day": str(day), "email": email, "count": 1, **one}))
        again = {f"{day}/{email}" for day, email in self.rows}
        over = {str(day) for day in self.days} if is_everything else set[str]()
        gone = [i for i in known if i not in keys and (i.split("/")[0] in over or "/".join(i.split("/")[:2]) in again)]
        return Page(records, gone=gone, rejected=self.rejected)
