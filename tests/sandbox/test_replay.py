"""Recorded exchanges served in place of the vendors: ours in tests/recorded, and odd ones made on the spot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.settings_file import load_settings
from sandbox.recording import RecordingError, plain_path, read
from sandbox.replay import describe_recording, replay_app
from sandbox.server import serving
from sandbox.settings_out import write

RECORDED = Path(__file__).parent.parent / "recorded"
MAILBOX = "/gmail/gmail/v1/users/rita@shop.example"
CALLS = "/cloudtalk/api/calls/index.json"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(replay_app(RECORDED)) as url, httpx.Client(base_url=url, timeout=10) as found:
        yield found


def get(client: httpx.Client, path: str, **params: Any) -> Any:
    answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(answer: dict[str, Any]) -> list[str]:
    return [r["id"] for r in answer["results"]]


@pytest.mark.parametrize("path", ["/crm/objects/2026-09/deals", "/crm/v3/objects/deals", "/crm/objects/2027-03/deals"])
def test_any_version_of_a_path_is_the_recorded_one(client: httpx.Client, path: str) -> None:
    assert ids(get(client, f"/hubspot{path}", limit=100, properties="dealname")) == ["901", "9020", "90300"]


def test_a_list_is_paged_and_ends(client: httpx.Client) -> None:
    first = get(client, "/hubspot/crm/objects/2026-09/deals", limit=2)
    second = get(client, "/hubspot/crm/objects/2026-09/deals", limit=2, after=first["paging"]["next"]["after"])
    assert (ids(first), ids(second)) == (["901", "9020"], ["90300"])
    assert "paging" not in second


def test_archived_records_are_listed_only_where_some_were_recorded(client: httpx.Client) -> None:
    owners = "/hubspot/crm/owners/2026-09"
    assert ids(get(client, owners, limit=100, archived="false")) == ["7001"]
    assert ids(get(client, owners, limit=100, archived="true")) == ["7002"]
    assert ids(get(client, "/hubspot/crm/objects/2026-09/deals", archived="true")) == []


def search(client: httpx.Client, *filters: tuple[str, str, str], **more: Any) -> Any:
    told = [{"propertyName": p, "operator": o, "value": v} for p, o, v in filters]
    body = {"filterGroups": [{"filters": told}], "limit": 100, **more}
    return client.post("/hubspot/crm/objects/2026-09/deals/search", json=body).json()


def test_search_filters_the_recorded_objects(client: httpx.Client) -> None:
    since = ("hs_lastmodifieddate", "GTE", "1776672000000")  # 2026-04-20T08:00Z: the instant itself is within
    assert ids(search(client, since)) == ["9020", "90300"]
    assert ids(search(client, ("hs_lastmodifieddate", "GT", "1776672000000"))) == ["90300"]
    until = ("hs_lastmodifieddate", "LT", "2026-04-25T08:00:00.000Z")
    assert search(client, since, until)["total"] == 1
    assert ids(search(client, ("dealname", "EQ", "Third"))) == ["90300"]
    assert ids(search(client, ("hubspot_owner_id", "HAS_PROPERTY", ""))) == ["901", "90300"]
    newest_first = [{"propertyName": "hs_object_id", "direction": "DESCENDING"}]
    assert ids(search(client, sorts=newest_first)) == ["90300", "9020", "901"]
    page = search(client, ("hs_object_id", "GT", "901"), limit=1)
    assert (page["total"], ids(page), page["paging"]["next"]["after"]) == (2, ["9020"], "1")


def test_history_and_associations_are_those_recorded_and_nothing_is_invented(client: httpx.Client) -> None:
    body = {"inputs": [{"id": "901"}, {"id": "9020"}], "propertiesWithHistory": ["dealstage"]}
    told = client.post("/hubspot/crm/objects/2026-09/deals/batch/read", json=body)
    history = [r["propertiesWithHistory"] for r in told.json()["results"]]
    assert history[0]["dealstage"][0]["value"] == "appointmentscheduled"
    assert history[1] == {}
    missing = client.post("/hubspot/crm/objects/2026-09/deals/batch/read", json={"inputs": [{"id": "5"}]})
    assert (missing.status_code, missing.json()["errors"][0]["context"]["ids"]) == (207, ["5"])
    path = "/hubspot/crm/associations/2026-09/deal/company/batch/read"
    links = client.post(path, json={"inputs": [{"id": "901"}, {"id": "9020"}]}).json()["results"]
    assert [(link["from"]["id"], [t["toObjectId"] for t in link["to"]]) for link in links] == [("901", [501])]


def test_a_recorded_error_is_answered_and_what_was_not_recorded_is_empty(client: httpx.Client) -> None:
    denied = client.get("/hubspot/account-info/2026-09/activity/audit-logs", params={"limit": 100})
    assert (denied.status_code, denied.json()["category"]) == (403, "FORBIDDEN")
    assert get(client, "/hubspot/account-info/2026-09/activity/login", limit=100) == {"results": []}
    assert get(client, "/hubspot/calling/v1/dispositions") == []
    assert ids(get(client, "/hubspot/crm/objects/2026-09/calls")) == []
    assert get(client, "/hubspot/crm/pipelines/2026-09/deals")["results"][0]["id"] == "default"


def test_calls_are_those_of_the_window_and_counted_as_served(client: httpx.Client) -> None:
    def window(first: str, last: str, **more: int) -> list[int]:
        found = get(client, CALLS, date_from=f"{first} 00:00:00", date_to=f"{last} 00:00:00", limit=1000, **more)
        told = found["responseData"]
        assert told["itemsCount"] == len(told["data"]) or more
        return [int(item["Cdr"]["id"]) for item in told["data"]]

    assert window("2026-04-20", "2026-04-22") == [31, 32]
    assert window("2026-04-21", "2026-04-22") == [32]
    assert window("2026-05-01", "2026-05-02") == []
    assert window("2026-04-20", "2026-04-22", page=2) == []
    assert get(client, "/cloudtalk/api/groups/index.json")["responseData"]["data"] == []
    assert client.get("/cloudtalk/api/calls/31").status_code == 404


@pytest.mark.parametrize("base", ["/gmail/gmail/v1", "/gmail/v1"])
@pytest.mark.parametrize("mailbox", ["me", "rita@shop.example"])
def test_me_is_the_recorded_mailboxs_owner(client: httpx.Client, base: str, mailbox: str) -> None:
    assert get(client, f"{base}/users/{mailbox}/profile")["historyId"] == "510"
    assert get(client, f"{base}/users/{mailbox}/messages/a1", format="metadata")["threadId"] == "a1"


def test_messages_are_listed_by_label_and_time_and_the_list_ends(client: httpx.Client) -> None:
    def listed(**params: Any) -> list[str]:
        found = get(client, f"{MAILBOX}/messages", **params)
        assert "nextPageToken" not in found  # the next page was not recorded
        return [m["id"] for m in found["messages"]]

    assert listed(maxResults=500) == ["a6", "a5", "a4", "a3", "a2", "a1"]
    assert listed(labelIds="SENT") == ["a3", "a1"]
    assert listed(labelIds=["INBOX", "CATEGORY_UPDATES"]) == ["a4"]
    assert listed(q="in:sent after:1776700000 before:1776800000") == ["a3"]
    assert get(client, f"{MAILBOX}/messages", pageToken="0815") == {"resultSizeEstimate": 0}


def test_history_goes_on_from_what_was_recorded_and_expires_before_it(client: httpx.Client) -> None:
    def history(start: int) -> Any:
        return get(client, f"{MAILBOX}/history", startHistoryId=start)

    assert [h["id"] for h in history(490)["history"]] == ["495", "500"]
    assert [h["id"] for h in history(495)["history"]] == ["500"]
    assert (history(510)["history"], history(510)["historyId"]) == ([], "510")
    assert client.get(f"{MAILBOX}/history", params={"startHistoryId": 3}).status_code == 404


def test_a_token_is_given_for_any_assertion_and_other_mailboxes_are_not_there(client: httpx.Client) -> None:
    assert client.post("/gmail/token", data={"assertion": "any"}).json()["token_type"] == "Bearer"
    assert client.get("/gmail/gmail/v1/users/else@shop.example/profile").status_code == 404
    assert client.get(f"{MAILBOX}/messages/zz").status_code == 404


def test_settings_of_a_recording_name_its_people_and_are_the_products(tmp_path: Path) -> None:
    write(describe_recording(RECORDED), tmp_path / "salespulse.toml", "http://127.0.0.1:1")
    settings = load_settings(tmp_path / "salespulse.toml")
    assert settings.company.internal_domains == ["shop.example"]
    lines = (tmp_path / "reps.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["rita@shop.example"]
    assert ",yes," in lines[1]


def recording(folder: Path, vendor: str, document: Any) -> Path:
    (folder / vendor).mkdir()
    (folder / vendor / "case.json").write_text(document if isinstance(document, str) else json.dumps(document))
    return folder


def test_the_exchange_with_the_most_equal_parameters_wins(tmp_path: Path) -> None:
    exchanges = [
        {"path": "/crm/v3/properties/deals?archived=true", "body": {"results": [{"name": "old"}]}},
        {"path": "/crm/v3/properties/deals", "body": {"results": [{"name": "plain"}]}},
        {"path": "/crm/v3/properties/deals", "params": {"archived": "false"}, "body": {"results": [{"name": "new"}]}},
    ]
    with serving(replay_app(recording(tmp_path, "hubspot", exchanges))) as url:
        path = f"{url}/hubspot/crm/properties/2026-09/deals"
        found = [
            httpx.get(path, params=p).json()["results"][0]["name"]
            for p in ({"archived": "true"}, {"archived": "false"}, {})
        ]
    assert found == ["old", "new", "plain"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "is not JSON"),
        ('"text"', "expected a list"),
        ([{"body": {}}], r"\[0\]: expected an object"),
        ({"deals": 1}, "'deals'"),
    ],
)
def test_a_recording_that_cannot_be_read_names_its_file(tmp_path: Path, document: Any, message: str) -> None:
    folder = recording(tmp_path, "hubspot", document)
    with pytest.raises(RecordingError, match=message) as caught:
        read(folder)
    assert "case.json" in str(caught.value)


def test_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="holds no recorded exchanges"):
        read(tmp_path)
    with pytest.raises(RecordingError, match="no such folder"):
        read(tmp_path / "none")


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/crm/v3/owners/", "/crm/owners"),
        ("crm/objects/2026-09/deals/12", "/crm/objects/deals/12"),
        ("/settings/teams/2026-09-beta", "/settings/teams"),
        ("/gmail/v1/users/me/messages", "/gmail/users/me/messages"),
    ],
)
def test_versions_are_taken_out_of_paths(path: str, plain: str) -> None:
    assert plain_path(path) == plain
