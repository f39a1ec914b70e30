"""Okta: sign-ins to tools and who has been assigned one, from the System Log and the lists of apps and their users.

Docs: developer.okta.com/docs/reference/system-log-query, /docs/api/openapi/okta-management (2026.06.3). A query of the log with
since and until is ordered by `published` and ends; one without until would name a next page for ever. The log is kept for 90 days,
older queries just answer less. It may show events late, so the last days are read again; nothing is ever taken out of it.
Limits: 60 a minute for a token on /logs of a default org, and more on the lists; X-Rate-Limit-* headers tell the real ones.
A sign-in says who and to what; whether the tool itself let the person in, Okta does not know.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec

from .auth import BearerAuth, ClientCredentialsAuth
from .client import Client
from .key_file import private_key
from .left_out import cut_down
from .limits import Budget, shared
from .okta_answers import budget_of, judge, tells
from .okta_records import APPS, EVENTS, FILTER, KEPT, SCOPES, SEATS, USERS, App, Event, User
from .okta_settings import OktaSettings
from .one_account import OneAccount
from .paging import followed_pages, records_of
from .stream import (
    Check,
    ConnectorError,
    Page,
    PermissionMissing,
    Price,
    Stream,
    System,
    Traffic,
    Window,
    within,
)

__all__ = ["Okta", "OktaSettings"]

LOG_PAGE, LIST_PAGE, APP_USER_PAGE = 1000, 200, 500


class Okta(OneAccount):
    """One Okta organisation. now: the run's instant; windows that reach beyond it are read up to it."""

    name = "okta"
    system: System = "tools"
    streams: Sequence[Stream] = (USERS, APPS, SEATS, EVENTS)
    links: Mapping[str, str] = {}

    def __init__(
        self,
        settings: OktaSettings,
        *,
        workspace: str,
        now: datetime,
        mailboxes: Sequence[str] = (),  # noqa: ARG002  every connector is constructed alike
    ) -> None:
        self.workspace = workspace
        self.now = now
        self._base = settings.base_url.rstrip("/")
        self._wanted = {app.lower() for app in settings.apps}
        lists = {name: Budget(settings.lists_per_minute, 60.0, settings.reserve) for name in ("apps", "users")}
        budgets = {"logs": Budget(settings.logs_per_minute, 60.0, settings.reserve), **lists}
        self._limiter = shared(self.name, f"{workspace}@{self._base}", budgets)
        self._client = Client(
            source=self.name,
            base_url=self._base,
            auth=_auth(settings, self._base),
            limiter=self._limiter,
            judge=judge,
            tells=tells,
            network=settings.network,
            first_wait=4.0,  # the limit's window is a minute
        )

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """The window's pages. Raises ConnectorError, PermissionMissing."""
        match window.stream:
            case EVENTS.name:
                yield from self._events(window, known.get(EVENTS.name, ()), traffic)
            case SEATS.name:
                yield from self._seats(known.get(SEATS.name, ()), traffic)
            case USERS.name:
                for body in self._bodies("/api/v1/users", {"limit": LIST_PAGE}, traffic):
                    yield cut_down(body, "", User)
            case _:
                for body in self._bodies("/api/v1/apps", {"limit": LIST_PAGE}, traffic):
                    yield cut_down(body, "", App)

    def check(self) -> Iterator[Check]:
        """One item of each list, and of the last hour's log."""
        hour = _bounds(self.now - timedelta(hours=1), self.now)
        asked: list[tuple[Stream, str, Mapping[str, Any]]] = [
            (USERS, "/api/v1/users", {"limit": 1}),
            (APPS, "/api/v1/apps", {"limit": 1}),
            (EVENTS, "/api/v1/logs", {**hour, "filter": FILTER, "limit": 1}),
        ]
        for stream, path, params in asked:
            try:
                self._fetch(path, params, Traffic())
                yield Check(self.name, stream.name, True, f"{path} answers")
            except ConnectorError as error:
                remedy = f"Grant {stream.scopes[0]}. Without it: no {stream.feeds}."
                told = remedy if isinstance(error, PermissionMissing) else ""
                yield Check(self.name, stream.name, False, str(error), told)
        with suppress(ConnectorError):  # told above
            if self._wanted:
                yield self._check_seats()

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """A window has one page at least, of which the last one is half full on average."""
        stream = windows[0].stream
        size = {EVENTS.name: LOG_PAGE, SEATS.name: APP_USER_PAGE}.get(stream, LIST_PAGE)
        full = records.get(stream, 0) / len(windows) / size
        requests = len(windows) if full <= 1 else math.ceil((full + 0.5) * len(windows))
        return Price(
            requests, {"logs" if stream == EVENTS.name else "users" if stream == USERS.name else "apps": requests}
        )

    def _events(self, window: Window, known: Sequence[str], traffic: Traffic) -> Iterator[Page]:
        """Events of [start, end), as far back as Okta keeps them. The log only grows: what is not listed has not gone."""
        if told := within(window, self.now, KEPT):
            params = {**_bounds(*told), "filter": FILTER, "sortOrder": "ASCENDING", "limit": LOG_PAGE}
            for body in self._bodies("/api/v1/logs", params, traffic):
                yield cut_down(body, "", Event, EVENTS.key)
        yield Page(seen=known)

    def _seats(self, known: Sequence[str], traffic: Traffic) -> Iterator[Page]:
        """Assignments of the apps that were asked for; where none was, of all that are active. An app that cannot be read is left out."""
        apps, is_whole = self._apps(traffic)
        if not is_whole:  # nobody looks into that app, so its seats have not gone
            read = {app.id for app in apps}
            yield Page(seen=[seat for seat in known if seat.partition("/")[0] not in read])
        for app in apps:
            if app.id is None or not (_names(app) & self._wanted if self._wanted else app.status == "ACTIVE"):
                continue
            for body in self._bodies(f"/api/v1/apps/{app.id}/users", {"limit": APP_USER_PAGE}, traffic):
                page = cut_down(body, "", User, prefix=f"{app.id}/")
                head = msgspec.json.encode({"app": app.id, "label": app.label})[:-1]
                yield replace(page, records=[head + b',"user":' + user + b"}" for user in page.records])

    def _apps(self, traffic: Traffic) -> tuple[list[App], bool]:
        """All apps that can be read, and whether these are all that there are."""
        pages = [cut_down(body, "", App) for body in self._bodies("/api/v1/apps", {"limit": LIST_PAGE}, traffic)]
        apps = [msgspec.json.decode(record, type=App) for page in pages for record in page.records]
        return apps, not any(page.rejected for page in pages)

    def _check_seats(self) -> Check:
        """Is there an app for each that was asked for?"""
        apps, is_whole = self._apps(Traffic())
        unknown = sorted(self._wanted - {name for app in apps for name in _names(app)}) if is_whole else []
        if not unknown:
            return Check(self.name, SEATS.name, True, f"there are apps for all {len(self._wanted)} that were asked for")
        remedy = "Name it in [[tools]] seats, or [okta] apps, by its id, or by its label as it is now. Until then: nobody has a seat of it."
        return Check(self.name, SEATS.name, False, f"no app has the id or label {', '.join(unknown)}", remedy)

    def _bodies(self, path: str, params: Mapping[str, Any], traffic: Traffic) -> Iterator[bytes]:
        """All pages of a list: each names the next one in its Link header."""

        def fetch(address: str | None) -> tuple[bytes, str | None]:
            return self._fetch(path if address is None else address, params if address is None else None, traffic)

        what = f"{self.name} {path}"
        yield from followed_pages(fetch, what, self._base, lambda body: not records_of(body, "")[0])

    def _fetch(self, path: str, params: Mapping[str, Any] | None, traffic: Traffic) -> tuple[bytes, str | None]:
        """A page, and the address of the next one."""
        following: list[str | None] = []

        def heard(response: httpx.Response) -> None:
            following.append(response.links.get("next", {}).get("url"))

        cost = {budget_of(path): 1}
        body = self._client.fetch("GET", path, params=params, cost=cost, traffic=traffic, heard=heard)
        return body, following[-1]


def _auth(settings: OktaSettings, base: str) -> httpx.Auth:
    if settings.api_token is not None:
        return BearerAuth(settings.api_token.get_secret_value(), "SSWS")
    assert settings.client_id is not None and settings.private_key_file is not None  # the settings see to it
    key = private_key(settings.private_key_file, "okta.private_key_file")
    return ClientCredentialsAuth(
        settings.client_id,
        f"{base}/oauth2/v1/token",
        " ".join(SCOPES.values()),
        private_key=key,
        key_id=settings.key_id,
        remedy="Check client_id and private_key_file, grant the app these scopes, and give it a read-only administrator's role.",
    )


def _names(app: App) -> set[str]:
    """By which settings may ask for it."""
    return {(app.id or "").lower(), (app.label or "").lower()}


def _bounds(first: datetime, last: datetime) -> dict[str, str]:
    """since is inclusive, until is not; both to the millisecond."""

    def spelt(at: datetime) -> str:
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return {"since": spelt(first), "until": spelt(last)}
