"""Okta over real HTTP: the log's pages and times, limits and refusals, assignments; and the pitfalls that concern it, by their numbers."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError

from connectors.okta import Okta, OktaSettings
from connectors.okta_records import FILTER, KEPT
from connectors.stream import ConnectorError, Page, PermissionMissing, Traffic, Window
from tests.connectors.conftest import QUICK, Answer, Asked, Vendor, answer

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
WEEK = Window("okta", "main", "tool_action", "range", NOW - timedelta(days=7), NOW)
SEATS = Window("okta", "main", "tool_app_user", "snapshot", None, NOW)
Source = Callable[..., Okta]


@pytest.fixture
def source(vendor: Vendor) -> Iterator[Source]:
    opened: list[Okta] = []

    def make(**more: Any) -> Okta:
        given = {
            "base_url": vendor.url,
            "api_token": "s3cret",
            "logs_per_minute": 10**6,
            "lists_per_minute": 10**6,
            "network": QUICK,
        }
        settings = OktaSettings.model_validate({**given, **more})
        opened.append(Okta(settings, workspace=f"w{len(opened)}-{id(vendor)}", now=NOW))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def event(uuid: str, **more: Any) -> dict[str, Any]:
    return {"uuid": uuid, "published": "2026-03-16T10:00:00.000Z", "eventType": "user.authentication.sso", **more}


def linked(items: Sequence[Any], following: str | None) -> Answer:
    link = f'<http://127.0.0.1/self>; rel="self"{f", <{following}>; rel={chr(34)}next{chr(34)}" if following else ""}'
    return answer(items, Link=link)


def ids(pages: Sequence[Page]) -> list[str]:
    return [json.loads(record)["uuid"] for page in pages for record in page.records]


def test_the_log_is_asked_for_between_two_instants_and_to_its_end(vendor: Vendor, source: Source) -> None:
    """(1, 2, 8) Bounded, so that it ends; whole addresses are followed; a short and an empty page that name a next one are no end."""
    following = f"{vendor.url}/api/v1/logs?after=177_1&limit=1000"
    vendor.script = [
        linked([event("a"), event("b")], following),
        linked([], f"{following}&x=2"),
        linked([event("c")], f"{following}&x=3"),
        linked([], None),
    ]
    *pages, last = source().read(WEEK, {"tool_action": ["old"]}, Traffic())
    assert ids(pages) == ["a", "b", "c"]
    bounds = {"since": "2026-03-13T06:00:00.000Z", "until": "2026-03-20T06:00:00.000Z"}
    assert vendor.asked[0].query == {**bounds, "filter": FILTER, "sortOrder": "ASCENDING", "limit": "1000"}
    assert vendor.asked[1].query == {"after": "177_1", "limit": "1000"}
    assert vendor.asked[0].headers["Authorization"] == "SSWS s3cret"
    assert last.seen == ["old"], "(6) the log only grows: what is not listed has not gone"


@pytest.mark.parametrize("is_moving", [True, False])
def test_a_log_that_never_ends_is_an_error(vendor: Vendor, source: Source, is_moving: bool) -> None:
    """(1) As a query without `until`: empty pages for ever, each naming the next, or the same one again."""
    number = iter(range(10**6))
    vendor.script = lambda _: linked([], f"{vendor.url}/api/v1/logs?after={next(number) if is_moving else 0}_1")
    with pytest.raises(ConnectorError, match="would not end"):
        list(source().read(WEEK, {}, Traffic()))
    assert len(vendor.asked) <= 21


def test_the_token_goes_to_the_organisation_only(vendor: Vendor, source: Source) -> None:
    vendor.script = [linked([event("a")], "http://elsewhere.example/api/v1/logs?after=1")]
    with pytest.raises(ConnectorError, match=r"at http://elsewhere\.example, not at"):
        list(source().read(WEEK, {}, Traffic()))
    assert len(vendor.asked) == 1


def test_what_okta_keeps_no_more_is_not_asked_for(vendor: Vendor, source: Source) -> None:
    """(10) A query that reaches further back than 90 days succeeds and answers less; one that lies there proves nothing."""
    vendor.script = [linked([], None)]
    half = Window(
        "okta", "main", "tool_action", "range", NOW - KEPT - timedelta(days=3), NOW - KEPT + timedelta(days=4)
    )
    list(source().read(half, {}, Traffic()))
    assert vendor.asked[0].query["since"] == "2025-12-20T06:00:00.000Z"
    before = Window("okta", "main", "tool_action", "range", NOW - timedelta(days=120), NOW - timedelta(days=113))
    assert [page.seen for page in source().read(before, {"tool_action": ["x"]}, Traffic())] == [["x"]]
    assert len(vendor.asked) == 1


def test_a_limit_is_waited_for_by_its_reset_and_a_timeout_is_no_answer(vendor: Vendor, source: Source) -> None:
    """(8) 429 without Retry-After, but with X-Rate-Limit-Reset; 30 s of searching are a 500 with E0000009."""
    reset = {"X-Rate-Limit-Limit": "60", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": str(int(time.time()) - 5)}
    refused = Answer(429, b'{"errorCode":"E0000047"}', reset)
    slow = answer({"errorCode": "E0000009", "errorSummary": "Internal Server Error"}, 500)
    vendor.script = [refused, slow, linked([event("a")], None)]
    traffic = Traffic()
    assert ids(list(source().read(WEEK, {}, traffic))) == ["a"]
    assert traffic.retries == 2
    vendor.script = [Answer(429, b"{}", {**reset, "X-Rate-Limit-Reset": str(int(time.time()) + 4000)})]
    with pytest.raises(ConnectorError, match="asks to wait"):
        list(source().read(WEEK, {}, Traffic()))
    vendor.script = [slow]
    with pytest.raises(ConnectorError, match="500, 3 times"):
        list(source().read(WEEK, {}, Traffic()))


@pytest.mark.parametrize(("status", "code"), [(401, "E0000011"), (403, "E0000006")])
def test_a_refusal_says_what_to_do_and_not_the_token(vendor: Vendor, source: Source, status: int, code: str) -> None:
    vendor.script = [answer({"errorCode": code, "errorSummary": "no: s3cret"}, status)]
    with pytest.raises(PermissionMissing) as told:
        list(source().read(WEEK, {}, Traffic()))
    assert "s3cret" not in str(told.value)
    assert ("okta.logs.read" in str(told.value)) == (status == 403)
    assert [check.ok for check in source().check()] == [False] * 3


@pytest.mark.parametrize("body", [b'{"errorCode":"none"}', b"[1]", b'[{"uuid":{"a":1}}]', b"null"])
def test_another_format_is_never_an_empty_log(vendor: Vendor, source: Source, body: bytes) -> None:
    """(8) A body without a list fails; an item of another shape goes to quarantine."""
    vendor.script = [Answer(200, body)]
    if body.startswith(b"["):
        pages = list(source().read(WEEK, {}, Traffic()))
        assert sum(len(page.rejected) for page in pages) == 1
    else:
        with pytest.raises(ConnectorError, match="No list at the top"):
            list(source().read(WEEK, {}, Traffic()))


def lists(asked: Asked) -> Answer:
    app = {"status": "ACTIVE", "name": "x", "created": "2024-01-01T00:00:00.000Z"}
    user = {
        "id": "00u1",
        "created": "2026-03-01T00:00:00.000Z",
        "profile": {"email": "a@acme.com", "mobilePhone": "+49"},
    }
    told: dict[str, list[Any]] = {
        "/api/v1/users": [],
        "/api/v1/logs": [],
        "/api/v1/apps": [
            {"id": "0oa1", "label": "LinkedIn", **app},
            {"id": "0oa2", "label": "Gong", **app},
            {"id": "0oa3", **app, "status": "INACTIVE"},
        ],
        "/api/v1/apps/0oa1/users": [{**user, "status": "ACTIVE"}],
        "/api/v1/apps/0oa2/users": [user],
    }
    return answer(told[asked.path])


def test_assignments_are_those_of_the_apps_that_the_tools_name(vendor: Vendor, source: Source) -> None:
    """(5, 6) Whole at every run, so that one that went is seen to have gone; nothing of a profile but the address."""
    vendor.script = lists
    records = [r for page in source(apps=["linkedin"]).read(SEATS, {}, Traffic()) for r in page.records]
    assert [json.loads(r) for r in records] == [
        {
            "app": "0oa1",
            "label": "LinkedIn",
            "user": {
                "id": "00u1",
                "status": "ACTIVE",
                "created": "2026-03-01T00:00:00.000Z",
                "profile": {"email": "a@acme.com"},
            },
        }
    ]
    vendor.asked.clear()
    list(source().read(SEATS, {}, Traffic()))
    assert [asked.path.split("/")[-2] for asked in vendor.asked[1:]] == ["0oa1", "0oa2"], (
        "without names those that are active"
    )


def test_a_service_app_signs_for_its_token(vendor: Vendor, source: Source, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "okta.pem").write_bytes(pem)
    given = {"api_token": None, "client_id": "0oaclient", "private_key_file": tmp_path / "okta.pem", "key_id": "k1"}

    def script(asked: Asked) -> Answer:
        return (
            answer({"access_token": "t0ken", "expires_in": 3600})
            if asked.path.endswith("/token")
            else linked([event("a")], None)
        )

    vendor.script = script
    assert ids(list(source(**given).read(WEEK, {}, Traffic()))) == ["a"]
    form = vendor.asked[0].form
    head, claims = (json.loads(urlsafe_b64decode(part + "==")) for part in form["client_assertion"].split(".")[:2])
    assert (head["alg"], head["kid"], claims["iss"], claims["sub"]) == ("RS256", "k1", "0oaclient", "0oaclient")
    assert claims["aud"] == f"{vendor.url}/oauth2/v1/token"
    assert form["scope"] == "okta.logs.read okta.apps.read okta.users.read"
    assert vendor.asked[1].headers["Authorization"] == "Bearer t0ken"
    with pytest.raises(ValidationError, match="give api_token, or client_id and private_key_file"):
        source(api_token=None)


def test_one_odd_app_costs_only_its_own_seats(vendor: Vendor, source: Source) -> None:
    """The others' are read; those that are known of it have not gone: nobody could look."""

    def script(asked: Asked) -> Answer:
        if asked.path != "/api/v1/apps":
            return answer([{"id": "00u1"}])
        return answer(
            [{"id": "0oa1", "label": 5, "status": "ACTIVE"}, {"id": "0oa2", "label": "Gong", "status": "ACTIVE"}]
        )

    vendor.script = script
    pages = list(source().read(SEATS, {"tool_app_user": ["0oa1/00u7", "0oa2/00u8"]}, Traffic()))
    assert [json.loads(r)["app"] for page in pages for r in page.records] == ["0oa2"]
    assert [asked.path for asked in vendor.asked] == ["/api/v1/apps", "/api/v1/apps/0oa2/users"]
    assert [one for page in pages for one in page.seen] == ["0oa1/00u7"]
    assert [one for page in pages for one in page.rejected] == [], "the stream of apps tells it"


def test_an_odd_seat_is_known_by_its_app_and_user(vendor: Vendor, source: Source) -> None:
    def script(asked: Asked) -> Answer:
        apps = [{"id": "0oa1", "label": "Gong", "status": "ACTIVE"}]
        return answer(
            apps if asked.path == "/api/v1/apps" else [{"id": "00u1", "status": 5, "profile": {"mobilePhone": "+49"}}]
        )

    vendor.script = script
    (page,) = source().read(SEATS, {}, Traffic())
    ((_, text),) = page.rejected
    assert json.loads(text) == {"salespulse_left_out": "0oa1/00u1", "fields": ["id", "profile", "status"]}
    assert page.seen == ["0oa1/00u1"]


def test_a_tool_that_names_no_app_of_the_organisation_is_told(vendor: Vendor, source: Source) -> None:
    """Renamed there or misspelt here: nobody's seat is read then, and the check says of which."""
    vendor.script = lists
    (seats,) = [check for check in source(apps=["LinkedIn", "0oa2", "Gnog"]).check() if check.name == "tool_app_user"]
    assert (seats.ok, "gnog" in seats.detail, "0oa2" in seats.detail) == (False, True, False)
    assert [check.ok for check in source(apps=["LinkedIn"]).check() if check.name == "tool_app_user"] == [True]
