"""HubSpot: owners, teams, CRM records, activities with their associations and histories, pipelines, sign-ins.

Docs: developers.hubspot.com, date-based API 2026-09 (GA 2026-09-08; v1-v4 paths unsupported from September 2027).
Limits: 190 requests per 10 s for a private app or service key on Professional and Enterprise (100 on Free and Starter, 250
with the API add-on), and 5 searches a second for the whole account, all its apps together. A 429 names its policy
(TEN_SECONDLY_ROLLING, SECONDLY, DAILY); Retry-After is not reliably there; search answers carry no rate headers.
Three id spaces for people: owner id (hubspot_owner_id), settings user id (hs_created_by_user_id, updatedByUserId, sign-ins)
and the id of the users object. Bodies, subjects and titles are never asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from . import hubspot_by_ids as by_ids
from . import hubspot_permissions as permissions
from . import hubspot_price as price
from .auth import BearerAuth, OAuthRefreshAuth
from .client import Client
from .hubspot_answers import judge, tells
from .hubspot_lists import Get, listed, unpaged, until_known
from .hubspot_objects import OBJECTS, VERSION, modified_property, streams_of
from .hubspot_search import search
from .hubspot_settings import HubSpotSettings
from .limits import Budget, Day, shared
from .one_account import OneAccount
from .paging import value_at
from .stream import Check, ConnectorError, Page, Price, Stream, System, Traffic, Window

__all__ = ["HubSpot", "HubSpotSettings"]

CLOCK_SLACK = timedelta(minutes=1)  # of the quarter of an hour by which the search index may be late
SEARCH_COST = {"requests": 1, "search": 1}


class HubSpot(OneAccount):
    """One HubSpot account."""

    name = "hubspot"
    system: System = "crm"
    streams: Sequence[Stream] = streams_of(HubSpotSettings.model_construct())
    # Record pages are addressed by the portal and the type's id: hubspot.com's own "Copy link to record".
    links: Mapping[str, str] = {
        kind: f"https://{{domain}}/contacts/{{account}}/record/{number}/{{id}}"
        for kind, number in {
            "contact": "0-1", "company": "0-2", "deal": "0-3", "meeting": "0-47", "call": "0-48", "email": "0-49",
        }.items()
    }  # fmt: skip

    def __init__(
        self, settings: HubSpotSettings, *, workspace: str, now: datetime, mailboxes: Sequence[str] = ()
    ) -> None:
        del mailboxes  # of no use to a CRM
        self.workspace = workspace
        self.now = now
        self.streams = streams_of(settings)
        self._settings = settings
        self._limiter = shared(self.name, f"{settings.base_url} {workspace}", budgets_of(settings))
        self._client = Client(
            source=self.name,
            base_url=settings.base_url,
            auth=_auth(settings),
            limiter=self._limiter,
            judge=judge,
            tells=tells,
            network=settings.network,
        )

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """The pages of a window; see connectors.stream.Connector."""
        name, get = window.stream, self._getter(traffic)
        if name in OBJECTS:
            return self._objects(window, traffic)
        if name == "crm_association":
            return by_ids.associations(self._poster(traffic), VERSION, known)
        if name.endswith("_history"):
            return self._history(window, known, traffic)
        if name in ("crm_user", "crm_user_profile"):
            path = f"/crm/owners/{VERSION}" if name == "crm_user" else f"/crm/objects/{VERSION}/users"
            extra: dict[str, Any] = {
                "properties": "hs_standard_time_zone,hs_internal_user_id,hs_email,hubspot_owner_id"
            }
            return listed(get, path, extra if name == "crm_user_profile" else {}, archived=(False, True))
        if name in ("crm_login", "crm_audit"):
            what = {"crm_login": "login", "crm_audit": "audit-logs"}[name]
            return until_known(get, f"/account-info/{VERSION}/activity/{what}", known.get(name, ()))
        if name == "crm_exchange_rate":
            return listed(get, f"/settings/currencies/{VERSION}/exchange-rates", {}, archived=())
        return unpaged(get, name)

    def check(self) -> Iterator[Check]:
        """One small real call for every permission."""
        return permissions.checks(self._getter(Traffic()))

    def count(self, window: Window) -> int | None:
        """Of an object, what search counts; see connectors.stream.Connector."""
        if window.stream not in OBJECTS:
            return None
        kind, _ = OBJECTS[window.stream]
        body = self._poster(Traffic(), SEARCH_COST)(
            f"/crm/objects/{VERSION}/{kind}/search", price.counting(window, modified_property(kind))
        )
        total = value_at(body, "total")
        return total if isinstance(total, int) else None

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """See connectors.stream.Connector."""
        return price.price(windows, records, windows[0].stream in OBJECTS)

    def _properties(self, stream: str) -> list[str]:
        own = {
            "crm_company": (self._settings.territory_property, self._settings.segment_property),
            "crm_deal": (self._settings.sourcing_property,),
        }
        return sorted({*OBJECTS[stream][1], *own.get(stream, ())})

    def _objects(self, window: Window, traffic: Traffic) -> Iterator[Page]:
        """A full listing, or what changed; then what is archived, which neither shows."""
        kind, _ = OBJECTS[window.stream]
        properties = self._properties(window.stream)
        path = f"/crm/objects/{VERSION}/{kind}"
        params = {"properties": ",".join(properties)}
        get = self._getter(traffic)
        if window.kind == "full":
            yield from listed(get, path, params, archived=(False,))
        else:
            if window.start is None or window.end is None:
                raise ValueError(f"{window.window_id}: a changes window has a start and an end")
            post = self._poster(traffic, SEARCH_COST)
            what = f"hubspot: POST {path}/search"
            # The end is the run's clock: what is stamped later belongs to the next run, which looks back.
            yield from search(
                lambda body: post(f"{path}/search", body),
                modified_property(kind),
                properties,
                window.start,
                window.end,
                what,
            )
        yield from listed(get, path, params, archived=(True,))
        self._check_clock(window)

    def _check_clock(self, window: Window) -> None:
        """A clock of ours that is ahead would have the next run begin after changes that this one has not seen."""
        ahead = timedelta(seconds=self._client.ahead)
        if ahead > self._settings.lookback + CLOCK_SLACK:
            raise ConnectorError(
                f"{window.window_id}: this machine's clock is {ahead.total_seconds() / 60:.0f} minutes ahead of HubSpot's, more than the "
                f"{self._settings.lookback_minutes} that changes are read again (hubspot.lookback_minutes): some would be lost. Nothing was "
                "landed. Set the clock (NTP) and run again."
            )

    def _history(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        parent = window.stream.removesuffix("_history")
        kind = OBJECTS[parent][0]
        ids = known.get(parent, ())
        if not ids:
            return
        body = self._getter(traffic)(f"/crm/properties/{VERSION}/{kind}")
        placed = (self._settings.territory_property, self._settings.segment_property) if parent == "crm_company" else ()
        names = by_ids.watched_properties(body, kind, self._settings.history_properties, placed)
        yield from by_ids.histories(self._poster(traffic), f"/crm/objects/{VERSION}/{kind}/batch/read", ids, names)

    def _getter(self, traffic: Traffic) -> Get:
        def get(path: str, params: Mapping[str, Any] | None = None) -> bytes:
            return self._client.fetch("GET", path, params=params, traffic=traffic)

        return get

    def _poster(self, traffic: Traffic, cost: Mapping[str, int] | None = None) -> by_ids.Post:
        def post(path: str, body: dict[str, Any]) -> bytes:
            return self._client.fetch("POST", path, json=body, cost=cost, traffic=traffic)

        return post


def _auth(settings: HubSpotSettings) -> httpx.Auth:
    if settings.token is not None:
        return BearerAuth(settings.token.get_secret_value())
    assert settings.client_id and settings.client_secret and settings.refresh_token  # the settings' own validator
    return OAuthRefreshAuth(
        token_url=f"{settings.base_url}/oauth/{VERSION}/token",
        client_id=settings.client_id,
        client_secret=settings.client_secret.get_secret_value(),
        refresh_token=settings.refresh_token.get_secret_value(),
    )


def budgets_of(settings: HubSpotSettings) -> dict[str, Budget | Day]:
    """HubSpot counts a request when it comes in: at least 4 % of a window are left for ways and queues of unequal length."""
    reserve = settings.reserve
    return {
        "requests": Budget(settings.requests_per_10_seconds, 10.0, reserve, transit=0.4),
        "search": Budget(settings.search_per_second, 1.0, reserve, transit=0.04),
        # Its limit is told by every answer but search's; an OAuth app has none.
        "day": Day(None, settings.time_zone, reserve),
    }
