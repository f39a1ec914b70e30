"""What the token may see: one record of each list, and of what is read a record, the first one's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from .pipedrive_lists import Get, whole
from .pipedrive_streams import BY_ID_TOKENS, BY_IDS, LISTS
from .shape import decode
from .stream import Check, ConnectorError, PermissionMissing, Stream


class _Id(msgspec.Struct):
    id: int | str | None = None


class _Some(msgspec.Struct):
    data: list[_Id]


def checks(get: Get, streams: Sequence[Stream]) -> Iterator[Check]:
    """A check for each stream; none of the histories of what there is no record of."""
    first: dict[str, str] = {}
    for stream in streams:
        if stream.name in LISTS:
            path, tokens = LISTS[stream.name].path, LISTS[stream.name].tokens
        else:
            of, template, _, _ = BY_IDS[stream.name]
            if of not in first:
                continue
            path, tokens = template.format(id=first[of]), BY_ID_TOKENS
        what = f"pipedrive: GET {path}"
        try:
            body = whole(get(path, {"limit": 1}, tokens), what)
            found = [] if stream.name == "crm_account" else decode(body, _Some, what).data
            if found and found[0].id is not None:
                first[stream.name] = str(found[0].id)
            yield Check("pipedrive", stream.name, True, f"{path} answers")
        except ConnectorError as error:
            denied = isinstance(error, PermissionMissing)
            if stream.optional and denied:
                yield Check("pipedrive", stream.name, True, f"{path} is not shown: no {stream.feeds}")
                continue
            remedy = f"Grant the scope {stream.scopes[0]}, or use a token of an admin. Without it: no {stream.feeds}."
            yield Check("pipedrive", stream.name, False, str(error), remedy if denied else "")
