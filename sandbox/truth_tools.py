"""The use of the tools that a company bought (5a, 5b), from what its systems show at the clock, and the seats it pays for.

A sign-in counts where nothing else shows the use that day. What a usage export tells has a calendar date, UTC, and no time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

from sandbox import world_sequencer as sequencer
from sandbox.truth_frame import Frame
from sandbox.world import Tool
from sandbox.world_tools import LISTING, actions_at, tells_times, tools_of

Cell = tuple[str, date, str]  # rep's key, local day, tool
Uses = dict[Cell, Counter[str]]  # -> evidence -> how often


def uses(frame: Frame) -> Uses:
    """How often a tool was seen to be used, by evidence."""
    found: defaultdict[Cell, Counter[str]] = defaultdict(Counter)
    for rep, day, tool, evidence in _seen(frame):
        found[rep, day, tool.lower()][evidence] += 1
    return dict(found)


def _seen(frame: Frame) -> Iterator[tuple[str, date, str, str]]:
    for vendor in frame.world.vendor("tools"):
        for action in actions_at(frame.state, vendor):
            utc_day = action.at.astimezone(UTC).date()
            dated = vendor in LISTING and not tells_times(frame.world)
            day = utc_day if dated else frame.day(action.rep, action.at)
            is_over = vendor not in LISTING or utc_day < frame.state.now.date()
            if action.rep in frame.reps and action.succeeded and is_over:
                yield action.rep, day, action.tool, action.evidence
    names = sequencer.tool_names(frame.world)
    for rep, at, action in sequencer.uses(frame.state):
        shown = [t for t in tools_of(frame.world) if set(sequencer.vendors(frame.world)) & set(t.evidence)]
        kinds = [t.name for t in shown if action == t.name.lower()]
        for tool in (*names, *kinds) if rep in frame.reps else ():  # a task of the kind that is called like the tool
            yield rep, frame.day(rep, at), tool, "action"


def usage(frame: Frame) -> list[dict[str, Any]]:
    """A row for every rep, day and tool of [[tools]] with a use or a seat: what daily_tool_usage says of them."""
    seen = uses(frame)
    today = frame.state.now.date()
    cells = set(seen)
    seats: dict[Cell, Decimal | None] = {}
    named = {tool.name.lower(): tool for tool in tools_of(frame.world)}
    for seat in frame.world.seats:
        if (tool := named.get(seat.tool.lower())) is None:
            continue
        first, last = max(seat.from_, today - timedelta(days=100)), min(seat.to or today, today)
        for n in range((last - first).days + 1):
            day = first + timedelta(days=n)
            seats[seat.rep, day, tool.name.lower()] = _cost(frame, tool, seat.monthly_cost, day)
    cells |= set(seats)
    return [
        {
            "email": frame.reps[rep].email,
            "date": day,
            "tool": tool,
            "is_active": bool(seen.get((rep, day, tool))),
            "evidence": _evidence(seen.get((rep, day, tool))),
            "actions": _count(seen.get((rep, day, tool))),
            "has_seat": (rep, day, tool) in seats,
            "seat_cost_amount": seats.get((rep, day, tool)),
        }
        for rep, day, tool in sorted(cells)
    ]


def _evidence(told: Counter[str] | None) -> str | None:
    return min(told) if told else None


def _count(told: Counter[str] | None) -> int:
    return (told["action"] or told["login"]) if told else 0


def _cost(frame: Frame, tool: Tool, monthly: Decimal | None, day: date) -> Decimal | None:
    """(5c) The month's price over the days of the month, at the rate of the day or the last one before it that is still held."""
    company = frame.world.company
    price, rate = monthly, Decimal(1)
    if price is None:
        price = tool.price_per_seat
        if tool.currency not in (None, company.reporting_currency):
            carried = timedelta(days=frame.parameter("fx_carry_days"))
            known = [f for f in frame.world.fx if f.currency == tool.currency and day - carried <= f.date <= day]
            if not known:
                return None
            rate = max(known, key=lambda f: f.date).rate
    if price is None:
        return None
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return (price * rate / (following - timedelta(days=1)).day).quantize(Decimal("0.0001"))
