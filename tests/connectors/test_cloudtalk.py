"""CloudTalk: what is asked, how windows are read, and what staging makes of the calls."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

import connectors
from connectors.cloudtalk import CloudTalk, CloudTalkSettings
from connectors.landing_file import extract
from connectors.limit_headers import LimitHeaders
from connectors.stream import ConnectorError, DateRange, Page, PermissionMissing, Traffic, Window
from transforms.warehouse import prepare

from .conftest import Answer, Asked, Vendor, answer

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)
NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
WEEK = Window("cloudtalk", "main", "dialer_call", "range", START, END)


@pytest.fixture
def make(vendor: Vendor) -> Iterator[Callable[..., CloudTalk]]:
    made: list[CloudTalk] = []

    def build(now: datetime = NOW, **more: Any) -> CloudTalk:
        given = {"access_key_id": "key", "access_key_secret": "s3cret", "base_url": f"{vendor.url}/api", **more}
        made.append(CloudTalk(CloudTalkSettings.model_validate(given), workspace="main", now=now))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


def listing(items: Sequence[Any], count: Any = None, page: Any = 1, pages: Any = 1, **headers: str) -> Answer:
    told = {"itemsCount": len(items) if count is None else count, "pageCount": pages, "pageNumber": page, "limit": 1000}
    return answer({"responseData": {**told, "data": items}}, **headers)


def cdr(identifier: Any, **more: Any) -> dict[str, Any]:
    return {"Cdr": {"id": identifier, **more}}


def paged(*pages: Sequence[Any], count: int | None = None) -> Callable[[Asked], Answer]:
    total = sum(len(page) for page in pages) if count is None else count
    return lambda asked: listing(pages[int(asked.query["page"]) - 1], total, asked.query["page"], str(len(pages)))


def ids(pages: Sequence[Page]) -> list[Any]:
    return [json.loads(record)["Cdr"]["id"] for page in pages for record in page.records]


def test_calls_are_asked_for_by_inclusive_seconds_and_page(vendor: Vendor, make: Callable[..., CloudTalk]) -> None:
    vendor.script = paged([cdr("1"), cdr(2)], [cdr("3")])
    pages = list(make().read(WEEK, {}, Traffic()))
    assert ids(pages) == ["1", 2, "3"]
    assert [page.expected for page in pages] == [3, 3]
    dates = {"date_from": "2026-03-01 00:00:00", "date_to": "2026-03-07 23:59:59"}
    assert [asked.query for asked in vendor.asked] == [{**dates, "limit": "1000", "page": n} for n in ("1", "2")]
    assert {asked.path for asked in vendor.asked} == {"/api/calls/index.json"}
    assert vendor.asked[0].headers["Authorization"] == "Basic a2V5OnMzY3JldA=="


@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2026-03-05T10:00:00.5", "2026-03-05 10:00:00"),
        ("2026-03-05T10:00:00", "2026-03-05 09:59:59"),
        ("2026-03-01", None),
    ],
)
def test_a_window_that_reaches_into_the_future_is_read_to_now(
    vendor: Vendor, make: Callable[..., CloudTalk], now: str, last: str | None
) -> None:
    vendor.script = [listing([])]
    assert ids(list(make(datetime.fromisoformat(now).replace(tzinfo=UTC)).read(WEEK, {}, Traffic()))) == []
    assert [asked.query["date_to"] for asked in vendor.asked] == ([last] if last else [])


def test_pages_that_shifted_are_read_again(vendor: Vendor, make: Callable[..., CloudTalk]) -> None:
    """A call came in after page 1: its last call comes again on page 2, and the newest is on neither."""
    first = [listing([cdr(3), cdr(2)], 3, 1, 2), listing([cdr(2), cdr(1)], 4, 2, 2)]
    vendor.script = [*first, listing([cdr(4), cdr(3)], 4, 1, 2), listing([cdr(2), cdr(1)], 4, 2, 2)]
    assert set(ids(list(make().read(WEEK, {}, Traffic())))) == {1, 2, 3, 4}
    assert len(vendor.asked) == 4


def test_a_list_that_got_shorter_is_read_again(vendor: Vendor, make: Callable[..., CloudTalk]) -> None:
    missing = answer({"responseData": {"status": 404, "message": "Not Found"}}, 404)
    vendor.script = [listing([cdr(2)], 2, 1, 2), missing, listing([cdr(2)], 1, 1, 1)]
    assert ids(list(make().read(WEEK, {}, Traffic()))) == [2, 2]
    assert len(vendor.asked) == 3


def test_a_count_that_never_adds_up_fails_loudly(
    vendor: Vendor, make: Callable[..., CloudTalk], tmp_path: Path
) -> None:
    vendor.script = paged([cdr(1), cdr(2)], [cdr(2)], count=3)
    with pytest.raises(
        ConnectorError, match=r"counts 3 calls from 2026-03-01 00:00:00 .*but 2 different ones came, twice"
    ):
        extract(make(), WEEK, {}, tmp_path, "run1")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_one_answer_that_contradicts_itself_deletes_nothing(vendor: Vendor, make: Callable[..., CloudTalk]) -> None:
    """The example of CloudTalk's own documentation: itemsCount 3, one item, one page."""
    vendor.script = paged([cdr("27")], count=3)
    *pages, last = make().read(WEEK, {"dialer_call": ["27", "28"]}, Traffic())
    assert ids(pages) == ["27", "27"], "it was asked twice, for a shorter answer may have been a mistake"
    assert last.seen == ["27", "28"]


@pytest.mark.parametrize(
    ("stream", "path", "item"),
    [
        ("dialer_user", "/api/agents/index.json", {"Agent": {"id": "99"}}),
        ("dialer_group", "/api/groups/index.json", {"Group": {"id": "568"}}),
        ("dialer_number", "/api/numbers/index.json", {"CallNumber": {"id": "123"}}),
    ],
)
def test_lists(vendor: Vendor, make: Callable[..., CloudTalk], stream: str, path: str, item: dict[str, Any]) -> None:
    vendor.script = paged([item], [])
    pages = list(make().read(Window("cloudtalk", "main", stream, "snapshot"), {}, Traffic()))
    assert [json.loads(record) for page in pages for record in page.records] == [item]
    assert [(asked.path, asked.query["page"]) for asked in vendor.asked] == [(path, "1"), (path, "2")]


def test_a_429_waits_for_the_reset_that_is_told(vendor: Vendor, make: Callable[..., CloudTalk]) -> None:
    refused = answer({"responseData": {"status": 429}}, 429, X_CloudTalkAPI_ResetTime=str(time.time() - 5))
    vendor.script = [refused, listing([])]
    traffic = Traffic()
    list(make().read(WEEK, {}, traffic))
    assert (traffic.requests, traffic.retries) == (2, 1)
    assert traffic.waited_seconds >= 1.0  # the clock of the Date header has whole seconds
    vendor.script = [answer({}, 429, X_CloudTalkAPI_ResetTime=str(time.time() + 86400))]
    with pytest.raises(ConnectorError, match="asks to wait 86"):
        list(make(requests_per_minute=59).read(WEEK, {}, Traffic()))


def test_the_reserve_is_left_to_others(vendor: Vendor, make: Callable[..., CloudTalk]) -> None:
    headers = {
        "X_CloudTalkAPI_Limit": "60",
        "X_CloudTalkAPI_Remaining": "5",
        "X_CloudTalkAPI_ResetTime": str(time.time() - 5),
    }
    vendor.script = [listing([cdr(1)], 2, 1, 2, **headers), listing([cdr(2)], 2, 2, 2)]
    traffic = Traffic()
    list(make(requests_per_minute=58).read(WEEK, {}, traffic))
    assert traffic.waited_seconds >= 0.9


def test_wrong_keys(vendor: Vendor, make: Callable[..., CloudTalk]) -> None:
    vendor.script = [answer({"responseData": {"status": 401, "message": "Unauthorized"}}, 401)]
    with pytest.raises(PermissionMissing, match=r"GET /api/calls/index\.json .*: 401"):
        list(make().read(WEEK, {}, Traffic()))
    checks = list(make().check())
    assert [check.ok for check in checks] == [False] * 4
    assert "access_key_secret" in checks[0].remedy
    assert "s3cret" not in repr(checks)


def test_check_calls_each_list(vendor: Vendor, make: Callable[..., CloudTalk]) -> None:
    vendor.script = [listing([], 12)]
    connector = make()
    assert [(check.name, check.ok) for check in connector.check()] == [(s.name, True) for s in connector.streams]
    assert len({asked.path for asked in vendor.asked}) == 4


def test_windows_are_cut_as_the_settings_say(make: Callable[..., CloudTalk]) -> None:
    readings = {stream.name: stream.reading for stream in make(window_days=3).streams}
    assert readings["dialer_call"] == DateRange(span=timedelta(days=3))


def test_registered() -> None:
    assert connectors.load("cloudtalk") == (CloudTalk, CloudTalkSettings)
    assert "cloudtalk" in connectors.NAMES


# Staging


def sql(name: str) -> str:
    return (files("sql") / name).read_text()


@pytest.fixture
def stage() -> Callable[..., list[dict[str, Any]]]:
    """Rows that a staging model makes of payloads; record_id is what `key` names in each."""

    def run(table: str, key: str, *payloads: dict[str, Any], labels: Sequence[str] = ()) -> list[dict[str, Any]]:
        with duckdb.connect(":memory:") as con:
            con.execute("set TimeZone = 'UTC'")
            prepare(con)
            con.execute("create or replace table input.call_outcome (label varchar)")
            con.executemany("insert into input.call_outcome values (?)", [[label] for label in labels or [""]])
            con.execute(
                f"""create table raw.cloudtalk_{table}_latest (source_id varchar, workspace_id varchar, record_id varchar,
                    payload json, source_updated_at timestamptz, is_deleted boolean, _extracted_at timestamptz)"""
            )
            rows = [["cloudtalk", "main", str(p[key]["id"]), json.dumps(p), None, False, NOW] for p in payloads]
            con.executemany(f"insert into raw.cloudtalk_{table}_latest values (?, ?, ?, ?, ?, ?, ?)", rows)
            found = con.execute(sql(f"staging/stg_{table}__cloudtalk.sql"))
            names = [column[0] for column in found.description or ()]
            return sorted(
                (dict(zip(names, row, strict=True)) for row in found.fetchall()), key=lambda row: row["record_id"]
            )

    return run


Stage = Callable[..., list[dict[str, Any]]]


def call(identifier: Any = "27", tags: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    told = {
        "type": "outgoing",
        "public_external": 442071838750,
        "public_internal": "+12125550001",
        "is_voicemail": False,
        "transferred_from": "",
        "user_id": "1234",
        "talking_time": "300",
        "started_at": "2026-03-02 15:00:00",
        "answered_at": "2026-03-02T15:00:10.000Z",
        "ended_at": "2026-03-02 15:05:10",
    }
    return {**cdr(identifier, **{**told, **more}), "Tags": [{"id": 1, "name": tag} for tag in tags]}


def test_a_call(stage: Stage) -> None:
    (row,) = stage("dialer_call", "Cdr", call())
    assert {name: row[name] for name in ("call_id", "transferred_from", "user_id", "direction")} == {
        "call_id": "27",
        "transferred_from": None,
        "user_id": "1234",
        "direction": "outbound",
    }
    assert (row["counterpart_number"], row["own_number"]) == ("442071838750", "12125550001")
    assert row["started_at"].astimezone(UTC) == datetime(2026, 3, 2, 15, tzinfo=UTC)
    assert row["answered_at"].astimezone(UTC) == datetime(2026, 3, 2, 15, 0, 10, tzinfo=UTC)
    assert row["ended_at"].astimezone(UTC) == datetime(2026, 3, 2, 15, 5, 10, tzinfo=UTC)
    assert (row["talk_s"], row["result"], row["is_machine"], row["unreadable_reason"]) == (
        300.0,
        "answered",
        False,
        None,
    )


@pytest.mark.parametrize("voicemail", [True, "1", 1, "true"])
def test_voicemail_in_every_spelling(stage: Stage, voicemail: Any) -> None:
    out, inbound = stage(
        "dialer_call", "Cdr", call(1, is_voicemail=voicemail), call(2, type="incoming", is_voicemail=voicemail)
    )
    assert (out["result"], out["is_machine"]) == ("voicemail", True)
    assert (inbound["result"], inbound["is_machine"]) == ("missed", False)


@pytest.mark.parametrize("never", [None, "", "0000-00-00 00:00:00"])
@pytest.mark.parametrize(
    ("kind", "tags", "result"),
    [
        ("outgoing", ["VIP", "BUSY "], "busy"),
        ("outgoing", ["Failed"], "failed"),
        ("outgoing", ["Canceled"], "cancelled"),
        ("outgoing", ["cancelled"], "cancelled"),
        ("outgoing", ["No answer"], "no_answer"),
        ("outgoing", [], "no_answer"),
        ("incoming", ["Missed"], "missed"),
        ("incoming", ["Busy"], "missed"),
    ],
)
def test_why_nobody_answered(stage: Stage, never: Any, kind: str, tags: list[str], result: str) -> None:
    (row,) = stage("dialer_call", "Cdr", call(type=kind, tags=tags, answered_at=never, talking_time="0"))
    assert (row["result"], row["answered_at"], row["unreadable_reason"]) == (result, None, None)


def test_tags_that_are_dispositions(stage: Stage) -> None:
    rows = stage(
        "dialer_call",
        "Cdr",
        call(1, tags=["VIP", "Meeting set"]),
        call(2, tags=["VIP"]),
        call(3, tags=["Busy", "Meeting set"], answered_at=None),
        labels=["meeting set", "busy"],
    )
    assert [row["disposition_label"] for row in rows] == ["meeting set", None, "meeting set"]


def test_legs_belong_to_the_first(stage: Stage) -> None:
    """Whose call each leg is (core.call_root): chains end at their first leg, circles and strangers nowhere."""
    legs = [call(1), call(2, transferred_from="1"), call(3, transferred_from=2), call(4, transferred_from="unknown")]
    circle = [call(5, transferred_from=6), call(6, transferred_from=5), call(7, transferred_from=7)]
    rows = stage("dialer_call", "Cdr", *legs, *circle)
    with duckdb.connect(":memory:") as con:
        con.execute("create schema staging")
        con.execute(
            "create table staging.stg_dialer_call (source_id text, workspace_id text, call_id text, transferred_from text)"
        )
        con.executemany(
            "insert into staging.stg_dialer_call values ('cloudtalk', 'main', ?, ?)",
            [[row["call_id"], row["transferred_from"]] for row in rows],
        )
        found = con.execute(sql("core/call_root.sql")).fetchall()
    assert {row[2]: (row[3], row[4]) for row in found} == {"2": ("1", 1), "3": ("1", 2)}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"started_at": "yesterday"}, "Cdr.started_at is no time: yesterday"),
        ({"started_at": None}, "Cdr.started_at is no time: missing"),
        ({"answered_at": "soon"}, "Cdr.answered_at is no time: soon"),
        ({"ended_at": "2026-13-01 00:00:00"}, "Cdr.ended_at is no time: 2026-13-01 00:00:00"),
        ({"talking_time": "long"}, "Cdr.talking_time is no number: long"),
        ({"talking_time": "nan"}, "Cdr.talking_time is no number: nan"),
        ({"talking_time": -5}, "Cdr.talking_time is no number: -5"),
        ({"type": "fax"}, "Cdr.type is not outgoing, incoming or internal: fax"),
    ],
)
def test_unreadable_values_are_told(stage: Stage, wrong: dict[str, Any], reason: str) -> None:
    (row,) = stage("dialer_call", "Cdr", call(**wrong))
    assert row["unreadable_reason"] == reason


def test_agents_and_numbers(stage: Stage) -> None:
    agent = {
        "id": "99",
        "firstname": "John",
        "lastname": "Doe",
        "email": " Joh.Doe@Phoonio.com",
        "default_number": "+421123456789",
    }
    (user, bare) = stage(
        "dialer_user",
        "Agent",
        {"Agent": {**agent, "associated_numbers": [421123456789, "+421987654321"]}},
        {"Agent": {"id": 999}},
    )
    assert (user["user_id"], user["email"], user["full_name"]) == ("99", "joh.doe@phoonio.com", "John Doe")
    assert user["numbers"] == ["421123456789", "421987654321"]
    assert (bare["email"], bare["full_name"], bare["numbers"]) == (None, None, [])
    good, bad = stage(
        "dialer_number",
        "CallNumber",
        {"CallNumber": {"id": 1, "caller_id_e164": 442012345678}},
        {"CallNumber": {"id": 2, "caller_id_e164": "none"}},
    )
    assert (good["number"], good["unreadable_reason"]) == ("442012345678", None)
    assert bad["unreadable_reason"] == "CallNumber.caller_id_e164 holds no digits"


@pytest.mark.parametrize(
    "strange", [{}, {"Cdr": None}, {"Cdr": []}, cdr(None), cdr(1.5), cdr(True), cdr({"a": 1})], ids=str
)
def test_a_strange_item_does_not_end_the_window(
    vendor: Vendor, make: Callable[..., CloudTalk], strange: dict[str, Any]
) -> None:
    vendor.script = [listing([cdr("1"), strange])]
    (page,) = make().read(WEEK, {}, Traffic())
    assert [json.loads(record) for record in page.records] == [cdr("1"), strange]


@pytest.mark.parametrize("told", ["nan", "inf", "soon"])
def test_a_reset_that_is_no_time_is_none(told: str) -> None:
    """Not over the wire: without a reset the wait is the client's own, which takes seconds."""
    headers = LimitHeaders("X-Limit", "X-Left", "X-Reset")
    assert headers.until_reset(httpx.Response(429, headers={"X-Reset": told})) is None


@pytest.mark.parametrize(("more", "seconds"), [({}, 3.0), ({"Retry-After": "30"}, 30.0), ({"Retry-After": "1"}, 3.0)])
def test_a_refusal_that_says_when_to_come_again_is_heeded_beside_a_reset(more: dict[str, str], seconds: float) -> None:
    """The headers may tell of another limit than the one that refused."""
    headers = LimitHeaders("X-Limit", "X-Left", "X-Reset")
    assert headers.refused(httpx.Response(429, headers={"X-Reset": "2", **more}), "429").after == seconds
