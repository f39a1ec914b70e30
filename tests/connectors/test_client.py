"""What the client does when a vendor misbehaves, over real HTTP."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.auth import BearerAuth
from connectors.client import Client, NotFound
from connectors.limits import Budget, Limiter
from connectors.server_clock import retry_after
from connectors.stream import ConnectorError, PermissionMissing, Traffic
from connectors.verdict import Denied, Verdict, judge_http

from .conftest import Answer, Vendor, answer

Make = Callable[..., Client]
GOOD = answer({"n": 1})
BODY = b'{"n": 1}'


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def fetch(client: Client, traffic: Traffic | None = None, **more: Any) -> bytes:
    return client.fetch("GET", "/calls", traffic=traffic or Traffic(), **more)


def test_sends_what_was_asked_for(vendor: Vendor, make_client: Make) -> None:
    traffic = Traffic()
    client = make_client(auth=BearerAuth("tok-1"), base_url=f"{vendor.url}/v1")
    client.fetch("POST", "/search", params={"a": "1"}, json={"b": [2]}, headers={"X-Own": "y"}, traffic=traffic)
    (asked,) = vendor.asked
    assert (asked.method, asked.path, asked.query, asked.body) == ("POST", "/v1/search", {"a": "1"}, b'{"b":[2]}')
    assert (asked.headers["Authorization"], asked.headers["X-Own"]) == ("Bearer tok-1", "y")
    assert (traffic.requests, traffic.retries) == (1, 0)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(answer({}, 429), id="429"),
        pytest.param(answer({}, 429, Retry_After="0"), id="429 with Retry-After"),
        pytest.param(answer({}, 423), id="423"),
        pytest.param(answer({}, 477), id="477"),
        pytest.param(answer({}, 500), id="500"),
        pytest.param(answer({}, 503), id="503"),
        pytest.param(answer({}, 521), id="521"),
        pytest.param(Answer(body=BODY, cut=3), id="cut in the body"),
        pytest.param(Answer(body=BODY, cut=0), id="cut before the body"),
        pytest.param(Answer(drop=True), id="no answer"),
        pytest.param(Answer(body=b"<html>Gateway</html>", headers={"Content-Type": "text/html"}), id="HTML with 200"),
        pytest.param(Answer(body=b'{"data": [{"id": 1}, {"i'), id="truncated JSON"),
        pytest.param(Answer(body=b""), id="empty with 200"),
        pytest.param(Answer(body=b'{"a":"\xff"}'), id="no UTF-8"),
        pytest.param(Answer(body=b"no gzip", headers={"Content-Encoding": "gzip"}), id="no gzip"),
        pytest.param(Answer(body=gzip.compress(BODY)[:-12], headers={"Content-Encoding": "gzip"}), id="truncated gzip"),
    ],
)
def test_a_passing_fault_is_tried_again(vendor: Vendor, make_client: Make, fault: Answer) -> None:
    vendor.script = [fault, fault, GOOD]
    traffic = Traffic()
    assert fetch(make_client(), traffic) == BODY
    assert (traffic.requests, traffic.retries) == (3, 2)


def test_a_lasting_fault_says_what_was_tried(vendor: Vendor, make_client: Make) -> None:
    vendor.script = [Answer(body=b"<html>We'll be back</html>", headers={"Content-Type": "text/html"})]
    with pytest.raises(
        ConnectorError, match=r"acme: GET /calls: 200 but no JSON \(text/html.*We'll be back.*3 times.*stays due"
    ):
        fetch(make_client())
    assert len(vendor.asked) == 3


def test_a_server_that_does_not_answer_in_time(vendor: Vendor, make_client: Make) -> None:
    """A port that accepts and stays silent."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = make_client(base_url=f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=0.05, attempts=2)
        with pytest.raises(ConnectorError, match=r"GET /calls: ReadTimeout.*2 times"):
            fetch(client)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("2", 2.0),
        ("Sun, 01 Mar 2026 12:00:02 GMT", 2.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_measured_by_the_servers_clock(told: str, seconds: float | None) -> None:
    response = httpx.Response(429, headers={"Retry-After": told, "Date": "Sun, 01 Mar 2026 12:00:00 GMT"})
    assert retry_after(response) == seconds


def test_the_servers_wait_is_kept_by_all_threads(vendor: Vendor, make_client: Make) -> None:
    clock = Clock()
    vendor.script = [answer({}, 429, Retry_After="0.05"), GOOD]
    fetch(make_client(limiter=Limiter({"requests": Budget(100, 1.0)}, clock=clock, sleep=clock.sleep)))
    assert clock.slept == [pytest.approx(0.05, abs=1e-3)]


def test_a_wait_beyond_patience_ends_at_once(vendor: Vendor, make_client: Make) -> None:
    vendor.script = [answer({}, 429, Retry_After="7200")]
    with pytest.raises(ConnectorError, match="asks to wait 7200 s"):
        fetch(make_client())
    assert len(vendor.asked) == 1


def test_a_redirect_is_not_followed(vendor: Vendor, make_client: Make) -> None:
    other = f"http://localhost:{vendor.url.rpartition(':')[2]}/elsewhere"
    vendor.script = [answer({}, 302, Location=other)]
    with pytest.raises(ConnectorError, match=r"302, a redirect to localhost.*credentials do not go to"):
        fetch(make_client(auth=BearerAuth("tok-1")))
    assert [asked.path for asked in vendor.asked] == ["/calls"]


@pytest.mark.parametrize("status", [401, 403])
def test_what_is_not_allowed_is_not_tried_again(vendor: Vendor, make_client: Make, status: int) -> None:
    vendor.script = [answer({"message": "no scope x for tok-1"}, status)]
    with pytest.raises(PermissionMissing, match=rf"GET /calls: {status} .*no scope x for \*\*\*") as caught:
        fetch(make_client(auth=BearerAuth("tok-1")))
    assert "tok-1" not in str(caught.value)
    assert len(vendor.asked) == 1


def test_404_and_400(vendor: Vendor, make_client: Make) -> None:
    vendor.script = [answer({}, 404), answer({"message": "bad filter"}, 400)]
    client = make_client()
    with pytest.raises(NotFound, match="GET /calls: 404"):
        fetch(client)
    with pytest.raises(ConnectorError, match=r"GET /calls: 400 .*bad filter"):
        fetch(client)
    assert len(vendor.asked) == 2


def test_a_body_beyond_the_bound_is_not_read_on(vendor: Vendor, make_client: Make) -> None:
    packed = gzip.compress(b"[" + b" " * 5_000_000 + b"]")
    vendor.script = [Answer(body=packed, headers={"Content-Encoding": "gzip"})]
    with pytest.raises(ConnectorError, match=r"more than 1,048,576 bytes.*largest_body_mb"):
        fetch(make_client(largest_body_mb=1))
    assert len(vendor.asked) == 1


def test_the_vendor_says_what_its_answers_mean(vendor: Vendor, make_client: Make) -> None:
    def judge(response: httpx.Response) -> Verdict:
        if response.json().get("category") == "MISSING_SCOPES":
            return Denied("Grant crm.read.", scope="crm.read")
        return judge_http(response)

    vendor.script = [answer({"category": "MISSING_SCOPES"}, 400)]
    with pytest.raises(PermissionMissing, match=r"Grant crm\.read") as caught:
        fetch(make_client(judge=judge))
    assert caught.value.scope == "crm.read"


def test_gzip_and_an_empty_204_are_good_answers(vendor: Vendor, make_client: Make) -> None:
    vendor.script = [Answer(body=gzip.compress(BODY), headers={"Content-Encoding": "gzip"}), Answer(204, b"")]
    client = make_client()
    assert fetch(client) == BODY
    assert fetch(client) == b""


def test_text_where_no_json_is_expected(vendor: Vendor, make_client: Make) -> None:
    vendor.script = [Answer(body=b"--batch\r\n")]
    assert fetch(make_client(), wrong=lambda _: "") == b"--batch\r\n"


def test_cost_is_taken_for_every_attempt(vendor: Vendor, make_client: Make) -> None:
    clock = Clock()
    limiter = Limiter({"units": Budget(10, 60.0)}, clock=clock, sleep=clock.sleep)
    vendor.script = [answer({}, 500), GOOD]
    traffic = Traffic()
    fetch(make_client(limiter=limiter), traffic, cost={"units": 6})
    assert traffic.waited_seconds >= 60.0


def test_an_echoed_key_pair_is_blotted_out(vendor: Vendor, make_client: Make) -> None:
    vendor.script = [answer({"message": "no key-7 with pass-9 (a2V5LTc6cGFzcy05)"}, 401)]
    with pytest.raises(PermissionMissing, match=r"no \*\*\* with \*\*\* \(\*\*\*\)"):
        fetch(make_client(auth=httpx.BasicAuth("key-7", "pass-9")))


def test_errors_name_parameters_and_not_their_values(vendor: Vendor, make_client: Make) -> None:
    vendor.script = [answer({}, 400)]
    with pytest.raises(ConnectorError, match=r"GET /calls \(who, page\): 400") as caught:
        fetch(make_client(), params={"who": "ana@acme.example", "page": 1})
    assert "ana" not in str(caught.value)


@pytest.mark.parametrize("told", ["nan", "inf", "soon", ""])
def test_an_unreadable_wait_is_none(vendor: Vendor, make_client: Make, told: str) -> None:
    vendor.script = [answer({}, 429, Retry_After=told), GOOD]
    assert fetch(make_client()) == BODY
