"""Gmail's search language (the `q` of messages.list) and Google's partial responses (`fields`), as far as they matter.

Sources: Gmail's filtering guide (dates are midnight Pacific time, numbers are epoch seconds), Google's page on partial
responses (`a,b/c,d(e,f)`, `*`). A word that is no operator is looked for in the subject.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from sandbox.gmail_mailbox import Message

PACIFIC = ZoneInfo("America/Los_Angeles")
Test = Callable[[Message], bool]
Fields = dict[str, "Fields | None"]  # a name -> what of it is wanted; None: all


def query(text: str) -> Test:
    """What a search finds. All its terms must hold; `-` in front of a term turns it round."""
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    tests = [_term(word) for word in words]
    return lambda message: all(test(message) for test in tests)


def spam_or_trash(text: str) -> bool:
    """Whether a search names the folders that lists leave out otherwise."""
    return re.search(r"\b(in|is):(anywhere|spam|trash)\b", text) is not None


def _term(word: str) -> Test:
    if word.startswith("-") and len(word) > 1:
        inner = _term(word[1:])
        return lambda message: not inner(message)
    name, colon, value = word.partition(":")
    operator = _OPERATORS.get(name.lower()) if colon else None
    return operator(value) if operator else _subject(word)


def _label(value: str) -> Test:
    label = {"anywhere": "", "drafts": "DRAFT", "draft": "DRAFT"}.get(value.lower(), value.upper())
    return lambda message: not label or label in message.labels


def _subject(value: str) -> Test:
    return lambda message: value.lower() in message.header("subject").lower()


def _contains(header: str) -> Callable[[str], Test]:
    return lambda value: lambda message: value.lower() in message.header(header).lower()


def _after(value: str) -> Test:
    limit = _milliseconds(value)
    return lambda message: message.internal_date >= limit


def _before(value: str) -> Test:
    limit = _milliseconds(value)
    return lambda message: message.internal_date < limit


def _message_id(value: str) -> Test:
    return lambda message: message.header("message-id").strip("<>") == value.strip("<>")


def _milliseconds(value: str) -> float:
    if value.isdigit():
        return float(value) * 1000
    try:
        year, month, day = (int(part) for part in re.split(r"[/-]", value))
        return datetime(year, month, day, tzinfo=PACIFIC).timestamp() * 1000
    except ValueError:
        return 0


_OPERATORS: dict[str, Callable[[str], Test]] = {
    "in": _label,
    "is": _label,
    "label": _label,
    "after": _after,
    "newer": _after,
    "before": _before,
    "older": _before,
    "from": _contains("from"),
    "to": _contains("to"),
    "cc": _contains("cc"),
    "subject": _subject,
    "rfc822msgid": _message_id,
}


class FieldsError(ValueError):
    """A `fields` parameter that cannot be read; holds the text."""


def read_fields(text: str) -> Fields:
    """A `fields` parameter as a tree. Raises FieldsError."""
    tokens = re.findall(r"[\w*-]+|[(),/]", text)
    if "".join(tokens) != re.sub(r"\s", "", text) or not tokens:
        raise FieldsError(text)
    tree, rest = _list(tokens, text)
    if rest:
        raise FieldsError(text)
    return tree


def _list(tokens: list[str], text: str) -> tuple[Fields, list[str]]:
    tree: Fields = {}
    while True:
        if not tokens or tokens[0] in "(),/":
            raise FieldsError(text)
        name, rest = tokens[0], tokens[1:]
        tree[name], rest = _inside(rest, text)
        if not rest or rest[0] == ")":
            return tree, rest
        if rest[0] != ",":
            raise FieldsError(text)
        tokens = rest[1:]


def _inside(tokens: list[str], text: str) -> tuple[Fields | None, list[str]]:
    """What follows a name: `/b` or `(b,c)`, or nothing."""
    if tokens[:1] == ["("]:
        tree, rest = _list(tokens[1:], text)
        if rest[:1] != [")"]:
            raise FieldsError(text)
        return tree, rest[1:]
    if tokens[:1] == ["/"]:
        if len(tokens) < 2 or tokens[1] in "(),/":
            raise FieldsError(text)
        inner, rest = _inside(tokens[2:], text)
        return {tokens[1]: inner}, rest
    return None, tokens


def only(body: Any, fields: Fields | None) -> Any:
    """The wanted part of a response. Names that are not there are left out."""
    if fields is None:
        return body
    if isinstance(body, list):
        return [only(item, fields) for item in cast("list[Any]", body)]
    if not isinstance(body, dict):
        return body
    there = cast("dict[str, Any]", body)
    if "*" in fields:
        return {name: only(value, fields["*"]) for name, value in there.items()}
    return {name: only(there[name], inner) for name, inner in fields.items() if name in there}
