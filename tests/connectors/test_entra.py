"""Entra's sign-in log over real HTTP: what is asked, pages, throttling, the licence, and the pitfalls that concern it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.entra import KEPT, NO_LICENCE, Entra, EntraSettings
from connectors.stream import ConnectorError, PermissionMissing, Traffic, Window
from tests.connectors.conftest import QUICK, Answer, Asked, Vendor, answer

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
WEEK = Window("entra", "main", "tool_action", "range", NOW - timedelta(days=7), NOW)
Source = Callable[..., Entra]


@pytest.fixture
def source(vendor: Vendor) -> Iterator[Source]:
    opened: list[Entra] = []

    def make(**more: Any) -> Entra:
        given = {
            "tenant": "acme.example",
            "client_id": "app",
            "client_secret": "s3cret",
            "base_url": f"{vendor.url}/v1.0",
            "login_url": vendor.url,
            "requests_per_10_seconds": 10**6,
            "network": QUICK,
        }
        settings = EntraSettings.model_validate({**given, **more})
        opened.append(Entra(settings, workspace=f"w{len(opened)}-{id(vendor)}", now=NOW))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def sign_in(key: str) -> dict[str, Any]:
    return {
        "id": key,
        "createdDateTime": "2026-03-16T10:00:00.1234567Z",
        "userId": "u",
        "ipAddress": "203.0.113.7",
        "status": {"errorCode": 0},
    }


def scripted(vendor: Vendor, *answers: Answer) -> None:
    """A token, then these answers in order, the last one for ever."""
    left = list(answers)

    def script(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            return answer({"access_token": "t0ken", "expires_in": 3600})
        return left.pop(0) if len(left) > 1 else left[0]

    vendor.script = script


def test_next_links_are_followed_whole_to_the_end(vendor: Vendor, source: Source) -> None:
    """(1, 2) An empty page that names a next one is no end; nothing of a link is read or made."""
    following = f"{vendor.url}/v1.0/auditLogs/signIns?$skiptoken="
    pages = (
        {"value": [sign_in("a")], "@odata.nextLink": f"{following}x1"},
        {"value": [], "@odata.nextLink": f"{following}x2"},
    )
    scripted(vendor, *map(answer, pages), answer({"value": [sign_in("b")]}))
    *read, last = source().read(WEEK, {"tool_action": ["old"]}, Traffic())
    records = [json.loads(r) for page in read for r in page.records]
    assert [record["id"] for record in records] == ["a", "b"]
    assert "ipAddress" not in records[0]
    assert last.seen == ["old"], "(6) the log only grows"
    token, first, second, _ = vendor.asked
    assert token.path == "/acme.example/oauth2/v2.0/token"
    told = {
        "grant_type": "client_credentials",
        "client_id": "app",
        "client_secret": "s3cret",
        "scope": f"{vendor.url}/.default",
    }
    assert token.form == told
    wanted = "createdDateTime ge 2026-03-13T06:00:00.000Z and createdDateTime lt 2026-03-20T06:00:00.000Z"
    assert first.query == {"$filter": wanted, "$top": "1000"}
    assert second.query == {"$skiptoken": "x1"}


@pytest.mark.parametrize("link", ["same", "elsewhere"])
def test_a_list_that_does_not_end_or_leads_away_is_an_error(vendor: Vendor, source: Source, link: str) -> None:
    there = vendor.url if link == "same" else "https://graph.elsewhere.example"
    scripted(
        vendor, answer({"value": [sign_in("a")], "@odata.nextLink": f"{there}/v1.0/auditLogs/signIns?$skiptoken=1"})
    )
    with pytest.raises(ConnectorError, match="came twice" if link == "same" else "credentials do not"):
        list(source().read(WEEK, {}, Traffic()))


def test_what_entra_keeps_no_more_is_not_asked_for(vendor: Vendor, source: Source) -> None:
    """(10) 30 days."""
    old = Window(
        "entra", "main", "tool_action", "range", NOW - KEPT - timedelta(days=9), NOW - KEPT - timedelta(days=2)
    )
    assert [page.seen for page in source().read(old, {"tool_action": ["x"]}, Traffic())] == [["x"]]
    assert not vendor.asked


def test_throttling_is_waited_for(vendor: Vendor, source: Source) -> None:
    error = {"error": {"code": "TooManyRequests"}}
    scripted(vendor, answer(error, 429, Retry_After="0"), answer(error, 429), answer({"value": []}))
    traffic = Traffic()
    list(source().read(WEEK, {}, traffic))
    assert traffic.retries == 2


@pytest.mark.parametrize(
    ("code", "says"), [(NO_LICENCE, "Entra ID P1 or P2"), ("Authorization_RequestDenied", "AuditLog.Read.All")]
)
def test_a_refusal_says_whether_licence_or_permission_is_missing(
    vendor: Vendor, source: Source, code: str, says: str
) -> None:
    scripted(vendor, answer({"error": {"code": code, "message": "no"}}, 403))
    with pytest.raises(PermissionMissing, match=says):
        list(source().read(WEEK, {}, Traffic()))
    assert [check.ok for check in source().check()] == [False]


def test_a_secret_that_has_ended_is_told_without_it(vendor: Vendor, source: Source) -> None:
    vendor.script = [answer({"error": "invalid_client", "error_description": "AADSTS7000222: expired s3cret"}, 401)]
    with pytest.raises(PermissionMissing, match="a secret ends on a date") as told:
        list(source().read(WEEK, {}, Traffic()))
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize("body", [{}, {"value": None}, [], {"value": {}}, {"value": [], "@odata.nextLink": 5}])
def test_another_format_is_never_an_empty_list(vendor: Vendor, source: Source, body: Any) -> None:
    """(8)"""
    scripted(vendor, answer(body))
    with pytest.raises(ConnectorError):
        list(source().read(WEEK, {}, Traffic()))
