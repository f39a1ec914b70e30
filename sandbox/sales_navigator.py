"""LinkedIn Sales Navigator's usage export over a company: the CSV file that an administrator would put into the folder.

A row a person and day, a column an action; days are UTC; or, where the world names no vendors of tools, a row an action with its instant.
The file is written with the settings and tells all that the world knows, also what is still to come by its clock: who reads it
leaves days alone that are not over.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, timedelta
from pathlib import Path

from starlette.routing import Route

from sandbox import sales_navigator_jobs
from sandbox.limits import Limits
from sandbox.world import World
from sandbox.world_state import Clock
from sandbox.world_tools import shown_by, tells_times

FOLDER = "sales-navigator"
BEFORE, AFTER = timedelta(days=100), timedelta(days=30)


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """The API that only partners have: export jobs."""
    del world  # the clock knows it
    return sales_navigator_jobs.routes(clock, limits)


def columns(world: World) -> Mapping[str, str]:
    """What the settings say of the file's columns."""
    if tells_times(world):
        return {"Time": "time", "Email": "email", "Action": "action"}
    counted = dict.fromkeys(_names(world), "count")
    return {"Date": "day", "Email": "email", "Seat Holder": "ignore", **counted}


def write(world: World, folder: Path) -> None:
    """Write the export."""
    done = [a for a in world.tool_actions if shown_by(world, a) == "sales_navigator"]
    counts = Counter((a.at.astimezone(UTC).date(), a.rep, a.action or "activity") for a in done)
    now = world.now().date()
    first = min([now - BEFORE, *(day for day, _, _ in counts)])
    last = max([now + AFTER, *(day for day, _, _ in counts)])
    folder.mkdir(exist_ok=True)
    with (folder / f"usage_{first}_{last}.csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(columns(world))
        if tells_times(world):
            emails = {rep.key: rep.email for rep in world.reps}
            for a in done:
                writer.writerow(
                    (f"{a.at.astimezone(UTC):%m-%d-%Y %H:%M:%S}", emails[a.rep], f"{a.tool}: {a.action or 'activity'}")
                )
            return
        for n in range((last - first).days + 1):
            day = first + timedelta(days=n)
            writer.writerows(_row(world, day, counts))


def _row(world: World, day: date, counts: Counter[tuple[date, str, str]]) -> list[list[object]]:
    return [[day, r.email, r.name, *(counts[day, r.key, name] for name in _names(world))] for r in world.reps]


def _names(world: World) -> list[str]:
    done = [a for a in world.tool_actions if shown_by(world, a) == "sales_navigator"]
    return sorted({a.action or "activity" for a in done}) or ["activity"]
