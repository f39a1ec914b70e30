"""What an answer of another shape is told as."""

from __future__ import annotations

import msgspec
import pytest

from connectors.shape import decode, excerpt
from connectors.stream import FormatChanged


class Profile(msgspec.Struct):
    historyId: str


def test_the_error_says_of_what_what_was_expected_and_how_the_answer_begins() -> None:
    assert decode(b'{"historyId": "7", "more": 1}', Profile, "acme: GET /profile") == Profile("7")
    with pytest.raises(FormatChanged) as told:
        decode(b'{"historyId": 7, "name": "Ann"}', Profile, "acme: GET /profile")
    said = str(told.value)
    assert said.startswith("acme: GET /profile: ")
    assert 'Expected `str`, got `int` - at `$.historyId`; it begins: {"historyId": 7, "name": "…"}' in said
    assert told.value.__cause__ is None


@pytest.mark.parametrize(
    ("body", "begun"),
    [
        (b'{"a" : "x", "b":["y", "z\\" w"],\n "c": {"d":"e"}}', '{"a" : "…", "b":["…", "…"], "c": {"d":"…"}}'),
        (b'"secret"', '"…"'),
        (b"[1,null,true]", "[1,null,true]"),
        (b'{"a":"' + b"s" * 300 + b'"}', '{"a":"…"'),
        (b'{"' + b"a" * 192 + b'":"sec\\"ret"}', '{"' + "a" * 192 + '":"…"'),
        (b'{"' + b"a" * 192 + b'":"se\\"cret"}', '{"' + "a" * 192 + '":"…"'),
        (b'{"' + b"s" * 300 + b'":1}', '{"…"'),
    ],
)
def test_texts_are_not_quoted(body: bytes, begun: str) -> None:
    """They may be a credential that was echoed, or anybody's data; a name of a field is cut off where it might be one."""
    assert excerpt(body) == begun
