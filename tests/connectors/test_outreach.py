"""Outreach: lists by cursor to the end, tokens that change at every use, permissions, limits; over real HTTP, sandbox or scripted vendor."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from connectors import token_store
from connectors.landing_file import extract
from connectors.outreach import LIMIT, Outreach, OutreachSettings, judge
from connectors.outreach_auth import OutreachRefreshAuth
from connectors.outreach_records import LISTS
from connectors.stream import ConnectorError, Page, PermissionMissing, Traffic, Window
from connectors.verdict import Denied, Fail, Reauth, Retry
from sandbox.limits import Limits
from sandbox.server import build_app, running, serving
from sandbox.settings_out import service_account_key
from sandbox.world import World, parse
from sandbox.world_state import Clock
from transforms import landing, raw
from transforms.warehouse import open_warehouse

from .conftest import Answer, Asked, Vendor, answer

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
START = NOW - timedelta(days=7)
OAUTH = {
    "client_id": "sandbox-app",
    "client_secret": "sandbox-secret",
    "redirect_uri": "https://salespulse.example/oauth",
    "refresh_token": "sandbox-refresh",
}
Make = Callable[..., Outreach]


@pytest.fixture(autouse=True)
def _tokens_of_this_test(tmp_path: Path) -> Iterator[None]:
    token_store.keep_in(tmp_path / "tokens")
    yield
    token_store.keep_in(None)


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Outreach] = []

    def build(url: str, **more: Any) -> Outreach:
        given: dict[str, Any] = {**OAUTH, "base_url": f"{url}/outreach/api/v2", "token_url": f"{url}/outreach/oauth/token",
                                 "app_url": f"{url}/outreach/api/app", "requests_per_hour": 10**8}  # fmt: skip
        given |= {"network": {"attempts": 3, "first_wait_seconds": 0.001}, **more}
        settings = OutreachSettings.model_validate({k: v for k, v in given.items() if v is not None})
        made.append(Outreach(settings, workspace="main", now=NOW))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


def window(stream: str, start: datetime = START, end: datetime = NOW) -> Window:
    if stream in ("seq_user", "seq_call_disposition"):
        return Window("outreach", "main", stream, "snapshot", None, NOW)
    return Window("outreach", "main", stream, "range", start, end)


def records(pages: Iterator[Page]) -> list[dict[str, Any]]:
    return [json.loads(record) for page in pages for record in page.records]


def mail(number: int, at: datetime, **more: Any) -> dict[str, Any]:
    return {
        "key": f"m{number}", "rep": "ada", "from": "ada@acme.example", "to": [f"c{number}@cust.example"], "sent_at": at.isoformat(),
        "message_id": f"<m{number}@acme.example>", "mailboxes": [], "sequencer": {"system": "outreach", "step": 1}, **more,
    }  # fmt: skip


def company(*mails: dict[str, Any], **more: Any) -> World:
    return parse({
        "company": {"now": NOW.isoformat(), "systems": {"sequencer": "outreach"}, "internal_domains": ["acme.example"]},
        "reps": [{"key": "ada", "email": "ada@acme.example", "seats": ["sequencer"]},
                 {"key": "gus", "email": "gus@acme.example", "seats": ["sequencer"], "end_date": "2026-03-01"}],
        "mails": list(mails), **more,
    })  # fmt: skip


def test_every_mail_of_one_instant_comes_by_cursor_with_its_recipients_and_no_subject(make: Make) -> None:
    """2,003 mails of one millisecond, three pages; one more lies a millisecond outside; a bounced one, one with a colleague in copy."""
    at = NOW - timedelta(days=2)
    many = [mail(n, at) for n in range(2002)]
    bounce = {"key": "b", "rep": "ada", "direction": "inbound", "kind": "bounce", "from": "daemon@cust.example", "to": ["ada@acme.example"],
              "sent_at": NOW.isoformat(), "in_reply_to": "<m1@acme.example>", "mailboxes": []}  # fmt: skip
    world = company(
        *many,
        mail(2002, at, cc=["bob@acme.example"], subject="secret words"),
        mail(2003, START - timedelta(milliseconds=1)),
        bounce,
    )
    with running(world) as url:
        connector = make(url)
        found = records(connector.read(window("seq_send"), {}, Traffic()))
        assert connector.count(window("seq_send")) == 2003
        asked = httpx.get(f"{url}/__sandbox__/requests").json()["routes"]
    once = {one["id"]: one for one in found}
    assert len(once) == 2003, "the one that bounced comes by its bounce too, and is one record"
    assert asked["GET /outreach/api/v2/mailings"] == 3 + 1 + 1
    told = [one for one in once.values() if len(one["recipients"]) == 2]
    assert [[r["value"] for r in one["recipients"]] for one in told] == [["c2002@cust.example", "bob@acme.example"]]
    assert "secret words" not in json.dumps(found)
    assert "nobody asked" not in json.dumps(found)


def test_what_vanishes_and_what_bounces_late_is_seen_in_the_last_weeks(make: Make, tmp_path: Path) -> None:
    """Nothing tells of deletions: a mail that is not listed any more has gone. Users who are locked stay, with their address."""
    first = mail(1, NOW - timedelta(days=3), deleted_at=(NOW + timedelta(hours=1)).isoformat())
    second = mail(2, NOW - timedelta(days=3))
    bounce = {"key": "b", "rep": "ada", "direction": "inbound", "kind": "bounce", "from": "daemon@cust.example", "to": ["ada@acme.example"],
              "sent_at": (NOW + timedelta(hours=1)).isoformat(), "in_reply_to": "<m2@acme.example>", "mailboxes": []}  # fmt: skip
    with running(company(first, second, bounce)) as url, open_warehouse(tmp_path / "w.duckdb", threads=1) as con:
        raw.declare(con, [("outreach", s.name) for s in Outreach.streams])
        for night in (NOW, NOW + timedelta(hours=2)):
            httpx.post(f"{url}/__sandbox__/now", json={"now": night.isoformat()}).raise_for_status()
            connector = make(url)
            connector.now = night
            for stream in ("seq_send", "seq_user"):
                file = extract(connector, window(stream, end=night), {}, tmp_path, night.isoformat())
                landing.land(con, file)
        rows = con.execute(
            "select payload ->> '$.mailing.attributes.messageId', is_deleted, payload ->> '$.mailing.attributes.bouncedAt' is not null "
            "from raw.outreach_seq_send_latest order by 1"
        ).fetchall()
        assert rows == [("<m1@acme.example>", True, False), ("<m2@acme.example>", False, True)]
        locked = con.execute(
            "select payload ->> '$.attributes.email', payload ->> '$.attributes.locked' from raw.outreach_seq_user_latest order by 1"
        ).fetchall()
        assert locked == [("ada@acme.example", "false"), ("gus@acme.example", "true")]


def page(*ids: int, following: str | None = None) -> dict[str, Any]:
    links = {"links": {"next": following}} if following else {}
    return {"data": [{"type": "user", "id": n, "attributes": {"email": f"u{n}@acme.example"}} for n in ids], **links}


def scripted(vendor: Vendor, pages: Mapping[str, dict[str, Any] | Answer]) -> None:
    """A vendor that gives tokens, and pages by their cursor."""

    def reply(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            return answer({"access_token": "t0ken", "expires_in": 7200, "refresh_token": "r1"})
        told = pages[asked.query.get("page[after]", "")]
        return told if isinstance(told, Answer) else answer(told)

    vendor.script = reply


def test_only_the_absence_of_a_next_link_ends_a_list_and_it_leads_nowhere_else(vendor: Vendor, make: Make) -> None:
    here = f"{vendor.url}/outreach/api/v2/users?page[after]="
    scripted(vendor, {"": page(1, following=f"{here}a"), "a": page(following=f"{here}b"), "b": page(2)})
    assert [r["id"] for r in records(make(vendor.url).read(window("seq_user"), {}, Traffic()))] == [1, 2]
    scripted(vendor, {"": page(1, following=f"{here}a"), "a": page(2, following=f"{here}a")})
    with pytest.raises(ConnectorError, match="came twice"):
        records(make(vendor.url).read(window("seq_user"), {}, Traffic()))
    scripted(vendor, {"": page(1, following="https://elsewhere.example/api/v2/users?page[after]=a")})
    before = len(vendor.asked)
    with pytest.raises(ConnectorError, match=r"elsewhere\.example"):
        records(make(vendor.url).read(window("seq_user"), {}, Traffic()))
    assert len(vendor.asked) == before + 1


def test_what_is_known_is_asked_for_again_before_it_is_taken_for_deleted(vendor: Vendor, make: Make) -> None:
    """A stale or shortened answer must not bury what stands; what is not there twice has gone."""
    answers = [{"data": []}, page(1, 2), {"data": []}]

    def reply(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            return answer({"access_token": "t0ken", "refresh_token": "r1"})
        return answer(answers.pop(0))

    vendor.script = reply
    connector = make(vendor.url)
    assert [r["id"] for r in records(connector.read(window("seq_task"), {"seq_task": ["1", "2"]}, Traffic()))] == [1, 2]
    assert records(connector.read(window("seq_task"), {}, Traffic())) == []
    assert answers == [], "where nothing is known, one reading does"


def test_relationships_without_data_and_records_that_are_none_cost_only_themselves(vendor: Vendor, make: Make) -> None:
    """singer-io/tap-outreach#39: relationships with links or meta alone broke the whole page."""
    good = {"type": "mailing", "id": 1, "attributes": {"deliveredAt": "2026-03-18T10:00:00.000Z"},
            "relationships": {"user": {"links": {"self": "x"}}, "recipients": {"data": None, "meta": {}},
                              "prospect": {"data": None}}}  # fmt: skip
    bad = {"type": "mailing", "id": 2, "attributes": {"deliveredAt": 7}}
    scripted(vendor, {"": {"data": [good, bad, None], "included": [{"type": "prospect", "id": 9, "attributes": None}]}})
    pages = list(make(vendor.url).read(window("seq_send"), {}, Traffic()))[:1]
    assert [json.loads(r)["id"] for one in pages for r in one.records] == [1]
    assert len([r for one in pages for r in one.rejected]) == 2


def test_a_refresh_token_is_on_disk_before_its_access_token_is_used(make: Make, tmp_path: Path) -> None:
    """Two connectors, as two windows or two runs have them, and a third after the settings' token is long spent: one token is asked for."""
    world = company(mail(1, NOW - timedelta(days=1)))
    clock = Clock(world, NOW)
    with serving(build_app(world, clock, None, Limits(enabled=True))) as url:
        for _ in range(3):
            assert len(records(make(url).read(window("seq_send"), {}, Traffic()))) == 1
        asked = httpx.get(f"{url}/__sandbox__/requests").json()["routes"]
        assert asked["POST /outreach/oauth/token"] == 1
        file = tmp_path / "tokens" / "outreach.main.json"
        kept = json.loads(file.read_text())
        assert kept["refresh_token"].startswith("refresh-1-")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert sorted(f.name for f in file.parent.iterdir()) == ["outreach.main.json", "outreach.main.lock"]
        # Its two hours are over: the kept token brings the next one.
        file.write_text(json.dumps(kept | {"expires_at": 1.0, "refresh_token": "sandbox-refresh"}))
        records(make(url).read(window("seq_send"), {}, Traffic()))
        assert json.loads(file.read_text())["refresh_token"].startswith("refresh-2-")


def grants(alive: set[str]) -> Callable[[Asked], Answer]:
    """A token endpoint that takes what is alive, and replaces it."""

    def reply(asked: Asked) -> Answer:
        if not asked.path.endswith("/token"):
            return answer(page(1))
        if asked.form["refresh_token"] not in alive:
            return answer(
                {"error": "invalid_grant", "error_description": f"{asked.form['refresh_token']} is spent"}, 400
            )
        number = len(alive)
        alive.add(f"new{number}")
        return answer({"access_token": f"a{number}", "expires_in": 7200, "refresh_token": f"new{number}"})

    return reply


def test_a_run_that_died_between_answer_and_disk_goes_on_and_a_new_authorisation_wins(
    vendor: Vendor, make: Make, tmp_path: Path
) -> None:
    file = tmp_path / "tokens" / "outreach.main.json"
    alive = {"sandbox-refresh"}
    vendor.script = grants(alive)
    records(make(vendor.url).read(window("seq_user"), {}, Traffic()))
    kept = json.loads(file.read_text())
    assert (kept["refresh_token"], kept["previous"]) == ("new1", "sandbox-refresh")
    # What is newest on disk is not known to the vendor, or was replaced by an answer that never came: the one before still works.
    alive.discard("new1")
    file.write_text(json.dumps(kept | {"expires_at": 1.0}))
    records(make(vendor.url).read(window("seq_user"), {}, Traffic()))
    assert json.loads(file.read_text())["previous"] == "sandbox-refresh"
    # None works: what to do is said, and no token is in the words.
    alive.clear()
    file.write_text(json.dumps(json.loads(file.read_text()) | {"expires_at": 1.0}))
    with pytest.raises(PermissionMissing, match="authorise the app again") as refused:
        records(make(vendor.url).read(window("seq_user"), {}, Traffic()))
    assert "sandbox-refresh" not in str(refused.value)
    # Authorised again: the settings' new token is tried, not what was kept of the old one.
    alive.add("fresh")
    records(make(vendor.url, refresh_token="fresh").read(window("seq_user"), {}, Traffic()))
    assert [a.form["refresh_token"] for a in vendor.asked if a.path.endswith("/token")][-1] == "fresh"


def test_an_access_token_that_ends_in_mid_list_is_renewed_and_the_list_goes_on(vendor: Vendor, make: Make) -> None:
    """airbytehq/airbyte#70223: syncs of more than two hours died of it."""
    here = f"{vendor.url}/outreach/api/v2/users?page[after]="
    given: list[str] = []

    def reply(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            given.append(asked.form["refresh_token"])
            return answer({"access_token": f"a{len(given)}", "expires_in": 7200, "refresh_token": f"r{len(given)}"})
        if "page[after]" in asked.query and asked.headers["Authorization"] == "Bearer a1":
            return answer({"errors": [{"id": "unauthorized", "title": "Unauthorized", "detail": "expired"}]}, 401)
        return answer(page(2) if "page[after]" in asked.query else page(1, following=f"{here}a"))

    vendor.script = reply
    assert [r["id"] for r in records(make(vendor.url).read(window("seq_user"), {}, Traffic()))] == [1, 2]
    assert given == ["sandbox-refresh", "r1"]


KILLED = """
import os, signal, sys
from pathlib import Path
import httpx
from connectors import token_store
from connectors.outreach_auth import OutreachRefreshAuth
token_store.keep_in(Path(sys.argv[2]))
auth = OutreachRefreshAuth("sandbox-app", "sandbox-secret", "https://salespulse.example/oauth", "sandbox-refresh",
                           sys.argv[1] + "/outreach/oauth/token", token_store.Account("outreach.main"))
if sys.argv[3] == "before":
    token_store.Account.write = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
flow = auth.sync_auth_flow(httpx.Request("GET", sys.argv[1]))
asked = next(flow)
flow.send(httpx.Client().send(asked))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_kill_9_around_the_write_leaves_a_token_that_works_and_no_lock(make: Make, tmp_path: Path, when: str) -> None:
    with running(company(mail(1, NOW - timedelta(days=1)))) as url:
        folder = tmp_path / "tokens"
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, url, str(folder), when], check=False, cwd=Path(__file__).parents[2]
        )
        assert ended.returncode == -signal.SIGKILL
        assert (folder / "outreach.main.json").exists() == (when == "after")
        assert len(records(make(url).read(window("seq_send"), {}, Traffic()))) == 1
        asked = httpx.get(f"{url}/__sandbox__/requests").json()["routes"]
        assert asked["POST /outreach/oauth/token"] == (1 if when == "after" else 2)


def test_server_to_server_by_the_apps_own_key_and_what_it_may_not_read(make: Make, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text(service_account_key("https://x")["private_key"])
    server = {
        **dict.fromkeys(OAUTH),
        "app_guid": "sandbox-guid",
        "install_id": "sandbox-install",
        "private_key_file": key,
    }
    with running(company(mail(1, NOW - timedelta(days=1)))) as url:
        connector = make(url, **server)
        assert len(records(connector.read(window("seq_send"), {}, Traffic()))) == 1
        checks = {check.name: check for check in connector.check()}
        assert all(check.ok for check in checks.values())
        assert "no dispositions of calls" in checks["seq_call_disposition"].detail
        with pytest.raises(PermissionMissing) as refused:
            records(connector.read(window("seq_call_disposition"), {}, Traffic()))
        assert refused.value.scope == "callDispositions.read"
        with pytest.raises(PermissionMissing, match="admin has installed"):
            records(make(url, **{**server, "app_guid": "other"}).read(window("seq_user"), {}, Traffic()))


def test_every_list_names_its_scope_and_what_goes_dark(vendor: Vendor, make: Make) -> None:
    def reply(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            return answer({"access_token": "t0ken", "refresh_token": "r1"})
        name = asked.path.rpartition("/")[2]
        told = f"Your authorization does not include the required scope '{name}.read'."
        return answer(
            {"errors": [{"id": "unauthorizedOauthScope", "title": "Unauthorized OAuth Scope", "detail": told}]}, 403
        )

    vendor.script = reply
    checks = {check.name: check for check in make(vendor.url, unused=["calls"]).check()}
    assert set(checks) == set(LISTS) - {"seq_call", "seq_call_disposition"}
    for name, check in checks.items():
        assert not check.ok
        assert LISTS[name].scope in check.remedy
        assert LISTS[name].feeds in check.remedy
    assert {s.name for s in make(vendor.url, unused=["calls"]).streams} == set(checks), "nor is it read"


def told(status: int, code: str = "", detail: str = "", **headers: str) -> httpx.Response:
    body = {"errors": [{"id": code, "title": "T", "detail": detail}]}
    named = {name.replace("_", "-"): text for name, text in headers.items()} | {"Date": "Fri, 20 Mar 2026 06:00:00 GMT"}
    return httpx.Response(
        status, json=body, headers=named, request=httpx.Request("GET", "https://api.outreach.io/api/v2/users")
    )


def test_what_its_answers_mean() -> None:
    until = str(int(datetime(2026, 3, 20, 6, 10, tzinfo=UTC).timestamp()))
    limited = judge(told(429, "rateLimitExceeded", X_RateLimit_Reset=until, Retry_After=until))
    assert isinstance(limited, Retry)
    assert (limited.after, limited.everyone, limited.budget) == (601.0, True, "requests")
    by_alias = judge(told(429, Retry_After=until))
    assert isinstance(by_alias, Retry)
    assert by_alias.after == 600.0
    down = judge(told(503, "scheduledServerMaintenance", Retry_After="2026-03-20T06:05:00"))
    assert isinstance(down, Retry)
    assert down.after == 300.0
    assert isinstance(judge(told(401)), Reauth)
    denied = judge(
        told(403, "unauthorizedOauthScope", "Your authorization does not include the required scope 'calls.read'.")
    )
    assert isinstance(denied, Denied)
    assert denied.scope == "calls.read"
    governed = judge(told(403, "unauthorizedRequest", "You are not authorized to perform that request."))
    assert isinstance(governed, Denied)
    assert "profile" in governed.message
    assert isinstance(judge(told(422, "validationError", "no such filter")), Fail)
    assert isinstance(judge(told(415, "unsupportedMediaType")), Fail)


def test_the_hours_budget_is_read_even_where_the_header_holds_two_numbers() -> None:
    """singer-io/tap-outreach#33."""
    headers = {"X_RateLimit_Limit": "10000", "X_RateLimit_Remaining": "9999, 19988", "X_RateLimit_Reset": "1800"}
    (spent,) = LIMIT.tells(told(200, **headers), "requests")
    assert (spent.limit, spent.left, spent.ends_in) == (10000, 9999, 1801.0)
    assert list(LIMIT.tells(told(200, X_RateLimit_Limit="soon"), "requests")) == []


def test_settings_take_one_whole_credential() -> None:
    for wrong in (
        {},
        {**OAUTH, "refresh_token": None},
        {**OAUTH, "app_guid": "g"},
        {"app_guid": "g", "install_id": "../x"},
    ):
        with pytest.raises(ValidationError):
            OutreachSettings.model_validate({k: v for k, v in wrong.items() if v is not None})


def test_tokens_are_in_no_repr() -> None:
    account = token_store.Account("x")
    auth = OutreachRefreshAuth("id", "s3cret", "https://x", "r3fresh", "https://x/token", account)
    kept = token_store.Kept("origin", "r3fresh", access_token="acc3ss")
    assert not {"s3cret", "r3fresh", "acc3ss"} & set(f"{auth!r} {kept!r}".replace("=", " ").split())
