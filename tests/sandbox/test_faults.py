"""Misbehaviour on request, seen from a client of real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from sandbox.faults import FaultError, read_rule, read_rules
from sandbox.server import running
from tests.sandbox.conftest import world

OWNERS = "/hubspot/crm/owners/2026-09"
AGENTS = "/cloudtalk/api/agents/index.json"
PROFILE = "/gmail/gmail/v1/users/ana@acme.com/profile"
TOKEN = {"Authorization": "Bearer pat-eu1-sandbox"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(world()) as base:
        yield base


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers=TOKEN, timeout=10) as found:
        yield found
        found.delete("/__sandbox__/faults")


def arm(client: httpx.Client, **rule: object) -> None:
    assert client.post("/__sandbox__/faults", json=rule).status_code == 200


def test_after_every_and_times_decide_which_requests_go_wrong(client: httpx.Client) -> None:
    arm(client, fault="500", match={"system": "crm"}, after=1, every=2, times=2)
    assert [client.get(OWNERS).status_code for _ in range(7)] == [200, 200, 500, 200, 500, 200, 200]
    listed = client.get("/__sandbox__/faults").json()["faults"]
    assert [(f["fault"], f["matched"], f["struck"]) for f in listed] == [("500", 7, 2)]


def test_a_rule_strikes_only_what_it_matches(client: httpx.Client) -> None:
    arm(client, fault="500", match={"path": "/owners", "query": "archived=true", "method": "get"})
    assert client.get(OWNERS, params={"archived": "true"}).status_code == 500
    assert client.get(OWNERS, params={"archived": "false"}).status_code == 200
    assert client.get("/hubspot/account-info/2026-09/details").status_code == 200


def test_a_429_speaks_the_vendors_words(client: httpx.Client) -> None:
    arm(client, fault="429", policy="SECONDLY")
    hubspot, cloudtalk, gmail = (client.get(path) for path in (OWNERS, AGENTS, PROFILE))
    assert {r.status_code for r in (hubspot, cloudtalk, gmail)} == {429}
    assert hubspot.json()["policyName"] == "SECONDLY"
    assert "retry-after" not in hubspot.headers
    assert cloudtalk.headers["x-cloudtalkapi-remaining"] == "0"
    assert int(cloudtalk.headers["x-cloudtalkapi-resettime"]) > 1_700_000_000
    assert gmail.json()["error"]["errors"][0]["reason"] == "rateLimitExceeded"


def test_retry_after_is_sent_when_asked_for(client: httpx.Client) -> None:
    arm(client, fault="429", retry_after=7)
    assert client.get(OWNERS).headers["retry-after"] == "7"


def test_a_cut_breaks_the_connection_in_the_middle_of_the_body(client: httpx.Client) -> None:
    arm(client, fault="cut", times=1)
    with pytest.raises(httpx.RemoteProtocolError, match=r"incomplete|without sending complete"):
        client.get(OWNERS)
    assert client.get(OWNERS).status_code == 200


def test_a_timeout_lasts_until_the_client_gives_up(client: httpx.Client) -> None:
    arm(client, fault="timeout", times=1)
    with pytest.raises(httpx.ReadTimeout):
        client.get(OWNERS, timeout=0.2)
    assert client.get(OWNERS).status_code == 200


@pytest.mark.parametrize("fault", ["malformed", "html", "empty", "truncated"])
def test_a_body_that_is_no_json_comes_with_200(client: httpx.Client, fault: str) -> None:
    arm(client, fault=fault)
    answer = client.get(OWNERS)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_expired_credentials_and_cursors_and_missing_scopes(client: httpx.Client) -> None:
    arm(client, fault="expired_token", times=1)
    assert (answer := client.get(OWNERS)).status_code == 401
    assert answer.json()["category"] == "EXPIRED_AUTHENTICATION"
    arm(client, fault="forbidden", times=1)
    assert client.get(OWNERS).json()["category"] == "MISSING_SCOPES"
    arm(client, fault="expired_cursor", times=2)
    assert [client.get(path).status_code for path in (OWNERS, PROFILE)] == [400, 404]


def test_the_sandboxs_own_endpoints_never_go_wrong(client: httpx.Client) -> None:
    arm(client, fault="500")
    assert client.get("/__sandbox__/now").status_code == 200


def test_the_short_form_says_the_same_as_json() -> None:
    short = read_rule("timeout:path=/messages,system=mail,after=3,times=2,seconds=8")
    told = {"fault": "timeout", "match": {"path": "/messages", "system": "mail"}, "after": 3, "times": 2, "seconds": 8}
    assert [short] == read_rules(told)
    assert read_rule("429").every == 1


@pytest.mark.parametrize(
    "text", ["fire", "429:every", "429:every=often", "429:nonsense=1", "500:path=[", "500:system=fax"]
)
def test_a_rule_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(FaultError, match="fault"):
        read_rule(text)


def test_a_refused_rule_over_http_says_why(client: httpx.Client) -> None:
    answer = client.post("/__sandbox__/faults", json={"fault": "fire"})
    assert answer.status_code == 400
    assert "expired_cursor" in answer.json()["error"]
