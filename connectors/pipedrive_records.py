"""What is kept of Pipedrive's records: the fields that the metrics need. Never a subject, a title, a note or a body.

Source: Pipedrive's OpenAPI files (v2, and v1 for users, roles and notes). Fields cannot be asked for one by one, so what a record has beyond
these is dropped before it lands; of custom fields only those are asked for that the settings name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

Key = int | str | None
Flag = bool | int | None


class _Loose(msgspec.Struct, omit_defaults=True):
    id: Key = None


class User(_Loose):
    name: str | None = None
    email: str | None = None
    active_flag: Flag = None
    is_deleted: Flag = None
    timezone_name: str | None = None
    created: str | None = None
    modified: str | None = None
    last_login: str | None = None
    role_id: Key = None


class Role(_Loose):
    name: str | None = None
    parent_role_id: Key = None
    active_flag: Flag = None


class Account(msgspec.Struct, omit_defaults=True):
    company_id: int | str
    company_domain: str | None = None
    timezone_name: str | None = None
    default_currency: str | None = None


class Stage(_Loose):
    """Of pipelines too."""

    name: str | None = None
    order_nr: int | None = None
    pipeline_id: Key = None
    is_deleted: bool | None = None
    update_time: str | None = None


class Option(msgspec.Struct):
    id: int | str
    label: str


class Field(msgspec.Struct, omit_defaults=True):
    field_code: str
    options: list[Option] | None = None


class Reached(msgspec.Struct, omit_defaults=True):
    """An address or a number."""

    value: str | None = None
    primary: bool | None = None


class Record(_Loose):
    """What persons, organizations, deals and activities have in common."""

    owner_id: Key = None
    org_id: Key = None
    add_time: str | None = None
    update_time: str | None = None
    is_deleted: bool | None = None


class Person(Record):
    emails: list[Reached] | None = None
    phones: list[Reached] | None = None
    # A mail that is logged shows in these alone.
    email_messages_count: int | None = None
    last_incoming_mail_time: str | None = None
    last_outgoing_mail_time: str | None = None


class Organization(Record):
    name: str | None = None


class Deal(Record):
    creator_user_id: Key = None
    person_id: Key = None
    pipeline_id: Key = None
    stage_id: Key = None
    status: str | None = None
    value: float | None = None
    currency: str | None = None
    origin: str | None = None
    expected_close_date: str | None = None
    local_close_date: str | None = None
    close_time: str | None = None
    is_archived: bool | None = None
    next_activity_id: Key = None


class Participant(msgspec.Struct, omit_defaults=True):
    """Of an activity; of attendees only those who are users or persons."""

    person_id: Key = None
    user_id: Key = None


class Activity(Record):
    creator_user_id: Key = None
    type: str | None = None
    done: bool | None = None
    marked_as_done_time: str | None = None
    due_date: str | None = None
    due_time: str | None = None
    duration: str | None = None
    deal_id: Key = None
    person_id: Key = None
    participants: list[Participant] | None = None
    attendees: list[Participant] | None = None


class Note(_Loose):
    user_id: Key = None
    last_update_user_id: Key = None
    add_time: str | None = None
    update_time: str | None = None
    active_flag: Flag = None
    is_deleted: bool = False
    deal_id: Key = None
    person_id: Key = None
    org_id: Key = None

    def __post_init__(self) -> None:
        self.is_deleted = self.active_flag is not None and not self.active_flag


def with_fields(kind: type[msgspec.Struct], keys: Sequence[str]) -> type[msgspec.Struct]:
    """The kind with those custom fields that are named, and no others: without a name all of them would come."""
    if not keys:
        return kind
    told = [(f"own_{n}", Any, msgspec.field(default=None, name=key)) for n, key in enumerate(keys)]
    own: Any = msgspec.defstruct("CustomFields", told, omit_defaults=True)
    return msgspec.defstruct(kind.__name__, [("custom_fields", own | None, None)], bases=(kind,), omit_defaults=True)
