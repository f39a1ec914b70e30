"""HubSpot's search endpoint: filter groups, one sort, offset-like cursor, the 10,000 cap.

Source: search guide and PublicObjectSearchRequest (2026-09): at most 200 a page, 10,000 results a query (400 beyond),
5 filter groups of 6 filters, 18 in all, a body of 3,000 characters, archived records never found. Sorts given as
strings, as the specification types them, are ignored (HubSpot/hubspot-api-ruby#257).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sandbox.hubspot_records import Record, Shelf, document, shelf
from sandbox.hubspot_schema import Property, object_type, properties, returned
from sandbox.hubspot_wire import Ask, Json, page_size, refused
from sandbox.world_state import State

MAX_PAGE, CAP = 200, 10_000
MAX_GROUPS, MAX_FILTERS, MAX_ALL_FILTERS = 5, 6, 18

Value = float | str
Test = Callable[[Record], bool]


def search(ask: Ask, name: str) -> Json:
    """One page of what a search finds. Raises Refused, 400."""
    kind = object_type(name)
    state = _index(ask)
    found = shelf(state, kind)
    schema = properties(state.world, kind)
    numeric = not ask.account.options.text_order
    matching = _matching(found, ask.body, schema, numeric)
    _sort(matching, ask.body, schema, numeric)
    size, start = page_size(ask.body.get("limit"), 10, MAX_PAGE), _offset(ask.body)
    if start + size > CAP:
        raise refused(400, f"Search results are limited to {CAP} records: after + limit must not go beyond.")
    size = ask.shown(size)
    names = returned(kind, [str(n) for n in ask.body.get("properties") or []])
    page = matching[start : start + size]
    answer: Json = {"total": len(matching), "results": [document(kind, r, found.names, names) for r in page]}
    if start + size < len(matching):
        answer["paging"] = {"next": {"after": str(start + size)}}
    return answer


def _index(ask: Ask) -> State:
    """The state that the search index has reached."""
    lag = ask.account.options.search_lag_seconds
    if not lag:
        return ask.state
    state, then = ask.state, ask.state.now - timedelta(seconds=lag)
    found: State = state.cached(f"hubspot.index.{lag}", lambda: State(state.world, then, state.ids))
    return found


def _offset(body: Json) -> int:
    after = body.get("after")
    if after in (None, ""):
        return 0
    if not str(after).isdigit():
        raise refused(400, f"Invalid input: after must be the cursor of an earlier page, you sent {after}.")
    return int(str(after))


def _matching(found: Shelf, body: Json, schema: dict[str, Property], numeric: bool) -> list[Record]:
    groups = cast("list[Json]", body.get("filterGroups") or [])
    filters = [cast("list[Json]", group.get("filters") or []) for group in groups]
    if (
        len(groups) > MAX_GROUPS
        or any(len(f) > MAX_FILTERS for f in filters)
        or sum(map(len, filters)) > MAX_ALL_FILTERS
    ):
        raise refused(
            400, f"At most {MAX_GROUPS} filterGroups with {MAX_FILTERS} filters each, {MAX_ALL_FILTERS} in all"
        )
    tests = [[_test(f, schema, numeric) for f in group] for group in filters]
    if not tests:
        return list(found.live)
    return [r for r in found.live if any(all(test(r) for test in group) for group in tests)]


def _test(given: Json, schema: dict[str, Property], numeric: bool) -> Test:
    name, operator = str(given.get("propertyName")), str(given.get("operator"))
    if name not in schema:
        raise refused(400, f"There was a problem with the request. Property '{name}' does not exist.")
    read = _reader(schema[name], numeric)
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        wanted = operator == "HAS_PROPERTY"
        return lambda record: (record.properties.get(name) is not None) == wanted
    if operator in ("IN", "NOT_IN"):
        values = {read(str(v)) for v in given.get("values") or []}
        return lambda record: _has(record, name) and (read(record.properties[name]) in values) == (operator == "IN")
    compare = _compare(operator, read(_said(given, "value")), read(_said(given, "highValue", operator == "BETWEEN")))
    return lambda record: _has(record, name) and compare(read(record.properties[name]))


def _has(record: Record, name: str) -> bool:
    return record.properties.get(name) is not None


def _said(given: Json, key: str, needed: bool | None = None) -> str:
    value = given.get(key)
    if value is None and needed is not False:
        raise refused(400, f"There was a problem with the request. Operator {given.get('operator')} needs {key}.")
    return str(value if value is not None else 0)


def _compare(operator: str, low: Any, high: Any) -> Callable[[Any], bool]:
    tests: dict[str, Callable[[Any], bool]] = {
        "EQ": lambda v: v == low,
        "NEQ": lambda v: v != low,
        "LT": lambda v: v < low,
        "LTE": lambda v: v <= low,
        "GT": lambda v: v > low,
        "GTE": lambda v: v >= low,
        "BETWEEN": lambda v: low <= v <= high,
        "CONTAINS_TOKEN": lambda v: str(low).strip("*") in str(v),
    }
    if operator not in tests:
        raise refused(400, f"There was a problem with the request. Unknown operator {operator}.")
    return tests[operator]


def _reader(schema: Property, numeric: bool) -> Callable[[str | None], Value]:
    """How values of a property compare: instants as epoch milliseconds, numbers as numbers, texts without case."""
    if schema.type == "datetime":
        return _milliseconds
    if schema.type == "number" and (numeric or schema.name != "hs_object_id"):
        return _number
    return lambda value: str(value or "").lower()


def _milliseconds(value: str | None) -> float:
    text = str(value or "0")
    if text.lstrip("-").isdigit():
        return float(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise refused(400, f"There was a problem with the request. {text} was not a valid long or date.") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000


def _number(value: str | None) -> float:
    try:
        return float(value or 0)
    except ValueError:
        raise refused(400, f"There was a problem with the request. {value} was not a valid number.") from None


def _sort(records: list[Record], body: Json, schema: dict[str, Property], numeric: bool) -> None:
    """Sort by the one rule given, else by creation. Ties come in no order that anybody could rely on."""
    sorts = cast("list[Any]", body.get("sorts") or [])
    if len(sorts) > 1:
        raise refused(400, "There was a problem with the request. Only one sort is supported.")
    records.sort(key=lambda r: (r.created_at, r.id[::-1]))
    if not sorts or isinstance(sorts[0], str):
        return
    name = str(sorts[0].get("propertyName"))
    if name not in schema:
        raise refused(400, f"There was a problem with the request. Property '{name}' does not exist.")
    read = _reader(schema[name], numeric)
    records.sort(key=lambda r: read(r.properties.get(name)), reverse=sorts[0].get("direction") == "DESCENDING")
