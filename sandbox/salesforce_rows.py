"""What the rows of all objects share: ids, who wrote them and when, and what they hang on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sandbox.salesforce_fields import PREFIX
from sandbox.world import INTEGRATION
from sandbox.world_deals import pipelines
from sandbox.world_records import User
from sandbox.world_state import State, Stored, Version

Row = dict[str, Any]

MACHINE = "machine"

MACHINE_NAME = "integration@acme.example"


def identifier(state: State, name: str, key: str) -> str:
    """The id of a world's thing as a row of an object."""
    number = state.ids.number(f"salesforce.{name}", key, (10, 12))
    return f"{PREFIX[name]}{number:0>12}AAA"


def who(state: State, key: str | None, via: str) -> str:
    """The user who is said to have written: a person by hand, else the integration user."""
    person = key if key not in (None, INTEGRATION) and via in ("ui", "mobile") else MACHINE
    return identifier(state, "User", str(person))


def login_name(user: User) -> str:
    """A user's Username, unique over all of Salesforce."""
    return user.email or f"{user.key}@queue.example"


def username(state: State, user: str) -> str:
    """The Username of a user's id."""
    names: dict[str, str] = state.cached(
        "salesforce.usernames",
        lambda: (
            {identifier(state, "User", user.key): login_name(user) for user in state.users("crm")}
            | {identifier(state, "User", MACHINE): MACHINE_NAME}
        ),
    )
    return names[user]


def stamps(state: State, stored: Stored[Any], owner: str | None = None, at: datetime | None = None) -> Row:
    """Fields that all records have."""
    creator = who(state, stored.created_by, stored.created_via)
    last = _last_writer(state, stored)
    gone = stored.deleted_at is not None
    return {
        "IsDeleted": gone,
        "CreatedById": creator,
        "CreatedBy.Username": username(state, creator),
        "CreatedDate": stored.created_at,
        "LastModifiedById": last,
        "LastModifiedBy.Username": username(state, last),
        "LastModifiedDate": at or stored.updated_at,
        "SystemModstamp": at or stored.updated_at,
        "OwnerId": identifier(state, "User", owner or MACHINE),
    }


def _last_writer(state: State, stored: Stored[Any]) -> str:
    if stored.updated_at == stored.created_at:
        return who(state, stored.created_by, stored.created_via)
    writes = [v for v in stored.history if v.at == stored.updated_at]
    return who(state, writes[-1].by, writes[-1].via) if writes else who(state, stored.updated_by, "ui")


def by(state: State, version: Version) -> Row:
    """Who changed a field, and when, as histories tell it."""
    user = who(state, version.by, version.via)
    return {"CreatedById": user, "CreatedBy.Username": username(state, user), "CreatedDate": version.at}


def relation(state: State, name: str, key: str, at: datetime, gone: bool, more: Row) -> Row:
    """A row of a junction object."""
    return {"Id": identifier(state, name, key), "IsDeleted": gone, "SystemModstamp": at, **more}


def links(state: State, contacts: Sequence[str], account: str | None = None) -> Row:
    """Whom and what an activity is about."""
    return {
        "WhoId": identifier(state, "Contact", contacts[0]) if contacts else None,
        "WhatId": None,
        "AccountId": account,
    }


def survivors(state: State, keys: Sequence[str]) -> list[str]:
    """Contacts after all merges, each once."""
    return list(dict.fromkeys(state.survivor("contact", key) for key in keys))


LOST_NAMES = {"won": "Closed Won", "lost": "Closed Lost"}


def stage_name(state: State, stage_id: str) -> str:
    """A stage's ApiName."""
    names: dict[str, str] = state.cached(
        "salesforce.stages",
        lambda: {s.id: LOST_NAMES.get(s.name, s.name) for p in pipelines(state.world) for s in p.stages},
    )
    return names[stage_id]
