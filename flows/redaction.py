"""Takes secrets and addresses out of texts that are kept or sent: logs, the journal, notices."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import BaseModel, SecretStr

from connectors.redact import SHORTEST, forms

# From the beginning of a word only: a token of a hundred thousand letters would be weighed from each of them to its end.
ADDRESS = re.compile(r"(?<![\w.+%'-])[\w.+%'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")


class Redactor:
    """Replaces the secrets that it was made with by ***, and every mail address by [address].

    Addresses, because what is written once is not found again when a person asks to be forgotten.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        words = sorted({form for s in secrets if len(s) >= SHORTEST for form in forms(s)}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, words))) if words else None

    @classmethod
    def of(cls, settings: BaseModel | None) -> Redactor:
        """For everything that settings hold as a secret."""
        return cls(_secrets(settings) if settings else ())

    def __call__(self, text: str) -> str:
        if self._secrets:
            text = self._secrets.sub("***", text)
        return ADDRESS.sub("[address]", text)


def _secrets(section: BaseModel) -> Iterable[str]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, BaseModel):
            yield from _secrets(value)
        elif isinstance(value, dict):
            for part in value.values():  # further accounts
                if isinstance(part, BaseModel):
                    yield from _secrets(part)
