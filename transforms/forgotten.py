"""Who was forgotten, as salted hashes, and how every trace of them is taken out of a record (docs/security.md).

The file says of an address, a number, a name or a record's id only what HMAC-SHA256 with its own salt makes of it, and which token
stands in its place since. So a later reading of the vendor's API gets the same tokens, counts stay, and nobody can read the list.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import msgspec

Kind = Literal["address", "number", "tail", "short", "name", "begin", "record"]

ADDRESS = re.compile(r"""[^\s<>,;:()"'\\/\[\]={}|]+@[^\s<>,;:()"'\\/\[\]={}|]+""")
# A telephone number as people write it; then the same without anything in between, for numbers that stand side by side.
NUMBER = re.compile(r"(?<![\w.])\+?\d[\d ()./-]{5,}\d(?!\w)")
PLAIN_NUMBER = re.compile(r"(?<!\d)\d{7,15}(?!\d)")
WORDS = re.compile(r"[^\W\d_](?:[^\W\d_]|['-])*")
MOST_WORDS = 7  # of a full name
BETWEEN_NAMES = (" ", ", ", "  ", "\u00a0")  # never a dot: what stands in somebody else's address is not theirs
PHRASE = r"""(?:\\?"[^"]*\\?"|[^"<>,;:]*?)\s*<(?={})"""  # a display name before an address in angle brackets
# Keys that say who somebody is, beside an address or number of theirs in the same object; compared in lower case.
NAME_KEYS = {"firstname", "lastname", "first_name", "last_name", "fullname", "full_name", "displayname"}
ESCAPE = re.compile(r"(\\+[bfnrt])")  # in JSON as text: else a new line would begin the address that stands behind it
STAND_IN = "forgotten."  # how the addresses begin that stand for forgotten ones
TAIL = 9  # digits by which a national and an international form of a number are compared (sql/macros.sql, same_number)
LONGEST_FREE_TEXT = 2_000  # characters of a value in which names are looked for


def digits(text: str) -> str:
    """Only the digits; a leading international 00 dropped, as the macro of that name does."""
    found = re.sub(r"[^0-9]", "", text)
    return found.removeprefix("00")


@dataclass(slots=True)
class Forgotten:
    """The list. tokens: hash -> what stands in its place."""

    salt: bytes
    tokens: dict[str, str] = field(default_factory=dict[str, str])
    _known: dict[tuple[str, str], str | None] = field(default_factory=dict[tuple[str, str], str | None])

    @classmethod
    def load(cls, file: Path) -> Forgotten:
        """The list in the file; an empty one where there is none. Raises ValueError when the file holds something else."""
        try:
            told = json.loads(file.read_text("utf-8"))
            return cls(bytes.fromhex(told["salt"]), dict(told["tokens"]))
        except FileNotFoundError:
            return cls(secrets.token_bytes(32))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{file} is not the list of the forgotten ({error}). Restore it from a backup: without it the next "
                "reading brings back whoever was forgotten."
            ) from error

    def save(self, file: Path) -> None:
        """Write the list, mode 0600, whole or not at all."""
        draft = file.with_name(file.name + ".next")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
            json.dump({"salt": self.salt.hex(), "tokens": dict(sorted(self.tokens.items()))}, opened, indent=1)
            opened.flush()
            os.fsync(opened.fileno())
        draft.replace(file)

    def add_address(self, address: str, own_domains: Iterable[str] = ()) -> str:
        """Forget an address; its token. One of the company's own or test domains stays, so that it counts as it did."""
        domain = address.lower().rpartition("@")[2]
        kept = domain if any(domain == d or domain.endswith("." + d) for d in own_domains) else "forgotten.invalid"
        return self._add("address", address.lower(), f"{STAND_IN}{secrets.token_hex(8)}@{kept}")

    def add_number(self, number: str) -> str:
        """Forget a number, in its national form as well; the last digits of its token."""
        told = digits(number)
        tail = self._add("tail", told[-TAIL:], str(secrets.randbelow(9 * 10 ** (TAIL - 1)) + 10 ** (TAIL - 1)))
        self._add("number", told, tail)
        if _is_national(told):
            self._add("short", told[-TAIL:], tail)
        return tail

    def add_name(self, first: str, last: str) -> None:
        """Forget a full name, in either order. Of more than two words the first two tell where to look for it."""
        for pair in ((first, last), (last, first)):
            words = WORDS.findall(" ".join(pair).casefold())
            self._add("name", " ".join(words), "Forgotten")
            if len(words) > 2:
                self._add("begin", " ".join(words[:2]), "1")

    def add_record(self, source: str, workspace: str, record_id: str) -> None:
        """Forget what a vendor's record about the person says, whatever address it has by then."""
        self._add("record", f"{source}/{workspace}/{record_id}", "1")

    def is_about(self, source: str, workspace: str, record_id: str) -> bool:
        return self._token("record", f"{source}/{workspace}/{record_id}") is not None

    def cleaner(
        self, source: str, workspace: str, key: Iterable[str], personal: Iterable[str]
    ) -> Callable[[bytes], bytes]:
        """Cleans the lines of a stream. key: paths of the record's id; personal: see Stream.personal."""
        return partial(self.clean_line, source=source, workspace=workspace, key=tuple(key), personal=tuple(personal))

    def clean_line(
        self, line: bytes, *, source: str, workspace: str, key: tuple[str, ...], personal: tuple[str, ...]
    ) -> bytes:
        """A line of a landing file, or a payload, without the forgotten; the very same bytes where it names none of them."""
        text = line.decode("utf-8", "surrogateescape")
        about = bool(personal) and self._is_about(line, source, workspace, key)
        if not about and "\\u" not in text and self.clean_text(text) == text and not self._names_in_long(text):
            return line
        try:
            record: Any = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            return self.clean_text(text).encode("utf-8", "surrogateescape")
        cleaned, hit = self._walk(record)
        if about:  # whatever address the vendor has for the person by now
            cleaned = _without_addresses(cleaned)
        if hit or about:
            for path in personal:
                _wipe(cleaned, path.split("."))
        return msgspec.json.encode(cleaned) if hit or about else line

    def clean_text(self, text: str) -> str:
        """Free text, or JSON as text, without the forgotten."""
        cleaned = self._clean_piece(text)
        if "\\" not in cleaned:
            return cleaned
        pieces = ESCAPE.split(cleaned)
        return "".join(piece if at % 2 else self._clean_piece(piece) for at, piece in enumerate(pieces))

    def _clean_piece(self, text: str) -> str:
        if not text:
            return text
        if "@" in text:
            text = ADDRESS.sub(self._address, self._without_display_names(text))
        text = PLAIN_NUMBER.sub(self._number, NUMBER.sub(self._number, text))
        return self._without_names(text) if len(text) <= LONGEST_FREE_TEXT else text

    def _names_in_long(self, text: str) -> bool:
        """Whether a record, of which each value may be short enough to be looked through, has a forgotten name."""
        return len(text) > LONGEST_FREE_TEXT and any(self._without_names(p) != p for p in ESCAPE.split(text))

    def _is_about(self, line: bytes, source: str, workspace: str, key: tuple[str, ...]) -> bool:
        try:
            record: Any = msgspec.json.decode(line)
            found = [_at(record, path) for path in key]
        except (msgspec.DecodeError, RecursionError):
            return False
        return self.is_about(source, workspace, "/".join(str(f) for f in found))

    def _walk(self, value: Any) -> tuple[Any, bool]:
        """The value without the forgotten, and whether they were in it."""
        if isinstance(value, str):
            cleaned = self._clean_nested(value)
            return cleaned, cleaned != value
        if isinstance(value, int) and not isinstance(value, bool):
            cleaned = self.clean_text(str(value)) if abs(value) >= 10**6 else str(value)
            return int(cleaned), cleaned != str(value)
        if isinstance(value, list):
            items = [self._walk(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
            return [item for item, _ in items], any(hit for _, hit in items)
        if isinstance(value, dict):
            return self._walk_object(value)  # pyright: ignore[reportUnknownArgumentType]
        return value, False

    def _walk_object(self, value: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        found: dict[str, Any] = {}
        hits: set[str] = set()
        beside = False  # an address or number stands in this very object, or in a list of its own
        for key, item in value.items():
            if key.lower().endswith("id") and str(item).isdigit():  # a record's number is nobody's telephone
                found[key] = item
                continue
            cleaned, hit = self._walk(item)
            found[self.clean_text(key)] = cleaned
            if hit:
                hits.add(key)
                beside = beside or not isinstance(item, dict)
        if beside:
            for key, item in found.items():
                if key.lower() in NAME_KEYS and not isinstance(item, (dict, list)) and key not in hits:
                    found[key] = None
        return found, bool(hits)

    def _clean_nested(self, text: str) -> str:
        """Some values are JSON themselves."""
        if text[:1] in "{[":
            try:
                cleaned, hit = self._walk(msgspec.json.decode(text))
            except (msgspec.DecodeError, RecursionError):
                return self.clean_text(text)
            return msgspec.json.encode(cleaned).decode() if hit else text
        return self.clean_text(text)

    def _without_display_names(self, text: str) -> str:
        for address in {a for a in ADDRESS.findall(text) if self._token("address", a.lower())}:
            text = re.sub(PHRASE.format(re.escape(address)), "<", text)
        return text

    def _address(self, found: re.Match[str]) -> str:
        return self._token("address", found.group().lower().rstrip(".")) or found.group()

    def _number(self, found: re.Match[str]) -> str:
        text = found.group()
        told = digits(text)
        tail = self._token_of_number(told)
        return text if tail is None else _spelled(text, told, tail)

    def _token_of_number(self, told: str) -> str | None:
        if len(told) < 7:
            return None
        national = self._token("tail", told[-TAIL:]) if _is_national(told) else None
        return self._token("number", told) or national or self._token("short", told[-TAIL:])

    def _without_names(self, text: str) -> str:
        words = list(WORDS.finditer(text))
        cut: list[tuple[int, int]] = []
        at = 0
        while at < len(words) - 1:
            size = self._words_of_name(text, words[at : at + MOST_WORDS])
            if size:
                cut.append((words[at].start(), words[at + size - 1].end()))
            at += size or 1
        for start, end in reversed(cut):
            text = text[:start] + "Forgotten" + text[end:]
        return text

    def _words_of_name(self, text: str, words: Sequence[re.Match[str]]) -> int:
        """How many of the words that stand in a row are a forgotten name; 0 for none."""
        told = words[0].group().casefold()
        for size, (one, other) in enumerate(pairwise(words), start=2):
            if text[one.end() : other.start()] not in BETWEEN_NAMES:
                return 0
            told += f" {other.group().casefold()}"
            if self._token("name", told):
                return size
            if size == 2 and not self._token("begin", told):
                return 0
        return 0

    def _add(self, kind: Kind, value: str, token: str) -> str:
        self._known.clear()
        return self.tokens.setdefault(self._hash(kind, value), token)

    def _token(self, kind: Kind, value: str) -> str | None:
        at = (kind, value)
        if at not in self._known:
            if len(self._known) > 200_000:
                self._known.clear()
            self._known[at] = self.tokens.get(self._hash(kind, value))
        return self._known.get(at)

    def _hash(self, kind: Kind, value: str) -> str:
        return hmac.new(self.salt, f"{kind}:{value}".encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[
            :32
        ]


def _is_national(told: str) -> bool:
    return len(told) <= 10 or told.startswith("0")


def _spelled(text: str, told: str, tail: str) -> str:
    """The token's digits in the places of the number's; country codes become nines, a national 0 stays."""
    size = len(told)
    head = ("0" + "9" * (size - TAIL - 1) if told[0] == "0" else "9" * (size - TAIL)) if size > TAIL else ""
    fresh = iter(("0" * (len(re.sub(r"[^0-9]", "", text)) - size)) + (head + tail)[-size:])
    return "".join(next(fresh) if c in "0123456789" else c for c in text)


def _at(record: Any, path: str) -> Any:
    for part in path.split("."):
        record = record[part] if isinstance(record, dict) and part in record else ""
    return record


def _without_addresses(value: Any) -> Any:
    """The value with no addresses but those that stand for forgotten ones."""
    if isinstance(value, str):
        return ADDRESS.sub(lambda a: a.group() if a.group().startswith(STAND_IN) else "", value)
    if isinstance(value, list):
        return [_without_addresses(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {key: _without_addresses(item) for key, item in value.items()}  # pyright: ignore
    return value


def _wipe(value: Any, path: list[str]) -> None:
    """Set what lies at the path to null; * stands for every key, and lists are walked through."""
    if isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            _wipe(item, path)
    elif isinstance(value, dict):
        for key in list(value) if path[0] == "*" else [k for k in value if k == path[0]]:  # pyright: ignore
            if len(path) == 1:
                value[key] = None
            else:
                _wipe(value[key], path[1:])
