"""One call over all its attempts: what is sent, what its answer must be, and how both are told of without a secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx
import msgspec

from .auth import KeyAuth
from .redact import blotted, secrets_of
from .stream import Traffic

EXCERPT = 300  # characters of a refusing body in an error


@dataclass(slots=True)
class Call:
    """One call of fetch, over all its attempts."""

    request: httpx.Request
    what: str
    cost: Mapping[str, int]
    traffic: Traffic
    auth: httpx.Auth | None
    wrong: Callable[[httpx.Response], str]
    heard: Callable[[httpx.Response], None] | None = None
    moved: Callable[[str], None] | None = None
    reauthorised: bool = False
    written: float | None = None  # when the last attempt was handed to the network

    def clean(self, text: str) -> str:
        """The text in one short line, without the credential, should the vendor have echoed it."""
        return self._line(text, is_cut=False)

    def excerpt(self, response: httpx.Response) -> str:
        """How a refusing body begins, cleaned."""
        most = 8 * EXCERPT
        told = response.content[:most].decode("utf-8", "replace")
        return self._line(told, is_cut=len(response.content) > most) or "(empty body)"

    def _line(self, text: str, *, is_cut: bool) -> str:
        header = self.auth.header if isinstance(self.auth, KeyAuth) else "Authorization"
        secrets = secrets_of(self.request.headers.get(header, ""))
        line = " ".join(blotted(text, secrets, is_cut=is_cut).split())
        return line if len(line) <= EXCERPT else line[:EXCERPT] + "…"


def names(params: httpx.QueryParams) -> str:
    """Names of the parameters, for errors: the values may be anybody's data."""
    return f" ({', '.join(params.keys())})" if params else ""


def not_json(response: httpx.Response) -> str:
    """Why the body is no JSON, "" if it is. Only scanned: no objects are built."""
    body = response.content
    if response.status_code == 204 and not body:
        return ""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
        if not body.isascii():
            body.decode("utf-8")
    except msgspec.DecodeError:
        return f"no JSON ({response.headers.get('Content-Type', 'no content type')}, {len(body):,} bytes)"
    except UnicodeDecodeError:
        return "no UTF-8"
    except RecursionError:
        return f"JSON that is nested too deeply to be read ({len(body):,} bytes)"
    return ""
