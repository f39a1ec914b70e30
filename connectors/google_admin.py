"""Google Admin: sign-ins to tools through Google, from the audit activities of the Reports API, with domain-wide delegation.

Docs: developers.google.com/workspace/admin/reports/v1 (discovery admin.reports_v1 20260929; limits; appendix activity/{saml,token,login}).
Read are saml login_success (a sign-in to a tool through Google), token authorize (a person let a tool use the Google account) and
login login_success (to Google itself). What tools do by their tokens (token activity) is no use by a person. Limits: 2,400 queries a
minute and user, of those that name an event 250. Activities are kept for 180 days and may show hours late; none is ever taken out.
The subject must be an administrator with the Reports privilege. Of an activity only who, when and of which tool is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
import msgspec
from pydantic import Field

from .client import Client
from .gmail_answers import judge as judge_google
from .key_file import KeyFile, service_account_key
from .left_out import cut_down
from .limits import Budget, shared
from .network import SourceSettings
from .one_account import OneAccount
from .paging import cursor_pages, value_at
from .service_account import ServiceAccountAuth
from .shape import excerpt
from .stream import (
    Check,
    ConnectorError,
    DateRange,
    FormatChanged,
    Page,
    PermissionMissing,
    Price,
    Stream,
    System,
    Traffic,
    Window,
    within,
)
from .verdict import Retry, Verdict

SCOPE = "https://www.googleapis.com/auth/admin.reports.audit.readonly"
EVENTS: Mapping[str, str] = {"saml": "login_success", "token": "authorize", "login": "login_success"}
KEPT = timedelta(days=180)
PAGE = 1000  # the largest there is
KIND = "admin#reports#activities"


class GoogleAdminSettings(SourceSettings):
    """Section [google_admin]: a service account with domain-wide delegation, in the name of an administrator."""

    service_account_file: KeyFile = Field(description="The JSON key of the service account.")
    subject: str = Field(description="The administrator in whose name it reads.", pattern=r"^[^@\s]+@[^@\s]+$")
    base_url: str = Field("https://admin.googleapis.com", description="Where the API is.", pattern=r"^https?://")
    token_url: str | None = Field(None, description="The token endpoint; by default the key file's.")
    applications: list[str] = Field(default=list(EVENTS), description="Of saml, token and login those that are read.")
    queries_per_minute: Annotated[int, Field(ge=1)] = Field(250, description="Queries a minute that name an event.")
    reserve: Annotated[float, Field(ge=0, lt=1)] = Field(0.1, description="Share of these left to others.")


ACTIONS = Stream(
    "tool_action",
    DateRange(span=timedelta(days=7), lag=timedelta(hours=4), kept=KEPT),
    key=("id.applicationName", "id.time", "id.uniqueQualifier"),
    happened_at="id.time",
    scopes=(SCOPE,),
    feeds="use of tools by sign-ins through Google",
)


class _Id(msgspec.Struct, omit_defaults=True):
    time: str | None = None
    uniqueQualifier: str | int | None = None
    applicationName: str | None = None


class _Actor(msgspec.Struct, omit_defaults=True):
    email: str | None = None
    profileId: str | None = None
    callerType: str | None = None


class _Parameter(msgspec.Struct, omit_defaults=True):
    name: str | None = None
    value: str | None = None


class _Event(msgspec.Struct, omit_defaults=True):
    name: str | None = None
    parameters: list[_Parameter] = []


class _Activity(msgspec.Struct, omit_defaults=True):
    id: _Id | None = None
    actor: _Actor | None = None
    events: list[_Event] = []


class GoogleAdmin(OneAccount):
    """The audit activities of one Google Workspace. now: the run's instant; windows that reach beyond it are read up to it."""

    name = "google_admin"
    system: System = "tools"
    streams: Sequence[Stream] = (ACTIONS,)
    links: Mapping[str, str] = {}

    def __init__(
        self,
        settings: GoogleAdminSettings,
        *,
        workspace: str,
        now: datetime,
        mailboxes: Sequence[str] = (),  # noqa: ARG002  every connector is constructed alike
    ) -> None:
        self.workspace = workspace
        self.now = now
        self._applications = [name for name in EVENTS if name in settings.applications]
        budgets = {"queries": Budget(settings.queries_per_minute, 60.0, settings.reserve)}
        self._limiter = shared(self.name, f"{workspace}@{settings.base_url}", budgets)
        key = service_account_key(settings.service_account_file, "google_admin.service_account_file")
        self._client = Client(
            source=self.name,
            base_url=settings.base_url,
            auth=ServiceAccountAuth(key, SCOPE, settings.subject, settings.token_url),
            limiter=self._limiter,
            judge=judge,
            network=settings.network,
            first_wait=4.0,  # the limit's window is a minute
        )

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """Activities of [start, end), as far back as Google keeps them: what is not listed has not gone.

        Raises ConnectorError, PermissionMissing.
        """
        if told := within(window, self.now, KEPT):
            for application in self._applications:
                for body in self._bodies(application, told, traffic):
                    # A list without activities has no items at all.
                    has_items = value_at(body, "items") is not None
                    yield cut_down(body, "items", _Activity, ACTIONS.key) if has_items else Page()
        yield Page(seen=known.get(ACTIONS.name, ()))

    def check(self) -> Iterator[Check]:
        """An activity of each application within the last hour."""
        for application in self._applications:
            try:
                self._page(application, (self.now - timedelta(hours=1), self.now), {"maxResults": 1}, Traffic())
                yield Check(self.name, application, True, f"activities of {application} answer")
            except ConnectorError as error:
                remedy = (
                    f"Delegate {SCOPE}, and give the subject the Reports privilege. Without it: no {ACTIONS.feeds}."
                )
                told = remedy if isinstance(error, PermissionMissing) else ""
                yield Check(self.name, application, False, str(error), told)

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """A page has a thousand; each application has one at least."""
        pages = math.ceil(records.get(ACTIONS.name, 0) / PAGE)
        requests = len(windows) * len(self._applications) + pages
        return Price(requests, {"queries": requests})

    def _bodies(self, application: str, told: tuple[datetime, datetime], traffic: Traffic) -> Iterator[bytes]:
        def fetch(token: str | None) -> bytes:
            return self._page(
                application, told, {"maxResults": PAGE, **({"pageToken": token} if token else {})}, traffic
            )

        yield from cursor_pages(fetch, "nextPageToken", f"{self.name}: activities of {application}")

    def _page(
        self, application: str, told: tuple[datetime, datetime], params: Mapping[str, Any], traffic: Traffic
    ) -> bytes:
        """Raises FormatChanged for an answer that is no list of activities: it would pass for a day without any."""
        path = f"/admin/reports/v1/activity/users/all/applications/{application}"
        start, end = (at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") for at in told)
        asked = {"startTime": start, "endTime": end, "eventName": EVENTS[application], **params}
        body = self._client.fetch("GET", path, params=asked, cost={"queries": 1}, traffic=traffic)
        if value_at(body, "kind") != KIND and value_at(body, "items") is None:
            raise FormatChanged(
                f"{self.name}: GET {path}: neither kind {KIND} nor items in {excerpt(body)}; the window stays due."
            )
        return body


def judge(response: httpx.Response) -> Verdict:
    """Google's own answers; the Reports API also says by a 503 that a quota is used up, which is tried again like any other."""
    verdict = judge_google(response, SCOPE)
    return replace(verdict, budget="") if isinstance(verdict, Retry) else verdict
