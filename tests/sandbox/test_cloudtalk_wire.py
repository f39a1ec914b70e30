"""CloudTalk's wire, spoken over HTTP by the sandbox for small hand-written companies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from sandbox.limits import Limits
from sandbox.server import running
from sandbox.world import parse

NOW = "2026-03-20T06:00:00Z"
REPS = [
    {"key": "bob", "name": "Bob Ray", "email": "bob@acme.com", "phone": "+12125550001", "team": "T1"},
    {"key": "ana", "name": "Ana Fox", "email": "ana@acme.com", "phone": "+12125550002"},
    {"key": "old", "name": "Old Hand", "email": "old@acme.com", "end_date": "2026-02-01"},
]


def call(key: str, **more: Any) -> dict[str, Any]:
    at = {
        "started_at": "2026-03-02T15:00:00Z",
        "answered_at": "2026-03-02T15:00:10Z",
        "ended_at": "2026-03-02T15:05:10Z",
    }
    return {"key": key, "rep": "bob", "number": "+442071838750", "result": "answered", **at, **more}


def unanswered(key: str, result: str, **more: Any) -> dict[str, Any]:
    return call(key, result=result, answered_at=None, ended_at="2026-03-02T15:00:30Z", **more)


@contextmanager
def api(calls: list[dict[str, Any]], limits: bool = False, **world: Any) -> Iterator[httpx.Client]:
    company = {
        "company": {"now": NOW},
        "reps": REPS,
        "teams": [{"key": "T1", "name": "North"}],
        "calls": calls,
        **world,
    }
    with (
        running(parse(company), limits=Limits(enabled=limits)) as url,
        httpx.Client(base_url=f"{url}/cloudtalk/api", auth=("sandbox", "sandbox-secret")) as client,
    ):
        yield client


def listed(client: httpx.Client, path: str = "/calls/index.json", **params: Any) -> list[dict[str, Any]]:
    answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["responseData"]["data"]


def cdrs(client: httpx.Client, **params: Any) -> list[dict[str, Any]]:
    return [item["Cdr"] for item in listed(client, **params)]


def test_wrong_credentials_and_unknown_paths_get_the_error_envelope() -> None:
    with api([]) as client:
        for auth in (("sandbox", "guess"), httpx.Auth()):
            refused = client.get("/calls/index.json", auth=auth)
            assert refused.status_code == 401
            assert refused.json() == {"responseData": {"status": 401, "message": "Unauthorized"}}
        assert client.get("/nothing.json").json() == {"responseData": {"status": 404, "message": "Not Found"}}
        assert client.get("/calls/index.json", params={"limit": 1001}).status_code == 400


def test_an_answered_call_is_told_as_in_the_documented_example() -> None:
    with api([call("D1")]) as client:
        [item] = listed(client)
        assert set(item) >= {"Cdr", "Contact", "CallNumber", "Agent", "Notes", "Tags"}
        cdr = item["Cdr"]
        assert cdr["id"].isdigit()
        assert (cdr["type"], cdr["talking_time"], cdr["waiting_time"]) == ("outgoing", "300", 10)
        assert (cdr["public_external"], cdr["public_internal"]) == (442071838750, 12125550001)
        assert cdr["user_id"] == item["Agent"]["id"]
        assert item["Agent"]["email"] == "bob@acme.com"
        assert (cdr["transferred_from"], item["Tags"]) == ("", [])


def test_times_come_in_both_spellings_and_voicemail_in_both_types() -> None:
    with api([call(f"D{i}", machine=True) for i in range(20)]) as client:
        found = cdrs(client)
        assert {cdr["started_at"] for cdr in found} == {"2026-03-02 15:00:00", "2026-03-02T15:00:00.000Z"}
        assert {repr(cdr["is_voicemail"]) for cdr in found} == {"'1'", "True"}


def test_why_a_call_was_not_answered_stands_in_a_tag() -> None:
    results = {
        "no_answer": "No answer",
        "busy": "Busy",
        "failed": "Failed",
        "cancelled": "Cancelled",
        "missed": "Missed",
    }
    with api([unanswered(result, result) for result in results]) as client:
        found = listed(client)
        assert sorted(tag["name"] for item in found for tag in item["Tags"]) == sorted(results.values())
        assert {item["Cdr"]["answered_at"] for item in found} == {None}
        assert {item["Cdr"]["waiting_time"] for item in found} == {30}
        assert sorted(t["Tag"]["name"] for t in listed(client, "/tags/index.json")) == sorted(results.values())


def test_a_missed_call_that_rang_a_group_has_no_user() -> None:
    with api([unanswered("D1", "missed", rep=None, direction="inbound")]) as client:
        [item] = listed(client)
        assert (item["Cdr"]["user_id"], item["Cdr"]["type"], item["Agent"]) == (None, "incoming", {})


def test_a_transferred_call_is_one_cdr_a_leg_chained_by_transferred_from() -> None:
    legs = [{"rep": "bob", "talk_seconds": 120}, {"rep": "ana", "talk_seconds": 180}]
    with api([call("D1", legs=legs)]) as client:
        second, first = cdrs(client)  # newest first
        assert (first["transferred_from"], second["transferred_from"]) == ("", first["id"])
        assert (first["talking_time"], second["talking_time"]) == ("120", "180")
        assert first["user_id"] != second["user_id"]
        ends = [cdr["ended_at"].replace("T", " ")[:19] for cdr in (first, second)]
        assert ends == ["2026-03-02 15:02:10", "2026-03-02 15:05:10"]


def test_pages_are_numbered_and_end_with_page_count() -> None:
    with api([call(f"D{i}") for i in range(5)]) as client:
        pages = [client.get("/calls/index.json", params={"limit": 2, "page": n}) for n in (1, 2, 3)]
        told = [page.json()["responseData"] for page in pages]
        assert [(t["itemsCount"], t["pageCount"], t["pageNumber"], len(t["data"])) for t in told] == [
            (5, 3, 1, 2),
            (5, 3, 2, 2),
            (5, 3, 3, 1),
        ]
        assert len({item["Cdr"]["id"] for t in told for item in t["data"]}) == 5
        assert client.get("/calls/index.json", params={"limit": 2, "page": 4}).status_code == 404
    with api([]) as client:
        assert client.get("/calls/index.json").json()["responseData"]["itemsCount"] == 0


def test_dates_filter_by_start_both_ends_included() -> None:
    days = [
        call(f"D{d}", started_at=f"2026-03-0{d}T00:00:00Z", answered_at=None, ended_at=None, result="busy")
        for d in (1, 2, 3)
    ]
    with api(days) as client:
        found = cdrs(client, date_from="2026-03-01 00:00:01", date_to="2026-03-02 00:00:00")
        assert [cdr["started_at"][:10] for cdr in found] == ["2026-03-02"]
        assert client.get("/calls/index.json", params={"date_from": "yesterday"}).status_code == 400


def test_the_recording_link_is_another_one_at_every_read() -> None:
    with api([call("D1"), unanswered("D2", "busy")]) as client:
        first, second = ({c["id"]: c.pop("recording_link") for c in cdrs(client)} for _ in range(2))
        assert sum(first[key] != second[key] for key in first) == 1
        assert "" in first.values()


def test_late_edits_late_appearance_and_deletion_follow_the_clock() -> None:
    late = {"visible_at": "2026-03-03T00:00:00Z", "deleted_at": "2026-03-10T00:00:00Z"}
    late["edits"] = [{"at": "2026-03-05T00:00:00Z", "set": {"talk_seconds": 45}}]
    with api([call("D1", dialer=late), call("D2", dialer=None)]) as client:
        moments = {}
        for now in ("2026-03-02T23:00:00Z", "2026-03-04T00:00:00Z", "2026-03-06T00:00:00Z", "2026-03-11T00:00:00Z"):
            client.post(str(client.base_url.copy_with(path="/__sandbox__/now")), json={"now": now})
            moments[now[8:10]] = [cdr["talking_time"] for cdr in cdrs(client)]
        assert moments == {"02": [], "04": ["300"], "06": ["45"], "11": []}


def test_agents_leave_the_list_but_not_their_calls() -> None:
    strangers = [{"key": "x777", "system": "dialer", "email": "unknown@else.com"}]
    with api([call("D1", rep="old"), call("D2")], users_without_rep=strangers) as client:
        agents = {item["Agent"]["email"]: item["Agent"] for item in listed(client, "/agents/index.json")}
        assert sorted(agents) == ["ana@acme.com", "bob@acme.com", "unknown@else.com"]
        assert agents["bob@acme.com"]["associated_numbers"] == ["+12125550001"]
        assert {item["Agent"]["email"] for item in listed(client)} == {"old@acme.com", "bob@acme.com"}
        assert [g["Group"]["internal_name"] for g in listed(client, "/groups/index.json")] == ["North"]
        numbers = [n["CallNumber"]["caller_id_e164"] for n in listed(client, "/numbers/index.json")]
        assert numbers == [12125550001, 12125550002]


def test_the_sixty_first_operation_of_a_minute_is_refused_with_headers_only() -> None:
    with api([], limits=True) as client:
        answers = [client.get("/agents/index.json") for _ in range(61)]
        assert [a.status_code for a in answers] == [200] * 60 + [429]
        refused = answers[-1]
        assert refused.headers["X-CloudTalkAPI-Remaining"] == "0"
        assert refused.headers["X-CloudTalkAPI-Limit"] == "60"
        assert int(refused.headers["X-CloudTalkAPI-ResetTime"]) > 1_700_000_000
        assert "Retry-After" not in refused.headers
        assert refused.json()["responseData"]["status"] == 429
