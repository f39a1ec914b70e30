"""What is read of Dialpad: users, numbers and calls, and the fields of each that are kept.

Fields and enumerations: the vendor's OpenAPI file (dialpad/dialpad-python-sdk, dialpad_api_spec.json: schemas.user.UserProto,
schemas.number.NumberProto, schemas.call.CallProto). Not in that file, but in call events and seen by others in answers: `talk_time`
(milliseconds without ring, queue and hold), `is_internal`, `voicemail_link`; read where they are there.
Ids and instants are integers by the schema and texts in its examples: both are taken. Customers' names and addresses, links to recordings
and voicemails, transcriptions, recaps, CSAT and custom data are never kept; of a voicemail only that there is one.
"""

from __future__ import annotations

import msgspec

from .dialpad_answers import CALLS_SCOPE
from .stream import DateRange, Page, Snapshot, Stream

Identifier = str | int
Number = int | float | str

USERS = Stream("dialer_user", Snapshot(), feeds="which calls are whose")
NUMBERS = Stream("dialer_number", Snapshot(), key=("number",), feeds="telling internal calls from external ones")
CALLS = Stream(
    "dialer_call",
    DateRange(),
    key=("call_id",),
    happened_at="date_started",
    scopes=(CALLS_SCOPE,),
    feeds="calls, talk time and conversations",
)


class User(msgspec.Struct, omit_defaults=True):
    """Of a user; emails and phone_numbers with the primary one first."""

    id: Identifier | None = None
    state: str | None = None
    display_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    emails: list[str] | None = None
    phone_numbers: list[str] | None = None


class PhoneNumber(msgspec.Struct, omit_defaults=True):
    """Of a number that is the company's, whoever has it."""

    number: str | None = None
    status: str | None = None
    target_type: str | None = None
    target_id: Identifier | None = None
    deleted: bool | None = None


class _Target(msgspec.Struct, omit_defaults=True):
    """Whose leg it is: a user, or a group of them (office, department, callcenter and others). {} where there is none."""

    id: Identifier | None = None
    type: str | None = None
    email: str | None = None


class _Shown(msgspec.Struct, omit_defaults=True):
    """The caller id of an outbound call, where that is not the user's own number."""

    type: str | None = None
    phone: str | None = None


class _Contact(msgspec.Struct, omit_defaults=True):
    type: str | None = None  # 'user' is a colleague


class _Recording(msgspec.Struct, omit_defaults=True):
    recording_type: str | None = None


class Call(msgspec.Struct, omit_defaults=True):
    """Of a call, which is one leg: instants in Unix milliseconds, lengths in milliseconds."""

    call_id: Identifier | None = None
    master_call_id: Identifier | None = None  # of all legs of a call that was passed on, the same
    entry_point_call_id: Identifier | None = None  # of a person's leg: the leg of the group that was called
    operator_call_id: Identifier | None = None  # of a group's leg: the leg of the person who took it
    direction: str | None = None
    state: str | None = None
    is_internal: bool | None = None
    date_started: Number | None = None
    date_connected: Number | None = None
    date_ended: Number | None = None
    duration: Number | None = None
    talk_time: Number | None = None
    external_number: str | None = None
    internal_number: str | None = None
    target: _Target | None = None
    proxy_target: _Shown | None = None
    contact: _Contact | None = None
    labels: list[str] | None = None
    has_voicemail: bool | None = None  # ours: what is left of the three below
    voicemail_share_link: str | None = None
    voicemail_link: str | None = None
    recording_details: list[_Recording] | None = None

    def __post_init__(self) -> None:
        kinds = {one.recording_type for one in self.recording_details or ()}
        if self.voicemail_share_link or self.voicemail_link or "voicemail" in kinds:
            self.has_voicemail = True
        self.voicemail_share_link = self.voicemail_link = self.recording_details = None


def ids_of(page: Page) -> set[str]:
    """The ids of a page of calls, as landing knows them; also of those that came and are left out."""
    return {str(_call.decode(record).call_id) for record in page.records}.union(page.seen)


class _Ref(msgspec.Struct):
    call_id: Identifier | None = None


_call = msgspec.json.Decoder(_Ref)
