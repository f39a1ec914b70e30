"""HubSpot's wire, spoken over HTTP by the sandbox for small hand-written companies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from sandbox.limits import Limits
from sandbox.server import running
from sandbox.world import parse

NOW = "2026-03-20T06:00:00Z"
REPS = [
    {
        "key": "bob",
        "name": "Bob Ray",
        "email": "bob@acme.com",
        "team": "T1",
        "phone": "+12125550001",
        "timezone": "America/New_York",
        "changes": [{"at": "2026-03-16T00:00:00Z", "set": {"team": "T2"}}],
    },
    {"key": "ana", "name": "Ana Fox", "email": "ana@acme.com"},
    {"key": "old", "name": "Old Hand", "email": "old@acme.com", "end_date": "2026-02-01"},
]
TEAMS = [{"key": "T1", "name": "North"}, {"key": "T2", "name": "South", "parent": "T1"}]
ACCOUNT = {"key": "A1", "name": "Cust", "domain": "cust.com", "territory": "EMEA", "segment": "mid"}
CONTACT = {
    "key": "C1",
    "name": "Cora One",
    "emails": ["Cora@cust.com", "c.one@cust.com"],
    "phones": ["+442071838750"],
    "account": "A1",
    "created_at": "2025-06-01T00:00:00Z",
    "created_by": "bob",
}
DEAL = {
    "key": "X",
    "account": "A1",
    "contacts": ["C1"],
    "currency": "EUR",
    "sourced_by": "ana",
    "created_by": "bob",
    "owner": "bob",
    "events": [
        {"at": "2026-03-02T10:00:00Z", "type": "created", "stage": "open", "amount": "10000.00", "by": "bob"},
        {"at": "2026-03-03T10:00:00Z", "type": "stage", "stage": "qualified", "by": "ana"},
        {"at": "2026-03-04T10:00:00Z", "type": "owner", "owner": "ana"},
        {"at": "2026-03-05T10:00:00Z", "type": "won"},
    ],
}


def call(key: str, **crm: Any) -> dict[str, Any]:
    at = {
        "started_at": "2026-03-02T15:00:00Z",
        "answered_at": "2026-03-02T15:00:10Z",
        "ended_at": "2026-03-02T15:05:10Z",
    }
    logged = {"logged_at": "2026-03-02T16:00:00Z", **crm}
    return {"key": key, "rep": "bob", "number": "+442071838750", "result": "answered", **at, "crm": logged}


@dataclass
class Api:
    url: str
    client: httpx.Client

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        answer = self.client.get(path, params=params)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def all(self, kind: str, **params: Any) -> list[dict[str, Any]]:
        names = ",".join(p["name"] for p in self.get(f"/crm/properties/2026-09/{kind}")["results"])
        return self.get(f"/crm/objects/2026-09/{kind}", properties=names, limit=100, **params)["results"]

    def one(self, kind: str) -> dict[str, Any]:
        [record] = self.all(kind)
        return record["properties"]

    def search(self, kind: str = "calls", status: int = 200, **body: Any) -> Any:
        return self.post(f"/crm/objects/2026-09/{kind}/search", body, status)

    def history(self, kind: str, *names: str) -> dict[str, list[dict[str, Any]]]:
        ids = [{"id": r["id"]} for r in self.all(kind)]
        body = {"inputs": ids, "properties": [], "propertiesWithHistory": list(names)}
        return self.post(f"/crm/objects/2026-09/{kind}/batch/read", body)["results"][0]["propertiesWithHistory"]

    def links(self, one: str, other: str, ids: list[str], status: int = 200) -> Any:
        return self.post(
            f"/crm/associations/2026-09/{one}/{other}/batch/read", {"inputs": [{"id": i} for i in ids]}, status
        )

    def user(self, email: str) -> dict[str, Any]:
        return next(o for o in self.get("/crm/owners/2026-09")["results"] if o["email"] == email)

    def move(self, now: str) -> None:
        assert self.client.post(f"{self.url}/__sandbox__/now", json={"now": now}).status_code == 200

    def options(self, **options: Any) -> None:
        self.post("/__sandbox__/options", options)


@contextmanager
def hubspot(limits: bool = False, **world: Any) -> Iterator[Api]:
    company = {"now": NOW, "internal_domains": ["acme.com"], "reporting_timezone": "Europe/Berlin"}
    document = {"company": company, "reps": REPS, "teams": TEAMS, "accounts": [ACCOUNT], "contacts": [CONTACT], **world}
    with (
        running(parse(document), limits=Limits(enabled=limits)) as url,
        httpx.Client(base_url=f"{url}/hubspot", headers={"Authorization": "Bearer pat-eu1-sandbox"}) as client,
    ):
        yield Api(url, client)


# Credentials, versions, limits


def test_calls_need_the_service_key_or_a_live_oauth_token() -> None:
    with hubspot() as api:
        for header in ("", "Bearer guess", "Basic abc"):
            api.client.headers["Authorization"] = header
            assert api.get("/crm/owners/2026-09", 401)["category"] == "INVALID_AUTHENTICATION"
        form = {"grant_type": "refresh_token", "client_id": "a", "client_secret": "b", "refresh_token": "guess"}
        refused = api.client.post("/oauth/2026-09/token", data=form)
        assert (refused.status_code, refused.json()["status"]) == (400, "BAD_REFRESH_TOKEN")
        form["refresh_token"] = "sandbox-refresh-token"
        token = api.client.post("/oauth/2026-09/token", data=form).json()
        assert token["expires_in"] == 1800
        api.client.headers["Authorization"] = f"Bearer {token['access_token']}"
        api.get("/crm/owners/2026-09")
        api.options(access_token_seconds=0)
        token = api.client.post("/oauth/v1/token", data=form).json()
        api.client.headers["Authorization"] = f"Bearer {token['access_token']}"
        assert api.get("/crm/owners/2026-09", 401)["category"] == "EXPIRED_AUTHENTICATION"


@pytest.mark.parametrize("version", ["2026-09", "2026-03", "v3"])
def test_any_version_of_a_path_answers_but_one_is_needed(version: str) -> None:
    with hubspot() as api:
        assert api.get(f"/crm/objects/{version}/contacts")["results"]
        assert api.get("/crm/objects/contacts", 404)["category"] == "OBJECT_NOT_FOUND"
        api.get(f"/crm/objects/{version}/wombats", 400)


def test_a_missing_scope_is_named_and_the_rest_goes_on() -> None:
    with hubspot(calls=[call("D1")]) as api:
        api.options(missing_scopes=["crm.objects.deals.read", "account-info.security.read"])
        refused = api.get("/crm/objects/2026-09/deals", 403)
        assert refused["category"] == "MISSING_SCOPES"
        assert refused["errors"][0]["context"] == {"requiredGranularScopes": ["crm.objects.deals.read"]}
        api.get("/account-info/2026-09/activity/login", 403)
        api.links("deals", "contacts", ["1"], 403)
        assert api.all("calls")


def test_the_burst_limit_tells_its_policy_and_its_headers() -> None:
    with hubspot(limits=True) as api:
        answers = [api.client.get("/crm/pipelines/2026-09/deals") for _ in range(191)]
        assert [a.status_code for a in answers] == [200] * 190 + [429]
        assert answers[0].headers["X-HubSpot-RateLimit-Max"] == "190"
        assert answers[0].headers["X-HubSpot-RateLimit-Remaining"] == "189"
        assert answers[0].headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
        refused = answers[-1].json()
        assert (refused["errorType"], refused["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
        assert "category" not in refused


def test_search_has_a_limit_of_its_own_and_says_nothing_of_it_in_headers() -> None:
    with hubspot(limits=True, calls=[call("D1")]) as api:
        answers = [api.client.post("/crm/objects/2026-09/calls/search", json={}) for _ in range(6)]
        assert [a.status_code for a in answers] == [200] * 5 + [429]
        assert answers[-1].json()["policyName"] == "SECONDLY"
        for found in answers:
            assert not [h for h in found.headers if "ratelimit" in h or h == "retry-after"]


def test_the_daily_limit_counts_searches_too_and_is_told_as_such() -> None:
    with hubspot(limits=True, calls=[call("D1")]) as api:
        api.client.post("/__sandbox__/options", json={"daily": 3}).raise_for_status()
        first = api.client.get("/crm/pipelines/2026-09/deals")
        assert (first.headers["X-HubSpot-RateLimit-Daily"], first.headers["X-HubSpot-RateLimit-Daily-Remaining"]) == (
            "3",
            "2",
        )
        api.client.post("/crm/objects/2026-09/calls/search", json={}).raise_for_status()
        answers = [api.client.get("/crm/pipelines/2026-09/deals") for _ in range(2)]
        assert [a.status_code for a in answers] == [200, 429]
        assert answers[1].json()["policyName"] == "DAILY"


# Lists, batches, search


def test_lists_hold_the_defaults_or_what_was_asked_for() -> None:
    with hubspot(deals=[DEAL]) as api:
        [deal] = api.get("/crm/objects/2026-09/deals")["results"]
        always = {"createdate", "hs_lastmodifieddate", "hs_object_id"}
        assert deal["properties"].keys() == always | {"amount", "closedate", "dealname", "dealstage", "pipeline"}
        [deal] = api.get("/crm/objects/2026-09/deals", properties="amount,description,no_such")["results"]
        assert deal["properties"].keys() == always | {"amount", "description"}
        assert deal["properties"]["description"] is None
        assert deal["createdAt"] == "2026-03-02T10:00:00.000Z"


def test_lists_come_in_pages_of_ten_to_a_hundred_by_a_cursor() -> None:
    with hubspot(calls=[call(f"D{i}") for i in range(25)]) as api:
        page = api.get("/crm/objects/2026-09/calls")
        ids = [r["id"] for r in page["results"]]
        assert len(ids) == 10
        while "paging" in page:
            page = api.get("/crm/objects/2026-09/calls", after=page["paging"]["next"]["after"])
            ids += [r["id"] for r in page["results"]]
        assert len(set(ids)) == len(ids) == 25
        assert ids == sorted(ids, key=int) != sorted(ids)
        api.get("/crm/objects/2026-09/calls", 400, limit=101)
        api.get("/crm/objects/2026-09/calls", 400, limit=51, propertiesWithHistory="hs_timestamp")
        api.get("/crm/objects/2026-09/calls", 400, after="nonsense")


def test_batches_are_of_a_hundred_and_of_fifty_with_history() -> None:
    with hubspot() as api:
        [contact] = api.all("contacts")
        path = "/crm/objects/2026-09/contacts/batch/read"
        inputs = [{"id": str(n)} for n in range(101)]
        api.post(path, {"inputs": inputs}, 400)
        refused = api.post(path, {"inputs": inputs[:51], "propertiesWithHistory": ["email"]}, 400)
        assert "property histories is 50" in refused["message"]
        told = api.post(path, {"inputs": [{"id": contact["id"]}, {"id": "7"}], "properties": ["email"]}, 207)
        assert [r["id"] for r in told["results"]] == [contact["id"]]
        assert told["errors"][0]["context"] == {"ids": ["7"]}


def test_search_filters_by_every_operator() -> None:
    calls = [
        call(f"D{n}", logged_at=f"2026-03-0{n}T16:00:00Z", disposition="Busy" if n == 3 else None) for n in (2, 3, 4)
    ]
    with hubspot(calls=calls) as api:

        def days(*filters: dict[str, Any]) -> list[str]:
            found = api.search(filterGroups=[{"filters": list(filters)}], properties=["hs_createdate"])
            assert found["total"] == len(found["results"])
            return [r["properties"]["hs_createdate"][8:10] for r in found["results"]]

        def created(operator: str, value: str, **more: Any) -> dict[str, Any]:
            return {"propertyName": "hs_createdate", "operator": operator, "value": value, **more}

        third = "2026-03-03T16:00:00Z"
        assert days(created("GTE", third)) == ["03", "04"]
        assert days(created("GT", "1772553600000")) == ["04"]
        assert days(created("LT", third)) == ["02"]
        assert days(created("LTE", third), created("GTE", third)) == ["03"]
        assert days(created("BETWEEN", third, highValue="2026-03-04T16:00:00Z")) == ["03", "04"]
        assert days(created("EQ", third)) == ["03"]
        ids = {r["properties"]["hs_createdate"][8:10]: r["id"] for r in api.all("calls")}
        inside = {"propertyName": "hs_object_id", "operator": "IN", "values": [ids["02"], ids["04"]]}
        assert days(inside) == ["02", "04"]
        assert days({"propertyName": "hs_call_disposition", "operator": "HAS_PROPERTY"}) == ["03"]
        group = [{"filters": [created("LT", third)]}, {"filters": [created("GT", third)]}]
        assert api.search(filterGroups=group)["total"] == 2


def test_search_pages_by_offset_and_sorts_by_one_object() -> None:
    with hubspot(calls=[call(f"D{i}") for i in range(25)]) as api:
        ascending = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
        first = api.search(limit=20, sorts=ascending)
        assert (first["total"], first["paging"]["next"]["after"]) == (25, "20")
        second = api.search(limit=20, sorts=ascending, after="20")
        assert "paging" not in second
        ids = [r["id"] for page in (first, second) for r in page["results"]]
        assert ids == sorted(ids, key=int)
        by_string = [r["id"] for r in api.search(limit=25, sorts=["hs_object_id"])["results"]]
        assert sorted(by_string, key=int) == ids != by_string
        api.search(status=400, sorts=[*ascending, *ascending])
        api.options(text_order=True)
        after = {"propertyName": "hs_object_id", "operator": "GT", "value": sorted(ids)[10]}
        found = api.search(limit=25, sorts=ascending, filterGroups=[{"filters": [after]}])
        assert [r["id"] for r in found["results"]] == sorted(ids)[11:]


def test_pages_may_be_short_though_more_follows() -> None:
    with hubspot(calls=[call(f"D{i}") for i in range(5)]) as api:
        api.options(short_pages=True)
        page = api.get("/crm/objects/2026-09/calls", limit=4)
        assert len(page["results"]) == 2
        assert "paging" in page
        found = api.search(limit=4)
        assert (len(found["results"]), found["paging"]["next"]["after"]) == (2, "2")


def test_search_refuses_what_the_guide_forbids() -> None:
    with hubspot(calls=[call("D1")]) as api:
        api.search(limit=200, after="9800")
        api.search(status=400, limit=200, after="9801")
        api.search(status=400, limit=201)
        api.search(status=400, after="nonsense")
        one = {"propertyName": "hs_timestamp", "operator": "GTE", "value": "0"}
        api.search(status=400, filterGroups=[{"filters": [one]}] * 6)
        api.search(status=400, filterGroups=[{"filters": [one] * 7}])
        api.search(status=400, filterGroups=[{"filters": [{**one, "propertyName": "no_such"}]}])
        api.search(status=400, filterGroups=[{"filters": [{**one, "operator": "LIKE"}]}])
        api.search(status=400, properties=["x" * 3000])


def test_search_shows_no_archived_records_and_lags_on_request() -> None:
    calls = [call("D1", deleted_at="2026-03-05T00:00:00Z"), call("D2"), call("D3", logged_at="2026-03-20T05:59:00Z")]
    with hubspot(calls=calls) as api:
        assert api.search()["total"] == 2
        assert len(api.all("calls")) == 2
        [gone] = api.all("calls", archived="true")
        assert (gone["archived"], gone["archivedAt"]) == (True, "2026-03-05T00:00:00.000Z")
        api.options(search_lag_seconds=120)
        assert api.search()["total"] == 1
        assert len(api.all("calls")) == 2


# People


def test_owners_who_left_are_in_the_archived_list_without_name_and_user_id() -> None:
    with hubspot() as api:
        bob = api.user("bob@acme.com")
        assert (bob["firstName"], bob["lastName"], bob["userId"]) == ("Bob", "Ray", bob["userIdIncludingInactive"])
        assert [(t["name"], t["primary"]) for t in bob["teams"]] == [("South", True)]
        [old] = api.get("/crm/owners/2026-09", archived="true")["results"]
        assert (old["firstName"], old["userId"], old["archived"]) == ("", None, True)
        assert old["userIdIncludingInactive"] > 0
        page = api.get("/crm/owners/2026-09", limit=1)
        assert (
            api.get("/crm/owners/2026-09", limit=1, after=page["paging"]["next"]["after"])["results"] != page["results"]
        )
        api.move("2026-03-15T00:00:00Z")
        assert api.user("bob@acme.com")["teams"][0]["name"] == "North"


def test_one_person_has_three_ids() -> None:
    with hubspot() as api:
        bob = api.user("bob@acme.com")
        users = {u["properties"]["hs_email"]: u for u in api.all("users")}
        found = users["bob@acme.com"]["properties"]
        assert found["hubspot_owner_id"] == bob["id"]
        assert found["hs_internal_user_id"] == str(bob["userId"])
        assert len({bob["id"], str(bob["userId"]), users["bob@acme.com"]["id"]}) == 3
        assert found["hs_standard_time_zone"] == "America/New_York"
        by_user = api.get(f"/crm/owners/2026-09/{bob['userId']}", idProperty="userId")
        assert by_user["id"] == bob["id"]


def test_teams_account_currencies_and_outcomes() -> None:
    fx = [{"date": "2026-03-02", "currency": "USD", "rate": "0.92"}]
    with hubspot(fx=fx, calls=[call("D1", disposition="Call back")]) as api:
        north, south = api.get("/settings/teams/2026-09-beta")["results"]
        assert south["parentTeamId"] == north["id"]
        account = api.get("/account-info/2026-09/details")
        assert (account["timeZone"], account["companyCurrency"], account["utcOffset"]) == (
            "Europe/Berlin",
            "EUR",
            "+01:00",
        )
        [rate] = api.get("/settings/currencies/2026-09/exchange-rates")["results"]
        assert (rate["fromCurrencyCode"], rate["toCurrencyCode"], rate["conversionRate"]) == ("USD", "EUR", 0.92)
        labels = {d["label"]: d["id"] for d in api.get("/calling/v1/dispositions")}
        assert labels["Connected"] == "f240bbac-87c9-4f6e-bf70-924b57d47db7"
        assert api.one("calls")["hs_call_disposition"] == labels["Call back"]


def test_logins_go_back_ninety_days_newest_first() -> None:
    at = ["2025-12-01T08:00:00Z", "2026-03-18T08:00:00Z", "2026-03-19T08:00:00Z", "2026-03-21T08:00:00Z"]
    logins = [{"rep": "bob", "at": a, "succeeded": a != at[2]} for a in at] + [
        {"rep": "ana", "at": at[2], "system": "mail"}
    ]
    with hubspot(logins=logins) as api:
        page = api.get("/account-info/2026-09/activity/login", limit=1)
        rest = api.get("/account-info/2026-09/activity/login", limit=1, after=page["paging"]["next"]["after"])
        found = [*page["results"], *rest["results"]]
        assert [(f["loginAt"][:10], f["loginSucceeded"]) for f in found] == [
            ("2026-03-19", False),
            ("2026-03-18", True),
        ]
        assert "paging" not in rest
        assert {f["userId"] for f in found} == {api.user("bob@acme.com")["userId"]}


def test_the_audit_log_tells_who_did_what_where_the_account_has_one() -> None:
    writes = [{"at": "2026-03-03T10:00:00Z", "by": "ana", "object": "contact", "key": "C1", "property": "phone"}]
    with hubspot(crm_writes=writes) as api:
        path = "/account-info/2026-09/activity/audit-logs"
        acts = [(a["action"], a["actingUser"]["userEmail"]) for a in api.get(path)["results"]]
        assert acts == [("UPDATE", "ana@acme.com"), ("CREATE", "bob@acme.com")]
        assert len(api.get(path, occurredAfter="2026-03-01T00:00:00Z")["results"]) == 1
        api.options(audit_logs=False)
        api.get(path, 403)


# Records


def test_a_contact_and_its_company() -> None:
    later = {**ACCOUNT, "changes": [{"at": "2026-03-10T00:00:00Z", "set": {"territory": "AMER"}}]}
    with hubspot(accounts=[later]) as api:
        contact, company = api.one("contacts"), api.one("companies")
        assert (contact["email"], contact["hs_additional_emails"]) == ("cora@cust.com", "c.one@cust.com")
        assert (contact["phone"], contact["mobilephone"]) == ("+442071838750", None)
        assert contact["associatedcompanyid"] == company["hs_object_id"]
        assert (contact["hs_object_source"], contact["createdate"]) == ("CRM_UI", "2025-06-01T00:00:00.000Z")
        assert contact["hs_created_by_user_id"] == str(api.user("bob@acme.com")["userId"])
        assert (company["domain"], company["sales_territory"], company["market_segment"]) == ("cust.com", "AMER", "mid")
        versions = api.history("companies", "sales_territory")["sales_territory"]
        assert [v["value"] for v in versions] == ["AMER", "EMEA"]
        assert versions[0]["timestamp"] == company["hs_lastmodifieddate"] == "2026-03-10T00:00:00.000Z"


def test_a_merged_contact_is_gone_and_the_survivor_says_so() -> None:
    loser = {"key": "C2", "emails": ["cora@home.com"], "merged_into": "C1", "merged_at": "2026-03-10T00:00:00Z"}
    with hubspot(contacts=[CONTACT, loser], calls=[call("D1", contacts=["C2"])]) as api:
        api.move("2026-03-09T00:00:00Z")
        before = {r["id"] for r in api.all("contacts")}
        api.move(NOW)
        survivor = api.one("contacts")
        [gone] = before - {survivor["hs_object_id"]}
        assert survivor["hs_merged_object_ids"] == gone
        assert survivor["lastmodifieddate"] == "2026-03-10T00:00:00.000Z"
        assert "cora@home.com" in survivor["hs_additional_emails"]
        assert api.all("contacts", archived="true") == []
        [link] = api.links("calls", "contacts", [api.one("calls")["hs_object_id"]])["results"]
        assert [to["toObjectId"] for to in link["to"]] == [survivor["hs_object_id"]]


def test_a_deal_and_its_history_newest_first_with_who_did_it() -> None:
    with hubspot(deals=[DEAL]) as api:
        ana, bob = api.user("ana@acme.com"), api.user("bob@acme.com")
        deal = api.one("deals")
        assert (deal["dealstage"], deal["amount"], deal["hs_is_closed_won"]) == ("closedwon", "10000.00", "true")
        assert (deal["hubspot_owner_id"], deal["sourced_by_owner_id"]) == (ana["id"], ana["id"])
        assert deal["closedate"] == "2026-03-05T11:00:00.000Z"
        told = api.history("deals", "dealstage", "hubspot_owner_id", "amount")
        assert [v["value"] for v in told["dealstage"]] == ["closedwon", "qualified", "open"]
        assert [v.get("updatedByUserId") for v in told["dealstage"]] == [None, ana["userId"], bob["userId"]]
        assert [v["sourceType"] for v in told["dealstage"]] == ["AUTOMATION_PLATFORM", "CRM_UI", "CRM_UI"]
        assert told["dealstage"][1]["sourceId"] == f"userId:{ana['userId']}"
        assert [v["value"] for v in told["hubspot_owner_id"]] == [ana["id"], bob["id"]]
        assert [v["timestamp"] for v in told["amount"]] == [deal["createdate"]]


def test_a_value_taken_away_is_an_empty_version_and_a_repeated_one_a_version_too() -> None:
    events = [
        *DEAL["events"][:1],
        {"at": "2026-03-03T10:00:00Z", "type": "stage", "stage": "open", "by": "ana"},
        {"at": "2026-03-04T10:00:00Z", "type": "amount", "amount": None, "by": "ana"},
    ]
    with hubspot(deals=[{**DEAL, "events": events}]) as api:
        told = api.history("deals", "dealstage", "amount", "closedate")
        assert [v["value"] for v in told["dealstage"]] == ["open", "open"]
        assert [v["value"] for v in told["amount"]] == ["", "10000.00"]
        assert told["closedate"] == []
        assert api.one("deals")["amount"] is None


def test_stages_of_the_pipelines_name_what_deals_hold() -> None:
    partner = {**DEAL, "key": "P", "pipeline": "partner"}
    with hubspot(deals=[DEAL, partner]) as api:
        lines = api.get("/crm/pipelines/2026-09/deals")["results"]
        stages = {s["id"]: s["metadata"] for line in lines for s in line["stages"]}
        assert [line["id"] for line in lines] == ["default", "partner"]
        assert stages["closedwon"] == {"isClosed": "true", "probability": "1.0"}
        assert stages["closedlost"] == {"isClosed": "true", "probability": "0.0"}
        assert (
            {d["properties"]["dealstage"] for d in api.all("deals")}
            == {"closedwon", "partner_closedwon"}
            < stages.keys()
        )


def test_deleted_and_merged_deals() -> None:
    deleted = {**DEAL, "key": "D", "events": [*DEAL["events"], {"at": "2026-03-06T00:00:00Z", "type": "deleted"}]}
    merged = {
        **DEAL,
        "key": "M",
        "events": [*DEAL["events"], {"at": "2026-03-07T00:00:00Z", "type": "merged_into", "deal": "X"}],
    }
    with hubspot(deals=[DEAL, deleted, merged]) as api:
        assert api.one("deals")["hs_merged_object_ids"]
        [gone] = api.all("deals", archived="true")
        assert gone["archivedAt"] == "2026-03-06T00:00:00.000Z"


@pytest.mark.parametrize(
    ("via", "source"),
    [
        ("ui", "CRM_UI"),
        ("mobile", "MOBILE_IOS"),
        ("import", "IMPORT"),
        ("api", "API"),
        ("automation", "AUTOMATION_PLATFORM"),
    ],
)
def test_writes_are_versions_with_their_source(via: str, source: str) -> None:
    at = "2026-03-03T10:00:00Z"
    writes = [
        {"at": at, "by": "ana", "object": "contact", "key": "C1", "property": "phone", "via": via},
        {
            "at": at,
            "by": "ana",
            "object": "contact",
            "key": "C1",
            "property": "favourite_colour",
            "via": via,
            "value": "red",
        },
    ]
    with hubspot(crm_writes=writes) as api:
        told = api.history("contacts", "phone", "favourite_colour")
        ana = api.user("ana@acme.com")["userId"]
        newest = told["phone"][0]
        assert (newest["sourceType"], newest["updatedByUserId"]) == (source, ana)
        assert [v["value"] for v in told["phone"]] == ["+442071838750"] * 2
        contact = api.one("contacts")
        assert contact["favourite_colour"] == told["favourite_colour"][0]["value"] == "red"
        assert contact["lastmodifieddate"] == newest["timestamp"] == "2026-03-03T10:00:00.000Z"
        assert contact["hs_updated_by_user_id"] == str(ana)


def test_properties_say_their_type_and_who_may_write_them() -> None:
    with hubspot() as api:
        found = {p["name"]: p for p in api.get("/crm/properties/2026-09/deals")["results"]}
        assert found["amount"]["type"] == "number"
        assert not found["amount"]["modificationMetadata"]["readOnlyValue"]
        assert found["hs_lastmodifieddate"]["modificationMetadata"]["readOnlyValue"]
        assert found["hs_is_closed_won"]["calculated"]
        assert not found["sourced_by_owner_id"]["hubspotDefined"]
        assert api.get("/crm/properties/2026-09/deals/amount") == found["amount"]
        api.get("/crm/properties/2026-09/deals/no_such", 404)


def test_one_record_by_its_id() -> None:
    with hubspot(calls=[call("D1", deleted_at="2026-03-05T00:00:00Z"), call("D2")]) as api:
        [live], [gone] = api.all("calls"), api.all("calls", archived="true")
        path = f"/crm/objects/2026-09/calls/{live['id']}"
        assert api.get(path, properties="hs_timestamp")["properties"]["hs_timestamp"] == "2026-03-02T15:00:00.000Z"
        api.get(f"/crm/objects/2026-09/calls/{gone['id']}", 404)
        api.get(f"/crm/objects/2026-09/calls/{gone['id']}", archived="true")


def test_a_call_logged_by_hand_and_one_by_the_dialers_integration() -> None:
    by_hand = call(
        "D1", logged_by="ana", disposition="Connected", duration_seconds=240, timestamp="2026-03-02T15:01:00Z"
    )
    by_machine = call("D2", logged_by="integration", external_id=True)
    with hubspot(calls=[by_hand, by_machine]) as api:
        found = {c["properties"]["hs_object_source"]: c["properties"] for c in api.all("calls")}
        hand, machine = found["CRM_UI"], found["INTEGRATION"]
        assert hand["hs_timestamp"] == "2026-03-02T15:01:00.000Z"
        assert hand["hs_createdate"] == "2026-03-02T16:00:00.000Z"
        assert hand["hs_call_duration"] == "240000"
        assert hand["hs_call_disposition"] == "f240bbac-87c9-4f6e-bf70-924b57d47db7"
        assert (hand["hs_call_direction"], hand["hs_call_status"]) == ("OUTBOUND", "COMPLETED")
        assert (hand["hs_call_from_number"], hand["hs_call_to_number"]) == ("+12125550001", "+442071838750")
        assert hand["hubspot_owner_id"] == api.user("bob@acme.com")["id"]
        assert hand["hs_created_by_user_id"] == str(api.user("ana@acme.com")["userId"])
        assert hand["hs_call_external_id"] is None
        assert (machine["hs_created_by_user_id"], machine["hs_call_duration"]) == (None, None)
        dialer = httpx.get(f"{api.url}/cloudtalk/api/calls/index.json", auth=("sandbox", "sandbox-secret")).json()
        assert machine["hs_call_external_id"] in {i["Cdr"]["id"] for i in dialer["responseData"]["data"]}


def test_an_edit_changes_the_record_and_its_time_of_modification() -> None:
    edits = [{"at": "2026-03-10T00:00:00Z", "set": {"disposition": "Busy"}}]
    with hubspot(calls=[call("D1", edits=edits)]) as api:
        api.move("2026-03-09T00:00:00Z")
        assert api.one("calls")["hs_call_disposition"] is None
        api.move(NOW)
        edited = api.one("calls")
        assert edited["hs_call_disposition"] == "9d9162e7-6cf3-4944-bf63-4dff82258764"
        assert edited["hs_lastmodifieddate"] == "2026-03-10T00:00:00.000Z"


def mail(key: str, **more: Any) -> dict[str, Any]:
    told = {
        "key": key,
        "rep": "ana",
        "from": "ana@acme.com",
        "to": ["cora@cust.com"],
        "sent_at": "2026-03-02T09:00:00Z",
    }
    return {**told, "message_id": f"<{key}@mail.acme.com>", **more}


def test_mails_of_the_crm_and_of_its_sequences() -> None:
    logged = mail("M1", crm={"logged_at": "2026-03-02T09:30:00Z", "message_id": False}, cc=["bob@acme.com"])
    sequence = mail("M2", kind="sequence", sequencer={"system": "hubspot"}, mailboxes=[])
    elsewhere = mail("M3", kind="sequence", sequencer={"system": "outreach"})
    came = mail("M4", direction="inbound", crm={"logged_at": "2026-03-02T09:30:00Z"}, **{"from": "cora@cust.com"})
    with hubspot(mails=[logged, sequence, elsewhere, came]) as api:
        found = [m["properties"] for m in api.all("emails")]
        assert len(found) == 3
        [one] = [m for m in found if m["hs_email_cc_email"]]
        assert (one["hs_email_direction"], one["hs_email_status"], one["hs_email_message_id"]) == (
            "EMAIL",
            "SENT",
            None,
        )
        told = json.loads(one["hs_email_headers"])
        assert [told["from"]["email"], told["to"][0]["email"], told["cc"][0]["email"]] == [
            "ana@acme.com",
            "cora@cust.com",
            "bob@acme.com",
        ]
        [stepped] = [m for m in found if m["hs_sequence_id"]]
        assert (stepped["hs_email_message_id"], stepped["hs_object_source"]) == (
            "<M2@mail.acme.com>",
            "AUTOMATION_PLATFORM",
        )
        assert [m["hs_email_direction"] for m in found].count("INCOMING_EMAIL") == 1


def test_a_mail_is_bounced_once_nobody_outside_got_it() -> None:
    def bounce(key: str, at: str, who: str) -> dict[str, Any]:
        origin = {
            "from": "mailer-daemon@googlemail.com",
            "to": ["ana@acme.com"],
            "direction": "inbound",
            "kind": "bounce",
        }
        return mail(key, **origin, sent_at=at, in_reply_to="<M1@mail.acme.com>", failed_recipients=[who])

    sent = mail("M1", to=["a@cust.com", "b@cust.com", "bob@acme.com"], crm={"logged_at": "2026-03-02T09:30:00Z"})
    mails = [
        sent,
        bounce("B1", "2026-03-02T10:00:00Z", "a@cust.com"),
        bounce("B2", "2026-03-02T11:00:00Z", "b@cust.com"),
    ]
    with hubspot(mails=mails) as api:
        api.move("2026-03-02T10:30:00Z")
        assert api.one("emails")["hs_email_status"] == "SENT"
        api.move(NOW)
        bounced = api.one("emails")
        assert (bounced["hs_email_status"], bounced["hs_lastmodifieddate"]) == ("BOUNCED", "2026-03-02T11:00:00.000Z")


def test_a_notice_of_delay_is_no_bounce() -> None:
    origin = {"from": "mailer-daemon@googlemail.com", "to": ["ana@acme.com"], "direction": "inbound", "kind": "bounce"}
    delay = mail("B1", **origin, in_reply_to="<M1@mail.acme.com>", status="4.4.1")
    with hubspot(mails=[mail("M1", crm={}), delay]) as api:
        assert api.one("emails")["hs_email_status"] == "SENT"


def test_meetings_tasks_and_notes() -> None:
    meeting = {
        "key": "W1",
        "rep": "ana",
        "contacts": ["C1"],
        "attendees": ["bob"],
        "booked_by": "bob",
        "outcome": "held",
    }
    meeting |= {
        "booked_at": "2026-03-01T09:00:00Z",
        "start_at": "2026-03-03T09:00:00Z",
        "end_at": "2026-03-03T10:00:00Z",
    }
    task = {"key": "K1", "rep": "bob", "type": "call", "due_date": "2026-03-04", "contact": "C1", "status": "completed"}
    task |= {"created_at": "2026-03-01T00:00:00Z", "completed_at": "2026-03-04T12:00:00Z", "completed_by": "ana"}
    notes = [{"key": "N1", "rep": "bob", "at": "2026-03-02T09:00:00Z", "contact": "C1"}]
    writes = [{"at": "2026-03-08T09:00:00Z", "by": "ana", "object": "note", "key": "N1"}]
    with hubspot(meetings=[meeting], tasks=[task], notes=notes, crm_writes=writes) as api:
        ana, bob = api.user("ana@acme.com"), api.user("bob@acme.com")
        held = api.one("meetings")
        assert (held["hs_meeting_outcome"], held["hubspot_owner_id"]) == ("COMPLETED", ana["id"])
        assert (held["hs_created_by_user_id"], held["hs_createdate"]) == (
            str(bob["userId"]),
            "2026-03-01T09:00:00.000Z",
        )
        assert held["hs_attendee_owner_ids"] == f"{ana['id']};{bob['id']}"
        done = api.one("tasks")
        assert (done["hs_timestamp"], done["hs_task_status"]) == ("2026-03-04T13:00:00.000Z", "COMPLETED")
        assert (done["hs_task_type"], done["hs_task_completion_date"]) == ("CALL", "2026-03-04T12:00:00.000Z")
        assert done["hs_updated_by_user_id"] == str(ana["userId"])
        note = api.one("notes")
        assert (note["hs_updated_by_user_id"], note["hs_lastmodifieddate"]) == (
            str(ana["userId"]),
            "2026-03-08T09:00:00.000Z",
        )
        for kind in ("meetings", "tasks", "notes"):
            [link] = api.links(kind, "contacts", [r["id"] for r in api.all(kind)])["results"]
            assert link["to"][0]["toObjectId"] == api.one("contacts")["hs_object_id"]
        api.move("2026-03-07T09:00:00Z")
        assert api.one("notes")["hs_updated_by_user_id"] == str(bob["userId"])
        api.move("2026-03-03T09:30:00Z")
        assert api.one("meetings")["hs_meeting_outcome"] == "SCHEDULED"
        assert api.one("tasks")["hs_task_status"] == "NOT_STARTED"


# Associations


def test_records_without_associations_stand_in_the_errors_of_a_207() -> None:
    with hubspot(calls=[call("D1"), {**call("D2"), "number": "+4930123456"}], deals=[DEAL]) as api:
        contact, company = api.one("contacts")["hs_object_id"], api.one("companies")["hs_object_id"]
        ids = [r["id"] for r in api.all("calls")]
        told = api.links("calls", "contacts", ids, 207)
        [link] = told["results"]
        assert link["to"] == [
            {"toObjectId": contact, "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 194, "label": None}]}
        ]
        [error] = told["errors"]
        assert error["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
        assert {link["from"]["id"], *error["context"]["fromObjectId"]} == set(ids)
        [back] = api.links("contacts", "deals", [contact])["results"]
        assert back["to"][0]["toObjectId"] == api.one("deals")["hs_object_id"]
        [owned] = api.links("deals", "companies", [back["to"][0]["toObjectId"]])["results"]
        assert [t["label"] for t in owned["to"][0]["associationTypes"]] == ["Primary", None]
        old = api.post("/crm/v4/associations/contacts/companies/batch/read", {"inputs": [{"id": contact}]})
        assert old["results"][0]["to"][0]["toObjectId"] == int(company)
        api.links("calls", "contacts", [str(n) for n in range(1001)], 400)


def test_many_associations_of_one_record_come_in_pages() -> None:
    many = [{"key": f"C{n}", "account": "A1"} for n in range(501)]
    with hubspot(contacts=many) as api:
        company = api.one("companies")["hs_object_id"]
        [first] = api.links("companies", "contacts", [company])["results"]
        body = {"inputs": [{"id": company, "after": first["paging"]["next"]["after"]}]}
        [second] = api.post("/crm/associations/2026-09/companies/contacts/batch/read", body)["results"]
        assert (len(first["to"]), len(second["to"])) == (500, 1)
        assert "paging" not in second


def test_associations_of_archived_records_are_gone() -> None:
    with hubspot(calls=[call("D1", deleted_at="2026-03-05T00:00:00Z")]) as api:
        [gone] = api.all("calls", archived="true")
        assert api.links("calls", "contacts", [gone["id"]], 207)["results"] == []
