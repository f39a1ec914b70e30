"""[[tools]]: the tools that were bought, what a seat costs, and which records of which source show that one is used or held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from difflib import get_close_matches
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

import connectors
from transforms.tool_inputs import ToolInput, ToolRule

OF_TOOLS = {"files": ', and "tools" among its systems'}
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Seats(_Part):
    """Who has a seat: whoever a source has assigned the app to, by its id or its name there; without app: any of its seats."""

    source: Text
    app: Text | None = None


class Evidence(_Part):
    """What shows use: records of a source about an app, by its id or its name there, of an action, or of those that begin so ("linkedin*")."""

    source: Text
    app: Text | None = None
    action: Text | None = None


class Tool(_Part):
    """A tool by its name in seats.csv and in daily_tool_usage. price_per_seat: of a month; currency: None for the reporting currency."""

    name: Text
    price_per_seat: Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=2)] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    evidence: list[Evidence] = []
    seats: list[Seats] = []


def faults_of(tools: Sequence[Tool], sources: Sequence[str]) -> list[str]:
    """What is wrong with the tools together, given the sources that are set up."""
    return list(_faults(tools, sources))


def _faults(tools: Sequence[Tool], sources: Sequence[str]) -> Iterator[str]:
    names = [tool.name.lower() for tool in tools]
    yield from (f"{name} stands there twice" for name in sorted({n for n in names if names.count(n) > 1}))
    for tool in tools:
        rules = [
            *((rule.source, "action", "evidence") for rule in tool.evidence),
            *((rule.source, "seat", "seats") for rule in tool.seats),
        ]
        for source, what, part in rules:
            able = _telling(what)
            if source in connectors.NAMES and source not in able:
                # Read whole and without any use, it would have every seat look idle.
                yield f"{tool.name} names the source {source} for its {part}, which it does not tell; allowed: {', '.join(able)}"
                continue
            if source in sources:
                continue
            near = get_close_matches(source, connectors.NAMES, n=1)
            told = (
                f"give it a section [{source}]{OF_TOOLS.get(source, '')}"
                if source in connectors.NAMES
                else "there is no such source"
            )
            hint = f"; did you mean {near[0]}?" if near and near[0] != source else ""
            yield f"{tool.name} names the source {source}: {told}{hint}"


def _telling(what: str) -> list[str]:
    """Sources that tell of seats or of actions: those of which a staging file does."""
    staging = resources.files("sql") / "staging"
    return [name for name in connectors.NAMES if (staging / f"stg_tool_{what}__{name}.sql").is_file()]


def tool_inputs(tools: Sequence[Tool]) -> list[ToolInput]:
    """The tools as a build takes them."""
    return [
        ToolInput(
            tool.name.lower(),
            tool.price_per_seat,
            tool.currency,
            [ToolRule(rule.source, rule.app, rule.action) for rule in tool.evidence],
            [ToolRule(rule.source, rule.app) for rule in tool.seats],
        )
        for tool in tools
    ]


def apps_of(tools: Sequence[Tool], source: str) -> list[str]:
    """Apps of a source whose seats the tools ask about; none when a tool asks about all of them."""
    rules = [rule for tool in tools for rule in tool.seats if rule.source == source]
    return [] if any(rule.app is None for rule in rules) else list(dict.fromkeys(r.app for r in rules if r.app))
