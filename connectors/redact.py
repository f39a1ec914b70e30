"""Taking secrets out of what a vendor answers, in every form in which a server may give back what it was sent."""

from __future__ import annotations

import base64
import binascii
import html
import json
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import quote, quote_plus

SHORTEST = 4  # what is shorter is no secret, and blotting it out would only spoil the text


def forms(secret: str) -> set[str]:
    """The secret as it is, as in a URL or a form, as in JSON and in HTML."""
    quoted = json.dumps(secret)[1:-1]
    escaped = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), html.escape(secret)}
    return escaped | {quoted, quoted.replace("/", "\\/"), json.dumps(secret, ensure_ascii=False)[1:-1]}


def blotted(text: str, secrets: Iterable[str], *, is_cut: bool = False) -> str:
    """The text with *** for each secret. is_cut: it is the beginning of a longer one, so that its end may be part of a secret, and goes."""
    found = sorted({form for s in secrets if len(s) >= SHORTEST for form in forms(s)}, key=len, reverse=True)
    for form in found:
        text = text.replace(form, "***")
    return text[: -len(found[0])] if is_cut and found else text


def secrets_of(header: str) -> list[str]:
    """What of a header that proves who asks must not be shown: the key or token, or Basic's text and what it holds."""
    scheme, _, token = header.partition(" ")
    found = [token or scheme]
    if scheme.lower() == "basic":
        with suppress(binascii.Error):
            found += base64.b64decode(token, validate=True).decode("utf-8", "replace").split(":", 1)
    return found
