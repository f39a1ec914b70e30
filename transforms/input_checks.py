"""What is wrong with input files although each cell can be read: rows that contradict or repeat each other, names that nothing has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from . import dictionary
from .csv_input import Faults, Line

# What may stand in a file once only. None as a value counts like any other: two rows without a date are two rows for the same date.
KEYS: Mapping[str, tuple[str, ...]] = {
    "reps": ("email", "valid_from"),
    "teams": ("team",),
    "seats": ("email", "tool", "from"),
    "availability": ("email", "date"),
    "targets": ("email", "team", "metric", "from"),
    "fx": ("date", "currency"),
}
SPANS: Mapping[str, tuple[str, str]] = {"reps": ("hire_date", "end_date"), "seats": ("from", "to")}


def check(lines: Mapping[str, Sequence[Line]], faults: Faults) -> None:
    """Add every fault that takes more than one cell to see. lines: by the names in inputs.FILES."""
    for name, key in KEYS.items():
        _repeated(lines[name], key, faults)
    for name, (start, end) in SPANS.items():
        _reversed(lines[name], start, end, faults)
    _people(lines["reps"], faults)
    _teams(lines["teams"], faults)
    _targets(lines, faults)


def _repeated(lines: Sequence[Line], key: tuple[str, ...], faults: Faults) -> None:
    first: dict[tuple[Any, ...], int] = {}
    for line in (one for one in lines if one.is_sound):
        values = tuple(line.values[column] for column in key)
        if values in first:
            filled = [column for column in key if line.values[column] is not None]
            faults.found.append(
                line.fault(filled[-1], f"repeats line {first[values]}: only one row may have the same {', '.join(key)}")
            )
        else:
            first[values] = line.number


def _reversed(lines: Sequence[Line], start: str, end: str, faults: Faults) -> None:
    for line in lines:
        begins, ends = line.values[start], line.values[end]
        if begins and ends and ends < begins:
            faults.found.append(line.fault(end, f"lies before {start}, {begins}"))


def _people(reps: Sequence[Line], faults: Faults) -> None:
    known = _addresses(reps)
    for line in reps:
        manager = line.values["manager"]
        if manager and manager == line.values["email"]:
            faults.found.append(line.fault("manager", "is the rep's own address"))
        elif manager and manager not in known:
            faults.found.append(
                line.fault("manager", f"is the address of no row of this file{_nearest(manager, known)}")
            )


def _teams(teams: Sequence[Line], faults: Faults) -> None:
    by_key = {line.values["team"]: line for line in teams if line.values["team"]}
    for line in by_key.values():
        parent = line.values["parent"]
        if parent and parent not in by_key:
            faults.found.append(line.fault("parent", f"is no team of this file{_nearest(parent, by_key)}"))
    done: set[str] = set()
    for start in by_key:
        path: list[str] = []
        team: str | None = start
        while team is not None and team in by_key and team not in done and team not in path:
            path.append(team)
            team = by_key[team].values["parent"]
        if team is not None and team in path:
            circle = path[path.index(team) :]
            line = min((by_key[member] for member in circle), key=lambda one: one.number)
            told = " -> ".join([*circle, team])
            faults.found.append(line.fault("parent", f"makes a circle: {told}"))
        done.update(path)


def _targets(lines: Mapping[str, Sequence[Line]], faults: Faults) -> None:
    metrics = [metric.name for metric in dictionary.load().counted]
    people = _addresses(lines["reps"])
    teams = {line.values["team"] for name in ("reps", "teams") for line in lines[name] if line.values["team"]}
    for line in (one for one in lines["targets"] if one.is_sound):
        metric, email, team = line.values["metric"], line.values["email"], line.values["team"]
        if metric not in metrics:
            faults.found.append(
                line.fault(
                    "metric", f"is no metric that adds up{_nearest(metric, metrics) or '; meta_metric lists them'}"
                )
            )
        if bool(email) == bool(team):
            faults.found.append(line.fault("email", "must be filled, or else team, and not both"))
        # Without reps.csv people and teams come from the CRM, and these files cannot know them.
        if people and email and email not in people:
            faults.found.append(line.fault("email", f"is the address of no row of reps.csv{_nearest(email, people)}"))
        if people and team and team not in teams:
            faults.found.append(line.fault("team", f"is no team of teams.csv or reps.csv{_nearest(team, teams)}"))


def _addresses(reps: Sequence[Line]) -> set[str]:
    aliases = {alias.lower() for line in reps for alias in line.values["aliases"] or []}
    return {line.values["email"] for line in reps if line.values["email"]} | aliases


def _nearest(written: str, known: Collection[str]) -> str:
    near = get_close_matches(written, sorted(known), n=3)
    return f"; near: {', '.join(near)}" if near else ""
