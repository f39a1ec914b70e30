"""sql/fields.toml: the fields of each stream without which a number cannot be told."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

Kind = Literal["instant", "number", "text", "list"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field and how staging reads it. part: the numbers that need it, "" for everything that the stream feeds.

    otherwise: a field that does instead where this one is missing; "" if there is none.
    """

    source: str
    stream: str
    path: str
    kind: Kind
    part: str = ""
    otherwise: str = ""


def json_path(path: str) -> str:
    """ "Cdr.type" as DuckDB wants it."""
    return "$" + "".join(f'."{key}"' for key in path.split("."))


@cache
def load() -> Sequence[Field]:
    """In the order of the file. Raises msgspec.ValidationError when an entry is not what it should be."""
    told = tomllib.loads((resources.files("sql") / "fields.toml").read_text("utf-8"))
    return tuple(
        msgspec.convert({"source": source, "stream": stream, "path": path, **entry}, Field)
        for source, streams in told.items()
        for stream, entries in streams.items()
        for path, entry in entries.items()
    )


def parts() -> Sequence[tuple[str, str, str]]:
    """(source, stream, part) of the numbers that need a field which the others of the stream do not need."""
    return sorted({(f.source, f.stream, f.part) for f in load() if f.part})
