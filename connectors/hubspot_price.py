"""What reading HubSpot takes, before it is read: totals that search gives away, and the pages that they come in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .hubspot_by_ids import ASSOCIATION_IDS, HISTORY_IDS, PAIRS
from .hubspot_lists import LIST_SIZE
from .hubspot_search import PAGE_SIZE, milliseconds
from .stream import Price, Window


def counting(window: Window, modified: str) -> dict[str, Any]:
    """The search whose total is how many records a window of an object holds. modified: the property that changes go by."""
    bounds = [("GTE", window.start), ("LT", window.end)] if window.kind == "changes" else []
    filters = [
        {"propertyName": modified, "operator": operator, "value": milliseconds(at)} for operator, at in bounds if at
    ]
    return {"limit": 1, **({"filterGroups": [{"filters": filters}]} if filters else {})}


def price(windows: Sequence[Window], records: Mapping[str, int], is_object: bool) -> Price:
    """As Connector.price. What is archived is listed with every window of an object, one page at least."""
    first = windows[0]
    own = records.get(first.stream, 0)
    if is_object and first.kind == "changes":
        searches = max(1, math.ceil(own / PAGE_SIZE)) * len(windows)
        return Price(searches + len(windows), {"requests": searches + len(windows), "search": searches})
    requests = len(windows)
    if is_object:
        requests += max(1, math.ceil(own / LIST_SIZE))
    elif first.stream == "crm_association":
        requests = sum(
            math.ceil(records.get(stream, 0) / ASSOCIATION_IDS) * len(targets) for stream, (_, targets) in PAIRS.items()
        )
    elif first.stream.endswith("_history"):
        requests += math.ceil(records.get(first.stream.removesuffix("_history"), 0) / HISTORY_IDS)
    else:
        requests = max(requests, math.ceil(own / LIST_SIZE))
    return Price(requests, {"requests": requests})
