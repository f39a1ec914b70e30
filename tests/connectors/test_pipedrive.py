"""Pipedrive: lists to their end, tokens and limits, what is kept of a record; over real HTTP, against the sandbox or a scripted vendor."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

import duckdb
import httpx
import pytest
from pydantic import ValidationError

from connectors.landing_file import extract
from connectors.pipedrive import Pipedrive, PipedriveSettings
from connectors.pipedrive_answers import judge, tells
from connectors.stream import ConnectorError, FormatChanged, Page, PermissionMissing, RateLimited, Traffic, Window
from connectors.verdict import Denied, Fail, Retry
from sandbox.limits import Limits
from sandbox.pipedrive import API_TOKEN
from sandbox.pipedrive_history import TERRITORY
from sandbox.server import build_app, running, serving
from sandbox.world import parse
from sandbox.world_state import Clock
from transforms import landing, raw
from transforms.warehouse import open_warehouse

from .conftest import Answer, Asked, Vendor, answer

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
THEN = "2026-03-02T10:00:00Z"
Make = Callable[..., Pipedrive]


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    made: list[Pipedrive] = []

    def build(url: str, **more: Any) -> Pipedrive:
        given = {"base_url": url, "api_token": API_TOKEN, "requests_per_2_seconds": 60_000,
                 "network": {"attempts": 3, "first_wait_seconds": 0.001, "longest_wait_seconds": 30.0}}  # fmt: skip
        settings = PipedriveSettings.model_validate({k: v for k, v in (given | more).items() if v is not None})
        workspace = f"{request.node.name[:30]}{len(made)}"  # limits are shared by account
        made.append(Pipedrive(settings, workspace=workspace, now=NOW))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


def whole(stream: str, kind: Any = "full", **more: Any) -> Window:
    return Window("pipedrive", "main", stream, kind, more.get("start"), NOW, more.get("partition", ""))


def listed(items: Sequence[Any], cursor: str | None = None) -> Answer:
    return answer({"success": True, "data": list(items), "additional_data": {"next_cursor": cursor}})


def paged(items: Sequence[Any], start: int, *, more: bool, **extra: Any) -> Answer:
    paging = {"start": start, "limit": 2, "more_items_in_collection": more, **extra}
    return answer({"success": True, "data": list(items) or None, "additional_data": {"pagination": paging}})


def records(pages: Iterator[Page]) -> list[dict[str, Any]]:
    return [json.loads(record) for one in pages for record in one.records]


def company(contacts: int = 3, **more: Any) -> dict[str, Any]:
    people = [{"key": f"c{n}", "emails": [f"c{n}@cust.example"], "created_at": THEN} for n in range(contacts)]
    return {
        "company": {"now": NOW.isoformat(), "systems": {"crm": "pipedrive"}, "internal_domains": ["acme.example"]},
        "reps": [{"key": "ada", "email": "ada@acme.example", "seats": ["crm"]}],
        "contacts": people,
        **more,
    }


def test_a_list_is_read_to_its_last_page_and_a_short_page_does_not_end_it(vendor: Vendor, make: Make) -> None:
    vendor.script = [listed([{"id": 1}], "a"), listed([], "b"), listed([{"id": 2}])]
    assert [r["id"] for r in records(make(vendor.url).read(whole("crm_contact"), {}, Traffic()))] == [1, 2]
    assert [a.query.get("cursor") for a in vendor.asked] == [None, "a", "b"]
    assert {a.query["limit"] for a in vendor.asked} == {"500"}
    assert {a.headers["x-api-token"] for a in vendor.asked} == {API_TOKEN}
    with running(parse(company(1003))) as url:
        assert len(records(make(f"{url}/pipedrive").read(whole("crm_contact"), {}, Traffic()))) == 1003


def test_a_cursor_that_comes_again_is_an_error_and_so_is_an_answer_that_failed_with_status_200(
    vendor: Vendor, make: Make
) -> None:
    vendor.script = [listed([{"id": 1}], "a")]
    with pytest.raises(ConnectorError, match="would not end"):
        records(make(vendor.url).read(whole("crm_contact"), {}, Traffic()))
    vendor.script = [answer({"success": False, "error": "no"})]
    with pytest.raises(FormatChanged, match="says that it failed"):
        records(make(vendor.url).read(whole("crm_contact"), {}, Traffic()))


def test_a_list_by_offset_that_shifts_while_it_is_read_is_read_once_more(vendor: Vendor, make: Make) -> None:
    """Five notes by twos, each page from the last one of the page before; note 1 is deleted after the first page."""
    notes = [{"id": n, "active_flag": True} for n in range(1, 6)]

    def script(asked: Asked) -> Answer:
        there = notes if len(vendor.asked) == 1 else notes[1:]
        start = int(asked.query["start"])
        return paged(there[start : start + 2], start, more=start + 2 < len(there), next_start=start + 2)

    vendor.script = script
    told = [r["id"] for r in records(make(vendor.url).read(whole("crm_note"), {}, Traffic()))]
    assert set(told) == {1, 2, 3, 4, 5}
    assert [a.query["start"] for a in vendor.asked] == ["0", "1", "0", "1", "2"]
    assert {a.query["sort"] for a in vendor.asked} == {"id ASC"}

    def shifting(asked: Asked) -> Answer:
        there = notes[len(vendor.asked) % 3 :]
        start = int(asked.query["start"])
        return paged(there[start : start + 2], start, more=True, next_start=start + 2)

    vendor.script = shifting
    with pytest.raises(ConnectorError, match="deleted while the list was read, twice"):
        records(make(vendor.url).read(whole("crm_note"), {}, Traffic()))
    vendor.script = [paged([], 0, more=False)]
    assert records(make(vendor.url).read(whole("crm_note"), {}, Traffic())) == [], "v1 says null where there is nothing"


def test_changes_are_asked_for_by_the_clock_and_deals_in_four_lists(vendor: Vendor, make: Make) -> None:
    vendor.script = [listed([])]
    window = whole("crm_deal", "changes", start=NOW - timedelta(hours=2))
    assert records(make(vendor.url).read(window, {}, Traffic())) == []
    assert [(a.path, a.query.get("status")) for a in vendor.asked] == [
        ("/api/v2/deals", None),
        ("/api/v2/deals", "deleted"),
        ("/api/v2/deals/archived", None),
        ("/api/v2/deals/archived", "deleted"),
    ]
    asked = {(a.query["updated_since"], a.query["updated_until"], a.query["sort_by"]) for a in vendor.asked}
    assert asked == {("2026-03-20T04:00:00Z", "2026-03-20T06:00:01Z", "update_time")}


def test_only_what_changed_comes_and_a_deleted_deal_says_so(make: Make) -> None:
    deals = [
        {"key": "old", "owner": "ada", "events": [{"at": THEN, "type": "created"}]},
        {"key": "lost", "owner": "ada", "events": [{"at": THEN, "type": "created"}, {"at": "2026-03-18T09:00:00Z", "type": "lost"}]},
        {"key": "gone", "owner": "ada", "events": [{"at": THEN, "type": "created"}, {"at": "2026-03-20T05:00:00Z", "type": "deleted"}]},
    ]  # fmt: skip
    with running(parse(company(deals=deals))) as url:
        connector = make(f"{url}/pipedrive")
        everything = records(connector.read(whole("crm_deal"), {}, Traffic()))
        changed = records(connector.read(whole("crm_deal", "changes", start=NOW - timedelta(hours=2)), {}, Traffic()))
        assert connector.count(whole("crm_deal")) == 2, "Pipedrive does not count those that were deleted"
    told = sorted((d["status"], d["is_archived"], d["is_deleted"]) for d in everything)
    assert told == [("lost", True, False), ("open", False, False), ("open", False, True)]
    assert [(d["is_deleted"]) for d in changed] == [True]
    assert all("title" not in d and "lost_reason" not in d for d in everything)


def test_nothing_that_people_wrote_is_kept(make: Make) -> None:
    world = company(
        calls=[{"key": "k", "rep": "ada", "number": "+49301", "started_at": THEN, "result": "answered",
                "ended_at": "2026-03-02T10:04:00Z", "crm": {"contacts": ["c1"], "duration_seconds": 200}}],
        notes=[{"key": "n", "rep": "ada", "at": THEN, "contact": "c1"}],
        mails=[{"key": "m", "rep": "ada", "from": "ada@acme.example", "to": ["c1@cust.example"], "sent_at": THEN,
                "message_id": "<m@x>", "crm": {}}],
        crm_writes=[{"at": "2026-03-03T10:00:00Z", "by": "ada", "object": "contact", "key": "c1", "property": "job", "value": "Queen"}],
    )  # fmt: skip
    with running(parse(world)) as url:
        connector = make(f"{url}/pipedrive")
        people = records(connector.read(whole("crm_contact"), {}, Traffic()))
        ids = [str(one["id"]) for one in people]
        told = [*people]
        for stream in ("crm_activity", "crm_note"):
            told += records(connector.read(whole(stream), {}, Traffic()))
        read = [
            record
            for stream in ("crm_contact_history", "crm_mail")
            for digit in connector.partitions(next(s for s in connector.streams if s.name == stream))
            for record in records(
                connector.read(whole(stream, "ids", partition=digit), {"crm_contact": ids}, Traffic())
            )
        ]
    text = json.dumps([*told, *read])
    for secret in ("what was said", "About the offer", "Fridays", "secret", "Queen", "Mozilla"):
        assert secret not in text
    history = next(r for r in read if len(r.get("changes", [])) > 1)
    assert [c["field_key"] for c in history["changes"]] == ["job", "add_time"], "that it was changed is kept"
    assert [r["mua_message_id"] for r in read if "mua_message_id" in r] == ["<m@x>"]


def test_of_custom_fields_only_those_are_asked_for_that_are_named(vendor: Vendor, make: Make) -> None:
    record = {"id": 1, "custom_fields": {TERRITORY: {"id": 3, "label": "EMEA"}, "f" * 40: "private"}}
    vendor.script = [listed([record])]
    window = whole("crm_company")
    assert records(make(vendor.url).read(window, {}, Traffic())) == [{"id": 1}]
    told = records(make(vendor.url, territory_field=TERRITORY).read(window, {}, Traffic()))
    assert told == [{"id": 1, "custom_fields": {TERRITORY: {"id": 3, "label": "EMEA"}}}]
    assert [a.query.get("custom_fields") for a in vendor.asked] == [None, TERRITORY]
    with pytest.raises(ValidationError, match="String should match pattern"):
        make(vendor.url, territory_field="x'; drop table")


def test_a_record_that_does_not_fit_is_left_out_without_what_it_holds(vendor: Vendor, make: Make) -> None:
    vendor.script = [listed([{"id": 1, "emails": "ann@cust.example"}, {"id": 2}, 7])]
    (page,) = make(vendor.url).read(whole("crm_contact"), {}, Traffic())
    assert [json.loads(r)["id"] for r in page.records] == [2]
    assert page.seen == ["1"]
    assert len(page.rejected) == 2
    assert "ann@cust.example" not in json.dumps(page.rejected)


def test_histories_are_read_by_the_last_digit_and_who_is_gone_meanwhile_has_none(vendor: Vendor, make: Make) -> None:
    def script(asked: Asked) -> Answer:
        if "/deals/14/" in asked.path:
            return answer({"success": False, "error": "Deal not found"}, 404)
        return listed(
            [{"field_key": "add_time", "time": "2026-03-02 10:00:00", "actor_user_id": 5, "change_source": "app"}]
        )

    vendor.script = script
    window = whole("crm_deal_history", "ids", partition="4")
    told = records(make(vendor.url).read(window, {"crm_deal": ["4", "14", "15", "24"]}, Traffic()))
    assert [one["id"] for one in told] == ["4", "24"]
    assert told[0]["changes"][0]["actor_user_id"] == 5
    assert [a.path for a in vendor.asked] == [f"/v1/deals/{n}/changelog" for n in (4, 14, 24)]


def test_an_expired_access_token_is_renewed_by_basic_and_a_refusal_shows_no_secret(vendor: Vendor, make: Make) -> None:
    secret = {"client_id": "app", "client_secret": "cl1ent-s3cret", "refresh_token": "r3fresh-t0ken", "api_token": None}
    granted = iter(["one", "two"])

    def script(asked: Asked) -> Answer:
        if asked.path == "/oauth/token":
            return answer({"access_token": next(granted), "refresh_token": "r3fresh-t0ken", "expires_in": 3600})
        if asked.headers["Authorization"] == "Bearer one" and len(vendor.asked) > 2:
            return answer({"success": False, "error": "unauthorized access", "errorCode": 401}, 401)
        return listed([{"id": len(vendor.asked)}], "a" if len(vendor.asked) == 2 else None)

    vendor.script = script
    connector = make(vendor.url, token_url=f"{vendor.url}/oauth/token", **secret)
    assert len(records(connector.read(whole("crm_contact"), {}, Traffic()))) == 2
    assert [a.path.rsplit("/", 1)[-1] for a in vendor.asked] == ["token", "persons", "persons", "token", "persons"]
    first = vendor.asked[0]
    assert base64.b64decode(first.headers["Authorization"].removeprefix("Basic ")) == b"app:cl1ent-s3cret"
    assert first.form == {"grant_type": "refresh_token", "refresh_token": "r3fresh-t0ken"}
    echo = "cl1ent-s3cret r3fresh-t0ken " + first.headers["Authorization"]
    vendor.script = lambda _: answer({"error": "invalid_grant", "error_description": echo}, 400)
    with pytest.raises(PermissionMissing, match="invalid_grant") as refused:
        records(
            make(vendor.url, token_url=f"{vendor.url}/oauth/token", **secret).read(whole("crm_contact"), {}, Traffic())
        )
    for part in echo.split():
        assert part == "Basic" or part not in str(refused.value)
    vendor.script = lambda a: answer({"success": False, "error": f"bad {a.headers['x-api-token']}"}, 401)
    with pytest.raises(PermissionMissing) as denied:
        records(make(vendor.url, api_token="k3y-in-a-header").read(whole("crm_contact"), {}, Traffic()))
    assert "k3y-in-a-header" not in str(denied.value)


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (429, {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}, b"{}", Retry),
        (429, {"Retry-After": "7"}, b"{}", Retry),
        (429, {}, b"", Retry),
        (429, {"x-daily-ratelimit-token-remaining": "0"}, b"{}", Fail),
        (403, {"Content-Type": "text/html"}, b"<html>", Retry),
        (403, {"Content-Type": "application/json"}, b'{"success":false}', Denied),
        (402, {"Content-Type": "application/json"}, b"{}", Denied),
    ],
)
def test_what_a_refusal_means(status: int, headers: dict[str, str], body: bytes, expected: type) -> None:
    verdict = judge(httpx.Response(status, headers=headers, content=body))
    assert isinstance(verdict, expected)
    if isinstance(verdict, Retry):
        waits = {"2": 3.0, "": 60.0 if status == 403 else None, "7": 7.0}
        assert (
            verdict.everyone
            and verdict.after == waits[headers.get("x-ratelimit-reset", headers.get("Retry-After", ""))]
        )
    if isinstance(verdict, Fail):
        assert verdict.spent


def test_the_days_tokens_are_what_a_call_costs_and_the_last_of_them_are_left_to_others(make: Make) -> None:
    world = parse(company(2))
    with serving(build_app(world, Clock(world, NOW), None, Limits(enabled=True))) as url:
        connector = make(f"{url}/pipedrive", reserve=0.2)
        records(connector.read(whole("crm_contact"), {}, Traffic()))
        left = connector.limiter.remaining()["tokens"]
        assert (left.limit, left.free) == (150_000, 120_000 - 10)
        assert connector.limiter.remaining()["requests"].limit == 480
        small = make(f"{url}/pipedrive", tokens_per_day=1000, reserve=0.99)
        with pytest.raises(RateLimited, match="1,000 tokens a day"):
            for _ in range(3):
                records(small.read(whole("crm_contact"), {}, Traffic()))
    headers = {"x-daily-ratelimit-token-limit": "150000", "x-daily-ratelimit-token-remaining": "12"}
    assert [(one.budget, one.limit, one.left) for one in tells(httpx.Response(200, headers=headers))] == [
        ("tokens", 150_000, 12)
    ]


def test_check_names_what_is_missing_and_a_price_is_told_in_tokens(vendor: Vendor, make: Make) -> None:
    with running(parse(company(2))) as url:
        connector = make(f"{url}/pipedrive")
        checks = {one.name: one for one in connector.check()}
        assert all(one.ok for one in checks.values())
        assert {"crm_contact_history", "crm_mail"} <= checks.keys()
        price = connector.price([whole("crm_contact_history", "ids")], {"crm_contact": 100})
        assert (price.requests, price.cost["tokens"]) == (100, 2000)
        assert connector.price([whole("crm_activity")], {"crm_activity": 1001}).cost == {"requests": 3, "tokens": 30}
    vendor.script = lambda a: answer({"success": False, "error": "Scope and URL mismatch"}, 403)
    told = {one.name: one for one in make(vendor.url).check()}
    assert told["crm_team"].ok, "roles are an admin's: told, no failure"
    assert "activities:read" in told["crm_activity"].remedy
    assert "meetings" in told["crm_activity"].remedy


def staged(
    connector: Pipedrive, names: Sequence[str], table: str, tmp: Any, known: dict[str, list[str]]
) -> list[tuple[Any, ...]]:
    """What staging makes of what was read."""
    with open_warehouse(tmp / f"{table}.duckdb", threads=1) as con:
        raw.declare(con, [("pipedrive", s.name) for s in Pipedrive.streams])
        con.execute("insert into input.source_setting values ('pipedrive.call_types', 'call')")
        for name in names:
            stream = next(s for s in connector.streams if s.name == name)
            for digit in connector.partitions(stream):
                window = Window(
                    "pipedrive", connector.workspace, name, "ids" if stream.partitioned else "full", None, NOW, digit
                )
                landing.land(con, extract(connector, window, known, tmp / table, "run1"))
        sql = (resources.files("sql") / "staging" / f"{table}__pipedrive.sql").read_text("utf-8")
        return con.execute(sql).fetchall()


def test_won_and_lost_are_stages_and_what_a_deal_began_with_is_told_by_its_first_change(
    make: Make, tmp_path: Any
) -> None:
    deal = {"key": "d", "owner": "ada", "created_by": "ada", "events": [
        {"at": THEN, "type": "created", "stage": "open", "amount": "100.00"},
        {"at": "2026-03-03T10:00:00Z", "type": "stage", "stage": "qualified", "by": "ada"},
        {"at": "2026-03-04T10:00:00Z", "type": "amount", "amount": "250.00", "by": "ada"},
        {"at": "2026-03-05T10:00:00Z", "type": "won", "by": "ada"},
        {"at": "2026-03-06T10:00:00Z", "type": "reopened", "stage": "open", "by": "ada"},
    ]}  # fmt: skip
    with running(parse(company(deals=[deal]))) as url:
        connector = make(f"{url}/pipedrive")
        (one,) = records(connector.read(whole("crm_deal"), {}, Traffic()))
        rows = staged(
            connector, ["crm_deal", "crm_deal_history"], "stg_crm_deal_change", tmp_path, {"crm_deal": [str(one["id"])]}
        )
    told = {
        name: [(r[8], r[9].day) for r in sorted(rows, key=lambda r: r[10]) if r[7] == name]
        for name in {r[7] for r in rows}
    }
    names = {value: n for n, (value, _) in enumerate(told["stage"])}
    assert [day for _, day in told["stage"]] == [2, 3, 5, 6]
    assert told["stage"][2][0] == "won"
    assert names[told["stage"][3][0]] == 3 and told["stage"][3][0] == told["stage"][0][0], (
        "back in the stage it began in"
    )
    assert [(float(value), day) for value, day in told["amount"]] == [(100.0, 2), (250.0, 4)]


def test_a_call_that_was_planned_happened_when_it_was_done_and_one_logged_afterwards_when_it_was(
    vendor: Vendor, make: Make, tmp_path: Any
) -> None:
    base = {
        "type": "call",
        "done": True,
        "owner_id": 5,
        "creator_user_id": 5,
        "is_deleted": False,
        "update_time": "2026-03-03T15:00:00Z",
    }
    planned = {
        "id": 1,
        "add_time": THEN,
        "due_date": "2026-03-03",
        "due_time": "09:00:00",
        "marked_as_done_time": "2026-03-03T15:00:00Z",
    }
    logged = {"id": 2, "add_time": "2026-03-03T15:00:00Z", "due_date": "2026-03-03", "due_time": "14:30", "duration": "00:05",
              "marked_as_done_time": "2026-03-03T15:00:00Z"}  # fmt: skip
    open_one = {"id": 3, "add_time": THEN, "due_date": "2026-03-03", "due_time": "09:00:00"}
    odd = {"id": 4, "add_time": THEN, "due_date": "soon", "marked_as_done_time": "2026-03-03T15:00:00Z"}
    told = [{**base, **planned}, {**base, **logged}, {**base, **open_one, "done": False}, {**base, **odd}]
    vendor.script = [listed(told)]
    rows = {r[2]: r for r in staged(make(vendor.url), ["crm_activity"], "stg_crm_call", tmp_path, {})}
    assert set(rows) == {"1", "2", "4"}, "an open call is a call to come"
    when = {key: (row[10].hour, row[10].minute) for key, row in rows.items()}
    assert (when["1"], when["2"]) == ((15, 0), (14, 30))
    assert (rows["2"][13], rows["1"][13]) == (300.0, None)
    assert "due_date cannot be read: soon" in rows["4"][-1]


def test_a_person_that_is_in_no_list_any_more_is_deleted(make: Make, tmp_path: Any) -> None:
    later = datetime(2026, 3, 10, tzinfo=UTC)
    world = company(3)
    world["contacts"][1]["deleted_at"] = "2026-03-15T10:00:00Z"
    world["contacts"][2].update(merged_into="c0", merged_at="2026-03-15T10:00:00Z")
    known = parse(world)
    clock = Clock(known, later)
    with (
        serving(build_app(known, clock, None, Limits(enabled=False))) as url,
        open_warehouse(tmp_path / "w.duckdb", threads=1) as con,
    ):
        raw.declare(con, [("pipedrive", s.name) for s in Pipedrive.streams])
        connector = make(f"{url}/pipedrive")
        counted: list[tuple[int, int]] = []
        for run, at in (("run1", later), ("run2", NOW)):
            clock.move(at)
            window = Window("pipedrive", connector.workspace, "crm_contact", "full", None, at)
            landing.land(con, extract(connector, window, {}, tmp_path, run))
            counted.append(_living(con))
    assert counted == [(3, 0), (1, 2)]


def _living(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    found = con.execute(
        "select count_if(not is_deleted), count_if(is_deleted) from raw.pipedrive_crm_contact_latest"
    ).fetchone()
    assert found is not None
    return found[0], found[1]


def test_settings_want_one_credential() -> None:
    with pytest.raises(ValidationError, match="give either api_token"):
        PipedriveSettings.model_validate({})
    with pytest.raises(ValidationError, match="give either api_token"):
        PipedriveSettings.model_validate({"api_token": "x", "client_id": "y"})
