"""The limiter against a sandbox that keeps HubSpot's limits, twenty times as fast as real time on both sides of the wire."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.auth import BearerAuth
from connectors.client import Client
from connectors.gmail_answers import judge as judge_gmail
from connectors.hubspot import budgets_of
from connectors.hubspot_answers import judge, tells
from connectors.hubspot_settings import HubSpotSettings
from connectors.limits import Limiter, LimitSpent, Told
from connectors.limits_store import Store
from connectors.stream import Traffic
from sandbox.limits import Limits
from sandbox.server import running
from sandbox.world import parse

FAST = 20.0
OWNERS = "/crm/owners/2026-09"
SEARCH = "/crm/objects/2026-09/calls/search"


def _clock() -> float:
    return time.monotonic() * FAST


class Portal:
    """A sandbox's HubSpot account and clients of it, each with a limiter of its own on one file, as processes have them."""

    def __init__(self, url: str, file: Path, stack: ExitStack, clock: Callable[[], float]) -> None:
        self.url = url
        self._clock = clock
        self._file = file
        self._stack = stack

    def client(self, **settings: Any) -> tuple[Client, Limiter]:
        given = HubSpotSettings.model_validate(
            {"token": "pat-eu1-sandbox", "base_url": f"{self.url}/hubspot", **settings}
        )
        store = self._stack.enter_context(closing(Store(self._file)))
        limiter = Limiter(
            budgets_of(given),
            account="hubspot main",
            store=store,
            clock=self._clock,
            sleep=lambda s: time.sleep(s / FAST),
        )
        client = Client(
            source="hubspot",
            base_url=given.base_url,
            auth=BearerAuth("pat-eu1-sandbox"),
            limiter=limiter,
            judge=judge,
            tells=tells,
        )
        return self._stack.enter_context(closing(client)), limiter

    def options(self, **given: Any) -> None:
        httpx.post(f"{self.url}/hubspot/__sandbox__/options", json=given).raise_for_status()
        httpx.delete(f"{self.url}/__sandbox__/requests").raise_for_status()

    def statuses(self) -> dict[str, int]:
        return httpx.get(f"{self.url}/__sandbox__/requests").json()["statuses"]


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    with _portal(tmp_path) as found:
        yield found


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Portal]:
    """A portal where no time passes, however busy the machine is."""
    with _portal(tmp_path, lambda: 1000.0) as found:
        yield found


@contextmanager
def _portal(folder: Path, clock: Callable[[], float] = _clock) -> Iterator[Portal]:
    world = parse(
        {"company": {"now": "2026-03-20T06:00:00Z"}, "reps": [{"key": "a", "name": "A", "email": "a@acme.com"}]}
    )
    with running(world, limits=Limits(clock=clock)) as url, ExitStack() as stack:
        yield Portal(url, folder / "limits.sqlite", stack, clock)


def _together(clients: list[Client], calls: int, method: str, path: str, cost: dict[str, int], **more: Any) -> None:
    """So many calls, four threads a client."""

    def ask(number: int) -> None:
        clients[number % len(clients)].fetch(method, path, cost=cost, traffic=Traffic(), **more)

    with ThreadPoolExecutor(4 * len(clients)) as pool:
        list(pool.map(ask, range(calls)))


def test_a_lower_tier_is_found_out_and_kept_without_a_refusal(portal: Portal) -> None:
    """Set 190, the account has 100 in 10 s: 250 requests of two limiters, none of them refused."""
    portal.options(burst=100)
    (one, limiter), (two, _) = portal.client(reserve=0), portal.client(reserve=0)
    _together([one, two], 250, "GET", OWNERS, {"requests": 1})
    assert portal.statuses() == {"crm 200": 250}
    assert limiter.remaining()["requests"].limit == 100


def test_searches_of_two_limiters_are_never_refused(portal: Portal) -> None:
    """Five a second for both together: 20 searches, of whose limit no header tells."""
    (one, _), (two, _) = portal.client(reserve=0), portal.client(reserve=0)
    body = {"filterGroups": [], "sorts": [], "properties": [], "limit": 1}
    _together([one, two], 20, "POST", SEARCH, {"requests": 1, "search": 1}, json=body)
    assert portal.statuses() == {"crm 200": 20}


def test_what_another_integration_uses_is_left_to_it(still: Portal) -> None:
    """Another app has used 150 of 190. With a reserve of 10 % (19), 21 are ours until its requests are over, and 19 stay free."""
    other = httpx.Client(base_url=f"{still.url}/hubspot", headers={"Authorization": "Bearer pat-eu1-sandbox"})
    with other:
        for _ in range(150):
            other.get(OWNERS).raise_for_status()
        client, limiter = still.client()
        _together([client], 12, "GET", OWNERS, {"requests": 1})
        left = limiter.remaining()["requests"]
        assert (left.limit, left.permitted) == (190, 171)
        assert 130 <= left.others <= 150, "those of the other app that are surely its own"
        assert int(other.get(OWNERS).headers["X-HubSpot-RateLimit-Remaining"]) >= 19


def test_the_daily_limit_stops_at_the_reserve_and_says_so(portal: Portal) -> None:
    """30 a day, a tenth reserved: 27 are sent one after another, none refused, and the next one is not sent at all."""
    portal.options(daily=30)
    client, limiter = portal.client(time_zone="Europe/Berlin")
    with pytest.raises(LimitSpent, match=r"/crm/owners.*: not sent\. hubspot main: of 30 requests a day 3 are left"):
        for _ in range(40):
            client.fetch("GET", OWNERS, traffic=Traffic())
    assert portal.statuses() == {"crm 200": 27}
    day = limiter.remaining()["day"]
    assert (day.limit, day.permitted, day.free) == (30, 27, 0)
    assert day.ends is not None and day.ends > datetime.now(UTC)


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"Max": "110", "Remaining": "109", "Interval-Milliseconds": "10000"}, [Told("requests", 110, 109)]),
        ({"Max": "11", "Remaining": "9", "Interval-Milliseconds": "1000"}, []),
        ({"Daily": "650000", "Daily-Remaining": "12"}, [Told("day", 650_000, 12)]),
        ({"Max": "many", "Remaining": "-1", "Daily": "", "Daily-Remaining": "9" * 40}, []),
        ({}, []),
    ],
)
def test_what_hubspots_headers_tell(headers: dict[str, str], told: list[Told]) -> None:
    named = {f"X-HubSpot-RateLimit-{name}": text for name, text in headers.items()}
    assert list(tells(httpx.Response(200, headers=named))) == told


@pytest.mark.parametrize(
    ("status", "reason", "budget"),
    [(403, "rateLimitExceeded", "project"), (403, "userRateLimitExceeded", "user"), (429, "rateLimitExceeded", "user")],
)
def test_gmails_refusals_name_whose_quota_it_was(status: int, reason: str, budget: str) -> None:
    verdict: Any = judge_gmail(httpx.Response(status, json={"error": {"errors": [{"reason": reason}]}}), "scope")
    assert (verdict.everyone, verdict.budget) == (True, budget)
