"""As much of SOQL as a reader of records needs: SELECT fields or COUNT(), WHERE with AND, OR, NOT, comparisons and IN, ORDER BY, LIMIT.

Text compares without case, null with = and != only, an instant with a date-time literal. What is not understood is MALFORMED_QUERY,
a field that the object does not have INVALID_FIELD, as at Salesforce.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<at>\d{4}-\d\d-\d\dT[\d:.]+Z)|(?P<number>-?\d+(?:\.\d+)?)|'(?P<text>(?:[^'\\]|\\.)*)'|(?P<word>[A-Za-z_][A-Za-z0-9_.]*)|(?P<sign><=|>=|!=|<>|[=<>(),]))"
)
Row = Mapping[str, Any]
Test = Callable[[Row], bool]


class Malformed(ValueError):
    """code: Salesforce's errorCode."""

    def __init__(self, message: str, code: str = "MALFORMED_QUERY") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Query:
    """fields is empty for COUNT(). order: names of fields, rising."""

    fields: Sequence[str]
    name: str
    test: Test
    order: Sequence[str]
    limit: int | None

    def run(self, rows: Sequence[Row]) -> list[Row]:
        found = [row for row in rows if self.test(row)]
        for field in reversed(self.order):
            found.sort(key=lambda row, field=field: (row.get(field) is not None, _comparable(row.get(field))))
        return found[: self.limit]


def parse(text: str, known: Callable[[str], frozenset[str]]) -> Query:
    """known: the fields of an object by its name; raises Malformed for one that does not exist."""
    return _Parser(text).query(known)


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            found = TOKEN.match(text, at)
            if found is None:
                raise Malformed(f"unexpected token: '{text[at : at + 20]}'")
            self.tokens.append((str(found.lastgroup), str(found[str(found.lastgroup)])))
            at = found.end()
        self.at = 0
        self.fields: list[str] = []

    def query(self, known: Callable[[str], frozenset[str]]) -> Query:
        self.expect("SELECT")
        fields: list[str] = []
        if self.take("COUNT"):
            self.expect("(")
            self.expect(")")
        else:
            fields = self.names()
        self.expect("FROM")
        name = self.word()
        test: Test = self.either() if self.take("WHERE") else (lambda _: True)
        order: list[str] = []
        if self.take("ORDER"):
            self.expect("BY")
            order = self.names()
        limit = int(self.next()[1]) if self.take("LIMIT") else None
        if self.at < len(self.tokens):
            raise Malformed(f"unexpected token: '{self.tokens[self.at][1]}'")
        there = known(name)
        for field in [*fields, *order, *self.fields]:
            if field not in there:
                raise Malformed(f"No such column '{field}' on entity '{name}'.", "INVALID_FIELD")
        return Query(fields, name, test, order, limit)

    def either(self) -> Test:
        tests = [self.both()]
        while self.take("OR"):
            tests.append(self.both())
        return lambda row: any(test(row) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.take("AND"):
            tests.append(self.one())
        return lambda row: all(test(row) for test in tests)

    def one(self) -> Test:
        if self.take("NOT"):
            test = self.one()
            return lambda row: not test(row)
        if self.take("("):
            test = self.either()
            self.expect(")")
            return test
        field = self.word()
        self.fields.append(field)
        if self.take("IN"):
            wanted = self.values()
            return lambda row: _comparable(row.get(field)) in wanted
        sign = self.next()[1]
        wanted = self.value()
        return lambda row: _holds(sign, row.get(field), wanted)

    def values(self) -> list[Any]:
        self.expect("(")
        found = [self.value()]
        while self.take(","):
            found.append(self.value())
        self.expect(")")
        return found

    def value(self) -> Any:
        kind, text = self.next()
        if kind == "at":
            return datetime.fromisoformat(text)
        if kind == "number":
            return float(text)
        if kind == "text":
            return text.lower()
        literal = {"null": None, "true": True, "false": False}
        if text.lower() not in literal:
            raise Malformed(f"unexpected token: '{text}'")
        return literal[text.lower()]

    def names(self) -> list[str]:
        found = [self.word()]
        while self.take(","):
            found.append(self.word())
        return found

    def word(self) -> str:
        kind, text = self.next()
        if kind != "word":
            raise Malformed(f"unexpected token: '{text}'")
        return text

    def next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise Malformed("unexpected end of query")
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, word: str) -> bool:
        there = self.at < len(self.tokens) and self.tokens[self.at][0] in ("word", "sign")
        if there and self.tokens[self.at][1].upper() == word:
            self.at += 1
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.take(word):
            raise Malformed(f"expected {word}")


def _comparable(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _holds(sign: str, value: Any, wanted: Any) -> bool:
    value = _comparable(value)
    if sign == "=":
        return bool(value == wanted)
    if sign in ("!=", "<>"):
        return bool(value != wanted)
    if value is None or wanted is None:
        return False
    tests = {"<": value < wanted, ">": value > wanted, "<=": value <= wanted, ">=": value >= wanted}
    return bool(tests[sign])
