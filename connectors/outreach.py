"""Outreach: mailings with who they went to, enrolments in sequences, tasks, calls, and users with their sign-ins.

Docs: developers.outreach.io/api (making requests, common patterns, reference) and its OpenAPI file. JSON:API: {"data", "included", "links"};
cursor paging by links.next, 1,000 a page at most; filters of a range need newFilterSyntax; 10,000 requests an hour for a user, told by
X-RateLimit-*, and a number a year by the plan. Nothing tells what was deleted, and updatedAt moves with every opening, so that a list by it
shifts while it is read: mailings are read by deliveredAt, tasks by when their state changed, the others by creation, and the last weeks again
every night; what is not there any more has gone. Subjects and bodies are not among the fields that are asked for.
Not stated there and assumed: relationships may be named among `fields`; ranges include both ends; X-RateLimit-Reset is in Unix seconds, or in
seconds from now where it is too small for that. X-RateLimit-Remaining may hold two numbers (singer-io/tap-outreach#33).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec

from .auth import TokenAuth
from .client import Client
from .limit_headers import LimitHeaders
from .limits import Budget, Day, shared
from .one_account import OneAccount
from .outreach_auth import InstallationAuth, OutreachRefreshAuth
from .outreach_mailings import mailings
from .outreach_records import LISTS, List, ids_of, next_of, plain, streams_of
from .outreach_settings import OutreachSettings
from .paging import followed_pages, value_at
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
from .token_store import Account
from .verdict import Denied, Fail, Reauth, Verdict, judge_http

__all__ = ["Outreach", "OutreachSettings"]

PAGE = 1000
MEDIA_TYPE = "application/vnd.api+json"
LIMIT = LimitHeaders("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
HEADERS = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}  # without it: 415


class Outreach(OneAccount):
    """One Outreach organisation. now: the run's instant; windows that reach beyond it are read up to it."""

    name = "outreach"
    system: System = "sequencer"
    streams: Sequence[Stream] = streams_of(window_days=7)
    links: Mapping[str, str] = {}

    def __init__(
        self,
        settings: OutreachSettings,
        *,
        workspace: str,
        now: datetime,
        mailboxes: Sequence[str] = (),  # noqa: ARG002  every connector is constructed alike
    ) -> None:
        self.workspace = workspace
        self.now = now
        self.streams = tuple(s for s in streams_of(settings.window_days) if LISTS[s.name].unused not in settings.unused)
        self._settings = settings
        self._base = settings.base_url.rstrip("/")
        budgets: dict[str, Budget | Day] = {"requests": Budget(settings.requests_per_hour, 3600.0, settings.reserve)}
        if settings.requests_per_day is not None:
            budgets["day"] = Day(settings.requests_per_day, "UTC", settings.reserve)
        self._limiter = shared(self.name, f"{workspace}@{self._base}", budgets)
        self._client = Client(
            source=self.name,
            base_url=self._base,
            auth=_auth(settings, workspace),
            limiter=self._limiter,
            judge=judge,
            tells=lambda response: LIMIT.tells(response, "requests"),
            network=settings.network,
        )

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """The window's pages. Nothing counts them: what is known and not there is asked for once more before it is taken for deleted.

        Raises ConnectorError, PermissionMissing.
        """
        one = LISTS[window.stream]
        if not one.stamps:
            yield from self._list(one, {"sort": "id"}, traffic)
        elif told := within(window, self.now):
            missing = set(known.get(window.stream, ()))
            for _ in (1, 2):
                for stamp in one.stamps:
                    for page in self._list(one, {**_between(stamp, *told), "sort": stamp}, traffic):
                        missing -= ids_of(page)
                        yield page
                if not missing:
                    return

    def check(self) -> Iterator[Check]:
        """One record of each list."""
        for one in (LISTS[stream.name] for stream in self.streams):
            try:
                self._client.fetch(
                    "GET", one.path, params={**one.params, "page[size]": 1}, headers=HEADERS, traffic=Traffic()
                )
                yield Check(self.name, one.stream, True, f"{one.path} answers")
            except ConnectorError as error:
                if one.optional and isinstance(error, PermissionMissing):
                    yield Check(self.name, one.stream, True, f"{one.path} is not shown: no {one.feeds}")
                    continue
                remedy = f"Grant {one.scope}. Without it: no {one.feeds}."
                yield Check(
                    self.name, one.stream, False, str(error), remedy if isinstance(error, PermissionMissing) else ""
                )

    def count(self, window: Window) -> int | None:
        """What Outreach counts; see connectors.stream.Connector. Above two million, or under load, it does not."""
        one = LISTS[window.stream]
        params: dict[str, Any] = {**one.params, "page[size]": 1, "count": "true"}
        if window.start is not None and window.end is not None and one.stamps:
            params |= _between(one.stamps[0], window.start, window.end)
        body = self._client.fetch("GET", one.path, params=params, headers=HEADERS, traffic=Traffic())
        counted = value_at(body, "meta.count")
        return counted if isinstance(counted, int) and value_at(body, "meta.count_truncated") is not True else None

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """A page has a thousand, a window one page at least for each way that it is asked."""
        one = LISTS[windows[0].stream]
        requests = len(windows) * max(len(one.stamps), 1) + math.ceil(records.get(one.stream, 0) / PAGE)
        return Price(requests, {"requests": requests})

    def _list(self, one: List, params: Mapping[str, Any], traffic: Traffic) -> Iterator[Page]:
        """A list to its end: each page names the next one by its whole address."""
        asked = {**one.params, **params, "page[size]": PAGE, "count": "false"}

        what = f"{self.name}: GET {one.path}"

        def fetch(address: str | None) -> tuple[bytes, str | None]:
            body = self._client.fetch(
                "GET", address or one.path, params=None if address else asked, headers=HEADERS, traffic=traffic
            )
            return body, next_of(body, what)

        pages = followed_pages(fetch, what, self._base, lambda body: not plain(body).records)
        for body in pages:
            yield mailings(body, what) if one.is_mailing else plain(body)


def _auth(settings: OutreachSettings, workspace: str) -> TokenAuth:
    if settings.refresh_token is not None:
        assert settings.client_id and settings.client_secret and settings.redirect_uri  # the settings see to it
        secret, token = settings.client_secret.get_secret_value(), settings.refresh_token.get_secret_value()
        account = Account(f"outreach.{workspace}")
        return OutreachRefreshAuth(
            settings.client_id, secret, settings.redirect_uri, token, settings.token_url, account
        )
    assert settings.app_guid and settings.install_id and settings.private_key_file
    try:
        key = settings.private_key_file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConnectorError(
            f"outreach.private_key_file: {settings.private_key_file} cannot be read: {type(error).__name__}."
        ) from None
    url = f"{settings.app_url.rstrip('/')}/installs/{settings.install_id}/actions/accessToken"
    return InstallationAuth(settings.app_guid, url, private_key=key)


def _between(stamp: str, first: datetime, last: datetime) -> dict[str, str]:
    """Both ends are included: what is read twice is the same record."""

    def spelt(at: datetime) -> str:
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return {
        "newFilterSyntax": "true",
        f"filter[{stamp}][gte]": spelt(first),
        f"filter[{stamp}][lte]": spelt(last + timedelta(milliseconds=1 if last.microsecond % 1000 else 0)),
    }


def judge(response: httpx.Response) -> Verdict:
    """Outreach's own answers: {"errors": [{"id", "title", "detail"}]}."""
    status = response.status_code
    code, detail = _error(response)
    if status == 429:
        return LIMIT.refused(response, "429, Outreach's requests an hour", "requests")
    if status == 401:
        return Reauth("Outreach does not accept the token: the app's grant may have been revoked. Authorise it again.")
    if status == 403:
        scope = detail.partition("'")[2].partition("'")[0] if code == "unauthorizedOauthScope" else ""
        if code == "unauthorizedRequest":
            told = "The scope is there, but the profile of the user who authorised the app may not see this: give it access to all records."
            return Denied(told)
        return Denied(f"Grant the app the scope {scope or 'that is missing'} and authorise it again.", scope)
    if status in (400, 415, 422):
        return Fail(f"Outreach refuses the request ({code or status}); a newer salespulse may know why.")
    return judge_http(response)


def _error(response: httpx.Response) -> tuple[str, str]:
    """(id, detail) of the first error; some answers say `details`."""
    if response.status_code < 400:
        return "", ""
    try:
        first: Any = msgspec.json.decode(response.content)["errors"][0]
        return str(first.get("id") or ""), str(first.get("detail") or first.get("details") or "")
    except (msgspec.DecodeError, KeyError, TypeError, IndexError, AttributeError, RecursionError, UnicodeDecodeError):
        return "", ""
