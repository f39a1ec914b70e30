"""Gmail at the wire: against the sandbox where it shows what Google promises, and a scripted server where it must misbehave."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.gmail import Gmail, GmailSettings
from connectors.landing_file import extract
from connectors.stream import ConnectorError, Page, PermissionMissing, Traffic, Window
from sandbox.server import running
from sandbox.settings_out import service_account_key
from sandbox.world import parse
from tests.connectors.conftest import Answer, Asked, Vendor, answer

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
START = NOW - timedelta(days=7)
BOX = "ann@acme.com"
Make = Callable[..., Gmail]


@pytest.fixture
def gmail(tmp_path: Path) -> Iterator[Make]:
    opened: list[Gmail] = []

    def make(base: str, *, now: datetime = NOW, **more: Any) -> Gmail:
        key = tmp_path / "key.json"
        key.write_text(json.dumps(service_account_key(f"{base}/token")), encoding="utf-8")
        given = {"service_account_file": key, "base_url": base, "units_per_minute_user": 10**6, **more}
        settings = GmailSettings.model_validate(given)
        opened.append(Gmail(settings, workspace=f"w{len(opened)}-{base}", now=now, mailboxes=[BOX]))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def company() -> Iterator[str]:
    """A mailbox with 12 mails, one an hour on 2026-03-18, and one long before; yields the sandbox's URL."""

    def mail(key: str, at: str, **more: Any) -> dict[str, Any]:
        return {"key": key, "rep": "ann", "direction": "outbound", "from": BOX, "to": ["cora@cust.com"], "sent_at": at,
                "message_id": f"<{key}@mail.acme.com>", "kind": "one_to_one", **more}  # fmt: skip

    mails = [mail(f"m{n}", f"2026-03-18T{n:02d}:00:00Z") for n in range(10, 22)]
    mails[3]["deleted_at"] = "2026-03-20T10:00:00Z"
    world = parse(
        {
            "company": {
                "now": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "internal_domains": ["acme.com"],
                "systems": {"mail": "gmail"},
            },
            "reps": [{"key": "ann", "name": "Ann", "email": BOX, "aliases": ["a.lee@acme.com"]}],
            "mails": [*mails, mail("old", "2026-01-05T10:00:00Z")],
        }
    )
    with running(world) as url:
        yield url


def window(cursor: str | None = None, end: datetime = NOW) -> Window:
    return Window("gmail", "main", "mail_message", "range", START, end, BOX, cursor)


def read(source: Gmail, known: Sequence[str] = (), cursor: str | None = None, end: datetime = NOW) -> list[Page]:
    return list(source.read(window(cursor, end), {"mail_message": known}, Traffic()))


def messages(pages: Sequence[Page]) -> list[Mapping[str, Any]]:
    return [json.loads(record) for page in pages for record in page.records]


def ids(pages: Sequence[Page]) -> set[str]:
    return {f"{m['mailbox']}/{m['message']['id']}" for m in messages(pages)}


@pytest.mark.parametrize("scope", ["metadata", "readonly"])
def test_a_window_gives_its_messages_and_no_others(company: str, gmail: Make, scope: str) -> None:
    pages = read(gmail(f"{company}/gmail", scope=scope, batch_size=5))
    found = messages(pages)
    assert len(found) == 12
    assert all(m["mailbox"] == BOX for m in found)
    assert pages[-1].cursor is not None
    assert {h["name"].lower() for h in found[0]["message"]["payload"]["headers"]} >= {"from", "to", "message-id"}
    text = json.dumps(found)
    assert "snippet" not in text and "Subject" not in text and '"body"' not in text


@pytest.mark.parametrize("scope", ["metadata", "readonly"])
def test_what_is_known_is_seen_and_not_read_again(company: str, gmail: Make, scope: str) -> None:
    first = read(gmail(f"{company}/gmail", scope=scope))
    traffic = Traffic()
    again = list(
        gmail(f"{company}/gmail", scope=scope).read(
            window(first[-1].cursor), {"mail_message": sorted(ids(first))}, traffic
        )
    )
    assert ids(again) == set()
    assert {i for p in again for i in p.seen} == ids(first)
    assert traffic.requests <= 5


def test_a_thrown_away_mail_is_no_longer_there_as_it_was(company: str, gmail: Make) -> None:
    first = read(gmail(f"{company}/gmail"))
    later = NOW + timedelta(days=1)
    httpx.post(f"{company}/__sandbox__/now", json={"now": later.isoformat()}).raise_for_status()
    second = read(gmail(f"{company}/gmail", now=later), sorted(ids(first)), first[-1].cursor, later)
    seen = {i for p in second for i in p.seen}
    gone = {i for p in second for i in p.gone}
    trashed = {f"{BOX}/{m['message']['id']}" for m in messages(second) if "TRASH" in m["message"].get("labelIds", [])}
    assert len(ids(first) - seen) == 1
    assert ids(first) - seen == gone | trashed


def test_an_expired_history_is_made_up_for_by_the_listing(company: str, gmail: Make) -> None:
    httpx.post(f"{company}/gmail/__sandbox__/options", json={"history_days": 0}).raise_for_status()
    later = NOW + timedelta(days=30)
    httpx.post(f"{company}/__sandbox__/now", json={"now": later.isoformat()}).raise_for_status()
    pages = read(gmail(f"{company}/gmail", now=later), cursor="1", end=later)
    assert len(messages(pages)) == 11, "one of the twelve was deleted meanwhile"


def test_aliases_are_read_under_readonly_and_not_asked_for_under_metadata(company: str, gmail: Make) -> None:
    account = Window("gmail", "main", "mail_account", "snapshot", partition=BOX)
    for scope, aliases in (("metadata", []), ("readonly", ["a.lee@acme.com", BOX])):
        record = messages(list(gmail(f"{company}/gmail", scope=scope).read(account, {}, Traffic())))[0]
        assert sorted(record["aliases"]) == sorted(aliases)
        assert "historyId" not in record


def test_a_mailbox_that_does_not_exist_fails_alone_and_clearly(company: str, gmail: Make, tmp_path: Path) -> None:
    source = gmail(f"{company}/gmail", mailboxes=["ghost@acme.com", BOX])
    ghost = Window("gmail", "main", "mail_message", "range", START, NOW, "ghost@acme.com")
    with pytest.raises((ConnectorError, PermissionMissing), match=r"ghost@acme.com"):
        extract(source, ghost, {}, tmp_path, "r1")
    assert len(messages(read(source))) == 12


class Google:
    """A scripted Google: a token for anybody, one profile, one page with these ids; batch and get answered by `get`."""

    def __init__(self, names: Sequence[str], get: Callable[[Asked], Answer], *, batch: bool = False) -> None:
        self.names = names
        self.get = get
        self.batch = batch

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/token":
            return answer({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
        if asked.path.endswith("/profile"):
            return answer({"emailAddress": BOX, "historyId": "9"})
        if asked.path.endswith("/messages"):
            return answer({"messages": [{"id": n, "threadId": n} for n in self.names]})
        if asked.path.startswith("/batch") and not self.batch:
            return answer({"error": {"code": 404}}, 404)
        return self.get(asked)


def message(name: str, **more: Any) -> dict[str, Any]:
    stamp = str(int((NOW - timedelta(days=1)).timestamp() * 1000))
    return {
        "id": name,
        "threadId": name,
        "labelIds": ["SENT"],
        "internalDate": stamp,
        "payload": {"headers": []},
        **more,
    }


def test_without_a_batch_endpoint_messages_are_read_one_by_one(vendor: Vendor, gmail: Make) -> None:
    vendor.script = Google(["a", "b"], lambda asked: answer(message(asked.path[-1])))
    assert len(messages(read(gmail(vendor.url)))) == 2
    assert sum(asked.path.startswith("/batch") for asked in vendor.asked) == 1


def test_a_snippet_that_is_sent_all_the_same_is_not_landed(vendor: Vendor, gmail: Make, tmp_path: Path) -> None:
    secret = "Dear Cora, our secret offer"
    vendor.script = Google(
        ["a"], lambda asked: answer(message("a", snippet=secret, payload={"headers": [], "body": {"data": secret}}))
    )
    file = extract(gmail(vendor.url), window(), {}, tmp_path, "r1")
    assert '"id":"a"' in file.read_text()
    assert "secret" not in file.read_text()


def test_metadata_scope_never_asks_by_query_and_headers_are_named_one_by_one(vendor: Vendor, gmail: Make) -> None:
    vendor.script = Google(["a"], lambda asked: answer(message("a")))
    read(gmail(vendor.url))
    assert not [a for a in vendor.asked if "q" in a.query]
    got = next(a for a in vendor.asked if a.path.endswith("/messages/a"))
    assert got.query["format"] == "metadata"
    assert "snippet" not in got.query["fields"]


def test_messages_outside_the_window_are_not_landed_even_if_the_server_lists_them(vendor: Vendor, gmail: Make) -> None:
    old = str(int((START - timedelta(days=1)).timestamp() * 1000))
    vendor.script = Google(
        ["a", "b"], lambda asked: answer(message("a") if asked.path[-1] == "a" else message("b", internalDate=old))
    )
    assert ids(read(gmail(vendor.url))) == {f"{BOX}/a"}


@pytest.mark.parametrize("at", [START - timedelta(days=1), NOW - timedelta(days=1)])
def test_a_change_of_a_message_that_is_listed_outside_the_window_is_not_lost(
    vendor: Vendor, gmail: Make, at: datetime
) -> None:
    """The cursor that this window leaves has passed the change, so no later reading would be told of it."""
    stamp = str(int(at.timestamp() * 1000))
    google = Google(["b"], lambda _: answer(message("b", internalDate=stamp, labelIds=["TRASH"])))

    def script(asked: Asked) -> Answer:
        changed = {"historyId": "9", "history": [{"labelsAdded": [{"message": {"id": "b"}}]}]}
        return answer(changed) if asked.path.endswith("/history") else google(asked)

    vendor.script = script
    assert ids(read(gmail(vendor.url), cursor="5", end=NOW - timedelta(days=2))) == {f"{BOX}/b"}


def test_a_message_deleted_between_listing_and_reading_is_gone(vendor: Vendor, gmail: Make) -> None:
    vendor.script = Google(
        ["a", "b"], lambda asked: answer(message("a")) if asked.path[-1] == "a" else answer({"error": {}}, 404)
    )
    pages = read(gmail(vendor.url), known=[])
    assert ids(pages) == {f"{BOX}/a"}
    assert {i for p in pages for i in p.gone} == {f"{BOX}/b"}


def test_a_part_of_a_batch_that_is_refused_for_quota_is_asked_for_again(vendor: Vendor, gmail: Make) -> None:
    rounds: list[int] = []

    def batch(asked: Asked) -> Answer:
        names = [line.split("/messages/")[1][0] for line in asked.body.decode().splitlines() if line.startswith("GET")]
        rounds.append(len(names))
        parts = ""
        for number, name in enumerate(names):
            refused = len(rounds) == 1 and name == "b"
            body = (
                {"error": {"code": 403, "errors": [{"reason": "userRateLimitExceeded"}]}} if refused else message(name)
            )
            status = "403 Forbidden" if refused else "200 OK"
            parts += f"--x\r\nContent-Type: application/http\r\nContent-ID: <response-item-{number}>\r\n\r\nHTTP/1.1 {status}\r\n"
            parts += f"Content-Type: application/json\r\n\r\n{json.dumps(body)}\r\n"
        return Answer(200, f"{parts}--x--\r\n".encode(), {"Content-Type": "multipart/mixed; boundary=x"})

    vendor.script = Google(["a", "b", "c"], batch, batch=True)
    assert ids(read(gmail(vendor.url))) == {f"{BOX}/{n}" for n in "abc"}
    assert rounds == [3, 1]


def test_a_missing_delegation_names_the_scope_to_add(vendor: Vendor, gmail: Make) -> None:
    vendor.script = [answer({"error": "unauthorized_client", "error_description": "not delegated"}, 401)]
    with pytest.raises(PermissionMissing, match=r"gmail\.metadata"):
        read(gmail(vendor.url))


def test_a_key_file_that_cannot_be_read_says_so_without_its_content(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text('{"private_key": "TOP-SECRET"', encoding="utf-8")
    with pytest.raises(ConnectorError, match="cannot be read as a JSON key") as caught:
        Gmail(GmailSettings(service_account_file=key), workspace="w", now=NOW)
    assert "TOP-SECRET" not in str(caught.value)
