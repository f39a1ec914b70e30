"""Misbehaviour on request: rules that say which requests go wrong, and how.

A rule is given as JSON (`POST /__sandbox__/faults`, a list or one object) or in short form on the command line:
`429:every=7`, `cut:system=crm,times=1`, `timeout:path=/messages,after=3,times=2`, `429:system=dialer,retry_after=2`.

What a fault looks like on the wire stands in faulty_wire.py and faulty_answers.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

Fault = Literal[
    "429",  # over the limit, in the vendor's words; `policy` for HubSpot, `retry_after` to send that header
    "500",
    "502",
    "503",
    "504",
    "timeout",  # no answer until the client gives up, `seconds` at most
    "cut",  # the connection breaks in the middle of the body
    "truncated",  # a complete HTTP answer whose JSON ends early
    "malformed",  # 200 with a body that is no JSON
    "html",  # 200 with a proxy's HTML page
    "empty",  # 200 with an empty body
    "other_json",  # 200 with JSON of somebody else: a portal that wants a login
    "redirect",  # 302 to another host
    "not_gzip",  # said to be gzip, and is not
    "gzip_cut",  # gzip that ends early
    "bomb",  # a little gzip that unpacks to `size` bytes
    "bomb_in_bomb",  # gzip within gzip
    "huge",  # a body of `size` bytes that is sent for as long as the client listens
    "deep",  # JSON nested a hundred thousand levels deep
    "short_page",  # the right page without its last record
    "repeat",  # the last right answer of this path once more
    "expired_token",  # 401
    "forbidden",  # 403: a scope is missing
    "expired_cursor",  # HubSpot: 400 for `after`; Gmail: 404 for startHistoryId
    "too_far",  # a page further than the vendor gives: 404 of the dialer, 400 of the others; say which by match.query
    "slow",  # the right answer, `seconds` late
    # These change how the request is answered and are no fault of their own: other rules apply as well.
    "small_pages",  # no page has more than `size` records
    "skew",  # the server's clock is `seconds` ahead of ours
    "move",  # the company's clock is moved `to` an instant before this is answered
]
MODIFIERS = ("small_pages", "skew", "move")


class Match(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which requests a rule is for. path and query are regular expressions, searched for anywhere."""

    system: Literal["crm", "dialer", "mail", "sequencer", "tools", "token"] | None = None
    path: str | None = None
    method: str | None = None
    query: str | None = None


class Rule(Struct, kw_only=True, forbid_unknown_fields=True):
    """`after` matching requests go well; then every `every`th goes wrong, `times` times at most (None: endlessly)."""

    fault: Fault
    match: Match = msgspec.field(default_factory=Match)
    times: int | None = None
    every: int = 1
    after: int = 0
    seconds: float = 120.0
    policy: str = "TEN_SECONDLY_ROLLING"
    retry_after: int | None = None
    retry_at: bool = False  # Retry-After as a date by the server's clock
    size: int = 500_000_000
    to: str | None = None


class FaultError(ValueError):
    """A rule that cannot be read; the message says what was expected."""

    page = "sandbox"


def read_rule(text: str) -> Rule:
    """A rule from its short form, `FAULT[:name=value,...]`. Raises FaultError."""
    fault, _, rest = text.partition(":")
    document: dict[str, Any] = {"fault": fault, "match": {}}
    for pair in filter(None, rest.split(",")):
        name, equals, value = pair.partition("=")
        if not equals:
            raise FaultError(f"fault {text!r}: expected name=value, found {pair!r}")
        place = document["match"] if name in Match.__struct_fields__ else document
        place[name] = value
    return read_rules([document])[0]


def read_rules(document: Any) -> list[Rule]:
    """Rules from decoded JSON: one object or a list. Raises FaultError."""
    try:
        rules = msgspec.convert(document if isinstance(document, list) else [document], list[Rule], strict=False)
    except msgspec.ValidationError as error:
        raise FaultError(f"fault {document}: {error}. Faults are {', '.join(get_args(Fault))}.") from None
    for rule in rules:
        for pattern in (rule.match.path, rule.match.query):
            try:
                re.compile(pattern or "")
            except re.error as error:
                raise FaultError(f"fault {rule.fault}: {pattern!r} is no regular expression: {error}") from None
    return rules


@dataclass(slots=True)
class _Armed:
    rule: Rule
    matched: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        """Counts one matching request; true if it is one that goes wrong."""
        self.matched += 1
        due = self.matched > self.rule.after and (self.matched - self.rule.after) % self.rule.every == 0
        if not due or (self.rule.times is not None and self.struck >= self.rule.times):
            return False
        self.struck += 1
        return True


@dataclass(slots=True)
class Faults:
    """The rules in force, shared by all requests. The first rule that strikes decides."""

    _armed: list[_Armed] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, rules: Sequence[Rule]) -> None:
        with self._lock:
            self._armed += [_Armed(rule) for rule in rules]

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def listed(self) -> list[dict[str, Any]]:
        """Every rule, with how many requests it matched and how many it struck."""
        with self._lock:
            return [{**msgspec.to_builtins(a.rule), "matched": a.matched, "struck": a.struck} for a in self._armed]

    def strike(self, system: str, method: str, path: str, query: str) -> tuple[list[Rule], Rule | None]:
        """The modifiers that apply to this request, and the rule by which it goes wrong, or None."""
        modifiers: list[Rule] = []
        decides: Rule | None = None
        with self._lock:
            for armed in self._armed:
                modifies = armed.rule.fault in MODIFIERS
                if (modifies or decides is None) and _matches(armed.rule.match, system, method, path, query):
                    if not armed.strikes():
                        continue
                    if modifies:
                        modifiers.append(armed.rule)
                    else:
                        decides = armed.rule
        return modifiers, decides

    def repeats(self, path: str | None = None) -> bool:
        """Is there a rule that may want an answer of this path (of any, where none is named) once more?"""
        with self._lock:
            rules = [a.rule for a in self._armed if a.rule.fault == "repeat"]
        return any(path is None or rule.match.path is None or re.search(rule.match.path, path) for rule in rules)


def _matches(match: Match, system: str, method: str, path: str, query: str) -> bool:
    return (
        match.system in (None, system)
        and (match.method is None or match.method.upper() == method)
        and (match.path is None or re.search(match.path, path) is not None)
        and (match.query is None or re.search(match.query, query) is not None)
    )
