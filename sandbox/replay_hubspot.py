"""A recorded HubSpot account: its recorded lists taken together are its objects, to list, search and batch read.

What was not recorded is answered empty, never invented: history without versions, associations only where a list
carried them, no archived records unless one was recorded, `{"results": []}` for anything else. Recorded errors
(status 400 and up) are answered as recorded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.recording import Exchange, Json, best

PLURALS = ("contacts", "companies", "deals", "tasks", "calls", "emails", "meetings", "notes", "users")
_OBJECTS = re.compile(r"^/crm/objects/(?P<type>[^/]+)(?:/(?P<rest>.+))?$")
_OWNERS = re.compile(r"^/crm/owners(?:/(?P<rest>[^/]+))?$")
_ASSOCIATIONS = re.compile(r"^/crm/associations/(?P<type>[^/]+)/(?P<to>[^/]+)/batch/read$")
Answer = tuple[int, Any]


class RecordedHubSpot:
    """Objects by type and id, from every recorded list and read of them; a later recording adds to an earlier."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self.exchanges = exchanges
        self.objects: dict[str, dict[str, Json]] = {}
        for exchange in exchanges:
            if exchange.method == "GET" and exchange.status == 200 and isinstance(exchange.body, dict):
                self._learn(exchange)

    def _learn(self, exchange: Exchange) -> None:
        match = _OBJECTS.match(exchange.path) or _OWNERS.match(exchange.path)
        if match is None:
            return
        held = self.objects.setdefault(_kind(match), {})
        for record in exchange.body.get("results", [exchange.body]):
            if isinstance(record, dict) and "id" in record:
                held[str(record["id"])] = _joined(held.get(str(record["id"]), {}), record)

    def answer(self, method: str, path: str, params: Mapping[str, str], body: Any) -> Answer:
        """Status and body for a request; path without version."""
        recorded = best(self.exchanges, method, path, params)
        if recorded is not None and recorded.status >= 400:
            return recorded.status, recorded.body
        if method == "POST":
            return self._post(path, body if isinstance(body, dict) else {})
        match = _OBJECTS.match(path) or _OWNERS.match(path)
        if match is not None:
            return self._get(_kind(match), match["rest"], params)
        if recorded is not None:
            return recorded.status, recorded.body
        return 200, [] if path == "/calling/dispositions" else {"results": []}

    def _get(self, kind: str, rest: str | None, params: Mapping[str, str]) -> Answer:
        held = self.objects.get(kind, {})
        if rest is not None:
            return (200, held[rest]) if rest in held else (404, _error(f"{kind} {rest} was not recorded"))
        archived = params.get("archived", "false").lower() == "true"
        return 200, _page([r for r in held.values() if bool(r.get("archived")) is archived], params)

    def _post(self, path: str, body: Json) -> Answer:
        if match := _ASSOCIATIONS.match(path):
            return 200, self._associations(_plural(match["type"]), _plural(match["to"]), body)
        match = _OBJECTS.match(path)
        if match is None:
            return 200, {"results": []}
        held = self.objects.get(_kind(match), {})
        if match["rest"] == "batch/read":
            return _batch(held, [str(i.get("id")) for i in body.get("inputs", [])])
        if match["rest"] == "search":
            found = [r for r in held.values() if not r.get("archived") and _passes(r, body.get("filterGroups") or [])]
            found.sort(key=_order(body.get("sorts") or []))
            return 200, {
                "total": len(found),
                **_page(found, {k: str(body[k]) for k in ("limit", "after") if k in body}),
            }
        return 404, _error(f"POST {path} was not recorded")

    def _associations(self, kind: str, to: str, body: Json) -> Json:
        results: list[Json] = []
        for asked in body.get("inputs", []):
            record = self.objects.get(kind, {}).get(str(asked.get("id")), {})
            linked = record.get("associations", {}).get(to, {}).get("results", [])
            targets: dict[str, list[Json]] = {}
            for link in linked:
                told = {"category": "HUBSPOT_DEFINED", "typeId": 0, "label": link.get("type")}
                targets.setdefault(str(link["id"]), []).append(told)
            if targets:
                ends = [{"toObjectId": int(i) if i.isdigit() else i, "associationTypes": t} for i, t in targets.items()]
                results.append({"from": {"id": str(asked["id"])}, "to": ends})
        return {"status": "COMPLETE", "results": results}


def _kind(match: re.Match[str]) -> str:
    return _plural(match["type"]) if "type" in match.groupdict() else "owners"


def _plural(kind: str) -> str:
    return next((p for p in PLURALS if kind in (p[:-1], p.replace("ies", "y"))), kind)


def _joined(old: Json, new: Json) -> Json:
    both = old | new
    for part in ("properties", "propertiesWithHistory", "associations"):
        if part in old or part in new:
            both[part] = (old.get(part) or {}) | (new.get(part) or {})
    return both


def _page(found: Sequence[Json], params: Mapping[str, str]) -> Json:
    size = int(params.get("limit", "10"))
    start = int(params.get("after") or 0)
    page: Json = {"results": list(found[start : start + size])}
    if start + size < len(found):
        page["paging"] = {"next": {"after": str(start + size)}}
    return page


def _batch(held: Mapping[str, Json], asked: Sequence[str]) -> Answer:
    results = [{"propertiesWithHistory": {}, **held[i]} for i in asked if i in held]
    missing = [i for i in asked if i not in held]
    if not missing:
        return 200, {"status": "COMPLETE", "results": results}
    error = {**_error("Could not get some objects, they may be deleted or not exist."), "context": {"ids": missing}}
    return 207, {"status": "COMPLETE", "results": results, "numErrors": 1, "errors": [error]}


def _error(message: str) -> Json:
    return {"status": "error", "message": message, "correlationId": "replay", "category": "OBJECT_NOT_FOUND"}


def _value(record: Json, name: str) -> str | None:
    """A property as text; the record's own stamps where the property was not asked for when it was recorded."""
    stamps = {"hs_lastmodifieddate": "updatedAt", "lastmodifieddate": "updatedAt", "hs_createdate": "createdAt"}
    stamps |= {"createdate": "createdAt", "hs_object_id": "id"}
    value = (record.get("properties") or {}).get(name)
    return value if value is not None else record.get(stamps.get(name, ""))


def _comparable(value: str) -> float | str:
    """Numbers, and instants as milliseconds, as numbers; other text as it is."""
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp() * 1000
    except ValueError:
        return value


def _passes(record: Json, groups: Sequence[Json]) -> bool:
    return not groups or any(all(_holds(record, f) for f in group.get("filters", [])) for group in groups)


def _holds(record: Json, rule: Json) -> bool:
    operator, text = rule["operator"], _value(record, rule["propertyName"])
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return (text is not None) == (operator == "HAS_PROPERTY")
    if text is None:
        return operator in ("NEQ", "NOT_IN")
    if operator in ("IN", "NOT_IN"):
        return (text in rule.get("values", [])) == (operator == "IN")
    value = _comparable(text)
    if operator == "BETWEEN":
        return _ordered(_comparable(str(rule["value"])), value) and _ordered(value, _comparable(str(rule["highValue"])))
    other = _comparable(str(rule["value"]))
    tests: dict[str, Callable[[], bool]] = {
        "EQ": lambda: value == other,
        "NEQ": lambda: value != other,
        "LTE": lambda: _ordered(value, other),
        "GTE": lambda: _ordered(other, value),
        "LT": lambda: not _ordered(other, value),
        "GT": lambda: not _ordered(value, other),
    }
    return tests[operator]()


def _ordered(a: float | str, b: float | str) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return a <= b
    return str(a) <= str(b)


def _order(sorts: Sequence[Any]) -> Callable[[Json], tuple[float, str]]:
    name = sorts[0].get("propertyName", "hs_object_id") if sorts and isinstance(sorts[0], dict) else "hs_object_id"
    sign = -1 if sorts and isinstance(sorts[0], dict) and sorts[0].get("direction") == "DESCENDING" else 1

    def key(record: Json) -> tuple[float, str]:
        value = _comparable(_value(record, name) or "")
        return (0.0, value) if isinstance(value, str) else (sign * value, "")

    return key
