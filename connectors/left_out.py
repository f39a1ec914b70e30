"""Lists that are cut down to what is kept, because they describe people; and what is put aside of a record that does not fit.

What is put aside stays in quarantine for long. So of such a record nothing is kept but what finds and explains it: its id, the names of its
fields, and which of them was of what type. It cannot be landed from there: it is read again from the vendor (docs/operate/quarantine.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from .paging import records_of, value_at
from .stream import FormatChanged, Page

MARK = "salespulse_left_out"  # as our own lines begin: what begins so is never landed as a record
LONGEST_ID = 512  # characters; what is longer is no id
MOST_FIELDS = 200

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TYPES = {'"': "a text", "[": "a list", "n": "null", "t": "a boolean", "f": "a boolean"}


class LeftOut:
    """The records of a page that are left out. key: paths of a record's id, as in its stream; prefix: what the landed id has before it.

    seen: their ids, for they are still there; rejected: what is put aside of them.
    """

    def __init__(self, key: Sequence[str] = ("id",), prefix: str = "") -> None:
        self.seen: list[str] = []
        self.rejected: list[tuple[str, str]] = []
        self._key = key
        self._prefix = prefix

    def add(self, record: bytes, error: msgspec.DecodeError | str) -> str | None:
        """Leave a record out. Returns its id, None where it has none that can be told."""
        found = id_of(record, self._key)
        told = None if found is None else self._prefix + found
        if told is not None:
            self.seen.append(told)
        self._put_aside(f"not as the vendor describes it: {error}", told, _fields_of(record))
        return told

    def add_others(self, rejected: Sequence[tuple[str, str]]) -> None:
        """Leave out what is no object: of it, only its type is told."""
        for reason, text in rejected:
            self._put_aside(f"{reason}, but {_TYPES.get(text[:1], 'a number')}", None, [])

    def _put_aside(self, reason: str, told: str | None, fields: Sequence[str]) -> None:
        self.rejected.append((reason, msgspec.json.encode({MARK: told, "fields": fields}).decode()))


def cut_down(
    body: bytes, path: str, kind: type[msgspec.Struct], key: Sequence[str] = ("id",), prefix: str = ""
) -> Page:
    """The records of a list with nothing but the fields of `kind`. One that does not fit is left out, not its whole page.

    key, prefix: see LeftOut.
    """
    records, others = records_of(body, path)
    out = LeftOut(key, prefix)
    out.add_others(others)
    kept: list[bytes] = []
    decoder = msgspec.json.Decoder(kind)
    for record in records:
        try:
            kept.append(msgspec.json.encode(decoder.decode(record)))
        except msgspec.DecodeError as error:  # of another type, or a text that is none
            out.add(record, error)
    return Page(records=kept, seen=out.seen, rejected=out.rejected)


def id_of(record: bytes, key: Sequence[str]) -> str | None:
    """The id as landing makes it; None where a part of it is missing or of a type that is none of an id's."""
    try:
        parts = [value_at(record, path) for path in key]
    except (msgspec.DecodeError, FormatChanged):
        return None
    told = [str(part) for part in parts if isinstance(part, str | int) and not isinstance(part, bool)]
    found = "/".join(told)
    return found if len(told) == len(key) and all(told) and 0 < len(found) <= LONGEST_ID else None


def _fields_of(record: bytes) -> list[str]:
    try:
        return sorted(_object.decode(record))[:MOST_FIELDS]
    except msgspec.DecodeError:
        return []
