"""Is a world file whole? Keys unique, references known, instants in order, names of time zones real.

Every message names the path of the value, the value, and what could stand there.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args, get_origin
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from sandbox.world import INTEGRATION, World, WorldError

_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
Reference = tuple[str, str | None]  # path, value


def where(message: str, document: Mapping[str, Any]) -> str:
    """msgspec's message rewritten as `path: what (found value)`."""
    match = _PATH.match(message)
    assert match is not None
    path = (match["path"] or "").lstrip(".")
    return f"{path or 'top level'}: {match['what']} (found {_shorten(_value_at(document, path))})"


def _value_at(document: Any, path: str) -> Any:
    value: Any = document
    for step in re.findall(r"[^.\[\]]+", path):
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return value


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def unknown(document: Any, kind: Any, path: str) -> list[str]:
    """Paths of keys in `document` that `kind` (a Struct, a list of it, or optional) does not know."""
    args = [a for a in get_args(kind) if a is not type(None)]
    if get_origin(kind) is list and isinstance(document, list):
        return [p for i, item in enumerate(document) for p in unknown(item, args[0], f"{path}[{i}]")]
    structs = [a for a in args if isinstance(a, type) and issubclass(a, Struct)]
    kind = structs[0] if structs else kind
    if not (isinstance(kind, type) and issubclass(kind, Struct) and isinstance(document, dict)):
        return []
    fields = {f.encode_name: f.type for f in msgspec.structs.fields(kind)}
    found: list[str] = []
    for name, value in document.items():
        here = f"{path}.{name}".lstrip(".")
        found += unknown(value, fields[name], here) if name in fields else [here]
    return found


def check_references(world: World, name: str) -> None:
    """Raise WorldError with every fault found, one a line."""
    faults = [f"{name}: {fault}" for fault in _faults(world)]
    if faults:
        raise WorldError("\n".join(faults))


def _faults(world: World) -> Iterator[str]:
    yield from _duplicates(world)
    people = {r.key for r in world.reps} | {u.key for u in world.users_without_rep}
    yield from _missing(_people(world), people, "a key of reps or users_without_rep")
    yield from _missing(_writers(world), people | {INTEGRATION}, 'a key of reps or users_without_rep, or "integration"')
    yield from _missing(_to_reps(world), {r.key for r in world.reps}, "a key of reps")
    yield from _missing(_to_teams(world), {t.key for t in world.teams}, "a key of teams")
    yield from _missing(_to_accounts(world), {a.key for a in world.accounts}, "a key of accounts")
    yield from _missing(_to_contacts(world), {c.key for c in world.contacts}, "a key of contacts")
    yield from _missing(_to_deals(world), {d.key for d in world.deals}, "a key of deals")
    yield from _written(world)
    yield from _zones(world)
    yield from _order(world)
    yield from _edits(world)


def _duplicates(world: World) -> Iterator[str]:
    lists = (
        "reps",
        "teams",
        "users_without_rep",
        "accounts",
        "contacts",
        "calls",
        "mails",
        "meetings",
        "tasks",
        "deals",
        "notes",
    )
    for listed in lists:
        seen: dict[str, int] = {}
        for i, item in enumerate(getattr(world, listed)):
            first = seen.setdefault(item.key, i)
            if first != i:
                yield f"{listed}[{i}].key: {item.key!r} is the key of {listed}[{first}] already"


def _missing(references: Iterable[Reference], known: set[str], expected: str) -> Iterator[str]:
    for path, value in references:
        if value is not None and value not in known:
            near = difflib.get_close_matches(value, known, 1)
            yield f"{path}: {value!r} is not {expected}" + (f" (did you mean {near[0]!r}?)" if near else "")


def _people(world: World) -> Iterator[Reference]:
    for i, call in enumerate(world.calls):
        yield f"calls[{i}].rep", call.rep
        for j, leg in enumerate(call.legs):
            yield f"calls[{i}].legs[{j}].rep", leg.rep
    for i, meeting in enumerate(world.meetings):
        yield f"meetings[{i}].host", meeting.host
    for i, deal in enumerate(world.deals):
        yield f"deals[{i}].owner", deal.owner
        for j, event in enumerate(deal.events):
            yield f"deals[{i}].events[{j}].owner", event.owner
    for i, contact in enumerate(world.contacts):
        yield f"contacts[{i}].owner", contact.owner
    for listed in ("mails", "meetings", "tasks", "notes"):
        for i, item in enumerate(getattr(world, listed)):
            yield f"{listed}[{i}].rep", item.rep


def _writers(world: World) -> Iterator[Reference]:
    for listed in ("calls", "mails", "meetings", "tasks", "notes"):
        for i, item in enumerate(getattr(world, listed)):
            if item.crm is not None:
                yield f"{listed}[{i}].crm.logged_by", item.crm.logged_by
    for i, meeting in enumerate(world.meetings):
        yield f"meetings[{i}].booked_by", meeting.booked_by
    for i, task in enumerate(world.tasks):
        yield f"tasks[{i}].completed_by", task.completed_by
    for listed in ("contacts", "accounts", "deals"):
        for i, item in enumerate(getattr(world, listed)):
            yield f"{listed}[{i}].created_by", item.created_by
    for i, deal in enumerate(world.deals):
        for j, event in enumerate(deal.events):
            yield f"deals[{i}].events[{j}].by", event.by
    for i, write in enumerate(world.crm_writes):
        yield f"crm_writes[{i}].by", write.by


def _to_reps(world: World) -> Iterator[Reference]:
    for i, rep in enumerate(world.reps):
        yield f"reps[{i}].manager", rep.manager
        for j, change in enumerate(rep.changes):
            yield f"reps[{i}].changes[{j}].set.manager", change.set.get("manager")
    for i, mail in enumerate(world.mails):
        for j, holder in enumerate(mail.mailboxes or []):
            yield f"mails[{i}].mailboxes[{j}]", holder
    for i, meeting in enumerate(world.meetings):
        for j, attendee in enumerate(meeting.attendees):
            yield f"meetings[{i}].attendees[{j}]", attendee
    for i, deal in enumerate(world.deals):
        yield f"deals[{i}].sourced_by", deal.sourced_by
    for listed in ("logins", "tool_actions", "seats", "availability", "targets"):
        for i, item in enumerate(getattr(world, listed)):
            yield f"{listed}[{i}].rep", item.rep


def _to_teams(world: World) -> Iterator[Reference]:
    for i, rep in enumerate(world.reps):
        yield f"reps[{i}].team", rep.team
        for j, change in enumerate(rep.changes):
            yield f"reps[{i}].changes[{j}].set.team", change.set.get("team")
    for i, team in enumerate(world.teams):
        yield f"teams[{i}].parent", team.parent
    for i, target in enumerate(world.targets):
        yield f"targets[{i}].team", target.team


def _to_accounts(world: World) -> Iterator[Reference]:
    for listed in ("contacts", "deals"):
        for i, item in enumerate(getattr(world, listed)):
            yield f"{listed}[{i}].account", item.account
    for i, account in enumerate(world.accounts):
        yield f"accounts[{i}].merged_into", account.merged_into


def _to_contacts(world: World) -> Iterator[Reference]:
    for i, contact in enumerate(world.contacts):
        yield f"contacts[{i}].merged_into", contact.merged_into
    for listed in ("tasks", "notes"):
        for i, item in enumerate(getattr(world, listed)):
            yield f"{listed}[{i}].contact", item.contact
    for listed in ("meetings", "deals"):
        for i, item in enumerate(getattr(world, listed)):
            for j, contact in enumerate(item.contacts):
                yield f"{listed}[{i}].contacts[{j}]", contact
    for listed in ("calls", "mails"):
        for i, item in enumerate(getattr(world, listed)):
            for j, contact in enumerate(item.crm.contacts if item.crm else []):
                yield f"{listed}[{i}].crm.contacts[{j}]", contact


def _to_deals(world: World) -> Iterator[Reference]:
    for i, deal in enumerate(world.deals):
        for j, event in enumerate(deal.events):
            yield f"deals[{i}].events[{j}].deal", event.deal


def _written(world: World) -> Iterator[str]:
    known = {
        "contact": {c.key for c in world.contacts},
        "company": {a.key for a in world.accounts},
        "deal": {d.key for d in world.deals},
        "note": {n.key for n in world.notes},
    }
    for i, write in enumerate(world.crm_writes):
        yield from _missing([(f"crm_writes[{i}].key", write.key)], known[write.object], f"the key of a {write.object}")


def _zones(world: World) -> Iterator[str]:
    named: list[Reference] = [("company.reporting_timezone", world.company.reporting_timezone)]
    for i, rep in enumerate(world.reps):
        named.append((f"reps[{i}].timezone", rep.timezone))
        named += [(f"reps[{i}].changes[{j}].set.timezone", c.set.get("timezone")) for j, c in enumerate(rep.changes)]
    for path, zone in named:
        if zone is None:
            continue
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            yield f"{path}: {zone!r} is not the name of a time zone; write it as Europe/Berlin"


def _order(world: World) -> Iterator[str]:
    for i, call in enumerate(world.calls):
        end = call.ended_at or call.started_at
        if not call.started_at <= (call.answered_at or call.started_at) <= max(end, call.answered_at or end):
            yield f"calls[{i}].answered_at: {call.answered_at} lies before started_at {call.started_at}"
        if call.ended_at is not None and call.ended_at < (call.answered_at or call.started_at):
            yield f"calls[{i}].ended_at: {call.ended_at} lies before the call's start or answer"
    for i, deal in enumerate(world.deals):
        types = [e.type for e in deal.events]
        if types[:1] != ["created"] or types.count("created") != 1:
            yield f'deals[{i}].events: expected exactly one event "created", as the first, found {types}'
        if any(a.at > b.at for a, b in zip(deal.events, deal.events[1:], strict=False)):
            yield f"deals[{i}].events: not in order of time"


def _edits(world: World) -> Iterator[str]:
    """Edits must set fields that the record has, to values that fit."""
    from sandbox.world_records import applied_edits

    for path, apply in applied_edits(world):
        try:
            apply()
        except msgspec.ValidationError as error:
            yield f"{path}: {error}"
