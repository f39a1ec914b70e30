"""Salesforce: rows by key to the end, the Bulk API, tokens, limits, permissions; over real HTTP, against the sandbox or a scripted vendor."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import ValidationError

import connectors
from connectors.landing_file import extract
from connectors.salesforce import Salesforce, SalesforceSettings
from connectors.salesforce_answers import judge, tells
from connectors.salesforce_bulk import lines_of
from connectors.stream import ConnectorError, FormatChanged, Page, PermissionMissing, Traffic, Window
from connectors.verdict import Denied, Fail, Reauth, Retry
from sandbox.server import running
from sandbox.settings_out import service_account_key
from sandbox.world import parse
from transforms import landing, raw
from transforms.warehouse import open_warehouse

from .conftest import Answer, Asked, Vendor, answer

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
SAME = "2026-03-02T10:00:00Z"
CONTACTS = Window("salesforce", "main", "crm_contact", "full", None, NOW)
TEAMS = Window("salesforce", "main", "crm_team", "snapshot", None, NOW)
TOKEN = answer({"access_token": "t0ken", "instance_url": "https://x"})
Make = Callable[..., Salesforce]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Salesforce] = []

    def build(url: str, **more: Any) -> Salesforce:
        given = {
            "base_url": url,
            "client_id": "sandbox-app",
            "client_secret": "sandbox-secret",
            "requests_per_minute": 60_000,
        }
        given |= more
        settings = SalesforceSettings.model_validate({k: v for k, v in given.items() if v is not None})
        made.append(Salesforce(settings, workspace="main", now=NOW))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


def scripted(
    vendor: Vendor,
    query: Callable[[Asked], Answer],
    fields: Sequence[str] = ("Id", "Name", "ParentRoleId", "SystemModstamp"),
) -> None:
    """A vendor that gives a token, describes every object with these fields, and answers queries as told."""

    def reply(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            return TOKEN
        if asked.path.endswith("/describe"):
            return answer({"fields": [{"name": name} for name in fields]})
        return query(asked)

    vendor.script = reply


def ids(pages: Iterator[Page]) -> list[str]:
    return [json.loads(record)["Id"] for one in pages for record in one.records]


def company(contacts: int) -> dict[str, Any]:
    people = [
        {"key": f"c{n}", "emails": [f"c{n}@cust.example"], "phones": ["NA"] if n == 7 else [], "created_at": SAME}
        for n in range(contacts)
    ]
    return {
        "company": {"now": NOW.isoformat(), "systems": {"crm": "salesforce"}, "internal_domains": ["acme.example"]},
        "reps": [{"key": "ada", "email": "ada@acme.example", "seats": ["crm"]}],
        "contacts": people,
    }


def test_rows_of_one_instant_are_read_by_key_to_the_last_and_the_bulk_api_tells_the_same(
    make: Make, tmp_path: Path
) -> None:
    """2,003 contacts with one SystemModstamp, two pages; as a bulk job, everything is text, and "NA" is no empty value."""
    sql = (resources.files("sql") / "staging" / "stg_crm_contact__salesforce.sql").read_text("utf-8")
    found: list[list[Any]] = []
    with running(parse(company(2003))) as url:
        for how, bulk_from in (("rest", 50_000), ("bulk", 2_000)):
            connector = make(f"{url}/salesforce", bulk_from=bulk_from)
            file = extract(connector, CONTACTS, {}, tmp_path / how, "run1")
            with open_warehouse(tmp_path / f"{how}.duckdb", threads=1) as con:
                raw.declare(con, [("salesforce", s.name) for s in connectors.load("salesforce")[0].streams])
                outcome = landing.land(con, file)
                assert (outcome.rows_new, outcome.rows_quarantined) == (2003, 0)
                columns = "contact_id, emails, phones, owner_user_id, created_at, created_via, source_updated_at, is_deleted, unreadable_reason"
                found.append(con.execute(f"select {columns} from ({sql}) order by contact_id").fetchall())
    assert found[0] == found[1]
    assert len({row[0] for row in found[0]}) == 2003


def test_the_next_page_begins_after_the_last_row_and_no_locator_is_followed(vendor: Vendor, make: Make) -> None:
    """A page that is not the last one may be short; what it names for the rest belongs to a session that may be over."""
    pages = [
        {"totalSize": 3, "done": False, "nextRecordsUrl": "/services/data/v66.0/query/0r8-2000",
         "records": [{"Id": "00E1", "SystemModstamp": "2026-03-02T10:00:00.000+0000"},
                     {"Id": "00E2", "SystemModstamp": "2026-03-02T10:00:00.500+0000"}]},
        {"totalSize": 1, "done": True, "records": [{"Id": "00E3", "SystemModstamp": "2026-03-02T10:00:00.500+0000"}]},
    ]  # fmt: skip
    told = iter(pages)
    scripted(vendor, lambda _: answer(next(told)))
    assert ids(make(vendor.url).read(TEAMS, {}, Traffic())) == ["00E1", "00E2", "00E3"]
    queries = [a.query["q"] for a in vendor.asked if "q" in a.query]
    assert queries == [
        "SELECT Id, Name, ParentRoleId, SystemModstamp FROM UserRole ORDER BY SystemModstamp, Id LIMIT 2000",
        "SELECT Id, Name, ParentRoleId, SystemModstamp FROM UserRole WHERE (SystemModstamp > 2026-03-02T10:00:00.500Z OR (SystemModstamp = "
        "2026-03-02T10:00:00.500Z AND Id > '00E2')) ORDER BY SystemModstamp, Id LIMIT 2000",
    ]
    assert {a.path for a in vendor.asked if "q" in a.query} == {"/services/data/v66.0/query"}, "roles cannot be deleted"


def test_a_page_that_comes_again_one_that_lacks_a_row_and_an_empty_one_that_is_not_the_last_are_errors(
    vendor: Vendor, make: Make
) -> None:
    same = {"done": False, "records": [{"Id": "00E1", "SystemModstamp": "2026-03-02T10:00:00.000+0000"}]}
    scripted(vendor, lambda _: answer(same))
    with pytest.raises(ConnectorError, match="came twice"):
        list(make(vendor.url).read(TEAMS, {}, Traffic()))
    scripted(vendor, lambda _: answer({**same, "done": True, "totalSize": 2}))
    with pytest.raises(ConnectorError, match="1 rows came in an answer of 2"):
        list(make(vendor.url).read(TEAMS, {}, Traffic()))
    scripted(vendor, lambda _: answer({"done": False, "records": []}))
    with pytest.raises(FormatChanged, match="an empty answer that is not the last one"):
        list(make(vendor.url).read(TEAMS, {}, Traffic()))
    scripted(
        vendor,
        lambda _: answer(
            {"done": False, "records": [{"Id": "00E1' OR Id != '", "SystemModstamp": "2026-03-02T10:00:00.000+0000"}]}
        ),
    )
    with pytest.raises(FormatChanged, match="is no instant in UTC"):
        list(make(vendor.url).read(TEAMS, {}, Traffic()))


def test_changes_are_asked_for_from_an_hour_back_to_the_runs_clock_and_deleted_ones_come_too(
    vendor: Vendor, make: Make
) -> None:
    connector = make(vendor.url)
    stream = next(s for s in connector.streams if s.name == "crm_deal_contact")
    assert stream.reading.lookback == timedelta(hours=1)  # type: ignore[union-attr]
    fields = ("Id", "IsDeleted", "OpportunityId", "ContactId", "SystemModstamp")
    scripted(vendor, lambda _: answer({"done": True, "records": []}), fields)
    window = Window("salesforce", "main", "crm_deal_contact", "changes", NOW - timedelta(hours=1), NOW)
    assert ids(connector.read(window, {}, Traffic())) == []
    ((path, query),) = [(a.path, a.query["q"]) for a in vendor.asked if "q" in a.query]
    assert path.endswith("/queryAll"), "the recycle bin and the archive too"
    assert "WHERE SystemModstamp >= 2026-03-20T05:00:00Z AND SystemModstamp < 2026-03-20T06:00:00Z ORDER BY" in query


def test_an_expired_session_is_renewed_and_reading_goes_on_after_the_last_row(vendor: Vendor, make: Make) -> None:
    expired = answer([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}], 401)
    row = {"Id": "00E1", "SystemModstamp": "2026-03-02T10:00:00.000+0000"}
    replies = iter([answer({"done": False, "records": [row]}), expired, answer({"done": True, "records": []})])
    scripted(vendor, lambda _: next(replies))
    assert ids(make(vendor.url).read(TEAMS, {}, Traffic())) == ["00E1"]
    paths = [a.path.rsplit("/", 1)[-1] for a in vendor.asked]
    assert paths == ["token", "describe", "query", "query", "token", "query"]


def test_the_jwt_bearer_flow_says_for_whom_and_to_whom(vendor: Vendor, make: Make, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text(service_account_key("x")["private_key"])
    scripted(vendor, lambda _: answer({"done": True, "records": []}))
    connector = make(
        vendor.url,
        client_secret=None,
        username="etl@acme.com",
        private_key_file=key,
        login_url="https://test.salesforce.com",
    )
    list(connector.read(TEAMS, {}, Traffic()))
    form = {name: values[0] for name, values in parse_qs(vendor.asked[0].body.decode()).items()}
    body = form["assertion"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert {k: claims[k] for k in ("iss", "sub", "aud")} == {
        "iss": "sandbox-app",
        "sub": "etl@acme.com",
        "aud": "https://test.salesforce.com",
    }


def test_a_field_that_is_not_there_names_the_setting_and_nothing_is_asked_for_blindly(
    vendor: Vendor, make: Make
) -> None:
    with running(parse(company(1))) as url:
        connector = make(f"{url}/salesforce", territory_field="Region__c")
        window = Window("salesforce", "main", "crm_company", "full", None, NOW)
        with pytest.raises(
            PermissionMissing, match=r"Account has no field Region__c.*Correct salesforce\.territory_field"
        ):
            list(connector.read(window, {}, Traffic()))
        checks = {c.name: c for c in connector.check()}
    assert not checks["crm_company"].ok
    assert "no accounts: territory and segment" in checks["crm_company"].remedy
    assert all(c.ok for name, c in checks.items() if name != "crm_company")
    with pytest.raises(ValidationError, match="String should match pattern"):
        SalesforceSettings.model_validate(
            {"base_url": vendor.url, "client_id": "a", "client_secret": "b", "territory_field": "x FROM Y"}
        )


def test_an_object_that_is_not_used_is_empty_and_not_asked_for(vendor: Vendor, make: Make) -> None:
    connector = make(vendor.url, unused_objects=["ContentNote"])
    window = Window("salesforce", "main", "crm_note", "full", None, NOW)
    assert list(connector.read(window, {}, Traffic())) == []
    assert vendor.asked == []


def test_a_job_that_fails_or_whose_rows_are_missing_lands_nothing(vendor: Vendor, make: Make, tmp_path: Path) -> None:
    state = {"id": "750x", "state": "JobComplete", "numberRecordsProcessed": 3}
    piece = Answer(
        200,
        b'"Id"\n"0031"\n"0032"\n',
        {"Content-Type": "text/csv", "Sforce-Locator": "null", "Sforce-NumberOfRecords": "2"},
    )

    def reply(asked: Asked) -> Answer:
        if asked.path.endswith("/results"):
            return piece
        return answer({"totalSize": 60_000, "done": True, "records": []} if "q" in asked.query else state)

    described = ("Id", "IsDeleted", "OwnerId", "CreatedById", "CreatedDate", "SystemModstamp", "LastModifiedById", "MasterRecordId", "AccountId",
                 "Email", "Phone", "MobilePhone")  # fmt: skip
    scripted(vendor, reply, described)
    with pytest.raises(ConnectorError, match="found 3 records, but 2 came"):
        extract(make(vendor.url), CONTACTS, {}, tmp_path, "run1")
    state |= {"state": "Failed", "errorMessage": "InvalidBatch"}
    with pytest.raises(ConnectorError, match="750x Failed: InvalidBatch"):
        extract(make(vendor.url), CONTACTS, {}, tmp_path, "run1")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_values_of_a_bulk_result_are_text_and_only_nothing_is_null() -> None:
    csv = '"Id","CreatedBy.Username","Amount","Name"\n"1","","12.50","NA"\n"2","a@b","","two\nlines, ""quoted"""\n'
    assert [json.loads(line) for line in lines_of(csv.encode())] == [
        {"Id": "1", "CreatedBy.Username": None, "Amount": "12.50", "Name": "NA"},
        {"Id": "2", "CreatedBy.Username": "a@b", "Amount": None, "Name": 'two\nlines, "quoted"'},
    ]


def test_what_refusals_mean_and_what_headers_tell() -> None:
    def response(status: int, code: str, message: str = "", usage: str = "") -> httpx.Response:
        request = httpx.Request("GET", "https://x/services/data/v66.0/queryAll")
        headers = {"Sforce-Limit-Info": usage}
        return httpx.Response(status, headers=headers, json=[{"errorCode": code, "message": message}], request=request)

    spent = judge(response(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    assert isinstance(spent, Fail) and spent.spent
    assert "last 24 hours" in spent.message
    assert isinstance(judge(response(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded.")), Retry)
    assert isinstance(judge(response(401, "INVALID_SESSION_ID")), Reauth)
    assert isinstance(judge(response(400, "INVALID_TYPE", "sObject type 'EmailMessage' is not supported.")), Denied)
    assert isinstance(judge(response(400, "QUERY_TIMEOUT")), Retry)
    assert isinstance(judge(response(503, "SERVER_UNAVAILABLE")), Retry)
    (told,) = tells(response(200, "", usage="api-usage=873/15000"))
    assert (told.budget, told.limit, told.left) == ("day", 15_000, 14_127)


@pytest.mark.parametrize(
    "given", [{}, {"client_secret": "s", "username": "u", "private_key_file": __file__}, {"username": "u"}]
)
def test_one_credential_is_needed(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="give client_secret, or username and private_key_file"):
        SalesforceSettings.model_validate({"base_url": "https://x", "client_id": "c", **given})


def without(url: str, permission: str) -> Callable[[Asked], Answer]:
    """The sandbox's answers; its integration user lacks a permission."""

    def reply(asked: Asked) -> Answer:
        given = {"Authorization": asked.headers["Authorization"]} if "Authorization" in asked.headers else {}
        kind = {"Content-Type": asked.headers["Content-Type"]} if "Content-Type" in asked.headers else {}
        address = f"{url}/salesforce{asked.path}"
        told = httpx.request(asked.method, address, params=dict(asked.query), content=asked.body, headers=given | kind)
        body = told.content.replace(f'"{permission}":true'.encode(), f'"{permission}":false'.encode())
        return Answer(told.status_code, body, {"Content-Type": "application/json"})

    return reply


LOGINS = Window("salesforce", "main", "crm_login", "range", NOW - timedelta(days=3), NOW)


def test_own_sign_ins_alone_are_not_taken_for_everybodys(vendor: Vendor, make: Make) -> None:
    """Without a permission LoginHistory answers, with the integration user's own rows: a permission that goes dark without an error."""
    world = company(1) | {"logins": [{"rep": "ada", "system": "crm", "at": "2026-03-19T08:00:00Z", "succeeded": True}]}
    with running(parse(world)) as url:
        vendor.script = without(url, "PermissionsNone")
        assert len(ids(make(vendor.url).read(LOGINS, {}, Traffic()))) == 1
        other = without(url, "PermissionsManageUsers")  # Monitor Login History is enough
        vendor.script = other
        assert len(ids(make(vendor.url).read(LOGINS, {}, Traffic()))) == 1

        def neither(asked: Asked) -> Answer:
            told = other(asked)
            return Answer(told.status, told.body.replace(b'History":true', b'History":false'), told.headers)

        vendor.script = neither
        with pytest.raises(PermissionMissing, match="shown its own sign-ins only") as caught:
            list(make(vendor.url).read(LOGINS, {}, Traffic()))
        assert caught.value.feeds == "sign-ins as evidence of CRM usage"
        checks = {c.name: c for c in make(vendor.url).check()}
    assert [name for name, c in checks.items() if not c.ok] == ["crm_login"]


def test_where_permissions_are_not_told_it_is_seen_by_whose_sign_ins_are_shown(vendor: Vendor, make: Make) -> None:
    """PermissionSet may be hidden, too. Then nobody else's sign-ins in half a year are taken for a missing permission."""
    others = {"totalSize": 0, "done": True, "records": []}

    def reply(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            return TOKEN
        if asked.path.endswith("/PermissionSet/describe"):
            return answer([{"errorCode": "NOT_FOUND", "message": "not there"}], 404)
        if asked.path.endswith("/describe"):
            return answer(
                {
                    "fields": [
                        {"name": name} for name in ("Id", "UserId", "LoginTime", "LoginType", "Status", "Application")
                    ]
                }
            )
        if "q" not in asked.query:
            return answer({"identity": "https://login.salesforce.com/id/00D1/005ME"})
        return answer(others if "COUNT()" in asked.query["q"] else {"done": True, "records": []})

    vendor.script = reply
    with pytest.raises(PermissionMissing, match="shown its own sign-ins only"):
        list(make(vendor.url).read(LOGINS, {}, Traffic()))
    others["totalSize"] = 7
    assert ids(make(vendor.url).read(LOGINS, {}, Traffic())) == []
    counted = {a.query["q"] for a in vendor.asked if "COUNT()" in a.query.get("q", "")}
    assert counted == {"SELECT COUNT() FROM LoginHistory WHERE UserId != '005ME'"}


def test_check_names_what_sharing_may_hide(vendor: Vendor, make: Make) -> None:
    with running(parse(company(1))) as url:
        vendor.script = without(url, "PermissionsViewAllData")
        checks = {c.name: c for c in make(vendor.url).check()}
    assert [name for name, c in checks.items() if not c.ok] == ["ViewAllData"]
    assert "tasks, events and mails that are not shared" in checks["ViewAllData"].detail


DESCRIBED = ("Id", "IsDeleted", "OwnerId", "CreatedById", "CreatedDate", "SystemModstamp", "LastModifiedById", "MasterRecordId", "AccountId",
             "Email", "Phone", "MobilePhone")  # fmt: skip
ROW = {"Id": "0031", "SystemModstamp": "2026-03-02T10:00:00.000+0000"}


def test_what_cannot_be_counted_in_time_is_long_and_what_the_bulk_api_does_not_read_is_read_by_rest(
    vendor: Vendor, make: Make
) -> None:
    """COUNT() over very many rows times out (airbyte#17503); a job for such an object is refused (airbyte#13088). Neither loses the listing."""
    asked_for: list[str] = []

    def reply(asked: Asked) -> Answer:
        if asked.path.endswith("/jobs/query"):
            asked_for.append("job")
            return answer(
                [{"errorCode": "INVALIDENTITY", "message": "Entity 'X' is not supported by the Bulk API."}], 400
            )
        if "COUNT()" in asked.query["q"]:
            asked_for.append("count")
            return answer(
                [{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}], 400
            )
        asked_for.append("rows")
        return answer({"done": True, "records": [ROW]})

    scripted(vendor, reply, DESCRIBED)
    assert ids(make(vendor.url).read(CONTACTS, {}, Traffic())) == ["0031"]
    assert asked_for == ["count", "job", "rows"], "each once"


def test_field_history_that_has_become_too_old_is_not_taken_back(vendor: Vendor, make: Make, tmp_path: Path) -> None:
    """Salesforce keeps it for 18 to 24 months: a full listing without an old row says nothing of the edit. Of a contact it does."""
    fields = ("Id", "IsDeleted", "Field", "CreatedById", "CreatedDate", "ContactId", *DESCRIBED[2:])
    when = {"CreatedDate": SAME, "SystemModstamp": SAME, "IsDeleted": False}
    gone: dict[str, int] = {}
    with open_warehouse(tmp_path / "w.duckdb", threads=1) as con:
        raw.declare(con, [("salesforce", s.name) for s in connectors.load("salesforce")[0].streams])
        for stream in ("crm_contact_history", "crm_contact"):
            for run, rows in (("run1", [{"Id": "1", **when}, {"Id": "2", **when}]), ("run2", [{"Id": "2", **when}])):
                scripted(
                    vendor, lambda _, rows=rows: answer({"done": True, "totalSize": len(rows), "records": rows}), fields
                )
                window = Window("salesforce", "main", stream, "full", None, NOW)
                gone[stream] = landing.land(con, extract(make(vendor.url), window, {}, tmp_path, run)).rows_deleted
    assert gone == {"crm_contact_history": 0, "crm_contact": 1}


def test_where_there_are_no_email_messages_the_tasks_of_mails_are_all_there_is(vendor: Vendor, make: Make) -> None:
    fields = ("Id", "IsDeleted", *DESCRIBED, "WhoId", "WhatId", "TaskSubtype", "Type", "Status", "IsClosed",
              "CompletedDateTime", "ActivityDate")  # fmt: skip
    scripted(vendor, lambda _: answer({"done": True, "totalSize": 0, "records": []}), fields)
    window = Window("salesforce", "main", "crm_task", "changes", NOW - timedelta(hours=1), NOW)
    for unused in ([], ["EmailMessage"]):
        list(make(vendor.url, unused_objects=unused).read(window, {}, Traffic()))
    with_mails, alone = (a.query["q"] for a in vendor.asked if "q" in a.query)
    assert "TaskSubtype != 'Email'" in with_mails
    assert "'Email'" not in alone


def test_a_contact_taken_off_a_call_is_gone_although_no_query_shows_it(
    vendor: Vendor, make: Make, tmp_path: Path
) -> None:
    """TaskRelation: not in the recycle bin, and IsDeleted is not to be relied on; Get Deleted tells (Object Reference)."""
    row = {"Id": "0RT1", "IsDeleted": False, "RelationId": "0031", "TaskId": "00T1", "SystemModstamp": SAME}
    rows = [row, row | {"Id": "0RT2", "RelationId": "0032"}]

    def reply(asked: Asked) -> Answer:
        if asked.path.endswith("/deleted/"):
            return answer({"deletedRecords": [{"id": "0RT2", "deletedDate": SAME}], "latestDateCovered": SAME})
        return answer({"done": True, "totalSize": len(rows), "records": rows})

    scripted(vendor, reply, tuple(row))
    with open_warehouse(tmp_path / "w.duckdb", threads=1) as con:
        raw.declare(con, [("salesforce", s.name) for s in connectors.load("salesforce")[0].streams])
        for kind, start in (("full", None), ("changes", NOW - timedelta(days=20))):
            window = Window("salesforce", "main", "crm_task_relation", kind, start, NOW)  # type: ignore[arg-type]
            landing.land(con, extract(make(vendor.url), window, {}, tmp_path, kind))
            rows = []
        left = con.execute(
            "select record_id, is_deleted from raw.salesforce_crm_task_relation_latest order by 1"
        ).fetchall()
    assert left == [("0RT1", False), ("0RT2", True)]
    (asked,) = [a for a in vendor.asked if a.path.endswith("/TaskRelation/deleted/")]
    assert asked.query == {"start": "2026-03-06T06:00:00Z", "end": "2026-03-20T06:00:00Z"}, (
        "no further back than it tells"
    )


def test_who_left_is_still_who_they_were(make: Make) -> None:
    world = company(0)
    world["reps"].append(
        {
            "key": "bob",
            "email": "bob@acme.example",
            "seats": ["crm"],
            "hire_date": "2025-01-01",
            "end_date": "2026-02-01",
        }
    )
    with running(parse(world)) as url:
        window = Window("salesforce", "main", "crm_user", "snapshot", None, NOW)
        pages = list(make(f"{url}/salesforce").read(window, {}, Traffic()))
    users = {user["Email"]: user["IsActive"] for page in pages for user in map(json.loads, page.records)}
    assert (users["ada@acme.example"], users["bob@acme.example"]) == (True, False)


def test_an_api_version_that_is_no_more_and_a_query_that_times_out_are_errors_and_no_empty_lists(
    vendor: Vendor, make: Make
) -> None:
    quick = {"network": {"attempts": 2, "first_wait_seconds": 0.001}}
    told = {"message": "Unsupported API version", "errorCode": "UNSUPPORTED_API_VERSION"}
    for status, code in (
        (410, told),
        (400, {"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}),
    ):
        scripted(vendor, lambda _, status=status, code=code: answer([code], status), DESCRIBED)
        with pytest.raises(ConnectorError, match=code["errorCode"]):
            list(make(vendor.url, **quick).read(CONTACTS, {}, Traffic()))
