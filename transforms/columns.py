"""Which columns of a table a model can be using, so that a change of others does not concern it.

By the words of its text: every column whose name occurs, and all of them where a star, or what is like one, takes any. So it may name
more than are used, which costs time, but never fewer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

STAR = re.compile(
    r"\bselect\s+(?:distinct\s+)?\*|\b\w+\.\*|,\s*\*|\bcolumns\s*\(|\bnatural\b|^\s*\(?\s*from\b", re.IGNORECASE
)
WORD = re.compile(r"[A-Za-z_]\w*")
COMMENT = re.compile(r"--[^\n]*")


def used(text: str, more: Iterable[str], columns: Iterable[str]) -> tuple[str, ...] | None:
    """Those of the columns that the SQL text, or one of the further pieces of SQL, may use; None for all of them."""
    there = tuple(columns)
    words = _words(text)
    if words is None:
        return None
    asked = words.union(*(WORD.findall(piece.lower()) for piece in more))
    found = tuple(c for c in there if c.lower() in asked)
    return None if len(found) == len(there) else found


@cache
def _words(text: str) -> frozenset[str] | None:
    bare = COMMENT.sub("", text)
    return None if STAR.search(bare) else frozenset(WORD.findall(bare.lower()))
