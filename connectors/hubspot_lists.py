"""HubSpot's lists: pages that `after` leads through, what is archived apart; newest first down to what is known; and those without pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from .hubspot_by_ids import Results
from .hubspot_objects import VERSION
from .paging import cursor_pages, records_of, value_at
from .shape import decode, excerpt
from .stream import FormatChanged, Page

LIST_SIZE = 100
NEXT = "paging.next.after"


class Get(Protocol):
    """The body of one GET."""

    def __call__(self, path: str, params: Mapping[str, Any] | None = None) -> bytes: ...


def listed(get: Get, path: str, params: Mapping[str, Any], *, archived: Sequence[bool]) -> Iterator[Page]:
    """All pages; of what can be archived, first the one kind and then the other. An empty `archived` asks without."""
    for asked in [{"archived": str(flag).lower()} for flag in archived] or [{}]:
        for body in _pages(get, path, {**params, **asked}):
            records, rejected = records_of(body, "results")
            yield Page(records=records, rejected=rejected)


def until_known(get: Get, path: str, known: Sequence[str]) -> Iterator[Page]:
    """Newest first, without a date filter: on until a page holds what landed before. Sign-ins are kept for 90 days only."""
    before = set(known)
    for body in _pages(get, path, {}):
        records, rejected = records_of(body, "results")
        yield Page(records=records, rejected=rejected)
        if before.intersection(str(r.id) for r in decode(body, Results, f"hubspot: GET {path}").results):
            return


def _pages(get: Get, path: str, params: Mapping[str, Any]) -> Iterator[bytes]:
    def fetch(cursor: str | None) -> bytes:
        after = {"after": cursor} if cursor is not None else {}
        return get(path, {"limit": LIST_SIZE, **params, **after})

    return cursor_pages(fetch, NEXT, f"hubspot: GET {path}")


def unpaged(get: Get, stream: str) -> Iterator[Page]:
    """Lists without pages. Raises FormatChanged for an account without its id."""
    path = {
        "crm_team": f"/settings/teams/{VERSION}-beta",
        "crm_pipeline_stage": f"/crm/pipelines/{VERSION}/deals",
        "crm_call_outcome": "/calling/v1/dispositions",
        "crm_account": f"/account-info/{VERSION}/details",
    }[stream]
    body = get(path)
    if stream == "crm_account" and value_at(body, "portalId") is None:
        raise FormatChanged(f"hubspot: GET {path}: no portalId in {excerpt(body)}; the window stays due.")
    if stream == "crm_account":  # one object, and a bare list: given the shape of the others
        body = b'{"results": [' + body + b"]}"
    elif stream == "crm_call_outcome":
        body = b'{"results": ' + body + b"}"
    records, rejected = records_of(body, "results")
    yield Page(records=records, rejected=rejected)
