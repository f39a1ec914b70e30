"""What is wrong with settings, in words for the person who edits them. Never shows a value of a source's section."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic_core import ErrorDetails

from flows.settings import ENV_PREFIX


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: where (a file, or "environment"), which key (dotted, or the variable's name), and what."""

    where: str
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.message) if part)


class WrongSettingsError(Exception):
    """The settings cannot be used. `problems` holds everything that is wrong, not only the first of it."""

    page = "settings-wrong"

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([f"The settings have {count}:", *(f"  {p}" for p in problems)]))


def translate(error: ErrorDetails, model: type[BaseModel], origin: Callable[[tuple[str, ...]], str]) -> Problem:
    """A pydantic error as a problem: unknown keys with what is allowed, missing ones with how they can be given."""
    loc = tuple(str(part) for part in error["loc"])
    where, key = origin(loc), ".".join(loc)
    section = _section(model, loc[:-1])
    match error["type"]:
        case "extra_forbidden":
            return Problem(where, key, unknown(loc[-1], section.model_fields if section else ()))
        case "missing":
            return Problem(where, key, _missing(loc, section))
        case "value_error":
            return Problem(where, key, str(error.get("ctx", {}).get("error", error["msg"])))
        case _:
            return Problem(where, key, _lower(error["msg"]))


def unknown(name: str, allowed: Iterable[str]) -> str:
    """ "unknown key", what was perhaps meant, and what is allowed."""
    names = sorted(allowed)
    close = difflib.get_close_matches(name, names, n=1)
    return f"unknown key{f'; did you mean {close[0]}?' if close else ''}; allowed: {', '.join(names)}"


def _missing(loc: tuple[str, ...], section: type[BaseModel] | None) -> str:
    variable = ENV_PREFIX + "__".join(loc).upper()
    if section and loc[-1] in secret_fields(section):
        return f"missing; give it here, or as {file_key(loc[-1])} = a file that holds it, or as {variable} in the environment"
    return f"missing; give it here, or as {variable} in the environment"


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _section(model: type[BaseModel], loc: Iterable[str]) -> type[BaseModel] | None:
    at: type[BaseModel] | None = model
    for part in loc:
        if at and part in at.model_fields:
            at = inner_model(at.model_fields[part].annotation)
    return at


def file_key(secret: str) -> str:
    """The key that names a file holding the secret: token -> token_file."""
    return f"{secret}_file"


def secret_fields(model: type[BaseModel]) -> list[str]:
    """The fields of a settings model that hold a secret."""
    return [name for name, info in model.model_fields.items() if holds(info.annotation, SecretStr)]


def inner_model(annotation: Any) -> type[BaseModel] | None:
    """The settings model in a field's type: `HubSpotSettings | None` -> HubSpotSettings."""
    return next((t for t in _types(annotation) if isinstance(t, type) and issubclass(t, BaseModel)), None)


def holds(annotation: Any, wanted: type) -> bool:
    """Whether a field's type is `wanted`, alone or in a union."""
    return any(isinstance(t, type) and issubclass(t, wanted) for t in _types(annotation))


def _types(annotation: Any) -> Iterator[Any]:
    inner = get_args(annotation)
    if not inner or isinstance(annotation, type):
        yield annotation
    for part in inner:
        yield from _types(part)
