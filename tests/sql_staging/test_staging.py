"""Staging over small raw tables: what vendors really send, told apart; what cannot be read, named."""

from __future__ import annotations

import duckdb
import pytest

from .conftest import Row, Stage


def mail(headers: list[tuple[str, str]], labels: list[str] | None = None, at: str = "1777487861000") -> Row:
    named = [{"name": n, "value": v} for n, v in headers]
    return {"mailbox": "Ann@acme.com", "message": {"id": "1", "threadId": "2", "labelIds": labels or ["INBOX"], "internalDate": at,
            "payload": {"mimeType": "text/plain", "headers": named}}}  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("From", "Mail Delivery <mailer-daemon@googlemail.com>"), ("Return-Path", "<>"), ("Auto-Submitted", "auto-replied"),
          ("Content-Type", 'multipart/report; boundary="x"; report-type=delivery-status'), ("X-Failed-Recipients", "dan@cust.com")], "bounce"),
        ([("FROM", "postmaster@cust.com"), ("return-path", "<>")], "bounce"),
        ([("From", "c@cust.com"), ("Content-Type", "multipart/report; report-type=disposition-notification")], "receipt"),
        ([("From", "c@cust.com"), ("Auto-Submitted", "auto-replied")], "auto_reply"),
        ([("From", "c@cust.com"), ("Auto-Submitted", "no")], "human"),
        ([("From", "c@cust.com"), ("X-Autoreply", "yes")], "auto_reply"),
        ([("From", "c@cust.com"), ("Precedence", "auto_reply")], "auto_reply"),
        ([("From", "c@cust.com"), ("Subject", "Abwesenheitsnotiz: bis Montag")], "auto_reply"),
        ([("From", "c@cust.com"), ("X-Auto-Response-Suppress", "All")], "human"),
        ([("From", "c@cust.com"), ("Content-Type", "text/calendar; method=REQUEST")], "calendar"),
        ([("From", "news@cust.com"), ("List-Unsubscribe", "<mailto:x@y>")], "bulk"),
        ([("From", "news@cust.com"), ("Precedence", "bulk")], "bulk"),
        ([("From", "no-reply@cust.com")], "bulk"),
        ([("From", "Cora <cora@cust.com>"), ("Content-Type", "text/plain")], "human"),
    ],
)  # fmt: skip
def test_classes_of_mail(stage: Stage, headers: list[tuple[str, str]], expected: str) -> None:
    assert stage("stg_mail_message__gmail", gmail_mail_message=[mail(headers)])[0]["mail_class"] == expected


def test_addresses_ids_and_labels_of_a_mail(stage: Stage) -> None:
    headers = [
        ("from", '"Ray, Bob" <Bob@ACME.com>'),
        ("To", '"One, Cora" <Cora@Cust.com>, dan@cust.com'),
        ("Cc", "Team: a@x.com, b@x.com;"),
        ("Message-Id", " <AbC@Mail.ACME.com> "),
        ("References", "<One@x.com>\r\n <two@Y.com>"),
        ("In-Reply-To", "<two@Y.com>"),
    ]
    row = stage("stg_mail_message__gmail", gmail_mail_message=[mail(headers, ["SENT", "INBOX"])])[0]
    assert row["from_address"] == "bob@acme.com"
    assert sorted(row["to_addresses"]) == ["cora@cust.com", "dan@cust.com"]
    assert sorted(row["cc_addresses"]) == ["a@x.com", "b@x.com"]
    assert row["message_id"] == "AbC@mail.acme.com"
    assert row["reference_ids"] == ["One@x.com", "two@y.com"]
    assert row["in_reply_to"] == "two@y.com"
    assert (row["mailbox"], row["is_sent"], row["is_draft"], row["unreadable_reason"]) == (
        "ann@acme.com",
        True,
        False,
        None,
    )


def test_a_mail_without_a_readable_date_is_unreadable(stage: Stage) -> None:
    row = stage("stg_mail_message__gmail", gmail_mail_message=[mail([], at="yesterday")])[0]
    assert row["unreadable_reason"] == "internalDate cannot be read: yesterday"


def test_records_that_lack_nearly_everything_are_staged(stage: Stage) -> None:
    """As recorded at a real account: a deal without stage, a task without status or dates, an owner without teams."""
    deal = {
        "id": "1",
        "properties": {"amount": None, "dealstage": None, "createdate": "2026-03-04T21:10:47.051Z"},
        "archived": False,
    }
    task = {
        "id": "2",
        "properties": {"hs_task_type": "TODO", "hs_createdate": "2026-02-25T15:16:50.258Z"},
        "archived": False,
    }
    owner = {"id": "3", "email": "Owner1@Example.com", "type": "PERSON", "firstName": "Owner", "lastName": "One", "userId": 88,
             "userIdIncludingInactive": 88, "createdAt": "2026-02-25T15:16:54.974Z", "archived": False}  # fmt: skip
    for file, table, payload in (
        ("stg_crm_deal__hubspot", "hubspot_crm_deal", deal),
        ("stg_crm_task__hubspot", "hubspot_crm_task", task),
        ("stg_crm_user__hubspot", "hubspot_crm_user", owner),
    ):
        rows = stage(file, **{table: [payload]})
        assert [r["unreadable_reason"] for r in rows] == [None]
    user = stage("stg_crm_user__hubspot", hubspot_crm_user=[owner])[0]
    assert (user["email"], user["login_user_id"], user["team_key"], user["is_active"]) == (
        "owner1@example.com",
        "88",
        None,
        True,
    )


def test_a_deactivated_owner_keeps_its_last_known_name(stage: Stage, con: duckdb.DuckDBPyConnection) -> None:
    active = {"id": "3", "email": "o@x.com", "firstName": "Olga", "lastName": "One", "userId": 88, "userIdIncludingInactive": 88,
              "updatedAt": "2026-03-01T00:00:00Z", "teams": [{"id": "7", "name": "North", "primary": True}], "archived": False}  # fmt: skip
    gone = {
        **active,
        "firstName": "",
        "lastName": "",
        "userId": None,
        "updatedAt": "2026-03-10T00:00:00Z",
        "archived": True,
    }
    row = stage("stg_crm_user__hubspot", hubspot_crm_user=[active, gone])[0]
    assert (row["full_name"], row["login_user_id"], row["is_active"], row["team_key"]) == ("Olga One", "88", False, "7")
    assert con.execute("select count(*) from raw.hubspot_crm_user").fetchone() == (2,)


@pytest.mark.parametrize(("field", "value"), [("hs_timestamp", "not a time"), ("hs_call_duration", "long")])
def test_a_call_with_an_unreadable_value_names_it(stage: Stage, field: str, value: str) -> None:
    properties = {"hs_timestamp": "2026-03-16T14:00:00Z", "hs_call_duration": "61000", field: value}
    row = stage("stg_crm_call__hubspot", hubspot_crm_call=[{"id": "1", "properties": properties}])[0]
    assert row["unreadable_reason"] == f"{field} cannot be read: {value}"


def test_a_call_has_the_accounts_own_label_and_seconds(stage: Stage) -> None:
    properties = {"hs_timestamp": "2026-03-16T14:00:00Z", "hs_call_duration": "61500", "hs_call_disposition": "guid-1",
                  "hs_call_direction": "INBOUND", "hs_call_from_number": "+44 20 7183 8750", "hs_object_source": "CRM_UI"}  # fmt: skip
    calls, outcomes = [{"id": "1", "properties": properties}], [{"id": "guid-1", "label": "Asked to call back"}]
    row = stage("stg_crm_call__hubspot", hubspot_crm_call=calls, hubspot_crm_call_outcome=outcomes)[0]
    assert (row["disposition_label"], row["duration_s"], row["direction"]) == ("Asked to call back", 61.5, "inbound")
    assert (row["counterpart_number"], row["created_via"]) == ("442071838750", "ui")


def test_what_a_record_was_created_with_is_no_change(stage: Stage) -> None:
    """Created at 10:00:00 with a phone; changed by user 5 at 11:00 in the interface and by an integration at 12:00."""

    def version(at: str, source: str, user: int | None) -> Row:
        return {"value": "v", "timestamp": f"2026-03-16T{at}Z", "sourceType": source, "updatedByUserId": user}

    history = {
        "phone": [
            version("12:00:00", "INTEGRATION", None),
            version("11:00:00", "CRM_UI", 5),
            version("10:00:00", "CRM_UI", 5),
        ]
    }
    record = {"id": "1", "properties": {"createdate": "2026-03-16T10:00:00Z"}, "propertiesWithHistory": history}
    rows = stage("stg_crm_write__hubspot", hubspot_crm_contact_history=[record])
    assert sorted((r["via"], r["user_id"], r["object_type"]) for r in rows) == [
        ("integration", None, "contact"),
        ("ui", "5", "contact"),
    ]
