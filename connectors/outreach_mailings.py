"""Outreach's mailings, each with who it went to: recipients and prospects come beside the mailings of a page, by type and id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from .left_out import LeftOut
from .outreach_records import Attributes, Record, Ref, plain
from .shape import decode
from .stream import Page

Name = tuple[str | None, str]  # type and id


class Mailing(msgspec.Struct):
    """As a mailing lands."""

    id: int | str
    at: str | None
    mailing: Record
    recipients: list[Attributes]
    prospect_emails: list[str]


class _Included(msgspec.Struct):
    included: list[msgspec.Raw] = []


class _Named(msgspec.Struct):
    type: str
    id: int | str


_record = msgspec.json.Decoder(Record)
_named = msgspec.json.Decoder(_Named)


def mailings(body: bytes, what: str) -> Page:
    """The mailings of a page. One that lacks what came beside it in another shape lands without, and is told. Raises FormatChanged.

    what: see shape.decode.
    """
    page = plain(body)
    nameless = LeftOut(key=())
    beside, odd = _beside(body, what, nameless)
    lacking = LeftOut()
    records: list[bytes] = []
    for text in page.records:
        record = _record.decode(text)
        records.append(msgspec.json.encode(_joined(record, beside)))
        if why := next((odd[name] for name in _names(record) if name in odd), None):
            lacking.add(text, why)
    return Page(records=records, seen=page.seen, rejected=[*page.rejected, *lacking.rejected, *nameless.rejected])


def _beside(body: bytes, what: str, nameless: LeftOut) -> tuple[dict[Name, Attributes], dict[Name, str]]:
    """What came beside the mailings, and why some of it cannot be read. nameless: takes what cannot even be told by its id."""
    found: dict[Name, Attributes] = {}
    odd: dict[Name, str] = {}
    for text in decode(body, _Included, what).included:
        try:
            one = _record.decode(text)
        except msgspec.DecodeError as error:
            try:
                name = _named.decode(text)
            except msgspec.DecodeError:
                nameless.add(bytes(text), error)
            else:
                odd[name.type, str(name.id)] = f"{name.type} {name.id} beside it: {error}"
            continue
        if one.attributes is not None:
            found[one.type, str(one.id)] = one.attributes
    return found, odd


def _names(record: Record) -> Iterator[Name]:
    """Whom a mailing went to, by what comes beside it."""
    refs, prospect = _refs(record)
    yield from (("recipient", str(ref.id)) for ref in refs)
    if prospect:
        yield "prospect", str(prospect.id)


def _refs(record: Record) -> tuple[Sequence[Ref], Ref | None]:
    to = record.relationships
    recipients = to.recipients.data if to and to.recipients else None
    return recipients or (), to.prospect.data if to and to.prospect else None


def _joined(record: Record, beside: Mapping[Name, Attributes]) -> Mailing:
    own = record.attributes or Attributes()
    refs, prospect = _refs(record)
    known = beside.get(("prospect", str(prospect.id))) if prospect else None
    found = (beside.get(("recipient", str(ref.id))) for ref in refs)
    return Mailing(
        id="" if record.id is None else record.id,  # landing puts it into quarantine
        at=own.delivered_at or own.bounced_at,
        mailing=record,
        recipients=[one for one in found if one is not None],
        prospect_emails=(known.emails if known else None) or [],
    )
