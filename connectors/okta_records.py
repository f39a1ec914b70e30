"""What is read of Okta: users, apps, their seats and events of the log, the fields of each that are kept, and what goes dark without.

People's profiles hold home addresses and the like: of a user, an assignment and an event only the fields that the metrics need are kept.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from .stream import DateRange, Snapshot, Stream

KEPT = timedelta(days=90)
SIGN_IN = "user.authentication.sso"
SEAT_EVENTS = ("application.user_membership.add", "application.user_membership.remove")
FILTER = " or ".join(f'eventType eq "{name}"' for name in (SIGN_IN, *SEAT_EVENTS))
SCOPES = {"logs": "okta.logs.read", "apps": "okta.apps.read", "users": "okta.users.read"}

USERS = Stream(
    "tool_user", Snapshot(), updated_at="lastUpdated", scopes=(SCOPES["users"],), feeds="who a sign-in is of"
)
APPS = Stream("tool_app", Snapshot(), updated_at="lastUpdated", scopes=(SCOPES["apps"],), feeds="names of the tools")
SEATS = Stream(
    "tool_app_user",
    Snapshot(absence_means="deleted"),
    key=("app", "user.id"),
    updated_at="user.lastUpdated",
    scopes=(SCOPES["apps"],),
    feeds="who has a seat of a tool",
)
EVENTS = Stream(
    "tool_action",
    DateRange(span=timedelta(days=7), lag=timedelta(hours=1), kept=KEPT),
    key=("uuid",),
    happened_at="published",
    scopes=(SCOPES["logs"],),
    feeds="use of tools by sign-ins",
)


class _Profile(msgspec.Struct, omit_defaults=True):
    login: str | None = None
    email: str | None = None


class _Credentials(msgspec.Struct, omit_defaults=True):
    userName: str | None = None


class User(msgspec.Struct, omit_defaults=True):
    """Of a user, or of one of an app."""

    id: str | None = None
    status: str | None = None
    scope: str | None = None
    created: str | None = None
    lastUpdated: str | None = None
    profile: _Profile | None = None
    credentials: _Credentials | None = None


class App(msgspec.Struct, omit_defaults=True):
    """Of an app, which is a tool."""

    id: str | None = None
    name: str | None = None
    label: str | None = None
    status: str | None = None
    created: str | None = None
    lastUpdated: str | None = None


class _Entity(msgspec.Struct, omit_defaults=True):
    id: str | None = None
    type: str | None = None
    alternateId: str | None = None
    displayName: str | None = None


class _Outcome(msgspec.Struct, omit_defaults=True):
    result: str | None = None


class Event(msgspec.Struct, omit_defaults=True):
    """Of an event of the log: who did what to which app."""

    uuid: str | None = None
    published: str | None = None
    eventType: str | None = None
    actor: _Entity | None = None
    outcome: _Outcome | None = None
    target: list[_Entity] | None = None
