"""Microsoft Entra: sign-ins to tools, from Microsoft Graph's sign-in log, with an application's own credential.

Docs: learn.microsoft.com/graph/api/signin-list, /graph/throttling-limits, /entra/identity/monitoring-health/reference-reports-data-retention.
v1.0 tells interactive and federated sign-ins. The tenant needs Entra ID P1 or P2, without it the API refuses; sign-ins are kept for 30
days. 5 requests in 10 seconds for an application and tenant. Newest first, 1,000 a page; `@odata.nextLink` is followed whole. Late sign-ins
show on later readings; none is ever taken out. status.errorCode 0 is a success. Of a sign-in only who, when and to what is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
import msgspec
from pydantic import Field

from .graph import GraphSettings, error_code, graph_client, graph_page
from .left_out import cut_down
from .limits import Budget, shared
from .one_account import OneAccount
from .paging import followed_pages, records_of
from .stream import (
    Check,
    ConnectorError,
    DateRange,
    Page,
    PermissionMissing,
    Price,
    Stream,
    System,
    Traffic,
    Window,
    within,
)
from .verdict import Denied, Verdict, judge_http

PERMISSIONS = ("AuditLog.Read.All", "Directory.Read.All")
KEPT = timedelta(days=30)
PAGE = 1000  # the largest there is
PATH = "/auditLogs/signIns"
NO_LICENCE = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"


class EntraSettings(GraphSettings):
    """Section [entra]: an app registration with application permissions that an administrator consented to."""

    requests_per_10_seconds: Annotated[int, Field(ge=1)] = Field(5, description="Graph's limit for sign-ins.")


ACTIONS = Stream(
    "tool_action",
    DateRange(span=timedelta(days=7), lag=timedelta(hours=1), kept=KEPT),
    happened_at="createdDateTime",
    scopes=PERMISSIONS,
    feeds="use of tools by sign-ins through Entra",
)


class _Status(msgspec.Struct, omit_defaults=True):
    errorCode: int | None = None


class _SignIn(msgspec.Struct, omit_defaults=True):
    id: str | None = None
    createdDateTime: str | None = None
    userId: str | None = None
    userPrincipalName: str | None = None
    appId: str | None = None
    appDisplayName: str | None = None
    isInteractive: bool | None = None
    status: _Status | None = None


class Entra(OneAccount):
    """The sign-ins of one tenant. now: the run's instant; windows that reach beyond it are read up to it."""

    name = "entra"
    system: System = "tools"
    streams: Sequence[Stream] = (ACTIONS,)
    links: Mapping[str, str] = {}

    def __init__(
        self,
        settings: EntraSettings,
        *,
        workspace: str,
        now: datetime,
        mailboxes: Sequence[str] = (),  # noqa: ARG002  every connector is constructed alike
    ) -> None:
        self.workspace = workspace
        self.now = now
        self._base = settings.base
        budgets = {"requests": Budget(settings.requests_per_10_seconds, 10.0, settings.reserve)}
        self._limiter = shared(self.name, f"{workspace}@{settings.tenant}@{self._base}", budgets)
        self._client = graph_client(self.name, settings, self._limiter, judge)

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """Sign-ins of [start, end), as far back as Entra keeps them: what is not listed has not gone.

        Raises ConnectorError, PermissionMissing.
        """
        if told := within(window, self.now, KEPT):
            start, end = (at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") for at in told)
            params = {"$filter": f"createdDateTime ge {start} and createdDateTime lt {end}", "$top": PAGE}
            for body in self._bodies(params, traffic):
                yield cut_down(body, "value", _SignIn, ACTIONS.key)
        yield Page(seen=known.get(ACTIONS.name, ()))

    def check(self) -> Iterator[Check]:
        """One sign-in."""
        try:
            records_of(self._page(None, {"$top": 1}, Traffic())[0], "value")
            yield Check(self.name, ACTIONS.name, True, f"{PATH} answers")
        except ConnectorError as error:
            remedy = f"Grant {' and '.join(PERMISSIONS)} with admin consent. Without them: no {ACTIONS.feeds}."
            told = remedy if isinstance(error, PermissionMissing) else ""
            yield Check(self.name, ACTIONS.name, False, str(error), told)

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """A page has a thousand, a window one page at least."""
        requests = len(windows) + math.ceil(records.get(ACTIONS.name, 0) / PAGE)
        return Price(requests, {"requests": requests})

    def _bodies(self, params: Mapping[str, Any], traffic: Traffic) -> Iterator[bytes]:
        def fetch(address: str | None) -> tuple[bytes, str | None]:
            return self._page(address, params, traffic)

        yield from followed_pages(
            fetch, f"{self.name} {PATH}", self._base, lambda body: not records_of(body, "value")[0]
        )

    def _page(self, address: str | None, params: Mapping[str, Any], traffic: Traffic) -> tuple[bytes, str | None]:
        """A page, and the address of the next one: of that no part is made or read here."""
        query = {} if address else {"params": params}
        body, links = graph_page(self._client, self.name, address or PATH, traffic, **query)
        return body, links.next


def judge(response: httpx.Response) -> Verdict:
    """Graph's own answers. Errors are {"error": {"code": …, "message": …}}."""
    if response.status_code == 403:
        if error_code(response) == NO_LICENCE:
            return Denied(
                "Sign-ins are told to tenants with Entra ID P1 or P2 only; this one has neither.", "Entra ID P1"
            )
        told = " and ".join(PERMISSIONS)
        return Denied(f"Grant the app registration {told} (application permissions) with admin consent.", told)
    return judge_http(response)
