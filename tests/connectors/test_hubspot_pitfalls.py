"""The worst faults of other HubSpot connectors, each shown to be impossible in ours, over real HTTP.

Numbers are those of the list of pitfalls that the project keeps: the cap of search, its keyset, its lag, associations, archived owners,
deletes, histories, one version; object sorts, 429 without Retry-After, the shared search budget.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.hubspot import HubSpot, HubSpotSettings
from connectors.hubspot_objects import OBJECTS, VERSION
from connectors.landing_file import extract
from connectors.stream import ByIds, Changes, ConnectorError, Page, PermissionMissing, RateLimited, Traffic, Window
from tests.connectors.conftest import Answer, Asked, Vendor, answer
from transforms import landing
from transforms.warehouse import open_warehouse

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
STAMP = datetime(2026, 3, 19, 12, tzinfo=UTC)
EMPTY = answer({"results": []})

Source = Callable[..., HubSpot]


@pytest.fixture
def source(vendor: Vendor) -> Iterator[Source]:
    opened: list[HubSpot] = []

    def make(now: datetime = NOW, **more: Any) -> HubSpot:
        given = {
            "token": "pat-test",
            "base_url": vendor.url,
            "requests_per_10_seconds": 10**6,
            "search_per_second": 10**6,
        }
        opened.append(
            HubSpot(
                HubSpotSettings.model_validate({**given, **more}), workspace=f"w{len(opened)}-{id(vendor)}", now=now
            )
        )
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def changes(stream: str = "crm_call", start: datetime = NOW - timedelta(days=1), end: datetime = NOW) -> Window:
    return Window("hubspot", "main", stream, "changes", start, end)


def ids_in(pages: Sequence[Page]) -> list[str]:
    return [json.loads(record)["id"] for page in pages for record in page.records]


class Search:
    """A search endpoint over (id, modified) records: the cap of 10,000, one sort, filters by time and id, an offset-like after."""

    def __init__(
        self, records: dict[str, datetime], *, order: Callable[[str], Any] = int, page: int | None = None
    ) -> None:
        self.records = records
        self.order = order
        self.page = page
        self.bodies: list[dict[str, Any]] = []

    def __call__(self, asked: Asked) -> Answer:
        if not asked.path.endswith("/search"):
            return EMPTY
        body = json.loads(asked.body)
        self.bodies.append(body)
        filters = {(f["propertyName"], f["operator"]): f["value"] for f in body["filterGroups"][0]["filters"]}
        modified = next(name for name, _ in filters if name != "hs_object_id")
        low, high = (datetime.fromtimestamp(int(filters[modified, op]) / 1000, UTC) for op in ("GTE", "LT"))
        last = filters.get(("hs_object_id", "GT"))
        found = [
            i for i, t in self.records.items() if low <= t < high and (last is None or self.order(i) > self.order(last))
        ]
        found.sort(key=self.order)
        size, offset = self.page or body["limit"], int(body.get("after", 0))
        if offset + size > 10_000:
            return answer({"status": "error", "message": "paging beyond 10,000"}, 400)
        shown = found[offset : offset + size]
        told: dict[str, Any] = {
            "total": len(found),
            "results": [{"id": i, "updatedAt": STAMP.isoformat()} for i in shown],
        }
        if offset + size < len(found):
            told["paging"] = {"next": {"after": str(offset + size)}}
        return answer(told)


def test_1_more_than_the_cap_with_one_timestamp_is_read_whole(vendor: Vendor, source: Source) -> None:
    vendor.script = Search({str(1000 + n): STAMP for n in range(10_450)})
    pages = list(source().read(changes(), {}, Traffic()))
    assert sorted(map(int, ids_in(pages))) == list(range(1000, 11_450))
    assert max(len(p.records) for p in pages) == 200


def test_1_a_crowded_window_is_split_by_time(vendor: Vendor, source: Source) -> None:
    search = Search({str(n): STAMP + timedelta(seconds=n) for n in range(9_600)})
    vendor.script = search
    assert sorted(map(int, ids_in(list(source().read(changes(), {}, Traffic()))))) == list(range(9_600))
    assert all("after" not in body for body in search.bodies), "never by offset"
    windows = {tuple(f["value"] for f in body["filterGroups"][0]["filters"][:2]) for body in search.bodies}
    assert len(windows) > 2, "read in halves"


def test_2_a_short_page_is_not_the_end(vendor: Vendor, source: Source) -> None:
    search = Search({str(n): STAMP for n in range(100, 140)}, page=7)
    vendor.script = search
    assert sorted(map(int, ids_in(list(source().read(changes(), {}, Traffic()))))) == list(range(100, 140))
    keyset = [f["value"] for body in search.bodies for f in body["filterGroups"][0]["filters"] if f["operator"] == "GT"]
    assert keyset[0] == "106", "the raw last id, never one more"


def test_2_an_empty_page_that_names_a_next_one_is_not_the_end(vendor: Vendor, source: Source) -> None:
    def script(asked: Asked) -> Answer:
        if not asked.path.endswith("/search"):
            return EMPTY
        if json.loads(asked.body).get("after") == "200":
            return answer({"total": 1, "results": [{"id": "5"}]})
        return answer({"total": 1, "results": [], "paging": {"next": {"after": "200"}}})

    vendor.script = script
    assert ids_in(list(source().read(changes(), {}, Traffic()))) == ["5"]


def test_2_ids_ordered_as_text_are_read_whole(vendor: Vendor, source: Source) -> None:
    every = {str(n): STAMP for n in (7198, 719869649082, 72, 9, 10, 100, 8)}
    vendor.script = Search(every, order=str, page=2)
    assert set(ids_in(list(source().read(changes(), {}, Traffic())))) == set(every)


def test_2_an_order_that_is_none_ends_the_window_loudly(vendor: Vendor, source: Source) -> None:
    vendor.script = lambda asked: (
        answer({"total": 3, "results": [{"id": "5"}, {"id": "30"}, {"id": "4"}]})
        if asked.path.endswith("/search")
        else EMPTY
    )
    with pytest.raises(ConnectorError, match="did not return ids in rising order"):
        list(source().read(changes(), {}, Traffic()))


def test_fewer_records_than_the_server_counts_are_read_again_and_then_fail_loudly(
    vendor: Vendor, source: Source
) -> None:
    vendor.script = lambda asked: (
        answer({"total": 3, "results": [{"id": "1"}]}) if asked.path.endswith("/search") else EMPTY
    )
    with pytest.raises(ConnectorError, match=r"counts 3 records .* but showed 1, twice"):
        list(source().read(changes(), {}, Traffic()))


def test_records_changed_while_they_are_read_do_not_fail_the_window(vendor: Vendor, source: Source) -> None:
    """Three counted at first; one is edited meanwhile and leaves the window for the next run to find."""
    told = iter([3, 2])

    def script(asked: Asked) -> Answer:
        if not asked.path.endswith("/search"):
            return EMPTY
        return answer({"total": next(told), "results": [{"id": "1"}, {"id": "2"}]})

    vendor.script = script
    assert ids_in(list(source().read(changes(), {}, Traffic()))) == ["1", "2"]


def test_3_windows_look_back_behind_the_lag_of_the_index(source: Source) -> None:
    """What the index shows up to an hour late is read again: look-back > lag, and the mark is the clock, not the newest record."""
    readings = [s.reading for s in source().streams if s.name in OBJECTS]
    assert len(readings) == 8
    for reading in readings:
        assert isinstance(reading, Changes)
        assert reading.lookback >= timedelta(hours=1) > reading.lag > timedelta(0)


def test_3_the_upper_bound_is_the_runs_clock(vendor: Vendor, source: Source) -> None:
    search = Search({"1": NOW - timedelta(seconds=1), "2": NOW + timedelta(seconds=1)})
    vendor.script = search
    assert ids_in(list(source().read(changes(), {}, Traffic()))) == ["1"]
    upper = {f["value"] for body in search.bodies for f in body["filterGroups"][0]["filters"] if f["operator"] == "LT"}
    assert upper == {str(int(NOW.timestamp() * 1000))}


def test_4_associations_are_read_again_without_a_touch_of_the_activity(
    vendor: Vendor, source: Source, tmp_path: Path
) -> None:
    """The call did not change; its contact did. Every known recent activity is asked for, and the whole list is the record."""
    linked: list[dict[str, Any]] = [{"from": {"id": "1"}, "to": [{"toObjectId": 77}]}]
    vendor.script = lambda asked: answer({"results": linked if "/calls/contacts/" in asked.path else []})
    window = Window("hubspot", "main", "crm_association", "ids", None, NOW)
    reading = next(s.reading for s in source().streams if s.name == "crm_association")
    assert isinstance(reading, ByIds)
    assert reading.select == "recent"
    with open_warehouse(tmp_path / "w.duckdb") as con:
        for run, there in (
            ("r1", [{"toObjectId": 77}]),
            ("r2", [{"toObjectId": "78"}, {"toObjectId": 77}]),
            ("r3", []),
        ):
            linked[0]["to"] = there
            landing.land(con, extract(source(), window, {"crm_call": ["1"]}, tmp_path, run))
        rows = con.execute("select payload ->> '$.to' from raw.hubspot_crm_association order by _seq").fetchall()
    assert [row[0] for row in rows] == ['["77"]', '["77","78"]', "[]"]


def test_4_associations_are_asked_for_a_thousand_at_a_time_and_paged_to_the_end(vendor: Vendor, source: Source) -> None:
    def script(asked: Asked) -> Answer:
        inputs = json.loads(asked.body)["inputs"]
        assert len(inputs) <= 1000
        if "after" in inputs[0]:
            return answer({"results": [{"from": {"id": "0"}, "to": [{"toObjectId": 2}]}]})
        first = {"from": {"id": "0"}, "to": [{"toObjectId": 1}], "paging": {"next": {"after": "x"}}}
        missing = {
            "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "category": "OBJECT_NOT_FOUND",
            "message": "none",
        }
        return answer({"results": [first] if inputs[0]["id"] == "0" else [], "errors": [missing]}, 207)

    vendor.script = script
    window = Window("hubspot", "main", "crm_association", "ids", None, NOW)
    pages = list(source().read(window, {"crm_call": [str(n) for n in range(1500)]}, Traffic()))
    records = [json.loads(r) for p in pages for r in p.records]
    assert len(records) == 1500
    assert records[0]["to"] == ["1", "2"]
    assert records[1]["to"] == []


def test_5_owners_are_read_active_and_archived(vendor: Vendor, source: Source) -> None:
    vendor.script = lambda asked: answer({"results": [{"id": "9" if asked.query["archived"] == "true" else "1"}]})
    pages = list(source().read(Window("hubspot", "main", "crm_user", "snapshot"), {}, Traffic()))
    assert ids_in(pages) == ["1", "9"]


@pytest.mark.parametrize("kind", ["full", "changes"])
def test_6_archived_records_are_read_with_every_window(vendor: Vendor, source: Source, kind: str) -> None:
    def script(asked: Asked) -> Answer:
        if asked.path.endswith("/search"):
            return answer({"total": 1, "results": [{"id": "1", "archived": False}]})
        return answer(
            {"results": [{"id": "2", "archived": True}] if asked.query["archived"] == "true" else [{"id": "1"}]}
        )

    vendor.script = script
    window = Window("hubspot", "main", "crm_deal", kind, NOW - timedelta(days=1), NOW)  # type: ignore[arg-type]
    assert ids_in(list(source().read(window, {}, Traffic()))) == ["1", "2"]


def test_6_what_vanished_without_a_trace_is_buried_by_the_next_full_listing(
    vendor: Vendor, source: Source, tmp_path: Path
) -> None:
    there = ["1", "2"]
    vendor.script = lambda asked: (
        EMPTY
        if asked.query["archived"] == "true"
        else answer({"results": [{"id": i, "updatedAt": STAMP.isoformat()} for i in there]})
    )
    with open_warehouse(tmp_path / "w.duckdb") as con:
        for run in ("r1", "r2"):
            window = Window("hubspot", "main", "crm_call", "full", None, NOW)
            landing.land(con, extract(source(), window, {}, tmp_path, run))
            there.remove("2") if "2" in there else None
        rows = con.execute("select record_id, is_deleted from raw.hubspot_crm_call_latest order by 1").fetchall()
    assert rows == [("1", False), ("2", True)]


def test_9_histories_are_read_whole_fifty_at_a_time(vendor: Vendor, source: Source) -> None:
    def script(asked: Asked) -> Answer:
        if "/properties/" in asked.path:
            return answer({"results": [{"name": "budget"}, {"name": "hs_score", "calculated": True}]})
        body = json.loads(asked.body)
        assert len(body["inputs"]) <= 50
        assert body["propertiesWithHistory"][:4] == ["dealstage", "pipeline", "amount", "hubspot_owner_id"]
        assert "budget" in body["propertiesWithHistory"]
        assert "hs_score" not in body["propertiesWithHistory"]
        versions = [
            {"value": "deleted_stage", "timestamp": STAMP.isoformat()},
            {"value": "old", "timestamp": "2025-01-01T00:00:00Z"},
        ]
        return answer(
            {"results": [{"id": i["id"], "propertiesWithHistory": {"dealstage": versions}} for i in body["inputs"]]}
        )

    vendor.script = script
    window = Window("hubspot", "main", "crm_deal_history", "ids", None, NOW)
    pages = list(source().read(window, {"crm_deal": [str(n) for n in range(120)]}, Traffic()))
    records = [json.loads(r) for p in pages for r in p.records]
    assert len(records) == 120
    assert len(records[0]["propertiesWithHistory"]["dealstage"]) == 2


def test_10_every_path_carries_the_one_version(vendor: Vendor, source: Source) -> None:
    one = source()
    whole: dict[str, Any] = {"results": [], "total": 0, "portalId": 1}
    vendor.script = lambda asked: answer([] if "dispositions" in asked.path else whole)
    for stream in one.streams:
        kind: Any = "full" if isinstance(stream.reading, Changes) else "snapshot"
        list(one.read(Window("hubspot", "main", stream.name, kind, None, NOW), {"crm_call": ["1"]}, Traffic()))
    paths = {asked.path for asked in vendor.asked}
    assert len(paths) > 15
    assert {path for path in paths if VERSION not in path} == {"/calling/v1/dispositions"}


def test_10_an_endpoint_that_is_no_more_is_an_error_and_not_an_empty_list(vendor: Vendor, source: Source) -> None:
    vendor.script = [answer({"status": "error", "message": "This API version was sunset"}, 404)]
    with pytest.raises(ConnectorError, match=r"/crm/objects/2026-09/calls.*sunset"):
        list(source().read(changes(), {}, Traffic()))


def test_sorts_are_objects_because_strings_are_ignored(vendor: Vendor, source: Source) -> None:
    search = Search({"1": STAMP})
    vendor.script = search
    list(source().read(changes("crm_contact"), {}, Traffic()))
    assert search.bodies[0]["sorts"] == [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    assert search.bodies[0]["filterGroups"][0]["filters"][0]["propertyName"] == "lastmodifieddate"
    assert len(json.dumps(search.bodies[0])) < 3000


def test_bodies_and_subjects_are_never_asked_for() -> None:
    asked = {name for _, names in OBJECTS.values() for name in names}
    assert not [
        name
        for name in asked
        if "body" in name or "subject" in name or "title" in name or "html" in name or "text" in name
    ]


def test_a_daily_limit_fails_at_once_and_says_when_it_ends(vendor: Vendor, source: Source) -> None:
    vendor.script = [answer({"policyName": "DAILY", "message": "You have reached your daily limit."}, 429)]
    with pytest.raises(RateLimited, match="daily limit is used up; it begins anew at midnight"):
        list(source().read(changes(), {}, Traffic()))
    assert len(vendor.asked) == 1


def test_a_missing_scope_is_named_with_what_goes_dark(vendor: Vendor, source: Source, tmp_path: Path) -> None:
    context = {"requiredGranularScopes": ["crm.objects.deals.read"]}
    vendor.script = [answer({"category": "MISSING_SCOPES", "errors": [{"message": "no", "context": context}]}, 403)]
    with pytest.raises(PermissionMissing, match="deals and pipeline created") as caught:
        extract(source(), changes("crm_deal"), {}, tmp_path, "r1")
    assert caught.value.scope == "crm.objects.deals.read"
    assert "pat-test" not in str(caught.value)
    assert not list(tmp_path.rglob("*.jsonl*"))


def test_check_names_the_scope_to_grant_and_stops_where_no_scope_would_help(vendor: Vendor, source: Source) -> None:
    vendor.script = lambda asked: answer({}, 403) if asked.path.endswith("/deals") else EMPTY
    found = {check.name: check for check in source().check()}
    assert [name for name, check in found.items() if not check.ok] == ["crm.objects.deals.read"]
    assert "Grant the scope crm.objects.deals.read" in found["crm.objects.deals.read"].remedy
    refused = (
        "/users",
        "-beta",
        "/exchange-rates",
    )  # time zones, the hierarchy of teams, and rates, which not every account has
    vendor.script = lambda asked: answer({}, 403) if asked.path.endswith(refused) else EMPTY
    assert [c.name for c in source().check() if not c.ok] == ["settings.users.teams.read", "crm.objects.users.read"]
    vendor.script = [answer({"message": "bad path"}, 400)]
    broken = list(source().check())
    assert [(check.ok, check.remedy) for check in broken] == [(False, "")]


def test_an_oauth_token_that_ends_midway_is_renewed(vendor: Vendor, source: Source) -> None:
    tokens = iter(["one", "two"])

    def script(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            return answer({"access_token": next(tokens), "expires_in": 1800})
        if asked.headers["Authorization"] == "Bearer one" and asked.query["archived"] == "true":
            return answer({"message": "expired"}, 401)
        return EMPTY

    vendor.script = script
    oauth = source(token=None, client_id="c", client_secret="s", refresh_token="r")
    list(oauth.read(Window("hubspot", "main", "crm_user", "snapshot"), {}, Traffic()))
    assert [a.headers["Authorization"] for a in vendor.asked if not a.path.endswith("/token")][-1] == "Bearer two"


def test_search_is_charged_to_both_budgets(vendor: Vendor) -> None:
    """Five a second for the whole account, and the burst limit, together: the limiter of the account knows both."""
    vendor.script = Search({"1": STAMP})
    settings = HubSpotSettings.model_validate(
        {"token": "x", "base_url": vendor.url, "requests_per_10_seconds": 100, "search_per_second": 5}
    )
    one = HubSpot(settings, workspace=f"both-{id(vendor)}", now=NOW)
    traffic = Traffic()
    for _ in range(5):
        list(one.read(changes(), {}, traffic))
    one.close()
    assert traffic.requests == 10, "five searches and five lists of what is archived"
    assert traffic.waited_seconds > 0, "4 searches a second after the reserve: the fifth had to wait"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"token": "t", "client_id": "c", "client_secret": "s", "refresh_token": "r"},
        {"client_id": "c"},
        {"token": "t", "nonsense": 1},
    ],
)
def test_settings_without_exactly_one_credential_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"give either token|Extra inputs"):
        HubSpotSettings.model_validate(given)
