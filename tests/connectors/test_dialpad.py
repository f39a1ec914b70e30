"""Dialpad over real HTTP: what is asked and how lists end, limits, refusals and tokens, what is kept, and what staging makes of legs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from connectors import token_store
from connectors.dialpad import Dialpad, DialpadSettings
from connectors.landing_file import extract
from connectors.stream import ConnectorError, FormatChanged, Page, PermissionMissing, RateLimited, Traffic, Window
from sandbox.limits import Limits
from sandbox.server import running
from sandbox.world import parse
from transforms import landing, raw
from transforms.warehouse import open_warehouse

from .conftest import QUICK, Answer, Asked, Vendor, answer

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)
NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
WEEK = Window("dialpad", "main", "dialer_call", "range", START, END)
USERS = Window("dialpad", "main", "dialer_user", "snapshot", None, NOW)
NINE = int(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp() * 1000)
Make = Callable[..., Dialpad]


@pytest.fixture
def make(vendor: Vendor, tmp_path: Path) -> Iterator[Make]:
    made: list[Dialpad] = []
    token_store.keep_in(tmp_path / "tokens")

    def build(**more: Any) -> Dialpad:
        given = {"base_url": f"{vendor.url}/api/v2", "token_url": f"{vendor.url}/oauth2/token", "api_key": "s3cret"}
        settings = DialpadSettings.model_validate(given | {"requests_per_second": 60_000, "network": QUICK} | more)
        made.append(Dialpad(settings, workspace="main", now=NOW))
        return made[-1]

    yield build
    token_store.keep_in(None)
    for connector in made:
        connector.close()


def page(items: Sequence[Any] | None, cursor: str | None = None) -> Answer:
    return answer({key: value for key, value in (("items", items), ("cursor", cursor)) if value is not None})


def ids(pages: Iterator[Page]) -> list[Any]:
    return [json.loads(record).get("call_id") for one in pages for record in one.records]


def test_calls_are_asked_for_by_milliseconds_to_the_last_cursor(vendor: Vendor, make: Make) -> None:
    """Bounds are exclusive: the call that began with the window is in it, the one that began with the next is not."""
    vendor.script = [page([{"call_id": 3}], "a"), page([], "b"), page([{"call_id": 2}, {"call_id": "1"}], "")]
    assert ids(make().read(WEEK, {}, Traffic())) == [3, 2, "1"]
    asked = {
        "started_after": str(int(START.timestamp()) * 1000 - 1),
        "started_before": str(int(END.timestamp()) * 1000),
    }
    assert [a.query for a in vendor.asked] == [asked, {**asked, "cursor": "a"}, {**asked, "cursor": "b"}]
    assert {a.path for a in vendor.asked} == {"/api/v2/call"}
    assert vendor.asked[0].headers["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in str(vendor.asked[0].query)


def test_what_has_not_happened_yet_is_not_asked_for(vendor: Vendor, make: Make) -> None:
    vendor.script = [page([])]
    list(make().read(Window("dialpad", "main", "dialer_call", "range", NOW, NOW + timedelta(days=7)), {}, Traffic()))
    assert vendor.asked == []
    list(make().read(Window("dialpad", "main", "dialer_call", "range", END, NOW + timedelta(days=7)), {}, Traffic()))
    assert vendor.asked[0].query["started_before"] == str(int(NOW.timestamp()) * 1000)


def test_users_of_every_state_are_read_and_no_page_size_is_named(vendor: Vendor, make: Make) -> None:
    """Dialpad asks for no `limit` on users, and refuses a larger one by chance."""
    vendor.script = [
        page([{"id": 1, "state": "deleted", "emails": ["a@acme.com"], "image_url": "https://x", "is_online": True}])
    ]
    (told,) = [json.loads(record) for one in make().read(USERS, {}, Traffic()) for record in one.records]
    assert told == {"id": 1, "state": "deleted", "emails": ["a@acme.com"]}
    assert vendor.asked[0].query == {"state": "all"}


def test_a_call_that_a_page_leaves_out_is_asked_for_again_before_it_is_taken_for_deleted(
    vendor: Vendor, make: Make, tmp_path: Path
) -> None:
    known = {"dialer_call": ["1", "2", "3"]}
    vendor.script = [page([{"call_id": 3}, {"call_id": 1}]), page([{"call_id": 3}, {"call_id": 2}])]
    assert set(ids(make().read(WEEK, known, Traffic()))) == {1, 2, 3}
    assert len(vendor.asked) == 2
    lines = extract(make(), WEEK, known, tmp_path, "run1").read_text().splitlines()
    assert not any("salespulse_seen" in line for line in lines), "1 has gone: two readings do not have it"


def test_an_answer_without_a_list_is_an_empty_page_but_vouches_for_nothing(vendor: Vendor, make: Make) -> None:
    vendor.script = [page(None)]
    pages = list(make().read(WEEK, {"dialer_call": ["1", "2"]}, Traffic()))
    assert {one for p in pages for one in p.seen} == {"1", "2"}
    vendor.script = [page([])]
    assert not any(p.seen for p in make().read(WEEK, {"dialer_call": ["1"]}, Traffic())), "an empty list does"
    vendor.script = [answer({"status": "ok", "login": "required"})]
    with pytest.raises(FormatChanged):
        list(make().read(WEEK, {}, Traffic()))


def test_a_list_that_would_not_end_is_an_error(vendor: Vendor, make: Make) -> None:
    vendor.script = [page([{"call_id": 1}], "a")]
    with pytest.raises(ConnectorError, match="'a' came twice"):
        list(make().read(WEEK, {}, Traffic()))
    vendor.script = lambda asked: page([], f"{len(vendor.asked)}")
    with pytest.raises(ConnectorError, match="21 empty pages in a row"):
        list(make().read(WEEK, {}, Traffic()))


def test_of_a_call_nothing_is_kept_that_no_metric_needs_and_an_odd_one_is_left_out(
    vendor: Vendor, make: Make, tmp_path: Path
) -> None:
    secret = {
        "voicemail_share_link": "https://x/vm",
        "transcription_text": "Hello",
        "csat_transcriptions": ["Bad"],
        "custom_data": "c",
    }
    full = call(
        1, direction="inbound", **secret, contact={"type": "local", "name": "Cora", "email": "c@x.com", "phone": "+1"}
    )
    recorded = call(2, recording_details=[{"id": "r", "recording_type": "voicemail", "url": "https://x/r"}])
    vendor.script = [page([full, recorded, call(3, labels="no list"), {"call_id": 4, "labels": None}, 7])]
    file = extract(make(), WEEK, {"dialer_call": ["3"]}, tmp_path, "run1")
    told = [json.loads(line) for line in file.read_text().splitlines()[1:-1]]
    kept = {one["call_id"]: one for one in told if "call_id" in one}
    assert set(kept) == {1, 2, 4}
    assert kept[1]["has_voicemail"] is True and kept[2]["has_voicemail"] is True
    assert "has_voicemail" not in kept[4]
    assert kept[1]["contact"] == {"type": "local"}
    text = file.read_text()
    for word in ("https://", "Hello", "Bad", "Cora", "c@x.com", "custom_data", "recording_details"):
        assert word not in text
    assert {"salespulse_seen": "3"} in told, "it is there, only not readable"
    rejected = [one for one in told if "salespulse_rejected" in one]
    assert len(rejected) == 2 and "no list" not in str(rejected)


@pytest.mark.parametrize("headers", [{}, {"Retry_After": "0"}])
def test_a_refusal_for_the_rate_is_waited_out_with_and_without_a_time(
    vendor: Vendor, make: Make, headers: Mapping[str, str]
) -> None:
    vendor.script = [answer({"error": {"code": 429}}, 429, **headers), page([{"call_id": 1}])]
    traffic = Traffic()
    assert ids(make().read(WEEK, {}, traffic)) == [1]
    assert traffic.retries == 1
    vendor.script = [answer({"error": {"code": 429}}, 429, **headers)]
    with pytest.raises(RateLimited, match="stays due"):
        list(make().read(WEEK, {}, Traffic()))


def test_the_limit_of_the_company_is_kept_with_a_share_for_others(make: Make) -> None:
    limiter = make(requests_per_second=20, reserve=0.25, base_url="http://127.0.0.1:1/other").limiter
    told = limiter.remaining()["requests"]
    assert (told.name, told.limit, told.seconds, told.permitted) == ("requests", 20, 1.0, 15)


def test_refusals_say_what_to_do_and_never_the_key(vendor: Vendor, make: Make) -> None:
    vendor.script = [answer({"error": {"code": 401, "message": "key s3cret is no key"}}, 401)]
    with pytest.raises(PermissionMissing, match="Make a new one in Admin Settings") as refused:
        list(make().read(USERS, {}, Traffic()))
    assert len(vendor.asked) == 1, "no retry helps"
    vendor.script = lambda asked: answer({}, 403) if asked.path.endswith("/call") else page([])
    users, numbers, calls = make().check()
    assert users.ok and numbers.ok and not calls.ok
    assert "the additional scope calls:list" in calls.detail
    assert "no calls, talk time and conversations" in calls.remedy
    assert "s3cret" not in f"{refused.value} {calls}"
    with pytest.raises(PermissionMissing) as missing:
        list(make().read(WEEK, {}, Traffic()))
    assert missing.value.scope == "calls:list"


def test_a_token_that_expires_is_renewed_and_its_successor_is_kept(vendor: Vendor, make: Make) -> None:
    """Every refresh token is good once: the next process must begin with the newest, not with that of the settings."""
    good = {"access": "", "refresh": "first"}

    def script(asked: Asked) -> Answer:
        if asked.path == "/oauth2/token":
            if asked.form["refresh_token"] != good["refresh"]:
                return answer({"error": "invalid_grant"}, 400)
            number = str(len(vendor.asked))
            good.update(access=f"access{number}", refresh=f"refresh{number}")
            return answer({"access_token": good["access"], "refresh_token": good["refresh"], "expires_in": 3600})
        return (
            page([{"call_id": 1}]) if asked.headers["Authorization"] == f"Bearer {good['access']}" else answer({}, 401)
        )

    vendor.script = script
    oauth = {"api_key": None, "client_id": "id", "client_secret": "hush", "refresh_token": "first"}
    one = make(**oauth)
    assert ids(one.read(WEEK, {}, Traffic())) == [1]
    form = vendor.asked[0].form
    assert form == {"grant_type": "refresh_token", "client_id": "id", "client_secret": "hush", "refresh_token": "first"}
    good["access"] = "another"  # ended before its time
    assert ids(one.read(WEEK, {}, Traffic())) == [1]
    before = len(vendor.asked)
    assert ids(make(**oauth).read(WEEK, {}, Traffic())) == [1]
    assert [a.path for a in vendor.asked[before:]] == ["/api/v2/call"], "the kept access token is still good"
    good.update(access="gone", refresh="revoked")
    with pytest.raises(PermissionMissing, match="a company admin must consent to the app again") as refused:
        list(make(**oauth).read(WEEK, {}, Traffic()))
    assert "hush" not in str(refused.value) and "first" not in str(refused.value)


@pytest.mark.parametrize(
    "given", [{}, {"client_id": "a"}, {"api_key": "k", "client_id": "a", "client_secret": "b", "refresh_token": "c"}]
)
def test_one_credential_is_needed(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="give api_key, or client_id, client_secret and refresh_token"):
        DialpadSettings.model_validate(given)


def test_a_backfill_has_a_price_and_no_count(make: Make) -> None:
    weeks = [WEEK, WEEK]
    assert make().count(WEEK) is None
    assert make().price(weeks, {}).requests == 2
    assert make().price(weeks, {"dialer_call": 1000}).requests == 41  # 20 pages of 25 each and half a one


def call(number: int, **more: Any) -> dict[str, Any]:
    told = {"call_id": number, "direction": "outbound", "state": "hangup", "date_started": NINE, "date_connected": NINE + 10_000,
            "date_ended": NINE + 110_000, "duration": 100_000.0, "external_number": "+44 20 7183 8750", "internal_number": "+33176111111",
            "target": person(1), "contact": {"type": "local"}, "labels": []}  # fmt: skip
    return told | more


def person(number: int) -> dict[str, Any]:
    return {"id": str(number), "type": "user", "email": f"u{number}@acme.com", "name": f"User {number}"}


QUEUE = {"id": "9", "type": "callcenter", "name": "Sales", "email": ""}
IN, UNANSWERED = {"direction": "inbound"}, {"date_connected": None, "duration": 0}
LATER = {"date_started": NINE + 60_000, "date_connected": NINE + 65_000}
CALLS = [
    call(10),
    call(11, talk_time=90_000.0, proxy_target={"type": "department", "phone": "+1 500 555 0100"}, internal_number="blocked"),
    # A queue's call: its own record, two who were rung, one of whom took it and passed it on.
    call(20, **IN, target=QUEUE, operator_call_id=22, talk_time=0),
    call(21, **IN, **UNANSWERED, entry_point_call_id=20, target=person(1)),
    call(22, **IN, date_started=NINE + 5_000, entry_point_call_id="20", master_call_id=None, target=person(2), talk_time=50_000),
    call(23, **IN | LATER, master_call_id="20", entry_point_call_id=0, target=person(3), talk_time=30_000),
    # One that nobody took, though somebody was rung; and one on the voicemail of a person.
    call(30, **IN, **UNANSWERED, target=QUEUE),
    call(31, **IN, **UNANSWERED, entry_point_call_id=30, target=person(1)),
    call(32, **IN, voicemail_share_link="https://x"),
    # Passed on by who made it.
    call(40, is_transferred=True, talk_time=40_000),
    call(41, **LATER, master_call_id=40, target=person(2), talk_time=45_000),
    call(50, labels=["Voicemail"]),
    call(51, **UNANSWERED, labels=["Busy"]),
    call(52, labels=["Meeting booked"]),
    call(60, is_internal=True),
    call(61, **IN, contact={"type": "user"}),
    call(70, date_started="soon"),
    call(71, state="connected", date_ended=None),
    call(72, talk_time="long"),
]  # fmt: skip


def staged(con: Any) -> list[tuple[Any, ...]]:
    sql = (resources.files("sql") / "staging" / "stg_dialer_call__dialpad.sql").read_text("utf-8")
    found: list[tuple[Any, ...]] = con.execute(
        f"""select call_id, record_id, transferred_from, user_id, direction, result, talk_s, is_machine, own_number,
                   epoch_ms(started_at) - {NINE}, coalesce(disposition_label, unreadable_reason)
            from ({sql}) order by call_id, record_id"""
    ).fetchall()
    return found


def test_what_staging_makes_of_legs(vendor: Vendor, make: Make, tmp_path: Path) -> None:
    """Read again with another link nothing is new; a label that comes late and a leg that goes are."""
    own, shown = "33176111111", "15005550100"
    with open_warehouse(tmp_path / "w.duckdb", threads=1) as con:
        con.execute("create table input.call_outcome as select 'Meeting booked' as label")
        raw.declare(con, [("dialpad", s.name) for s in Dialpad.streams])
        vendor.script = [page(CALLS)]
        landing.land(con, extract(make(), WEEK, {}, tmp_path / "landing", "run1"))
        found = staged(con)
        vendor.script = [page([c | {"transcription_text": "Hi"} for c in CALLS])]
        again = landing.land(con, extract(make(), WEEK, {}, tmp_path / "landing", "run2"))
        known = {"dialer_call": [str(c["call_id"]) for c in CALLS]}
        vendor.script = [
            page([c | {"labels": ["No answer"]} if c["call_id"] == 10 else c for c in CALLS if c["call_id"] != 22])
        ]
        late = landing.land(con, extract(make(), WEEK, known, tmp_path / "landing", "run3"))
        of_queue = [row[:4] for row in staged(con) if row[0] == "20" or row[2] == "20"]
    assert (again.rows_new, again.rows_deleted) == (0, 0)
    assert (late.rows_new, late.rows_deleted) == (1, 1)
    assert of_queue == [("20", "23", None, "3")], "who is left of those who took part stands for the call"
    assert found == [
        ("10", "10", None, "1", "outbound", "answered", 100, False, own, 0, None),
        ("11", "11", None, "1", "outbound", "answered", 90, False, shown, 0, None),
        ("20", "22", None, "2", "inbound", "answered", 50, False, own, 0, None),
        ("23", "23", "20", "3", "inbound", "answered", 30, False, own, 60_000, None),
        ("30", "30", None, None, "inbound", "missed", 0, False, own, 0, None),
        ("32", "32", None, "1", "inbound", "missed", 100, False, own, 0, None),
        ("40", "40", None, "1", "outbound", "answered", 40, False, own, 0, None),
        ("41", "41", "40", "2", "outbound", "answered", 45, False, own, 60_000, None),
        ("50", "50", None, "1", "outbound", "voicemail", 100, True, own, 0, None),
        ("51", "51", None, "1", "outbound", "busy", 0, False, own, 0, None),
        ("52", "52", None, "1", "outbound", "answered", 100, False, own, 0, "meeting booked"),
        ("60", "60", None, "1", "internal", "answered", 100, False, own, 0, None),
        ("61", "61", None, "1", "internal", "answered", 100, False, own, 0, None),
        ("70", "70", None, "1", "outbound", "answered", 100, False, own, None, "date_started is no time: soon"),
        ("72", "72", None, "1", "outbound", "answered", 100, False, own, 0, "talk_time or duration is no number: long"),
    ]


def test_the_sandbox_keeps_the_vendors_limits_pages_and_tokens(make: Make) -> None:
    world = parse({
        "company": {"now": "2026-03-20T06:00:00Z", "systems": {"dialer": "dialpad"}},
        "reps": [{"key": "ana", "email": "ana@acme.com", "seats": ["dialer"], "phone": "+12125550001"}],
        "users_without_rep": [],
        "calls": [
            {"key": f"D{n}", "rep": "ana", "number": "+442071838750", "started_at": f"2026-03-19T09:{n:02}:00Z", "result": "no_answer"}
            for n in range(30)
        ],
    })  # fmt: skip
    login = {"Authorization": "Bearer sandbox-key"}
    with (
        running(world, limits=Limits()) as url,
        httpx.Client(base_url=f"{url}/dialpad/api/v2", headers=login) as client,
    ):
        first = client.get("/call").json()
        last = client.get("/call", params={"cursor": first["cursor"]}).json()
        starts = [int(one["date_started"]) for one in (*first["items"], *last["items"])]
        assert len(first["items"]) == 25 and "cursor" not in last
        app = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "refresh_token": "sandbox-refresh"}
        places = {"base_url": f"{url}/dialpad/api/v2", "token_url": f"{url}/dialpad/oauth2/token"}
        (ana,) = [r for one in make(api_key=None, **app, **places).read(USERS, {}, Traffic()) for r in one.records]
        assert json.loads(ana)["emails"] == ["ana@acme.com"]
        assert starts == sorted(starts, reverse=True) and len(set(starts)) == 30
        assert client.get("/call", params={"started_after": starts[0]}).json() == {}
        assert client.get("/users", params={"limit": 101}).status_code == 400
        assert client.get("/call", params={"cursor": "x"}).status_code == 400
        assert client.get("/call", headers={"Authorization": "Bearer other"}).status_code == 401
        refused = [client.get("/numbers") for _ in range(21)][-1]
    assert refused.status_code == 429
    assert "retry-after" not in refused.headers
