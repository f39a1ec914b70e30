"""Okta: sign-ins to tools and who has been assigned one, from the System Log and the lists of apps and their users.

Docs: developer.okta.com/docs/reference/system-log-query, /docs/api/openapi/okta-management (2026.06.3). A query of the log with
since and until is ordered by `published` and ends; one without until would name a next page for ever. The log is kept for 90 days,
older queries just answer less. It may show events late, so the last days are read again; nothing is ever taken out of it.
Limits: 60 a minute for a token on /logs of a default org, and more on the lists; X-Rate-Limit-* headers tell the real ones.
A sign-in says who and to what; whether the tool itself let the person in, Okta does not know. People's profiles hold home addresses and
the like: of a user, an assignment and an event only the fields that the metrics need are kept.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import httpx
import msgspec
from pydantic import Field, SecretStr, model_validator

from .auth import BearerAuth, ClientCredentialsAuth
from .client import Client, Denied, Fail, Reauth, Verdict, judge_http
from .limit_headers import LimitHeaders
from .limits import Budget, Told, shared
from .network import SourceSettings
from .one_account import OneAccount
from .paging import cut_down, followed_pages, records_of
from .stream import (
    Check,
    ConnectorError,
    DateRange,
    Page,
    PermissionMissing,
    Price,
    Snapshot,
    Stream,
    System,
    Traffic,
    Window,
    within,
)

LOG_PAGE, LIST_PAGE, APP_USER_PAGE = 1000, 200, 500
LIMIT = LimitHeaders("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")
KEPT = timedelta(days=90)
SIGN_IN = "user.authentication.sso"
SEAT_EVENTS = ("application.user_membership.add", "application.user_membership.remove")
FILTER = " or ".join(f'eventType eq "{name}"' for name in (SIGN_IN, *SEAT_EVENTS))
SCOPES = {"logs": "okta.logs.read", "apps": "okta.apps.read", "users": "okta.users.read"}


class OktaSettings(SourceSettings):
    """Section [okta]: an API token, or a service app with a private key."""

    base_url: str = Field(description="The organisation's address, https://acme.okta.com.", pattern=r"^https?://")
    api_token: SecretStr | None = Field(None, description="An API token of a read-only administrator.")
    client_id: str | None = Field(None, description="Or a service app's client id,")
    private_key_file: Path | None = Field(None, description="and the file of its private key, PEM.")
    key_id: str | None = Field(None, description="The key's id (kid), where the app has several.")
    apps: list[str] = Field(
        default=[], description="Whose assignments are read, by id or label; by default what tools name."
    )
    logs_per_minute: Annotated[int, Field(ge=1)] = Field(60, description="Requests a minute to the System Log.")
    lists_per_minute: Annotated[int, Field(ge=1)] = Field(50, description="Requests a minute to each list.")
    reserve: Annotated[float, Field(ge=0, lt=1)] = Field(0.1, description="Share of these left to others.")

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if (self.api_token is None) == (self.client_id is None or self.private_key_file is None):
            raise ValueError("give api_token, or client_id and private_key_file")
        return self


USERS = Stream(
    "tool_user", Snapshot(), updated_at="lastUpdated", scopes=(SCOPES["users"],), feeds="who a sign-in is of"
)
APPS = Stream("tool_app", Snapshot(), updated_at="lastUpdated", scopes=(SCOPES["apps"],), feeds="names of the tools")
SEATS = Stream(
    "tool_app_user",
    Snapshot(absence_means="deleted"),
    key=("app", "user.id"),
    updated_at="user.lastUpdated",
    scopes=(SCOPES["apps"],),
    feeds="who has a seat of a tool",
)
EVENTS = Stream(
    "tool_action",
    DateRange(span=timedelta(days=7), lag=timedelta(hours=1), kept=KEPT),
    key=("uuid",),
    happened_at="published",
    scopes=(SCOPES["logs"],),
    feeds="use of tools by sign-ins",
)


class _Profile(msgspec.Struct, omit_defaults=True):
    login: str | None = None
    email: str | None = None


class _Credentials(msgspec.Struct, omit_defaults=True):
    userName: str | None = None


class _User(msgspec.Struct, omit_defaults=True):
    """Of a user, or of one of an app."""

    id: str | None = None
    status: str | None = None
    scope: str | None = None
    created: str | None = None
    lastUpdated: str | None = None
    profile: _Profile | None = None
    credentials: _Credentials | None = None


class _App(msgspec.Struct, omit_defaults=True):
    id: str | None = None
    name: str | None = None
    label: str | None = None
    status: str | None = None
    created: str | None = None
    lastUpdated: str | None = None


class _Entity(msgspec.Struct, omit_defaults=True):
    id: str | None = None
    type: str | None = None
    alternateId: str | None = None
    displayName: str | None = None


class _Outcome(msgspec.Struct, omit_defaults=True):
    result: str | None = None


class _Event(msgspec.Struct, omit_defaults=True):
    uuid: str | None = None
    published: str | None = None
    eventType: str | None = None
    actor: _Entity | None = None
    outcome: _Outcome | None = None
    target: list[_Entity] | None = None


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
        self._settings = settings
        self._base = settings.base_url.rstrip("/")
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
                yield from self._seats(traffic)
            case USERS.name:
                for body in self._bodies("/api/v1/users", {"limit": LIST_PAGE}, traffic):
                    yield cut_down(body, "", _User)
            case _:
                for body in self._bodies("/api/v1/apps", {"limit": LIST_PAGE}, traffic):
                    yield cut_down(body, "", _App)

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
                yield cut_down(body, "", _Event)
        yield Page(seen=known)

    def _seats(self, traffic: Traffic) -> Iterator[Page]:
        """Assignments of the apps that were asked for; where none was, of all that are active."""
        wanted = {app.lower() for app in self._settings.apps}
        apps: list[_App] = []
        for body in self._bodies("/api/v1/apps", {"limit": LIST_PAGE}, traffic):
            apps += msgspec.json.decode(body, type=list[_App])
        for app in apps:
            names = {(app.id or "").lower(), (app.label or "").lower()}
            if app.id is None or not (names & wanted if wanted else app.status == "ACTIVE"):
                continue
            for body in self._bodies(f"/api/v1/apps/{app.id}/users", {"limit": APP_USER_PAGE}, traffic):
                page = cut_down(body, "", _User)
                head = msgspec.json.encode({"app": app.id, "label": app.label})[:-1]
                yield Page(records=[head + b',"user":' + user + b"}" for user in page.records], rejected=page.rejected)

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

        cost = {_budget(path): 1}
        body = self._client.fetch("GET", path, params=params, cost=cost, traffic=traffic, heard=heard)
        return body, following[-1]


def _auth(settings: OktaSettings, base: str) -> httpx.Auth:
    if settings.api_token is not None:
        return BearerAuth(settings.api_token.get_secret_value(), "SSWS")
    assert settings.client_id is not None and settings.private_key_file is not None  # the settings see to it
    try:
        key = settings.private_key_file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConnectorError(
            f"okta.private_key_file: {settings.private_key_file} cannot be read: {type(error).__name__}. Download the key again."
        ) from None
    return ClientCredentialsAuth(
        settings.client_id,
        f"{base}/oauth2/v1/token",
        " ".join(SCOPES.values()),
        private_key=key,
        key_id=settings.key_id,
        remedy="Check client_id and private_key_file, grant the app these scopes, and give it a read-only administrator's role.",
    )


def _bounds(first: datetime, last: datetime) -> dict[str, str]:
    """since is inclusive, until is not; both to the millisecond."""

    def spelt(at: datetime) -> str:
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return {"since": spelt(first), "until": spelt(last)}


def _budget(path: str) -> Literal["logs", "apps", "users"]:
    """Whose limit a call counts to: Okta has one a kind of resource."""
    bare = httpx.URL(path).path
    return "logs" if "/api/v1/logs" in bare else "apps" if "/api/v1/apps" in bare else "users"


def judge(response: httpx.Response) -> Verdict:
    """Okta's own answers. Errors are {"errorCode": "E0000047", "errorSummary": …}."""
    status = response.status_code
    if status == 429:
        return LIMIT.refused(response, "429, Okta's limit", _budget(str(response.request.url)))
    if status == 401:
        return Reauth(
            "Okta does not accept the credential: an API token ends after 30 days without use, or with its owner."
        )
    if status == 403:
        scope = SCOPES[_budget(str(response.request.url))]
        return Denied(f"Grant {scope}; a token has the rights of the administrator who made it.", scope)
    if status == 400 and _code(response) == "E0000053":
        return Fail("Okta keeps no log of that time any more.")
    return judge_http(response)


def tells(response: httpx.Response) -> Iterator[Told]:
    """What Okta's headers say of the limit."""
    return LIMIT.tells(response, _budget(str(response.request.url)))


def _code(response: httpx.Response) -> str:
    try:
        return str(json.loads(response.content)["errorCode"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
