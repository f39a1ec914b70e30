"""The tools that a company bought: which vendor shows what of their use, and who has a seat of which.

Sign-ins are shown by who signs people in (Okta, Google, Entra), what is done in a tool by that tool's own listing. Of an action that names
no vendor it is the first of the tool's evidence that can show it; what none can show happened, but nobody sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sandbox.world import Seat, Tool, ToolAction, World
from sandbox.world_ids import Ids
from sandbox.world_state import State

SIGN_IN = ("okta", "google_admin", "entra")
LISTING = ("sales_navigator",)
EITHER = ("files",)
OF_SYSTEMS = ("crm", "dialer", "mail", "sequencer")


def tools_of(world: World) -> list[Tool]:
    """The company's tools; where it names none, those that anything speaks of, shown by all its vendors of tools."""
    if world.company.tools is not None:
        return world.company.tools
    vendors = list(world.vendor("tools"))
    if not vendors:
        return []
    named = dict.fromkeys([*(a.tool for a in world.tool_actions), *(s.tool for s in world.seats)])
    return [Tool(name=name, evidence=vendors) for name in named if name not in OF_SYSTEMS]


def shown_by(world: World, action: ToolAction) -> str | None:
    """The vendor that shows an action; None if none can."""
    tool = next((t for t in tools_of(world) if t.name.lower() == action.tool.lower()), None)
    if tool is None:
        return None
    able = [
        v
        for v in tool.evidence
        if v in world.vendor("tools") and v in (*EITHER, *(SIGN_IN if action.evidence == "login" else LISTING))
    ]
    return action.via if action.via in able else next(iter(able), None) if action.via is None else None


def tells_times(world: World) -> bool:
    """Whether Sales Navigator's export tells when a thing was done, not only on which UTC day: where the world leaves the choice."""
    return "tools" not in world.company.systems


def actions_at(state: State, vendor: str) -> list[ToolAction]:
    """What a vendor shows now, in order of time."""
    found = [
        a
        for a in state.world.tool_actions
        if (a.visible_at or a.at) <= state.now and shown_by(state.world, a) == vendor
    ]
    return sorted(found, key=lambda a: (a.at, a.rep, a.tool, a.action))


def key_of(action: ToolAction) -> str:
    """What tells an action from all others."""
    return f"{action.rep}/{action.tool}/{action.at.isoformat()}/{action.action}/{action.evidence}"


def seats_of(world: World, vendor: str) -> list[Seat]:
    """Seats that a vendor assigns."""
    names = {t.name.lower() for t in tools_of(world) if t.seats == vendor}
    return [s for s in world.seats if s.tool.lower() in names]


def in_file(world: World) -> list[Seat]:
    """Seats that stand in seats.csv: those that no vendor assigns."""
    names = {t.name.lower() for t in tools_of(world) if t.seats is not None}
    return [s for s in world.seats if s.tool.lower() not in names]


def bounds_of(state: State, seat: Seat) -> tuple[datetime, datetime | None]:
    """From the first day's beginning to the last day's end, where the rep is."""
    zone = ZoneInfo(state.reps[seat.rep].timezone or state.world.company.reporting_timezone)
    end = None if seat.to is None else datetime.combine(seat.to + timedelta(days=1), time(), zone)
    return datetime.combine(seat.from_, time(), zone), end


def app_id(ids: Ids, vendor: str, tool: str) -> str:
    """A vendor's id of the app that leads to a tool."""
    if vendor == "okta":
        return f"0oa{ids.hexadecimal('okta.app', tool, 17)}"
    if vendor == "entra":
        text = ids.hexadecimal("entra.app", tool, 32)
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    return tool


def rules(tool: Tool, ids: Ids, *, several: bool = False) -> dict[str, Sequence[dict[str, str]]]:
    """evidence and seats of a tool as the product's settings say them. several: a listing's actions begin with the tool's name."""
    found: list[dict[str, str]] = []
    for vendor in tool.evidence:
        if vendor in SIGN_IN:
            found.append({"source": vendor, "app": app_id(ids, vendor, tool.name)})
        elif vendor in LISTING:
            found.append({"source": vendor, "action": f"{tool.name}: *"} if several else {"source": vendor})
        elif vendor in EITHER:
            found.append({"source": vendor, "app": tool.name})
        elif tool.name.lower() in (vendor, "sequencer"):  # the sequencer itself: all that is done there
            found.append({"source": vendor})
        else:  # a sequencer: its tasks of that kind
            found.append({"source": vendor, "action": f"{tool.name}*"})
    seats: list[dict[str, str]] = []
    if tool.seats is not None:
        app = {"app": app_id(ids, tool.seats, tool.name)} if tool.seats in SIGN_IN else {}
        seats = [{"source": tool.seats, **app}]
    return {"evidence": found, "seats": seats}
