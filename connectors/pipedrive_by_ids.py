"""What Pipedrive gives by a record's id alone, a call a record: who changed which field, and the mails that a person was linked to.

Source: /v1/{deals,persons,organizations}/{id}/changelog (cursor) and /v1/persons/{id}/mailMessages (start, limit) of its OpenAPI file. A
changelog's oldest entry is field_key "add_time", with who made the record and how (recorded of deals; assumed of the others); what a record
was made with is not in it. Values are kept of the fields that the metrics follow; of all others only that they were changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec

from .client import NotFound
from .left_out import LeftOut
from .paging import records_of
from .pipedrive_lists import Get, by_cursor, by_offset
from .pipedrive_records import Flag, Key
from .pipedrive_streams import BY_ID_TOKENS
from .shape import decode
from .stream import Page

FOLLOWED = frozenset(
    {"stage_id", "status", "pipeline_id", "value", "currency", "user_id", "owner_id", "expected_close_date"}
)


class Change(msgspec.Struct, omit_defaults=True):
    field_key: str
    time: str | None = None
    actor_user_id: Key = None
    change_source: str | None = None
    old_value: Any = None
    new_value: Any = None


class History(msgspec.Struct):
    """A record's changes, newest first."""

    id: str
    changes: list[Change]


class Party(msgspec.Struct, omit_defaults=True):
    email_address: str | None = None
    linked_person_id: Key = None


class Mail(msgspec.Struct, omit_defaults=True):
    """A mail's envelope, without its subject and what it says."""

    id: int | str
    sender: list[Party] | None = msgspec.field(default=None, name="from")
    to: list[Party] | None = None
    cc: list[Party] | None = None
    bcc: list[Party] | None = None
    user_id: Key = None
    mail_thread_id: Key = None
    message_time: str | None = None
    add_time: str | None = None
    update_time: str | None = None
    mua_message_id: str | None = None
    sent_flag: Flag = None
    draft_flag: Flag = None
    sent_from_pipedrive_flag: Flag = None
    smart_bcc_flag: Flag = None
    deleted_flag: Flag = None
    is_deleted: bool = False

    def __post_init__(self) -> None:
        self.is_deleted = bool(self.deleted_flag)


class _Item(msgspec.Struct):
    object: str
    data: msgspec.Raw


class _Changes(msgspec.Struct):
    data: list[Change]


_item = msgspec.json.Decoder(_Item)
_mail = msgspec.json.Decoder(Mail)


def histories(get: Get, path: str, ids: Sequence[str], followed: Collection[str]) -> Iterator[Page]:
    """A record for each id: {"id", "changes"}; none for one that is gone. followed: fields whose values are kept, beside those of deals."""
    kept = FOLLOWED | set(followed)
    for one in ids:
        changes: list[Change] = []
        own = path.format(id=one)
        what = f"pipedrive: GET {path}"
        try:
            for body in by_cursor(get, own, {}, BY_ID_TOKENS, what):
                changes += decode(body, _Changes, what).data
        except NotFound:  # deleted for good since it was listed
            continue
        for change in changes:
            if change.field_key not in kept:
                change.old_value = change.new_value = None
        yield Page(records=[msgspec.json.encode(History(one, changes))])


def mails(get: Get, path: str, ids: Sequence[str]) -> Iterator[Page]:
    """The mails of each person; one that several have comes with each of them."""
    for one in ids:
        try:
            for body in by_offset(get, path.format(id=one), {}, BY_ID_TOKENS, f"pipedrive: GET {path}"):
                yield _page(body)
        except NotFound:
            continue


def _page(body: bytes) -> Page:
    records, others = records_of(body, "data")
    out = LeftOut()
    out.add_others(others)
    kept: list[bytes] = []
    for record in records:
        try:
            item = _item.decode(record)
            if item.object == "mailMessage":
                kept.append(msgspec.json.encode(_mail.decode(item.data)))
        except msgspec.DecodeError as error:
            out.add(record, error)
    return Page(records=kept, seen=out.seen, rejected=out.rejected)
