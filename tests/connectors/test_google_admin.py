"""Google Admin's Reports API over real HTTP: what is asked, pages, quota, refusals, and the pitfalls that concern it."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.google_admin import KEPT, SCOPE, GoogleAdmin, GoogleAdminSettings
from connectors.stream import ConnectorError, PermissionMissing, Traffic, Window
from sandbox.settings_out import service_account_key
from tests.connectors.conftest import QUICK, Answer, Asked, Vendor, answer

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
WEEK = Window("google_admin", "main", "tool_action", "range", NOW - timedelta(days=7), NOW)
EMPTY = {"kind": "admin#reports#activities", "etag": "e"}
Source = Callable[..., GoogleAdmin]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("key") / "key.json"
    file.write_text(json.dumps(service_account_key("http://127.0.0.1:1/token")), "utf-8")
    return file


@pytest.fixture
def source(vendor: Vendor, key: Path) -> Iterator[Source]:
    opened: list[GoogleAdmin] = []

    def make(**more: Any) -> GoogleAdmin:
        given = {
            "service_account_file": key,
            "subject": "admin@acme.com",
            "base_url": vendor.url,
            "token_url": f"{vendor.url}/token",
            "applications": ["saml"],
            "queries_per_minute": 10**6,
            "network": QUICK,
        }
        settings = GoogleAdminSettings.model_validate({**given, **more})
        opened.append(GoogleAdmin(settings, workspace=f"w{len(opened)}-{id(vendor)}", now=NOW))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def activity(number: str) -> dict[str, Any]:
    """The number is an int64 as text, and two of the same instant differ in it only."""
    return {
        "id": {"time": "2026-03-16T10:00:00.000Z", "uniqueQualifier": number, "applicationName": "saml"},
        "actor": {"email": "ann@acme.com", "profileId": "1"},
        "ipAddress": "203.0.113.7",
        "events": [{"name": "login_success", "parameters": [{"name": "application_name", "value": "Gong"}]}],
    }


def scripted(vendor: Vendor, *answers: Answer) -> None:
    """A token, then these answers in order, the last one for ever."""
    left = list(answers)

    def script(asked: Asked) -> Answer:
        if asked.path == "/token":
            return answer({"access_token": "t0ken", "expires_in": 3600})
        return left.pop(0) if len(left) > 1 else left[0]

    vendor.script = script


def calls(vendor: Vendor) -> list[Asked]:
    return [asked for asked in vendor.asked if asked.path != "/token"]


def test_pages_are_read_to_the_end_and_only_what_is_needed_kept(vendor: Vendor, source: Source) -> None:
    """(1, 2) A page without items that names a next one is no end. The subject is the administrator, the scope exactly one."""
    pages = (
        {**EMPTY, "items": [activity("-5"), activity("7")], "nextPageToken": "A:1"},
        {**EMPTY, "nextPageToken": "A:2"},
    )
    scripted(vendor, *map(answer, pages), answer({**EMPTY, "items": [activity("9")]}))
    *read, last = source().read(WEEK, {"tool_action": ["old"]}, Traffic())
    assert [json.loads(r)["id"]["uniqueQualifier"] for page in read for r in page.records] == ["-5", "7", "9"]
    assert b"203.0.113.7" not in b"".join(r for page in read for r in page.records)
    assert last.seen == ["old"], "(6) the audit only grows"
    claims = json.loads(urlsafe_b64decode(vendor.asked[0].form["assertion"].split(".")[1] + "=="))
    assert (claims["sub"], claims["scope"]) == ("admin@acme.com", SCOPE)
    assert calls(vendor)[0].path == "/admin/reports/v1/activity/users/all/applications/saml"
    times = {"startTime": "2026-03-13T06:00:00.000Z", "endTime": "2026-03-20T06:00:00.000Z"}
    assert calls(vendor)[0].query == {**times, "eventName": "login_success", "maxResults": "1000"}
    assert [asked.query.get("pageToken") for asked in calls(vendor)] == [None, "A:1", "A:2"]


def test_each_application_is_read(vendor: Vendor, source: Source) -> None:
    scripted(vendor, answer(EMPTY))
    list(source(applications=["login", "token", "saml"]).read(WEEK, {}, Traffic()))
    asked = [(asked.path.rpartition("/")[2], asked.query["eventName"]) for asked in calls(vendor)]
    assert asked == [("saml", "login_success"), ("token", "authorize"), ("login", "login_success")]


def test_the_same_page_again_is_an_error(vendor: Vendor, source: Source) -> None:
    scripted(vendor, answer({**EMPTY, "items": [activity("1")], "nextPageToken": "A:1"}))
    with pytest.raises(ConnectorError, match="came twice"):
        list(source().read(WEEK, {}, Traffic()))


def test_what_google_keeps_no_more_is_not_asked_for(vendor: Vendor, source: Source) -> None:
    """(10) 180 days."""
    scripted(vendor, answer(EMPTY))
    old = Window(
        "google_admin", "main", "tool_action", "range", NOW - KEPT - timedelta(days=9), NOW - KEPT - timedelta(days=2)
    )
    assert [page.seen for page in source().read(old, {"tool_action": ["x"]}, Traffic())] == [["x"]]
    assert not vendor.asked


def test_a_quota_is_waited_for_and_a_privilege_asked_for(vendor: Vendor, source: Source) -> None:
    """(8) Quota comes as 403 with a reason, or as 503; a missing privilege as 403 too."""
    details = [{"reason": "rateLimitExceeded", "message": "Quota exceeded"}]
    quota = answer({"error": {"code": 403, "errors": details}}, 403)
    scripted(vendor, quota, answer({"error": {"code": 503}}, 503), answer(EMPTY))
    traffic = Traffic()
    list(source().read(WEEK, {}, traffic))
    assert traffic.retries == 2
    scripted(vendor, answer({"error": {"code": 403, "errors": [{"reason": "forbidden"}]}}, 403))
    with pytest.raises(PermissionMissing, match=r"admin\.reports\.audit\.readonly") as told:
        list(source().read(WEEK, {}, Traffic()))
    assert "t0ken" not in str(told.value)
    assert [check.ok for check in source().check()] == [False]


@pytest.mark.parametrize("body", [{}, {"status": "ok"}, {"items": {}}, []])
def test_another_format_is_never_an_empty_list(vendor: Vendor, source: Source, body: Any) -> None:
    """(8) An empty list has its kind."""
    scripted(vendor, answer(body))
    vendor_says = answer(body)
    assert vendor_says.status == 200
    with pytest.raises(ConnectorError):
        list(source().read(WEEK, {}, Traffic()))


def test_a_key_that_cannot_be_read_says_what_to_do(source: Source, tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text("no json", "utf-8")
    with pytest.raises(ConnectorError, match=r"google_admin\.service_account_file: .* cannot be read as a JSON key"):
        source(service_account_file=tmp_path / "key.json")
