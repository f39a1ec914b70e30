"""Microsoft 365 mail over real HTTP: pages, delta rounds and their expiry, throttling, permissions, and the pitfalls that concern it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.microsoft365 import Microsoft365, Microsoft365Settings
from connectors.stream import ConnectorError, Page, PermissionMissing, Traffic, Window
from sandbox.server import running
from sandbox.world import parse
from tests.connectors.conftest import QUICK, Answer, Asked, Vendor, answer

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
ANA, BOB = "ana@acme.com", "bob@acme.com"
WEEK = NOW - timedelta(days=7)
OLD = Window("microsoft365", "main", "mail_message", "range", WEEK - timedelta(days=7), WEEK, ANA)
FOLDER = {"id": "F1", "parentFolderId": "top"}
Source = Callable[..., Microsoft365]


@pytest.fixture
def source(vendor: Vendor) -> Iterator[Source]:
    opened: list[Microsoft365] = []

    def make(url: str = "", now: datetime = NOW, **more: Any) -> Microsoft365:
        base = url or vendor.url
        given = {
            "tenant": "sandbox",
            "client_id": "sandbox-app",
            "client_secret": "sandbox-secret",
            "base_url": f"{base}/v1.0",
            "login_url": base,
            "requests_per_second": 10**6,
            "network": QUICK,
        }
        settings = Microsoft365Settings.model_validate({**given, **more})
        opened.append(Microsoft365(settings, workspace=f"w{len(opened)}-{id(vendor)}", now=now, mailboxes=[ANA]))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def message(key: str, at: str = "2026-03-10T10:00:00Z", **more: Any) -> dict[str, Any]:
    return {"id": key, "receivedDateTime": at, "subject": "S", "bodyPreview": "B", "parentFolderId": "F1", **more}


def scripted(vendor: Vendor, script: Callable[[Asked], Answer]) -> None:
    def told(asked: Asked) -> Answer:
        return answer({"access_token": "t0ken", "expires_in": 3600}) if asked.path.endswith("/token") else script(asked)

    vendor.script = told


def ids_of(pages: list[Page]) -> list[str]:
    return [json.loads(record)["message"]["id"] for page in pages for record in page.records]


def test_next_links_are_followed_whole_and_little_is_kept(vendor: Vendor, source: Source) -> None:
    """(1, 2) An empty page that names a next one is no end; of a mail neither subject nor names nor other headers are landed."""
    there = f"{vendor.url}/v1.0/users/x/messages?$skip="
    headers = [
        {"name": "In-Reply-To", "value": "<a@b>"},
        {"name": "Subject", "value": "S"},
        {"name": "Received", "value": "from"},
    ]
    mail = message(
        "m1", internetMessageHeaders=headers, toRecipients=[{"emailAddress": {"name": "Cora", "address": "c@cust.com"}}]
    )
    pages = [
        {"@odata.count": 2, "value": [mail], "@odata.nextLink": f"{there}1"},
        {"value": [], "@odata.nextLink": f"{there}2"},
        {"value": [message("m2")]},
    ]
    scripted(vendor, lambda _: answer(pages.pop(0)))
    read = list(source().read(OLD, {}, Traffic()))
    assert ids_of(read) == ["m1", "m2"]
    assert json.loads(read[0].records[0]) == {
        "mailbox": ANA,
        "message": {
            "id": "m1", "receivedDateTime": "2026-03-10T10:00:00Z", "parentFolderId": "F1",
            "toRecipients": [{"emailAddress": {"address": "c@cust.com"}}],
            "internetMessageHeaders": [{"name": "In-Reply-To", "value": "<a@b>"}],
        },
    }  # fmt: skip
    token, first, second, third = vendor.asked
    assert token.form["scope"] == f"{vendor.url}/.default"
    assert first.path == f"/v1.0/users/{ANA}/messages"
    assert (
        first.query["$filter"]
        == "receivedDateTime ge 2026-03-06T06:00:00Z and receivedDateTime lt 2026-03-13T06:00:00Z"
    )
    assert first.query["$orderby"] == "receivedDateTime"
    assert {asked.headers["Prefer"] for asked in (first, second, third)} == {
        'IdType="ImmutableId", odata.maxpagesize=500'
    }
    assert [second.query, third.query] == [{"$skip": "1"}, {"$skip": "2"}]


def test_a_listing_that_is_shorter_than_graph_counts_is_never_taken(vendor: Vendor, source: Source) -> None:
    """(8, 10) Once: read again. Twice: an error, and the window stays due."""
    short, whole = (
        {"@odata.count": 2, "value": [message("m1")]},
        {"@odata.count": 2, "value": [message("m1"), message("m2")]},
    )
    pages = [short, whole]
    scripted(vendor, lambda _: answer(pages.pop(0)))
    read = list(source().read(OLD, {}, Traffic()))
    assert set(ids_of(read)) == {"m1", "m2"}
    assert read[-1].expected == 2
    scripted(vendor, lambda _: answer(short))
    with pytest.raises(ConnectorError, match=r"counts 2 messages .* but 1 came, twice"):
        list(source().read(OLD, {}, Traffic()))
    assert ids_of(list(source(held_to_counts=False).read(OLD, {}, Traffic()))) == ["m1"]


@pytest.mark.parametrize("body", [{}, {"value": None}, [], {"value": {}}, {"value": [], "@odata.nextLink": 5}])
def test_another_format_is_never_an_empty_mailbox(vendor: Vendor, source: Source, body: Any) -> None:
    """(8)"""
    scripted(vendor, lambda _: answer(body))
    for stream in ("mail_message", "mail_folder"):
        window = Window("microsoft365", "main", stream, "range", OLD.start, OLD.end, ANA)
        with pytest.raises((ConnectorError, ValueError)):
            list(source().read(window, {}, Traffic()))


def test_a_message_of_another_shape_costs_neither_its_page_nor_its_words(vendor: Vendor, source: Source) -> None:
    scripted(vendor, lambda _: answer({"@odata.count": 2, "value": [message("m1"), message("m2", at=None)]}))  # type: ignore[arg-type]
    read = list(source().read(OLD, {}, Traffic()))
    assert ids_of(read) == ["m1"]
    ((reason, told),) = read[0].rejected
    assert "not as the vendor describes it" in reason
    assert "m2" in told
    assert '"S"' not in told


def test_no_more_than_four_requests_of_a_mailbox_at_a_time(vendor: Vendor, source: Source) -> None:
    """Graph answers four at a time for an application and mailbox; the fifth waits here, not there."""
    lock, gate = threading.Lock(), threading.Barrier(4)
    now, most = 0, 0

    def script(_: Asked) -> Answer:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        gate.wait(10)  # four must come together, else this breaks
        with lock:
            now -= 1
        return answer({"value": []})

    one = source()
    scripted(vendor, lambda _: answer({"value": []}))
    list(one.read(OLD, {}, Traffic()))  # so that the token is there
    scripted(vendor, script)
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(lambda: list(one.read(OLD, {}, Traffic()))) for _ in range(8)]:
            done.result()
    assert most == 4


def test_throttling_of_a_mailbox_is_waited_for(vendor: Vendor, source: Source) -> None:
    error = {"error": {"code": "ApplicationThrottled", "message": "MailboxConcurrency"}}
    answers = [
        answer(error, 429, Retry_After="0"),
        answer(error, 429),
        answer({"error": {"code": "x"}}, 504),
        answer({"value": []}),
    ]
    scripted(vendor, lambda _: answers.pop(0))
    traffic = Traffic()
    list(source(network={**QUICK, "attempts": 4}).read(OLD, {}, traffic))
    assert traffic.retries == 3


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (403, "ErrorAccessDenied", "Mail.ReadBasic.All"),
        (404, "ErrorInvalidUser", "no mailbox of this address"),
        (404, "MailboxNotEnabledForRESTAPI", "no mailbox"),
    ],
)
def test_a_refusal_says_what_is_missing(vendor: Vendor, source: Source, status: int, code: str, says: str) -> None:
    scripted(vendor, lambda _: answer({"error": {"code": code, "message": "no"}}, status))
    with pytest.raises(PermissionMissing, match=says):
        list(source().read(OLD, {}, Traffic()))


def test_a_round_without_an_end_is_no_round(vendor: Vendor, source: Source) -> None:
    """(7) A page that names neither a next page nor a next round would lose all changes after it."""

    def script(asked: Asked) -> Answer:
        if asked.path.endswith("/mailFolders/delta"):
            return answer({"value": [FOLDER]})
        return answer({"value": []})

    scripted(vendor, script)
    with pytest.raises(ConnectorError, match="neither a next page nor a next round"):
        list(source().read(_current(), {}, Traffic()))


def _current(cursor: str | None = None, now: datetime = NOW) -> Window:
    return Window("microsoft365", "main", "mail_message", "range", now - timedelta(days=7), now, ANA, cursor)


def _company() -> dict[str, Any]:
    """Mails far before the window of the tests: one stays, one is thrown away and one purged between two nights; one is fresh."""

    def mail(key: str, sent_at: str, **more: Any) -> dict[str, Any]:
        return {
            "key": key, "rep": "ana", "direction": "outbound", "from": ANA, "to": ["c@cust.com"], "sent_at": sent_at,
            "message_id": f"<{key}@acme.com>", "mailboxes": ["ana"], **more,
        }  # fmt: skip

    return {
        "company": {
            "now": "2026-03-20T06:00:00Z",
            "internal_domains": ["acme.com"],
            "systems": {"mail": "microsoft365"},
        },
        "reps": [{"key": "ana", "name": "Ana", "email": ANA, "seats": ["mail"]}],
        "mails": [
            mail("stays", "2026-02-02T10:00:00Z"),
            mail(
                "thrown", "2026-02-03T10:00:00Z", edits=[{"at": "2026-03-20T10:00:00Z", "set": {"labels": ["TRASH"]}}]
            ),
            mail("purged", "2026-02-04T10:00:00Z", deleted_at="2026-03-20T11:00:00Z"),
            mail("fresh", "2026-03-20T12:00:00Z"),
        ],
    }


@pytest.fixture
def nights(source: Source) -> Iterator[Callable[..., tuple[list[Page], dict[str, str]]]]:
    """Reads the mailbox of the company as of an instant; pages, and the folder of each message by its key."""
    with running(parse(_company()), now=NOW) as url:

        def night(now: datetime, cursor: str | None = None, **options: Any) -> tuple[list[Page], dict[str, str]]:
            httpx.post(f"{url}/__sandbox__/now", json={"now": now.isoformat()}).raise_for_status()
            if options:
                httpx.post(f"{url}/microsoft365/__sandbox__/options", json=options).raise_for_status()
            pages = list(source(f"{url}/microsoft365", now=now).read(_current(cursor, now), {}, Traffic()))
            told = [json.loads(record)["message"] for page in pages for record in page.records]
            return pages, {m["internetMessageId"].strip("<>").partition("@")[0]: m["parentFolderId"] for m in told}

        yield night


def test_what_changed_far_before_the_window_is_told_by_the_rounds(nights: Callable[..., Any]) -> None:
    """(3, 6, 7) A move is no deletion; a deletion is told however old the mail; nothing falls between two readings."""
    pages, told = nights(NOW)
    cursor = pages[-1].cursor
    assert set(told) <= {"teams-ana"}, "of old mails nothing is read the first time: their own windows list them"
    assert not pages[-1].gone
    pages, told = nights(NOW + timedelta(days=1), cursor)
    assert {"thrown", "fresh"} <= set(told) <= {"thrown", "fresh", "teams-ana"}
    assert len(pages[-1].gone) == 1
    assert pages[-1].gone[0].startswith(f"{ANA}/AAk")
    again, told = nights(NOW + timedelta(days=2), pages[-1].cursor)
    assert "thrown" not in told
    assert not again[-1].gone


def test_a_state_that_graph_has_dropped_lists_the_folder_anew(nights: Callable[..., Any]) -> None:
    """410 SyncStateNotFound: what lies in the folder is read whole, far before the window too, and the next round begins from there."""
    pages, _ = nights(NOW)
    pages, told = nights(NOW + timedelta(days=1), pages[-1].cursor, state_days=0)
    assert {"stays", "thrown", "fresh"} <= set(told)
    assert not pages[-1].gone, "what is not listed is not known to have gone"
    pages, told = nights(NOW + timedelta(days=2), pages[-1].cursor, state_days=30)
    assert "stays" not in told, "the states are new"


def test_a_folder_that_is_new_is_listed_and_states_of_another_address_are_not_asked(nights: Callable[..., Any]) -> None:
    pages, _ = nights(NOW)
    states: dict[str, str] = json.loads(pages[-1].cursor)
    assert len(states) == 6, "the hidden folder has none"
    moved = {folder: state.replace("127.0.0.1", "127.0.0.2") for folder, state in states.items()}
    _, told = nights(NOW, json.dumps(moved))
    assert "stays" in told


def test_check_tells_each_permission_and_headers_apart(source: Source) -> None:
    with running(parse(_company()), now=NOW) as url:
        for options, failing in (
            ({}, set[str]()),
            ({"headers": False}, {"headers"}),
            ({"granted": ["User.Read.All"]}, {"mail_folder", "mail_message", "headers"}),
            ({"granted": ["Mail.ReadBasic.All"]}, {"mail_account"}),
        ):
            httpx.post(f"{url}/microsoft365/__sandbox__/options", json=options).raise_for_status()
            checks = list(source(f"{url}/microsoft365").check())
            assert {check.name for check in checks if not check.ok} == failing
            assert all(check.remedy for check in checks if not check.ok)
