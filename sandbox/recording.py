"""Recorded exchanges: files of requests and answers, found again by method, path and parameters.

A recording is a folder with one folder a vendor (`hubspot`, `cloudtalk`, `gmail`) of JSON files. A file is

- a list of exchanges `{"method", "path", "params", "status", "headers", "body"}` (GET and 200 by default), or
- CloudTalk: an object of path -> body, as its documentation gives examples, or
- HubSpot: an object of `mock_<type>_data`, `mock_<type>_with_history`, `mock_<type>_properties` -> body of a list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Json = dict[str, Any]
_VERSION = re.compile(r"/(v\d+|\d{4}-\d{2}(-beta)?)(?=/|$)")
_MOCK = re.compile(r"^mock_(?P<type>\w+?)_(?P<what>data|with_history|properties)$")


class RecordingError(ValueError):
    """A recording that cannot be served: the file, and what was expected in it."""

    page = "sandbox"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request and its answer. path: without version and trailing slash; params: as text."""

    method: str
    path: str
    params: Mapping[str, str]
    status: int
    body: Any


def plain_path(path: str) -> str:
    """A path without the API's version, so that any version of it is the same: /crm/v3/owners -> /crm/owners."""
    return "/" + _VERSION.sub("", f"/{path.strip('/')}").strip("/")


def read(folder: Path) -> dict[str, list[Exchange]]:
    """Vendor -> its recorded exchanges, in the order of file names. Raises RecordingError."""
    if not folder.is_dir():
        raise RecordingError(f"{folder}: no such folder. Give a folder with one folder a vendor, such as hubspot/.")
    found: dict[str, list[Exchange]] = {}
    for file in sorted(folder.glob("*/*.json")):
        found.setdefault(file.parent.name, []).extend(_exchanges(file))
    if not found:
        raise RecordingError(f"{folder}: holds no recorded exchanges (expected files like hubspot/deals.json)")
    return found


def _exchanges(file: Path) -> list[Exchange]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecordingError(f"{file}: is not JSON: {error}") from None
    if isinstance(document, list):
        return [_exchange(item, f"{file}[{i}]") for i, item in enumerate(document)]
    if isinstance(document, dict):
        return [_named(name, body, str(file)) for name, body in document.items()]
    raise RecordingError(
        f"{file}: expected a list of exchanges or an object of bodies, found {type(document).__name__}"
    )


def _exchange(item: Any, place: str) -> Exchange:
    if not isinstance(item, dict) or not isinstance(item.get("path"), str):
        raise RecordingError(f'{place}: expected an object with "path" and "body", found {str(item)[:60]!r}')
    split = urlsplit(item["path"])
    params = dict(parse_qsl(split.query)) | {k: _text(v) for k, v in (item.get("params") or {}).items()}
    status = int(item.get("status") or 200)
    return Exchange(str(item.get("method") or "GET").upper(), plain_path(split.path), params, status, item.get("body"))


def _named(name: str, body: Any, place: str) -> Exchange:
    if name.startswith("/"):
        return Exchange("GET", plain_path(name), {}, 200, body)
    match = _MOCK.match(name)
    if match is None:
        raise RecordingError(f"{place}: {name!r} is neither a path nor a name like mock_deals_data")
    folder = "properties" if match["what"] == "properties" else "objects"
    return Exchange("GET", f"/crm/{folder}/{match['type']}", {}, 200, body)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


PAGING = frozenset({"after", "page", "pageToken"})


def best(exchanges: Sequence[Exchange], method: str, path: str, params: Mapping[str, str]) -> Exchange | None:
    """The exchange that fits a request best, or None.

    Method and path must be equal. Parameters that a recording does not know are ignored, each that it has otherwise
    counts against it; a page that was asked for must have been recorded, so that no page is ever served twice.
    """
    fitting = [
        e
        for e in exchanges
        if (e.method, e.path) == (method, path) and all(e.params.get(p) == params.get(p) for p in PAGING)
    ]
    return max(fitting, key=lambda e: _score(e.params, params), default=None)


def _score(recorded: Mapping[str, str], asked: Mapping[str, str]) -> tuple[int, int]:
    equal = sum(asked.get(name) == value for name, value in recorded.items())
    return equal - sum(name in asked and asked[name] != value for name, value in recorded.items()), -len(recorded)
