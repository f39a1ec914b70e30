"""Aircall: what is asked and how windows are read, over real HTTP; what staging makes of transfers, ongoing calls and tags."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

import connectors
from connectors.aircall import Aircall, AircallSettings
from connectors.aircall_answers import judge, tells
from connectors.landing_file import extract
from connectors.stream import ConnectorError, Page, PermissionMissing, Traffic, Window, kept_by
from connectors.verdict import Denied, Retry
from transforms import landing, raw
from transforms.warehouse import open_warehouse

from .conftest import Answer, Asked, Vendor, answer

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)
NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
WEEK = Window("aircall", "main", "dialer_call", "range", START, END)
USERS = Window("aircall", "main", "dialer_user", "snapshot", None, NOW)
Make = Callable[..., Aircall]


@pytest.fixture
def make(vendor: Vendor) -> Iterator[Make]:
    made: list[Aircall] = []

    def build(**more: Any) -> Aircall:
        given = {"base_url": f"{vendor.url}/v1", "requests_per_minute": 60_000, "api_id": "id", "api_token": "s3cret"}
        made.append(Aircall(AircallSettings.model_validate(given | more), workspace="main", now=NOW))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


def page(name: str, items: Sequence[Any], total: int, number: int, *, more: bool) -> Answer:
    link = f"https://elsewhere.invalid/v1/{name}?page={number + 1}" if more else None
    meta = {"count": len(items), "total": total, "current_page": number, "per_page": 50, "next_page_link": link}
    return answer({"meta": meta, name: items})


def calls_at(seconds: Sequence[int]) -> Callable[[Asked], Answer]:
    """Calls with these numbers as ids, that began so many seconds after START."""
    begin = int(START.timestamp())

    def listing(asked: Asked) -> Answer:
        first, last = int(asked.query["from"]) - begin, int(asked.query["to"]) - begin
        found = [n for n in seconds if first <= n <= last]
        number = int(asked.query["page"])
        if number * 50 > 10_000:
            return answer({"error": "Bad Request"}, 400)
        shown = [{"id": n, "started_at": begin + n} for n in found[(number - 1) * 50 : number * 50]]
        return page("calls", shown, len(found), number, more=number * 50 < len(found))

    return listing


def ids(pages: Iterator[Page]) -> list[int]:
    return [json.loads(record)["id"] for one in pages for record in one.records]


def test_calls_are_asked_for_by_seconds_to_the_last_page_and_the_key_goes_to_no_address_in_an_answer(
    vendor: Vendor, make: Make
) -> None:
    vendor.script = calls_at(range(0, 120 * 60, 60))
    assert ids(make().read(WEEK, {}, Traffic())) == list(range(0, 7200, 60))
    margin, begin, end = 120, int(START.timestamp()), int(END.timestamp())
    asked = {"from": str(begin - margin), "to": str(end + margin), "order": "asc", "per_page": "50"}
    assert [a.query for a in vendor.asked] == [{**asked, "page": n} for n in "123"]
    assert {a.path for a in vendor.asked} == {"/v1/calls"}
    assert vendor.asked[0].headers["Authorization"] == "Basic aWQ6czNjcmV0"


def test_more_calls_than_a_query_gives_are_read_in_halves(vendor: Vendor, make: Make, tmp_path: Path) -> None:
    """More than five days are said to hold 10,001 calls, so seven are read in halves; a call a second around the cut, and none is lost."""
    cut = int((END - START).total_seconds()) // 2
    seconds = range(cut - 60, cut + 60)
    listing = calls_at(seconds)

    def crowded(asked: Asked) -> Answer:
        told = listing(asked)
        body = json.loads(told.body)
        if int(asked.query["to"]) - int(asked.query["from"]) > 5 * 86_400:
            body["meta"]["total"] = 10_001
        return answer(body)

    vendor.script = crowded
    connector = make(access_token="t", api_id=None, api_token=None)
    file = extract(connector, WEEK, {}, tmp_path, "run1")
    *records, trailer = [json.loads(line) for line in file.read_text().splitlines()[1:]]
    assert [r["id"] for r in records] == list(seconds)
    assert trailer["expected"] == 10_001
    asked = dict.fromkeys((int(a.query["from"]), int(a.query["to"])) for a in vendor.asked)
    whole, left, right = asked
    assert (left[0], left[1] + 1, right[1]) == (whole[0], right[0], whole[1])
    assert vendor.asked[0].headers["Authorization"] == "Bearer t"


def test_a_count_that_ends_at_the_cap_is_not_the_whole_and_one_second_beyond_it_fails_loudly(
    vendor: Vendor, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should Aircall count no further than it gives, its cap means "so many or more": the rest would be lost without a word."""
    monkeypatch.setattr("connectors.aircall_lists.MOST", 100)  # 10,000 over HTTP would take their time
    listing = calls_at(range(0, 15_000, 100))  # 150

    def capped(asked: Asked) -> Answer:
        body = json.loads(listing(asked).body)
        if body["meta"]["total"] > 100:
            body["meta"]["total"] = 100
            body["meta"]["next_page_link"] = body["meta"]["next_page_link"] if asked.query["page"] == "1" else None
        return answer(body)

    vendor.script = capped
    assert sorted(set(ids(make().read(WEEK, {}, Traffic())))) == list(range(0, 15_000, 100))
    vendor.script = [answer({"meta": {"total": 100, "next_page_link": None}, "calls": []})]
    with pytest.raises(ConnectorError, match=r"100 calls or more in one second"):
        extract(make(), WEEK, {}, tmp_path, "run1")


def test_a_list_that_moves_while_it_is_read_is_read_again_and_one_that_never_adds_up_lands_nothing(
    vendor: Vendor, make: Make, tmp_path: Path
) -> None:
    first = [{"id": n} for n in range(50)]
    script = [
        page("users", first, 52, 1, more=True), page("users", [*first[49:], {"id": 50}], 52, 2, more=False),  # one moved over the edge
        page("users", first, 52, 1, more=True), page("users", [{"id": 50}, {"id": 51}], 52, 2, more=False),
    ]  # fmt: skip
    vendor.script = script
    assert set(ids(make().read(USERS, {}, Traffic()))) == set(range(52))
    vendor.script = [page("users", first, 51, 1, more=False)]
    with pytest.raises(ConnectorError, match=r"/users: 51 are counted, but 50 different ones came, twice"):
        extract(make(), USERS, {}, tmp_path, "run1")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_page_that_comes_twice_ends_the_reading(vendor: Vendor, make: Make) -> None:
    link = "https://api.aircall.io/v1/users?page=2"
    vendor.script = [
        answer({"meta": {"total": 3, "next_page_link": link}, "users": [{"id": 1}]}),
    ]
    with pytest.raises(ConnectorError, match="came twice"):
        list(make().read(USERS, {}, Traffic()))


def test_of_days_before_what_aircall_keeps_nothing_is_asked_and_nothing_taken_for_deleted(
    vendor: Vendor, make: Make
) -> None:
    """A night asks for all days of the history, also where Aircall joined late: what it still lists of a window is read."""
    before, across = (
        Window("aircall", "main", "dialer_call", "range", NOW - timedelta(days=n), NOW - timedelta(days=n - 7))
        for n in (190, 181)
    )
    known = {"dialer_call": ["7"]}
    assert [one.seen for one in make().read(before, known, Traffic())] == [["7"]]
    assert vendor.asked == []
    listed = {"id": 8, "started_at": (NOW - timedelta(days=176)).timestamp()}
    vendor.script = [page("calls", [listed], 1, 1, more=False)]
    pages = list(make().read(across, known, Traffic()))
    assert ids(iter(pages)) == [8]
    assert [one for told in pages for one in told.seen] == ["7"]
    assert int(vendor.asked[0].query["from"]) == int((NOW - timedelta(days=180, minutes=2)).timestamp())
    assert kept_by(make().streams) == timedelta(days=180), "so such days are not complete"
    assert [one.seen for one in make(history_days=365).read(across, known, Traffic()) if one.seen] == []


def test_a_key_that_is_refused_says_what_to_do(vendor: Vendor, make: Make) -> None:
    vendor.script = [answer({"error": "Forbidden", "troubleshoot": "Invalid API key"}, 403)]
    with pytest.raises(PermissionMissing, match="make a new one in the Dashboard"):
        list(make().read(USERS, {}, Traffic()))
    assert len(vendor.asked) == 1, "no retry helps"
    checks = list(make().check())
    assert [c.ok for c in checks] == [False] * 4
    assert "no calls, talk time and conversations" in checks[3].remedy
    assert "s3cret" not in repr(checks)


def test_the_limit_is_told_in_unix_seconds_or_in_seconds() -> None:
    def response(status: int, reset: float) -> httpx.Response:
        headers = {"X-AircallApi-Limit": "60", "X-AircallApi-Remaining": "12", "X-AircallApi-Reset": str(reset)}
        return httpx.Response(status, headers=headers, request=httpx.Request("GET", "https://api.aircall.io/v1/calls"))

    soon = math.ceil(time.time()) + 20
    for reset in (soon, 20):
        (told,) = tells(response(200, reset))
        assert (told.budget, told.limit, told.left) == ("requests", 60, 12)
        refused = judge(response(429, reset))
        assert isinstance(refused, Retry)
        assert refused.everyone
        assert refused.after is not None
        assert 19 <= refused.after <= 23
    assert list(tells(response(429, soon))) == []
    assert isinstance(judge(response(403, soon)), Denied)


@pytest.mark.parametrize("given", [{}, {"api_id": "a"}, {"api_id": "a", "api_token": "b", "access_token": "c"}])
def test_one_credential_is_needed(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="give api_id and api_token, or access_token alone"):
        AircallSettings.model_validate(given)


def user(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "email": f"u{number}@acme.com", "name": f"User {number}", **more}


def call(number: int, **more: Any) -> dict[str, Any]:
    begin = int(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp())
    told = {"id": number, "direction": "outbound", "status": "done", "started_at": begin, "answered_at": begin + 10, "ended_at": begin + 110,
            "raw_digits": "+44 20 7183 8750", "user": user(1), "transferred_by": None, "transferred_to": None, "tags": [],
            "number": {"id": 9, "digits": "+33 1 76 11 11 11", "open": True}}  # fmt: skip
    return told | more


CALLS = {
    "plain": call(1),
    "links": call(2, recording="https://a/1?sig=1", user=user(1, available=False)),
    "passed on": call(3, user=user(2), transferred_by=user(1), transferred_to=user(2)),
    "passed to nobody": call(4, user=None, answered_at=None, transferred_by=user(1)),
    "under way": call(5, status="answered", ended_at=None),
    "machine": call(6, tags=[{"id": 1, "name": "Voicemail"}]),
    "outcome": call(71, tags=[{"id": 1, "name": "meeting booked"}]),
    "busy": call(7, answered_at=None, tags=[{"id": 1, "name": "Busy"}]),
    "missed": call(8, direction="inbound", answered_at=None, raw_digits="anonymous", voicemail="https://a/8?sig=1"),
    "strange": call(9, started_at="soon"),
}


def test_what_staging_makes_of_calls(vendor: Vendor, make: Make, tmp_path: Path) -> None:
    """Talk: 110 - 10 = 100 seconds. Read twice, with other links and another state of the user: nothing is new."""
    begin = page("calls", list(CALLS.values()), len(CALLS), 1, more=False)
    other = [
        c | {"recording": "https://a/1?sig=2", "user": c["user"] and c["user"] | {"available": True}}
        for c in CALLS.values()
    ]
    with open_warehouse(tmp_path / "w.duckdb", threads=1) as con:
        con.execute("create table input.call_outcome as select 'Meeting booked' as label")
        raw.declare(con, [("aircall", s.name) for s in connectors.load("aircall")[0].streams])
        vendor.script = [begin]
        landing.land(con, extract(make(), WEEK, {}, tmp_path / "landing", "run1"))
        vendor.script = [page("calls", other, len(other), 1, more=False)]
        again = landing.land(con, extract(make(), WEEK, {}, tmp_path / "landing", "run2"))
        sql = (resources.files("sql") / "staging" / "stg_dialer_call__aircall.sql").read_text("utf-8")
        found = con.execute(
            f"""select call_id, transferred_from, user_id, user_email, direction, result, talk_s, is_machine, counterpart_number, own_number,
                       coalesce(disposition_label, unreadable_reason)
                from ({sql}) order by call_id"""
        ).fetchall()
    assert (again.rows_new, again.rows_deleted) == (0, 0)
    there, own = "442071838750", "33176111111"
    assert found == [
        ("1", None, "1", "u1@acme.com", "outbound", "answered", 100, False, there, own, None),
        ("2", None, "1", "u1@acme.com", "outbound", "answered", 100, False, there, own, None),
        ("3", None, "1", "u1@acme.com", "outbound", "answered", 0, False, there, own, None),
        ("3/2", "3", "2", "u2@acme.com", "outbound", "answered", 100, False, there, own, None),
        ("4", None, "1", "u1@acme.com", "outbound", "no_answer", 0, False, there, own, None),
        ("6", None, "1", "u1@acme.com", "outbound", "voicemail", 100, True, there, own, None),
        ("7", None, "1", "u1@acme.com", "outbound", "busy", 0, False, there, own, None),
        ("71", None, "1", "u1@acme.com", "outbound", "answered", 100, False, there, own, "meeting booked"),
        ("8", None, "1", "u1@acme.com", "inbound", "missed", 0, False, None, own, None),
        ("9", None, "1", "u1@acme.com", "outbound", "answered", 100, False, there, own, "started_at is no time: soon"),
    ]
