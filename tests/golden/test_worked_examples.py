"""Worked examples of the definitions: a small world, the arithmetic by hand, and what the tables must say.

Each world goes the whole way: served over HTTP in the vendors' formats, read by the connectors, landed, built, checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.pipeline import Pipeline, serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
FIRST = date(2026, 3, 1)
World = dict[str, Any]
Run = Callable[[World], Pipeline]

ANN = {"key": "ann", "name": "Ann", "email": "ann@acme.com", "timezone": "America/New_York", "team": "T1"}
BOB = {"key": "bob", "name": "Bob", "email": "bob@acme.com", "timezone": "Asia/Tokyo", "team": "T2"}


def world(**parts: Any) -> World:
    return {
        "company": {
            "now": "2026-03-20T06:00:00Z", "reporting_timezone": "UTC", "reporting_currency": "EUR", "internal_domains": ["acme.com"],
            "internal_numbers": ["+12125550000-0099"], "test_domains": ["test.example"],
            "systems": {"crm": "hubspot", "dialer": "cloudtalk", "mail": "gmail"},
        },
        "teams": [{"key": "T1", "name": "One"}, {"key": "T2", "name": "Two"}],
        "reps": [ANN, BOB],
        "accounts": [{"key": "A1", "name": "Cust", "domain": "cust.com"}],
        "contacts": [
            {"key": "C1", "name": "Cora", "emails": ["cora@cust.com"], "phones": ["+442071838750"], "account": "A1",
             "created_at": "2025-06-01T00:00:00Z"},
            {"key": "C2", "name": "Dan", "emails": ["dan@cust.com"], "phones": ["+442071838751"], "account": "A1",
             "created_at": "2025-06-01T00:00:00Z"},
        ],
        **parts,
    }  # fmt: skip


def call(key: str, at: str, talk: int | None, **more: Any) -> World:
    """An outbound call of Ann's to Cora at an instant of March 2026; talk None: nobody answered."""
    start = datetime.fromisoformat(at)
    answered = None if talk is None else start.timestamp() + 10
    end = start.timestamp() + 30 if talk is None else start.timestamp() + 10 + talk

    def iso(stamp: float) -> str:
        return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    return {
        "key": key, "rep": "ann", "direction": "outbound", "number": "+442071838750", "started_at": at,
        "answered_at": None if answered is None else iso(answered), "ended_at": iso(end),
        "result": "no_answer" if talk is None else "answered", **more,
    }  # fmt: skip


def mail(key: str, at: str, **more: Any) -> World:
    """A mail of Ann's to Cora."""
    return {
        "key": key, "rep": "ann", "direction": "outbound", "from": "ann@acme.com", "to": ["cora@cust.com"], "sent_at": at,
        "message_id": f"<{key}@mail.acme.com>", "kind": "one_to_one", **more,
    }  # fmt: skip


def answer(key: str, at: str, to: str, **more: Any) -> World:
    """A mail from Cora to Ann that answers the mail `to`."""
    return {
        "key": key, "rep": "ann", "direction": "inbound", "from": "cora@cust.com", "to": ["ann@acme.com"], "sent_at": at,
        "message_id": f"<{key}@cust.com>", "in_reply_to": f"<{to}@mail.acme.com>", "kind": "one_to_one", **more,
    }  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Any:
    opened: list[Any] = []

    def start(case: World) -> Pipeline:
        manager = serving(case, tmp_path)
        pipeline, _ = manager.__enter__()
        opened.append(manager)
        pipeline.nightly(NOW, first=FIRST)
        return pipeline

    yield start
    for manager in opened:
        manager.__exit__(None, None, None)


def expect(row: Mapping[str, Any], **values: Any) -> None:
    assert {name: row[name] for name in values} == values


def test_outcomes_of_calls(run: Run) -> None:
    """2-2e. Made: D1-D6 = 6 (D7 was cancelled, D8 goes to a colleague's line).
    Connected: D1 (61 s, undisposed), D2 (45 s) = 2; conversations: D1 (61 >= 60) = 1; short: D3 (29 s < 30) = 1;
    machine: D4 = 1; nobody: D5 = 1; busy: D6 = 1; 2 + 1 + 1 + 1 + 1 = 6. Answered: D1-D4 = 4. Talk: 61 + 45 + 29 = 135 s."""
    calls = [
        call("D1", "2026-03-16T14:00:00Z", 61),
        call("D2", "2026-03-16T15:00:00Z", 45),
        call("D3", "2026-03-16T16:00:00Z", 29),
        call("D4", "2026-03-16T17:00:00Z", 20, result="voicemail", machine=True),
        call("D5", "2026-03-16T18:00:00Z", None),
        call("D6", "2026-03-16T19:00:00Z", None, result="busy"),
        call("D7", "2026-03-16T19:10:00Z", None, result="cancelled"),
        call("D8", "2026-03-16T19:20:00Z", 90, number="+12125550042"),
    ]
    row = run(world(calls=calls)).day("ann@acme.com", "2026-03-16")
    expect(
        row,
        calls_made=6,
        calls_answered=4,
        calls_connected=2,
        call_conversations=1,
        calls_answered_short=1,
        voicemails_left=1,
    )
    expect(
        row, calls_no_answer=1, calls_busy=1, calls_cancelled=1, calls_wrong_number=0, calls_failed=0, talk_seconds=135
    )


def test_a_day_is_the_reps_own_and_a_short_one_counts_like_any_other(run: Run) -> None:
    """0.2. New York has 23 hours on 2026-03-08. 04:59Z on the 8th is still Saturday 23:59 there (UTC-5), 05:00Z Sunday 00:00;
    Sunday ends at 04:00Z on the 9th (UTC-4): 03:59Z is Sunday, 04:00Z Monday. Talk stays whole on the day of the start."""
    calls = [
        call("D1", "2026-03-08T04:59:00Z", 120),
        call("D2", "2026-03-08T05:00:00Z", 100),
        call("D3", "2026-03-09T03:59:00Z", 100),
        call("D4", "2026-03-09T04:00:00Z", 100),
    ]
    pipeline = run(world(calls=calls))
    days = {d: pipeline.day("ann@acme.com", d) for d in ("2026-03-07", "2026-03-08", "2026-03-09")}
    assert {d: (r["calls_made"], r["talk_seconds"]) for d, r in days.items()} == {
        "2026-03-07": (1, 120),
        "2026-03-08": (2, 200),
        "2026-03-09": (1, 100),
    }


def test_one_physical_call_however_often_it_is_logged(run: Run) -> None:
    """0.5. D1 carries the dialer's id. D2's log stands 14 min after its end, with 118 s against 120: within 900 s and 15 s, the same call.
    D3's log stands 16 min after its end: too late, so a call of its own. D4 is a redial 40 s after D2: another call.
    Made: D1, D2, D3, D3's log, D4 = 5."""
    calls = [
        call("D1", "2026-03-16T13:00:00Z", 120, crm={"logged_at": "2026-03-16T13:10:00Z", "external_id": True, "duration_seconds": 120}),
        call("D2", "2026-03-16T14:00:00Z", 120, crm={"logged_at": "2026-03-16T15:00:00Z", "timestamp": "2026-03-16T14:16:10Z",
             "duration_seconds": 118, "external_id": False, "disposition": "Connected"}),
        call("D3", "2026-03-16T16:00:00Z", 120, crm={"logged_at": "2026-03-16T16:30:00Z", "timestamp": "2026-03-16T16:18:11Z",
             "duration_seconds": 120, "external_id": False, "disposition": "Connected"}),
        call("D4", "2026-03-16T14:02:50Z", None),
    ]  # fmt: skip
    pipeline = run(world(calls=calls))
    assert pipeline.day("ann@acme.com", "2026-03-16")["calls_made"] == 5
    rules = pipeline.rows("select match_rule, count(*) as n from core.fct_call group by all order by all")
    assert [(r["match_rule"], r["n"]) for r in rules] == [("T1", 1), ("T2", 1), (None, 3)]


def test_mails_bounces_and_replies(run: Run) -> None:
    """3-3b. Sent on the 16th: M1 (Cora and Dan), M2 (Cora), M3 (Cora) = 3; M4 is internal, M5 bulk, M6 to a test record.
    Recipients 2 + 1 + 1 = 4. Dan's delivery of M1 failed, so did Cora's of M2: failed 2, delivered 2; of messages only M2 failed whole:
    bounced 1, delivered 2. R1 answers M3 the next day: one reply on the 17th; the out-of-office is an automatic one."""
    mails = [
        mail("m1", "2026-03-16T14:00:00Z", to=["cora@cust.com", "dan@cust.com", "bob@acme.com"]),
        mail("m2", "2026-03-16T15:00:00Z"),
        mail("m3", "2026-03-16T16:00:00Z"),
        mail("m4", "2026-03-16T16:10:00Z", to=["bob@acme.com"]),
        mail("m5", "2026-03-16T16:20:00Z", kind="bulk"),
        mail("m6", "2026-03-16T16:30:00Z", to=["qa@test.example"]),
        answer("b1", "2026-03-16T14:01:00Z", "m1", kind="bounce", failed_recipients=["dan@cust.com"], status="5.1.1",
               **{"from": "mailer-daemon@googlemail.com"}),
        answer("b2", "2026-03-18T15:01:00Z", "m2", kind="bounce", failed_recipients=["cora@cust.com"], status="5.1.1",
               **{"from": "mailer-daemon@googlemail.com"}),
        answer("o1", "2026-03-16T16:01:00Z", "m3", kind="auto_reply"),
        answer("r1", "2026-03-17T16:00:00Z", "m3"),
    ]  # fmt: skip
    pipeline = run(world(mails=mails))
    row = pipeline.day("ann@acme.com", "2026-03-16")
    expect(
        row, emails_sent=3, emails_sent_one_to_one=3, email_recipients=4, recipients_bounced=2, recipients_delivered=2
    )
    expect(row, emails_bounced=1, emails_delivered=2, replies_received=0, auto_replies_received=1)
    expect(pipeline.day("ann@acme.com", "2026-03-17"), replies_received=1, auto_replies_received=0, emails_sent=0)


def test_conversations_are_two_way_and_counted_once_a_contact_and_day(run: Run) -> None:
    """4-4c. 16th: a 90 s call with Cora, and her answer to m1: one contact, one conversation, new. 17th: she writes again: one, not new.
    18th: Ann only writes: none. Dan's voicemail on the 16th is none."""
    case = world(
        calls=[
            call("D1", "2026-03-16T14:00:00Z", 90),
            call("D2", "2026-03-16T15:00:00Z", 30, number="+442071838751", result="voicemail"),
        ],
        mails=[
            mail("m1", "2026-03-16T14:30:00Z"),
            answer("r1", "2026-03-16T16:00:00Z", "m1"),
            answer("r2", "2026-03-17T16:00:00Z", "m1"),
            mail("m2", "2026-03-18T14:30:00Z", in_reply_to="<r2@cust.com>"),
        ],
    )
    pipeline = run(case)
    row = pipeline.day("ann@acme.com", "2026-03-16")
    expect(row, conversations=1, conversations_new=1, conversation_contacts_call=1, conversation_contacts_email=1)
    expect(
        pipeline.day("ann@acme.com", "2026-03-17"), conversations=1, conversations_new=0, conversation_contacts_call=0
    )
    expect(pipeline.day("ann@acme.com", "2026-03-18"), conversations=0)


def test_deals_are_frozen_at_the_end_of_their_first_day(run: Run) -> None:
    """2. X: 10,000 at noon, 12,000 by that evening, 15,000 next day: created with 12,000. Y begins without an amount and gets 5,000 USD nine
    days later, inside 30: 5,000 x 0.92 (rate of the 2nd carried 7 days to the 9th) = 4,600. Won: X on the 18th at 15,000."""
    deals = [
        {"key": "X", "account": "A1", "sourced_by": "ann", "created_by": "bob", "owner": "bob", "currency": "EUR", "events": [
            {"at": "2026-03-10T16:00:00Z", "type": "created", "stage": "open", "amount": "10000.00", "by": "bob"},
            {"at": "2026-03-10T22:00:00Z", "type": "amount", "amount": "12000.00"},
            {"at": "2026-03-11T16:00:00Z", "type": "amount", "amount": "15000.00"},
            {"at": "2026-03-18T16:00:00Z", "type": "won"}]},
        {"key": "Y", "account": "A1", "sourced_by": "ann", "created_by": "ann", "owner": "ann", "currency": "USD", "events": [
            {"at": "2026-03-09T16:00:00Z", "type": "created", "stage": "open", "by": "ann"},
            {"at": "2026-03-18T16:00:00Z", "type": "amount", "amount": "5000.00"}]},
    ]  # fmt: skip
    pipeline = run(world(deals=deals, fx=[{"date": "2026-03-02", "currency": "USD", "rate": "0.92"}]))
    expect(pipeline.day("ann@acme.com", "2026-03-10"), deals_created=1, pipeline_created_amount=Decimal("12000.00"))
    expect(
        pipeline.day("ann@acme.com", "2026-03-09"),
        deals_created=1,
        deals_created_without_amount=0,
        pipeline_created_amount=Decimal("4600.00"),
    )
    # 16:00Z on the 18th is already the 19th in Tokyo, where Bob, the owner, is.
    expect(pipeline.day("bob@acme.com", "2026-03-19"), deals_won_events=1, won_amount=Decimal("15000.00"))


def test_a_change_of_team_moves_no_history(run: Run) -> None:
    """0.3. Ann moves to T2 at 2026-03-17T04:00Z, midnight in New York: the 16th stays with T1, the 17th goes to T2."""
    moved = {**ANN, "changes": [{"at": "2026-03-17T04:00:00Z", "set": {"team": "T2"}}]}
    calls = [call("D1", "2026-03-16T14:00:00Z", 90), call("D2", "2026-03-17T14:00:00Z", 90)]
    pipeline = run(world(reps=[moved, BOB], calls=calls))
    found = pipeline.rows(
        "select activity_date::varchar as d, team_id from marts.daily_team_activity where calls_made > 0 order by d"
    )
    assert [(r["d"], r["team_id"]) for r in found] == [("2026-03-16", "T1"), ("2026-03-17", "T2")]


def test_what_a_user_without_rep_did_is_rep_minus_one(run: Run) -> None:
    case = world(
        users_without_rep=[{"key": "x", "system": "dialer", "email": "who@else.com"}],
        calls=[call("D1", "2026-03-16T14:00:00Z", 90, rep="x")],
    )
    pipeline = run(case)
    unknown = pipeline.rows("select calls_made, team_id from marts.daily_rep_activity where rep_id = -1")
    assert unknown == [{"calls_made": 1, "team_id": "-1"}]
    assert pipeline.rows("select calls_made from marts.daily_org_activity where activity_date = '2026-03-16'") == [
        {"calls_made": 1}
    ]
    assert len(pipeline.rows("select 1 as x from marts.meta_data_quality where check_name = 'user_without_rep'")) == 1


def test_silence_is_null_and_nothing_is_zero(tmp_path: Path) -> None:
    """0.7. The dialer was not read: its numbers, and conversations, are NULL; mail was read and nothing happened: 0."""
    with serving(world(), tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST, without=["cloudtalk"])
        row = pipeline.day("ann@acme.com", "2026-03-16")
        expect(
            row,
            calls_made=None,
            talk_seconds=None,
            conversations=None,
            tools_active=None,
            dialer_status="missing",
            is_complete=False,
        )
        expect(
            row,
            emails_sent=0,
            replies_received=0,
            deals_created=0,
            crm_writes=0,
            email_status="complete",
            crm_status="complete",
        )
        pipeline.nightly(NOW, first=FIRST)
        expect(pipeline.day("ann@acme.com", "2026-03-16"), calls_made=0, conversations=0, is_complete=True)
        expect(pipeline.day("ann@acme.com", "2026-03-20"), is_complete=False, calls_made=0)


def test_late_and_deleted_facts_restate_their_day(tmp_path: Path) -> None:
    """0.9. First night: D1 and D2. Then D2 is deleted in the dialer and D3, of the same day, becomes visible: 2 - 1 + 1 = 2 calls, but other
    talk: 90 + 60 = 150 s before, 90 + 100 = 190 s after."""
    case = world(
        calls=[
            call("D1", "2026-03-16T14:00:00Z", 90),
            call("D2", "2026-03-16T15:00:00Z", 60, dialer={"deleted_at": "2026-03-20T12:00:00Z"}),
            call("D3", "2026-03-16T16:00:00Z", 100, dialer={"visible_at": "2026-03-20T13:00:00Z"}),
        ]
    )
    with serving(case, tmp_path) as (pipeline, url):
        pipeline.nightly(NOW, first=FIRST)
        expect(pipeline.day("ann@acme.com", "2026-03-16"), calls_made=2, talk_seconds=150)
        later = datetime(2026, 3, 21, 6, tzinfo=UTC)
        httpx.post(f"{url}/__sandbox__/now", json={"now": later.isoformat()}).raise_for_status()
        pipeline.nightly(later, first=FIRST)
        expect(pipeline.day("ann@acme.com", "2026-03-16"), calls_made=2, talk_seconds=190, run_id="r2")
        changes = pipeline.rows(
            "select metric, old_value, new_value, reason from meta.restatement "
            "where key like '2026-03-16|%' and table_name = 'daily_rep_activity'"
        )
        assert {"metric": "talk_seconds", "old_value": "150", "new_value": "190", "reason": "late_data"} in changes
        assert not [c for c in changes if c["metric"] == "calls_made"]


def test_merged_contacts_are_one_contact(tmp_path: Path) -> None:
    """0.4. Two records of Cora's, called on one day: two conversations. On the 20th they are merged: they were one contact all along, so
    that day has one conversation, although the number of the merged record is now in no record of the CRM."""
    contacts = [
        {"key": "C1", "name": "Cora", "phones": ["+442071838750"], "created_at": "2025-06-01T00:00:00Z"},
        {"key": "C9", "name": "Cora", "phones": ["+442071838759"], "created_at": "2025-06-01T00:00:00Z",
         "merged_into": "C1", "merged_at": "2026-03-20T12:00:00Z"},
    ]  # fmt: skip
    calls = [call("D1", "2026-03-16T14:00:00Z", 90), call("D2", "2026-03-16T15:00:00Z", 90, number="+442071838759")]
    with serving(world(contacts=contacts, calls=calls), tmp_path) as (pipeline, url):
        pipeline.nightly(NOW, first=FIRST)
        expect(pipeline.day("ann@acme.com", "2026-03-16"), calls_made=2, conversations=2, conversations_new=2)
        later = datetime(2026, 3, 21, 6, tzinfo=UTC)
        httpx.post(f"{url}/__sandbox__/now", json={"now": later.isoformat()}).raise_for_status()
        pipeline.nightly(later, first=FIRST)
        expect(pipeline.day("ann@acme.com", "2026-03-16"), calls_made=2, conversations=1, conversations_new=1)
