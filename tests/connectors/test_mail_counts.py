"""Counts of mails by usage reports over real HTTP: days that are not counted yet, concealed names, and the pitfalls that concern it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors import opened
from connectors.gmail_settings import GmailSettings
from connectors.landing_file import extract
from connectors.mail_counts import CHANGES_WITHIN, days_due
from connectors.microsoft365 import Microsoft365Settings
from connectors.stream import Connector, ConnectorError, PermissionMissing, Traffic, Window
from sandbox.settings_out import service_account_key
from tests.connectors.conftest import QUICK, Answer, Asked, Vendor, answer
from transforms.forget_landing import clean_landing
from transforms.forgotten import Forgotten

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
ANA = "ana@acme.com"
HEADER = "Report Refresh Date,User Principal Name,Display Name,Is Deleted,Send Count,Receive Count,Report Period"
Open = Callable[..., Connector]


@pytest.fixture
def open_source(vendor: Vendor, tmp_path: Path) -> Iterator[Open]:
    made: list[Connector] = []

    def make(name: str, *mailboxes: str, days: int = 4) -> Connector:
        (tmp_path / "key.json").write_text(json.dumps(service_account_key(f"{vendor.url}/token")))
        section = (
            GmailSettings(
                service_account_file=tmp_path / "key.json", reads="counts", administrator="admin@acme.com", counts_days=days,
                admin_base_url=vendor.url, network=QUICK,  # type: ignore[arg-type]
            )
            if name == "gmail"
            else Microsoft365Settings.model_validate({
                "tenant": "acme.example", "client_id": "app", "client_secret": "s3cret", "base_url": f"{vendor.url}/v1.0", "counts_days": days,
                "login_url": vendor.url, "reads": "counts", "network": QUICK, "reports_per_10_minutes": 10**6,
            })
        )  # fmt: skip
        made.append(opened(name, section, workspace=f"w{id(vendor)}", now=NOW, mailboxes=mailboxes or [ANA]))
        return made[-1]

    yield make
    for one in made:
        one.close()


def scripted(vendor: Vendor, script: Callable[[Asked], Answer]) -> None:
    def told(asked: Asked) -> Answer:
        return answer({"access_token": "t0ken", "expires_in": 3600}) if asked.path.endswith("/token") else script(asked)

    vendor.script = told


def read(source: Connector, stream: str = "mail_count", known: list[str] | None = None) -> list[dict[str, Any]]:
    window = Window(source.name, "main", stream, "snapshot", None, NOW)
    pages = source.read(window, {stream: known or []}, Traffic())
    return [json.loads(record) for page in pages for record in page.records]


def usage(*people: tuple[str, str, str], **more: Any) -> Answer:
    named = ("gmail:num_emails_sent", "gmail:num_emails_received")
    reports = [
        {
            "entity": {"userEmail": email},
            "parameters": [{"name": n, "intValue": v} for n, v in zip(named, told, strict=True)],
        }
        for email, *told in people
    ]
    return answer({"kind": "admin#reports#usageReports", "usageReports": reports, **more})


def test_days_that_are_known_are_read_again_for_a_week() -> None:
    newest = date(2026, 3, 18)
    known = [f"2026-03-{day:02}" for day in range(1, 19)]
    assert len(days_due(known, newest, 15)) == CHANGES_WITHIN
    known.remove("2026-03-05")
    assert days_due(known, newest, 15)[-1] == date(2026, 3, 5)
    assert len(days_due([], newest, 15)) == 15


@pytest.mark.parametrize("name", ["gmail", "microsoft365"])
def test_whoever_joins_is_counted_on_days_that_are_known_already(vendor: Vendor, open_source: Open, name: str) -> None:
    """What is known of a day says nothing of who was not asked about then: it would pass for a day without mails."""
    bob = "bob@acme.com"
    if name == "gmail":
        scripted(vendor, lambda _: usage((ANA, "4", "5"), (bob, "6", "7")))
    else:
        rows = [f"2026-03-18,{one},X,False,4,5,1" for one in (ANA, bob)]
        reports(vendor, csv_of(*rows), csv_of(*rows))

    def days(cursor: str | None, known: list[str], *mailboxes: str) -> tuple[list[str], str | None]:
        window = Window(name, "main", "mail_count", "snapshot", None, NOW, cursor=cursor)
        pages = list(open_source(name, *mailboxes, days=10).read(window, {"mail_count": known}, Traffic()))
        records = [json.loads(record) for page in pages for record in page.records]
        assert all({one["mailbox"] for one in record["counts"]} == set(mailboxes) for record in records)
        return [record["date"] for record in records], pages[-1].cursor

    every, cursor = days(None, [], ANA)
    assert len(every) == 10
    assert len(days(cursor, every, ANA)[0]) == CHANGES_WITHIN
    joined, later = days(cursor, every, ANA, bob)
    assert joined == every
    assert len(days(later, every, ANA, bob)[0]) == CHANGES_WITHIN
    assert len(days(later, every, bob)[0]) == CHANGES_WITHIN, "who leaves takes no day away"


def test_google_pages_late_days_and_strangers(vendor: Vendor, open_source: Open) -> None:
    """(1, 3, 8) All pages; a day that is not there yet, or in part, is none; of whom nobody asks, nothing is kept."""

    def script(asked: Asked) -> Answer:
        day = asked.path.rpartition("/")[2]
        if day == "2026-03-18":
            return answer(
                {
                    "error": {
                        "code": 400,
                        "message": "Data for dates later than 2026-03-17 is not yet available.",
                        "errors": [{"reason": "invalid"}],
                    }
                },
                400,
            )
        if day == "2026-03-17":
            return usage(
                (ANA, "1", "1"),
                warnings=[
                    {"code": "200", "message": "Data for date 2026-03-17 for application gmail is not available"}
                ],
            )
        if day == "2026-03-16" and "pageToken" not in asked.query:
            return usage(("stranger@acme.com", "9", "9"), nextPageToken="p2")
        return usage(("Ana@Acme.com", "12", "30"))

    scripted(vendor, script)
    told = read(open_source("gmail"))
    counts = [{"mailbox": ANA, "sent": 12, "received": 30}]
    assert told == [
        {"date": "2026-03-16", "begins": "2026-03-16T08:00:00Z", "counts": counts},
        {"date": "2026-03-15", "begins": "2026-03-15T08:00:00Z", "counts": counts},
    ]
    asked = [a for a in vendor.asked if a.path.endswith("2026-03-16")]
    assert asked[0].query == {"parameters": "gmail:num_emails_sent,gmail:num_emails_received", "maxResults": "1000"}
    assert read(open_source("gmail"), "mail_account") == [{"mailbox": ANA, "aliases": []}], (
        "by the newest day that is whole"
    )


def test_google_quota_refusal_and_strange_answers(vendor: Vendor, open_source: Open) -> None:
    quota = {"error": {"code": 403, "errors": [{"reason": "rateLimitExceeded"}]}}
    answers = [answer(quota, 403), *[usage((ANA, "1", "2"))] * 9]
    scripted(vendor, lambda _: answers.pop(0))
    assert len(read(open_source("gmail"))) == 4
    scripted(vendor, lambda _: answer({"error": {"code": 403, "errors": [{"reason": "forbidden"}]}}, 403))
    with pytest.raises(PermissionMissing, match=r"admin\.reports\.usage\.readonly"):
        read(open_source("gmail"))
    (check,) = open_source("gmail").check()
    assert not check.ok
    assert "Reports privilege" in check.remedy
    scripted(vendor, lambda _: answer({"items": []}))
    with pytest.raises(ConnectorError, match="no admin#reports#usageReports"):
        read(open_source("gmail"))


def csv_of(*rows: str, header: str = HEADER) -> Answer:
    return Answer(
        200, "\r\n".join(["\ufeff" + header, *rows]).encode("utf-8"), {"Content-Type": "application/octet-stream"}
    )


def reports(vendor: Vendor, period: Answer, day: Answer) -> None:
    def script(asked: Asked) -> Answer:
        if asked.path.startswith("/file/"):
            assert "Authorization" not in asked.headers, "the address is credential enough"
            return period if asked.path.endswith("period") else day
        kind = "period" if "period=" in asked.path else "day"
        return Answer(302, b"", {"Location": f"{vendor.url}/file/secret/{kind}"})

    scripted(vendor, script)


def test_microsoft_tells_the_days_that_are_counted(vendor: Vendor, open_source: Open) -> None:
    """The refresh date names the newest one; a file behind a 302, without a credential, with a byte order mark."""
    reports(
        vendor,
        csv_of("2026-03-18,Ana@acme.com,Ana,False,20,50,30", "2026-03-18,gone@acme.com,G,True,1,1,30"),
        csv_of("2026-03-18,Ana@acme.com,Ana,False,4,5,1", "2026-03-18,x@acme.com,X,False,9,9,1"),
    )
    source = open_source("microsoft365")
    told = read(source)
    assert [record["date"] for record in told] == ["2026-03-18", "2026-03-17", "2026-03-16", "2026-03-15"]
    assert told[0] == {
        "date": "2026-03-18",
        "begins": "2026-03-18T00:00:00Z",
        "counts": [{"mailbox": ANA, "sent": 4, "received": 5}],
    }
    assert read(source, "mail_account") == [{"mailbox": ANA, "aliases": []}]
    paths = {asked.path for asked in vendor.asked}
    assert "/v1.0/reports/getEmailActivityUserDetail(date=2026-03-18)" in paths
    assert [check.ok for check in source.check()] == [True]


def test_an_account_that_was_deleted_and_made_anew_is_one_mailbox(vendor: Vendor, open_source: Open) -> None:
    """The report has a row of each: 4 and 2 mails sent, 5 and 1 received."""
    rows = ["2026-03-18,ana@acme.com,Ana,False,4,5,1", "2026-03-18,ana@acme.com,Ana,True,2,1,1"]
    reports(vendor, csv_of(*rows), csv_of(*rows))
    assert read(open_source("microsoft365"))[0]["counts"] == [{"mailbox": ANA, "sent": 6, "received": 6}]


def test_concealed_names_are_told_as_such(vendor: Vendor, open_source: Open) -> None:
    row = "2026-03-18,0D1E2F3A4B5C6D7E8F90A1B2C3D4E5F6,6D7E8F90,False,20,50,30"
    reports(vendor, csv_of(row), csv_of(row))
    with pytest.raises(PermissionMissing, match="concealed user names"):
        read(open_source("microsoft365"))
    (check,) = open_source("microsoft365").check()
    assert not check.ok


@pytest.mark.parametrize("body", [csv_of("x", header="Something,Else"), Answer(200, b"<html>Sign in</html>"), csv_of()])
def test_another_file_is_never_a_day_without_mails(vendor: Vendor, open_source: Open, body: Answer) -> None:
    """(8) And the address, which opens the file to anybody, is in no error."""
    reports(vendor, body, body)
    with pytest.raises(ConnectorError) as told:
        read(open_source("microsoft365"))
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("lost", [3, 20])
def test_a_file_that_ends_within_a_line_is_asked_for_again(vendor: Vendor, open_source: Open, lost: int) -> None:
    """Its length is as its head says, so only the line tells: the last one is short, or there is none and the header itself is."""
    row = "2026-03-18,Ana@acme.com,Ana,False,4,5,30"
    asked = 0

    def script(told: Asked) -> Answer:
        nonlocal asked
        if not told.path.startswith("/file"):
            return Answer(302, b"", {"Location": f"{vendor.url}/file"})
        asked += 1
        whole = csv_of(row) if lost < 10 else csv_of()
        return Answer(200, whole.body[:-lost], whole.headers) if asked == 1 else csv_of(row)

    scripted(vendor, script)
    assert read(open_source("microsoft365"))[0]["counts"] == [{"mailbox": ANA, "sent": 4, "received": 5}]
    assert asked == 6, "the report, a second time, and four days"


@pytest.mark.parametrize("refusal", [401, 403, 404])
def test_an_address_that_no_longer_opens_the_file_is_asked_for_anew(
    vendor: Vendor, open_source: Open, refusal: int
) -> None:
    """It opens it for minutes. Nobody's credential or permission is wrong then; a tenant whose addresses never open has an error."""
    row = "2026-03-18,Ana@acme.com,Ana,False,4,5,30"
    addresses, opens = 0, True

    def script(told: Asked) -> Answer:
        nonlocal addresses
        if not told.path.startswith("/file"):
            addresses += 1
            return Answer(302, b"", {"Location": f"{vendor.url}/file/secret{addresses}"})
        is_first = told.path.endswith("secret1")
        return csv_of(row) if opens and not is_first else answer({"error": {"code": "AuthenticationFailed"}}, refusal)

    scripted(vendor, script)
    assert read(open_source("microsoft365"))[0]["counts"] == [{"mailbox": ANA, "sent": 4, "received": 5}]
    assert addresses == 6, "the report, a second time, and four days"
    opens, addresses = False, 0
    with pytest.raises(ConnectorError, match="opens no file") as told:
        read(open_source("microsoft365"))
    assert addresses == 3
    assert "secret" not in str(told.value)
    assert not isinstance(told.value, PermissionMissing)


def test_microsoft_refusals_and_strangers(vendor: Vendor, open_source: Open) -> None:
    scripted(vendor, lambda _: answer({"error": {"code": "S2SUnauthorized"}}, 403))
    with pytest.raises(PermissionMissing, match=r"Reports\.Read\.All"):
        read(open_source("microsoft365"))
    reports(vendor, csv_of("2026-03-18,other@acme.com,O,False,1,1,30"), csv_of())
    (check,) = open_source("microsoft365").check()
    assert not check.ok
    assert ANA in check.detail
    assert "reps.csv" in check.remedy
    assert read(open_source("microsoft365"), "mail_account") == []


def test_counts_by_google_need_an_administrator() -> None:
    with pytest.raises(ValidationError, match="needs administrator"):
        GmailSettings(service_account_file=Path(__file__), reads="counts")


def test_forgetting_leaves_nothing_of_whom_was_asked_about(vendor: Vendor, open_source: Open, tmp_path: Path) -> None:
    """What a reading leaves for the next one names the mailboxes as they are: forgetting finds them, and the others' days stay known."""
    bob = "bob@acme.com"
    scripted(vendor, lambda _: usage((ANA, "4", "5"), (bob, "6", "7")))
    window = Window("gmail", "main", "mail_count", "snapshot", None, NOW)
    file = extract(open_source("gmail", ANA, bob), window, {"mail_count": []}, tmp_path / "landing", "r1")
    forgotten = Forgotten(b"salt")
    token = forgotten.add_address(ANA, ["acme.com"])
    digest = {address: sha256(address.encode()).hexdigest()[:12] for address in (ANA, token)}
    clean_landing(tmp_path / "landing", forgotten, {}, {digest[ANA]: digest[token]}, write=True)
    assert [told for told in (ANA, digest[ANA]) if told in file.read_text()] == []
    cursor = json.loads(file.read_text().splitlines()[-1])["cursor"]
    known = [f"2026-03-{day}" for day in range(10, 20)]
    assert len(days_due(known, date(2026, 3, 19), 10, cursor=cursor, asked=[bob, token])) == CHANGES_WITHIN
