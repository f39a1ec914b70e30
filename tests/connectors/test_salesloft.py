"""Salesloft: lists by pages held against their count, tokens, scopes, limits; over real HTTP, sandbox or scripted vendor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from connectors import salesloft_lists, token_store
from connectors.landing_file import extract
from connectors.salesloft import Salesloft, SalesloftSettings
from connectors.salesloft_answers import judge, tells
from connectors.salesloft_records import LISTS
from connectors.stream import ConnectorError, FormatChanged, Page, PermissionMissing, RateLimited, Traffic, Window
from connectors.verdict import Denied, Fail, Gone, Reauth, Retry
from sandbox.limits import Limits
from sandbox.server import running
from sandbox.world import World, parse
from transforms import landing, raw
from transforms.warehouse import open_warehouse

from .conftest import Answer, Asked, Vendor, answer

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
START = NOW - timedelta(days=7)
APP = {"client_id": "sandbox-app", "client_secret": "sandbox-secret"}
KEY = "ak" + "5a" * 32
Make = Callable[..., Salesloft]


@pytest.fixture(autouse=True)
def _tokens_of_this_test(tmp_path: Path) -> Iterator[None]:
    token_store.keep_in(tmp_path / "tokens")
    yield
    token_store.keep_in(None)


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Salesloft] = []

    def build(url: str, **more: Any) -> Salesloft:
        given: dict[str, Any] = {**APP, "base_url": f"{url}/salesloft/v2", "token_url": f"{url}/salesloft/oauth/token",
                                 "cost_per_minute": 10**8}  # fmt: skip
        given |= {"network": {"attempts": 3, "first_wait_seconds": 0.001}, **more}
        settings = SalesloftSettings.model_validate({k: v for k, v in given.items() if v is not None})
        made.append(Salesloft(settings, workspace="main", now=NOW))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


def window(stream: str, start: datetime = START, end: datetime = NOW) -> Window:
    if stream == "seq_user":
        return Window("salesloft", "main", stream, "snapshot", None, NOW)
    if stream == "seq_state":
        return Window("salesloft", "main", stream, "full", None, end)
    return Window("salesloft", "main", stream, "range", start, end)


def records(pages: Iterator[Page]) -> list[dict[str, Any]]:
    return [json.loads(record) for page in pages for record in page.records]


def mail(number: int, at: datetime, **more: Any) -> dict[str, Any]:
    return {
        "key": f"m{number}", "rep": "ada", "from": "ada@acme.example", "to": [f"c{number}@cust.example"], "sent_at": at.isoformat(),
        "message_id": f"<m{number}@acme.example>", "mailboxes": [], "sequencer": {"system": "salesloft", "step": 1}, **more,
    }  # fmt: skip


def company(*mails: dict[str, Any], **more: Any) -> World:
    return parse({
        "company": {"now": NOW.isoformat(), "systems": {"sequencer": "salesloft"}, "internal_domains": ["acme.example"]},
        "reps": [{"key": "ada", "email": "ada@acme.example", "seats": ["sequencer"]},
                 {"key": "gus", "email": "gus@acme.example", "seats": ["sequencer"], "end_date": "2026-03-01"}],
        "mails": list(mails), **more,
    })  # fmt: skip


def test_every_mail_of_one_instant_comes_by_pages_and_nothing_of_what_it_says(make: Make) -> None:
    """203 mails of one instant, three pages; one lies a microsecond outside; one with a colleague in copy."""
    at = NOW - timedelta(days=2)
    many = [mail(n, at) for n in range(202)]
    outside = mail(203, START - timedelta(microseconds=1))
    with running(company(*many, mail(202, at, cc=["bob@acme.example"], subject="secret words"), outside)) as url:
        connector = make(url)
        found = records(connector.read(window("seq_send"), {}, Traffic()))
        asked = httpx.get(f"{url}/__sandbox__/requests").json()["routes"]
        assert connector.count(window("seq_send")) == 203
        tasks = records(connector.read(window("seq_task"), {}, Traffic()))
    assert len(found) == len({one["id"] for one in found}) == 203
    assert asked["GET /salesloft/v2/activities/emails"] == 3
    assert [one["headers"]["cc"] for one in found if one["headers"]] == ["bob@acme.example"]
    assert len(tasks) == 203, "one for later is not done"
    for word in ("secret words", "nobody asked", "views", "counts"):
        assert word not in json.dumps([found, tasks])


def test_more_than_a_hundred_pages_are_read_in_halves_of_time(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages beyond the hundredth cost up to 30 points of 600 a minute: no page that is dear is ever asked for."""
    monkeypatch.setattr(salesloft_lists, "MOST", 200)
    many = [mail(n, START + timedelta(minutes=n, seconds=1)) for n in range(450)]
    with running(company(*many)) as url:
        found = records(make(url).read(window("seq_send"), {}, Traffic()))
        assert len({one["id"] for one in found}) == 450
        # All of one instant: so many are never told apart by time.
        monkeypatch.setattr(salesloft_lists, "MOST", 1)
        with pytest.raises(ConnectorError, match="1 records or more with one sent_at"):
            records(make(url).read(window("seq_send", START, START + timedelta(seconds=2)), {}, Traffic()))


def test_what_vanishes_bounces_late_or_is_answered_is_seen_in_the_last_weeks(make: Make, tmp_path: Path) -> None:
    """Nothing tells of deletions: what is not listed any more has gone. Who was deactivated stays, with the address."""
    later = (NOW + timedelta(hours=1)).isoformat()
    first = mail(1, NOW - timedelta(days=3), deleted_at=later)
    second, third = mail(2, NOW - timedelta(days=3)), mail(3, NOW - timedelta(days=3))
    bounce = {"key": "b", "rep": "ada", "direction": "inbound", "kind": "bounce", "from": "daemon@cust.example", "to": ["ada@acme.example"],
              "sent_at": later, "in_reply_to": "<m2@acme.example>", "mailboxes": []}  # fmt: skip
    reply = {**bounce, "key": "r", "kind": "one_to_one", "from": "c3@cust.example", "in_reply_to": "<m3@acme.example>"}
    with (
        running(company(first, second, third, bounce, reply)) as url,
        open_warehouse(tmp_path / "w.duckdb", threads=1) as con,
    ):
        raw.declare(con, [("salesloft", s.name) for s in Salesloft.streams])
        for night in (NOW, NOW + timedelta(hours=2)):
            httpx.post(f"{url}/__sandbox__/now", json={"now": night.isoformat()}).raise_for_status()
            connector = make(url)
            connector.now = night
            for stream in ("seq_send", "seq_reply", "seq_user", "seq_state"):
                landing.land(con, extract(connector, window(stream, end=night), {}, tmp_path, night.isoformat()))
        mails = con.execute(
            "select payload ->> '$.message_id', is_deleted, payload ->> '$.bounced' from raw.salesloft_seq_send_latest order by 1"
        ).fetchall()
        assert mails == [
            ("m1@acme.example", True, "false"),
            ("m2@acme.example", False, "true"),
            ("m3@acme.example", False, "false"),
        ]
        answered = con.execute(
            """select m.payload ->> '$.message_id' from raw.salesloft_seq_reply_latest as r
               inner join raw.salesloft_seq_send_latest as m on r.payload ->> '$.static_data.email_id' = m.record_id"""
        ).fetchall()
        assert answered == [("m3@acme.example",)]
        users = con.execute(
            "select payload ->> '$.email', payload ->> '$.active' from raw.salesloft_seq_user_latest order by 1"
        ).fetchall()
        assert users == [("ada@acme.example", "true"), ("gus@acme.example", "false")]
        assert con.execute("select count(*), count_if(is_deleted) from raw.salesloft_seq_state_latest").fetchall() == [
            (3, 1)
        ]


def page(*told: int, number: int = 1, following: int | None = None, total: int | None = None, **more: Any) -> Answer:
    """A page of users."""
    paging = {"per_page": 100, "current_page": number, "next_page": following, "prev_page": None, "total_count": total}
    return answer(
        {"data": [{"id": n, "email": f"u{n}@acme.example", **more} for n in told], "metadata": {"paging": paging}}
    )


def scripted(vendor: Vendor, *answers: Answer) -> None:
    """A vendor that gives tokens, and these answers in their order, the last one for ever."""
    left = list(answers)

    def reply(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            return answer({"access_token": "t0ken", "expires_in": 7200})
        return left.pop(0) if len(left) > 1 else left[0]

    vendor.script = reply


def read(connector: Salesloft, stream: str = "seq_user") -> list[Any]:
    return [one["id"] for one in records(connector.read(window(stream), {}, Traffic()))]


def test_only_a_next_page_that_is_not_named_ends_a_list(vendor: Vendor, make: Make) -> None:
    """Short and empty pages do not; a page that comes again, or leads nowhere, is an error."""
    scripted(vendor, page(1, following=2, total=2), page(number=2, following=3, total=2), page(2, number=3, total=2))
    assert read(make(vendor.url)) == [1, 2]
    assert [a.query["page"] for a in vendor.asked if "page" in a.query] == ["1", "2", "3"]
    scripted(vendor, page(1, following=2, total=2), page(1, following=2, total=2))
    with pytest.raises(FormatChanged, match="asked for page 2, got page 1"):
        read(make(vendor.url))
    scripted(vendor, page(1, following=1, total=2))
    with pytest.raises(ConnectorError, match="would not end"):
        read(make(vendor.url))
    vendor.script = lambda asked: page(
        number=int(asked.query.get("page", 1)), following=int(asked.query.get("page", 1)) + 1, total=0
    )
    with pytest.raises(ConnectorError, match="would not end"):
        read(make(vendor.url, client_id=None, client_secret=None, api_key=KEY))


def test_what_came_is_held_against_the_count_and_read_once_more_before_it_fails(vendor: Vendor, make: Make) -> None:
    scripted(vendor, page(1, total=2), page(1, 2, total=2))
    assert set(read(make(vendor.url))) == {1, 2}
    scripted(vendor, page(1, total=2))
    with pytest.raises(ConnectorError, match="2 are counted, but 1 different ones came, twice"):
        read(make(vendor.url))
    scripted(vendor, page(1))
    with pytest.raises(FormatChanged, match="no total_count"):
        read(make(vendor.url))
    scripted(vendor, answer({"data": [], "metadata": {}}))
    with pytest.raises(FormatChanged, match="paging"):
        read(make(vendor.url))


def test_memberships_that_come_while_they_are_read_do_not_stop_it(vendor: Vendor, make: Make) -> None:
    """Of changes there are always new ones: both readings together must have as many as are counted at last."""
    at = "2026-03-18T10:00:00.000000-04:00"

    def some(*told: int, total: int) -> Answer:
        return page(*told, total=total, updated_at=at)

    scripted(vendor, some(1, 2, total=3), some(1, 3, total=3))
    assert set(read(make(vendor.url), "seq_state")) == {1, 2, 3}
    scripted(vendor, some(1, 2, total=4), some(1, 3, total=4))
    with pytest.raises(ConnectorError, match="4 are counted"):
        read(make(vendor.url), "seq_state")


def test_memberships_are_listed_beyond_now_so_that_what_changes_meanwhile_is_not_missing(
    vendor: Vendor, make: Make
) -> None:
    """A full listing buries what is not in it."""
    scripted(vendor, page(total=0))
    read(make(vendor.url), "seq_state")
    (asked,) = [a.query for a in vendor.asked if "page" in a.query]
    assert asked["updated_at[gte]"] == "2011-01-01T00:00:00.000000Z"
    assert asked["updated_at[lt]"] > "2026-03-21"
    changes = Window("salesloft", "main", "seq_state", "changes", START, NOW)
    list(make(vendor.url).read(changes, {}, Traffic()))
    assert vendor.asked[-1].query["updated_at[gte]"] == "2026-03-13T06:00:00.000000Z"


def test_a_filter_that_is_not_heeded_is_noticed(vendor: Vendor, make: Make) -> None:
    """Salesloft ignores filters whose names it does not know; offsets differ, so instants are compared, not texts."""
    inside, outside = "2026-03-20T01:59:59.999999-04:00", "2026-03-20T02:00:00.000000-04:00"
    scripted(vendor, page(1, total=1, sent_at=inside))
    assert read(make(vendor.url), "seq_send") == [1]
    scripted(vendor, page(1, total=1, sent_at=outside))
    with pytest.raises(FormatChanged, match="filter is not heeded"):
        read(make(vendor.url), "seq_send")


def test_records_that_are_none_cost_only_themselves(vendor: Vendor, make: Make) -> None:
    told = {"data": [{"id": 1, "email": "u1@acme.example", "email_signature": "private"}, {"id": 2, "email": 7, "phone": "private"}, None,
                     {"email": "nameless@acme.example"}],
            "metadata": {"paging": {"current_page": 1, "next_page": None, "total_count": 4}}}  # fmt: skip
    scripted(vendor, answer(told))
    (only,) = make(vendor.url).read(window("seq_user"), {}, Traffic())
    assert [json.loads(record) for record in only.records] == [
        {"id": 1, "email": "u1@acme.example"},
        {"email": "nameless@acme.example"},
    ]
    assert only.seen == ["2"]
    assert len(only.rejected) == 2
    assert "private" not in str(only.rejected)


def test_a_token_that_ends_in_mid_list_is_renewed_even_while_a_limit_is_waited_for(vendor: Vendor, make: Make) -> None:
    """airbytehq/airbyte#13660: a token's two hours ended in a loop of retries, and nothing renewed it."""
    given: list[dict[str, str]] = []
    left = [
        page(1, following=2, total=2),
        answer({"error": "API rate limit exceeded"}, 429),
        answer({"error": "Invalid Bearer token"}, 401),
        page(2, number=2, total=2),
    ]

    def reply(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            given.append(asked.form)
            return answer({"access_token": f"a{len(given)}", "expires_in": 7200})
        return left.pop(0)

    vendor.script = reply
    traffic = Traffic()
    assert [one["id"] for one in records(make(vendor.url).read(window("seq_user"), {}, traffic))] == [1, 2]
    assert traffic.retries == 2
    assert [form["grant_type"] for form in given] == ["client_credentials"] * 2
    assert set(given[0]["scope"].split()) == {one.scope for one in LISTS.values()}
    assert vendor.asked[-1].headers["Authorization"] == "Bearer a2"


def test_a_limit_is_waited_for_as_long_as_is_named_and_given_up_when_that_is_too_long(
    vendor: Vendor, make: Make
) -> None:
    refused = {"error": "API rate limit exceeded"}
    scripted(vendor, answer(refused, 429, Retry_After="0"), page(1, total=1))
    assert read(make(vendor.url)) == [1]
    scripted(vendor, answer(refused, 429, Retry_After="3600"), page(1, total=1))
    with pytest.raises(RateLimited, match="3600 s"):
        read(make(vendor.url))
    scripted(vendor, answer(refused, 429))
    with pytest.raises(RateLimited, match="429, the team's points a minute, 3 times"):
        read(make(vendor.url))


def test_the_sandbox_keeps_the_teams_points_and_what_is_left_of_them_is_heeded(make: Make) -> None:
    """Others of the team have used the minute but for ten points: of these the connector leaves the reserve alone."""
    limits = Limits(enabled=True)
    with running(company(mail(1, NOW - timedelta(days=1))), limits=limits) as url:
        connector = make(url, cost_per_minute=600, reserve=0.0)
        assert len(records(connector.read(window("seq_send"), {}, Traffic()))) == 1
        limits.take("salesloft", 600, 60.0, 589)
        records(connector.read(window("seq_user"), {}, Traffic()))
        assert connector.limiter.remaining()["points"].others == 589
        assert connector.limiter.room({"points": 1}, 100) == 9


def test_a_rotated_refresh_token_is_kept_and_a_lost_one_is_said_without_quoting_it(make: Make, tmp_path: Path) -> None:
    """Salesloft revokes the one before at once."""
    file = tmp_path / "tokens" / "salesloft.main.json"
    with running(company(mail(1, NOW - timedelta(days=1)))) as url:
        for _ in range(2):  # the second connector finds what the first was given
            assert len(read(make(url, refresh_token="sandbox-refresh"))) == 2
        asked = httpx.get(f"{url}/__sandbox__/requests").json()["routes"]
        assert asked["POST /salesloft/oauth/token"] == 1
        kept = json.loads(file.read_text())
        file.write_text(json.dumps(kept | {"expires_at": 1.0}))
        assert len(read(make(url, refresh_token="sandbox-refresh"))) == 2
        file.unlink()
        with pytest.raises(PermissionMissing, match="authorise the app again") as lost:
            read(make(url, refresh_token="sandbox-refresh"))
    assert "sandbox-refresh" not in str(lost.value)


def test_an_api_key_needs_no_token_and_a_wrong_credential_is_in_no_error(make: Make) -> None:
    key = {"client_id": None, "client_secret": None}
    with running(company(mail(1, NOW - timedelta(days=1)))) as url:
        assert len(read(make(url, **key, api_key=KEY))) == 2
        with pytest.raises(PermissionMissing, match="Your Applications") as wrong:
            read(make(url, **key, api_key="akn0tthis"))
        with pytest.raises(PermissionMissing, match="client credentials are enabled") as other:
            read(make(url, client_secret="n0tthis"))
        asked = httpx.get(f"{url}/__sandbox__/requests").json()["routes"]
    assert asked["POST /salesloft/oauth/token"] == 1
    assert "n0tthis" not in f"{wrong.value} {other.value}"


def test_every_list_names_its_scope_and_what_goes_dark(make: Make) -> None:
    """An app that was granted nothing but people's names; what is not used is not asked for."""
    with running(company()) as url:
        given = {"grant_type": "client_credentials", "scope": "team:read", **APP}
        token = httpx.post(f"{url}/salesloft/oauth/token", data=given).json()["access_token"]
        key = {"client_id": None, "client_secret": None, "api_key": token}
        checks = {check.name: check for check in make(url, **key).check()}
        assert set(checks) == set(LISTS)
        assert [name for name, check in checks.items() if check.ok] == ["seq_user"]
        for name, check in checks.items():
            assert check.ok or (LISTS[name].scope in check.remedy and LISTS[name].feeds in check.remedy)
        with pytest.raises(PermissionMissing, match="requires the scope emails:read"):
            records(make(url, **key).read(window("seq_send"), {}, Traffic()))
        everything = make(url, unused=["calls", "tasks", "cadence_memberships", "replies"])
        assert [(check.name, check.ok) for check in everything.check()] == [("seq_user", True), ("seq_send", True)]
        assert all(check.ok for check in make(url).check())


def told(status: int, body: Any = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()} | {"Date": "Fri, 20 Mar 2026 06:00:40 GMT"}
    return httpx.Response(
        status,
        json=body or {"error": "x"},
        headers=named,
        request=httpx.Request("GET", "https://api.salesloft.com/v2/users"),
    )


def test_what_its_answers_mean() -> None:
    limited = judge(told(429))
    assert isinstance(limited, Retry)
    assert (limited.after, limited.everyone, limited.budget) == (None, True, "points")
    assert isinstance(judge(told(401)), Reauth)
    assert isinstance(judge(told(403)), Denied)
    assert isinstance(judge(told(404)), Gone)
    assert isinstance(judge(told(422, {"errors": {"sort_by": ["is invalid"]}})), Fail)
    assert isinstance(judge(told(503)), Retry)
    (spent,) = tells(600)(told(200, x_ratelimit_remaining_minute="571", x_ratelimit_endpoint_cost="1"))
    assert (spent.budget, spent.limit, spent.left, spent.ends_in) == ("points", 600, 571, 21.0)
    assert list(tells(600)(told(200, x_ratelimit_remaining_minute="many"))) == []


def test_a_window_is_priced_by_its_pages(make: Make) -> None:
    connector = make("http://127.0.0.1:1")
    windows = [window("seq_send")] * 4
    assert connector.price(windows, {"seq_send": 30}).cost == {"points": 4}
    assert connector.price(windows, {"seq_send": 4000}).cost == {"points": 42}


def test_settings_take_one_whole_credential() -> None:
    for wrong in (
        {},
        {"client_id": "a"},
        {**APP, "api_key": KEY},
        {"api_key": KEY, "refresh_token": "r"},
        {"refresh_token": "r"},
    ):
        with pytest.raises(ValidationError, match="give api_key, or client_id and client_secret"):
            SalesloftSettings.model_validate(wrong)
    assert SalesloftSettings.model_validate({**APP, "refresh_token": "r"}).refresh_token is not None
