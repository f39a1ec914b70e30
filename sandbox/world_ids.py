"""Vendors' ids of a world's things: derived from the file's keys, so the same file gives the same ids in every run.

A word after a "~" in a key does not count: "D1" and "D1~us" have one id, which two accounts may well give, but no single one.
Numbers have 10 to 13 digits, as HubSpot's do, so that their order as text is not their order as numbers.
"""

from __future__ import annotations

import hashlib
import re
from threading import Lock

ACCOUNT = re.compile(r"~\w+")


class IdCollision(ValueError):
    """Two keys of one kind gave one id. Rename one of the keys in the world file."""


class Ids:
    """Ids of one account by (kind, key), e.g. ("hubspot.owner", "bob"). One kind is one id space; a collision inside it is refused."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str], str] = {}
        self._known: dict[tuple[str, str], str] = {}
        self._lock = Lock()

    def number(self, kind: str, key: str, digits: tuple[int, int] = (10, 13)) -> str:
        """Decimal digits without a leading zero, between digits[0] and digits[1] long."""
        value = self._digest(kind, key)
        length = digits[0] + value % (digits[1] - digits[0] + 1)
        low = 10 ** (length - 1)
        return self._claim(kind, key, str(low + (value >> 8) % (9 * low)))

    def hexadecimal(self, kind: str, key: str, length: int = 16) -> str:
        """Lower-case hexadecimal digits, e.g. of a Gmail message."""
        return self._claim(kind, key, f"1{self._digest(kind, key):032x}"[:length])

    def key_of(self, kind: str, identifier: str) -> str | None:
        """The key behind an id that was given out before, or None."""
        return self._taken.get((kind, identifier))

    @staticmethod
    def _digest(kind: str, key: str) -> int:
        told = f"{kind}\0{ACCOUNT.sub('', key)}"
        return int.from_bytes(hashlib.blake2b(told.encode(), digest_size=16).digest(), "big")

    def _claim(self, kind: str, key: str, identifier: str) -> str:
        with self._lock:
            known = self._known.setdefault((kind, key), identifier)
            holder = self._taken.setdefault((kind, known), key)
        if holder != key:
            raise IdCollision(
                f"{kind}: the keys {holder!r} and {key!r} give the same id {identifier}; rename one of them"
            )
        return known
