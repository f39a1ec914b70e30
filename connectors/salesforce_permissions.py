"""Which system permissions the integration user has, where the lack of one would hide records without an error.

Object Reference: who has neither Manage Users nor Monitor Login History is shown the own sign-ins, not refused; tasks, events and mails
have no "View All" of their own, so that only View All Data surely shows everybody's; notes are files, of which only Query All Files does.
"""

from __future__ import annotations

import msgspec

from .client import Client, NotFound
from .paging import records_of, value_at
from .shape import decode
from .stream import FormatChanged, PermissionMissing, Traffic

MANAGE_USERS, LOGINS, VIEW_ALL, FILES = "ManageUsers", "MonitorLoginHistory", "ViewAllData", "QueryAllFiles"
ASKED = tuple(f"Permissions{name}" for name in (MANAGE_USERS, LOGINS, VIEW_ALL, FILES))
UNSEEN = {
    VIEW_ALL: "View All Data: tasks, events and mails that are not shared with the integration user do not count, and nothing says so.",
    FILES: "Query All Files: notes that are not shared with the integration user do not count, and nothing says so.",
}


class _Set(msgspec.Struct):
    held: dict[str, msgspec.Raw] = msgspec.field(name="PermissionSet", default_factory=dict[str, msgspec.Raw])


class _Field(msgspec.Struct):
    name: str


class _Described(msgspec.Struct):
    fields: list[_Field]


def fields_of(client: Client, name: str, traffic: Traffic) -> frozenset[str]:
    """The fields of an object that the integration user can read. Raises PermissionMissing where there is no such object."""
    path = f"/sobjects/{name}/describe"
    told = decode(client.fetch("GET", path, traffic=traffic), _Described, f"salesforce: GET {path}")
    return frozenset(field.name for field in told.fields)


def own_id(client: Client, traffic: Traffic) -> str:
    """The id of the user of this session."""
    user = str(value_at(client.fetch("GET", "/", traffic=traffic), "identity")).rpartition("/")[2]
    if not user.isalnum():
        raise FormatChanged(f"salesforce: GET /: {user!r} is no user's id.")
    return user


def held(client: Client, traffic: Traffic) -> frozenset[str] | None:
    """Of the four above those that the user of this session has, by profile or permission set; None where Salesforce does not say."""
    try:
        user, known = own_id(client, traffic), fields_of(client, "PermissionSet", traffic)
        if not (there := [field for field in ASKED if field in known]):
            return None
        asked = ", ".join(f"PermissionSet.{field}" for field in there)
        query = f"SELECT {asked} FROM PermissionSetAssignment WHERE AssigneeId = '{user}'"  # noqa: S608  SOQL
        rows, _ = records_of(client.fetch("GET", "/query", params={"q": query}, traffic=traffic), "records")
    except (PermissionMissing, NotFound):
        return None
    sets = [decode(row, _Set, "salesforce: GET /query of PermissionSetAssignment").held for row in rows]
    return frozenset(
        field.removeprefix("Permissions") for one in sets for field, value in one.items() if bytes(value) == b"true"
    ) if sets else None  # fmt: skip
