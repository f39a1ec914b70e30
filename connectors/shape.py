"""Answers of a shape that is known beforehand. One of another shape is an error of the source like any other, never msgspec's own."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from .stream import FormatChanged

Kind = TypeVar("Kind")

EXCERPT = 200  # bytes of an answer in an error
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*(?:"(\s*:)?|\\?$)')


def decode(body: bytes | msgspec.Raw, kind: type[Kind], what: str) -> Kind:
    """The answer as what was expected. what: source, method and path of the call, as errors name it.

    Raises FormatChanged, which says what was expected and what came.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatChanged(
            f"{what}: the answer has another shape than is documented: {error}; it begins: {excerpt(bytes(body))}. The window stays due. "
            "If this goes on, the vendor's format has changed: a newer salespulse may know it."
        ) from None


def excerpt(body: bytes) -> str:
    """How an answer begins, with … for every text but the names of fields: it may be a secret that was echoed, or anybody's data."""
    begun = " ".join(body[:EXCERPT].decode("utf-8", "replace").split())
    return _TEXT.sub(lambda found: found.group() if found.group(1) else '"…"', begun)
