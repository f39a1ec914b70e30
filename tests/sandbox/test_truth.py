"""Truth against cases worked out by hand from METRICS; the section stands beside each."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sandbox.truth import METRICS, truth
from tests.sandbox.conftest import NOW, at, stamp, world

BOB, ANA = "bob@acme.com", "ana@acme.com"
NUMBER = "+442071838750"


def call(key: str, start: str, talk: int | None = 120, result: str = "answered", **more: Any) -> dict[str, Any]:
    """Bob's outbound call of March 2026; talk None: nobody answered. Ten seconds of ring."""
    first = at(start)
    found: dict[str, Any] = {"key": key, "rep": "bob", "number": NUMBER, "result": result, "started_at": stamp(start)}
    if talk is not None:
        found["answered_at"] = first.replace(second=10).isoformat()
        minutes, seconds = divmod(10 + talk, 60)
        found["ended_at"] = first.replace(minute=first.minute + minutes, second=seconds).isoformat()
    return found | more


def mail(key: str, sent: str, **more: Any) -> dict[str, Any]:
    base = {"key": key, "rep": "ana", "from": ANA, "to": ["cora@cust.com"], "message_id": f"<{key}@acme.com>"}
    return base | {"sent_at": stamp(sent), "thread": "T"} | more


def inbound(key: str, sent: str, **more: Any) -> dict[str, Any]:
    return mail(key, sent, direction="inbound", **{"from": "cora@cust.com", "to": [ANA]} | more)


def row(email: str, day: int, **lists: Any) -> dict[str, Any]:
    """The numbers of a rep's day in March 2026 that are not zero."""
    found = truth(world(**lists), NOW)[email, date(2026, 3, day)]
    return {metric: value for metric, value in found.items() if value}


def test_a_quiet_day_is_a_row_of_zeros_and_days_are_those_of_employment() -> None:
    reps = [
        {"key": "bob", "email": BOB, "hire_date": "2026-03-04", "end_date": "2026-03-06"},
        {"key": "ana", "email": ANA},
        {"key": "ops", "email": "ops@acme.com", "role": "support"},
    ]
    found = truth(world(reps=reps, calls=[call("D1", "05 15:00"), call("D2", "03 15:00")]), NOW)
    assert [d.day for e, d in found if e == BOB] == [4, 5, 6]
    assert [d.day for e, d in found if e == ANA][:1] == [3]
    assert "ops@acme.com" not in {e for e, _ in found}
    assert set(found[BOB, date(2026, 3, 4)].values()) == {0}
    assert tuple(found[BOB, date(2026, 3, 4)]) == METRICS


def test_a_day_is_the_reps_own_before_and_after_it_moves() -> None:
    """(0.2) 03:00 UTC is yesterday in New York and today in Berlin."""
    moves = [{"at": stamp("10 00:00"), "set": {"timezone": "Europe/Berlin"}}]
    reps = [{"key": "bob", "email": BOB, "timezone": "America/New_York", "changes": moves}]
    found = truth(world(reps=reps, calls=[call("D1", "05 03:00"), call("D2", "12 03:00")]), NOW)
    assert [d.day for (_, d), r in found.items() if r["calls_made"]] == [4, 12]


OUTCOMES = [
    ({}, None, {"calls_connected", "calls_answered", "call_conversations"}),
    ({"talk": 29}, None, {"calls_answered_short", "calls_answered"}),
    ({"talk": 30}, None, {"calls_connected", "calls_answered"}),
    ({"talk": 20}, "Connected", {"calls_connected", "calls_answered"}),
    ({}, "Wrong number", {"calls_wrong_number", "calls_answered"}),
    ({}, "Left voicemail", {"voicemails_left", "calls_answered"}),
    ({"machine": True}, None, {"voicemails_left", "calls_answered"}),
    ({"result": "voicemail"}, None, {"voicemails_left", "calls_answered"}),
    ({"talk": None, "result": "no_answer"}, None, {"calls_no_answer"}),
    ({"talk": None, "result": "busy"}, None, {"calls_busy"}),
]


@pytest.mark.parametrize(("how", "disposition", "expected"), OUTCOMES)
def test_an_outbound_call_has_one_outcome(how: dict[str, Any], disposition: str | None, expected: set[str]) -> None:
    """(2a to 2e)"""
    crm = {"external_id": True, "disposition": disposition, "logged_by": "integration"} if disposition else None
    found = row(BOB, 5, calls=[call("D1", "05 15:00", **how, crm=crm)])
    about_calls = {m for m in found if m.startswith("call") or m == "voicemails_left"}
    assert about_calls - {"calls_made", "calls_handled"} == expected
    assert found["calls_made"] == 1


@pytest.mark.parametrize(("result", "metrics"), [("cancelled", {"calls_cancelled"}), ("failed", set[str]())])
def test_a_call_that_never_rang_is_not_made(result: str, metrics: set[str]) -> None:
    """(0.4, 2)"""
    calls = [call("D1", "05 15:00", talk=None, result=result), call("D2", "06 15:00")]
    assert set(row(BOB, 5, calls=calls)) == metrics


@pytest.mark.parametrize("number", ["+12125550001", "+12125550042", "+442079460000"])
def test_internal_and_test_numbers_count_for_nothing(number: str) -> None:
    """(0.4)"""
    company = {"internal_numbers": ["+12125550000-0099"], "test_domains": ["test.example"]}
    contacts = [{"key": "P", "emails": ["p@test.example"], "phones": ["+442079460000"]}]
    calls = [call("D1", "05 15:00", number=number), call("D2", "04 15:00")]
    assert row(BOB, 5, company=company, contacts=contacts, calls=calls) == {}


def test_talk_belongs_to_the_legs_and_the_call_to_who_dialled() -> None:
    """(0.3, 2d)"""
    legs = [{"rep": "bob", "talk_seconds": 120}, {"rep": "ana", "talk_seconds": 300}]
    calls = [call("D1", "05 15:00", talk=420, legs=legs)]
    bob, ana = row(BOB, 5, calls=calls), row(ANA, 5, calls=calls)
    assert (bob["talk_seconds"], bob["calls_made"], bob["calls_handled"], bob["call_conversations"]) == (120, 1, 1, 1)
    assert {m: v for m, v in ana.items() if m != "tools_active"} == {"talk_seconds": 300, "calls_handled": 1}


def test_an_inbound_call_is_answered_or_missed_and_talk_of_a_minute_is_a_conversation() -> None:
    """(2h, 4a)"""
    calls = [
        call("D1", "05 15:00", direction="inbound"),
        call("D2", "05 16:00", talk=None, direction="inbound", result="missed"),
        call("D3", "05 17:00", direction="inbound", result="voicemail"),
    ]
    found = row(BOB, 5, calls=calls)
    assert (found["calls_inbound"], found["calls_inbound_answered"], found["calls_inbound_missed"]) == (3, 1, 2)
    assert (found["conversations"], found["conversations_new"], "calls_made" in found) == (1, 1, False)


def test_one_physical_call_counts_once_however_it_was_logged() -> None:
    """(0.5) T1 by id; T2 by rep, number, time and length, one to one; what is left is a call of its own."""
    by_hand = {"timestamp": stamp("05 15:04"), "duration_seconds": 118, "disposition": "Connected", "logged_by": "bob"}
    logs = [
        call("D1", "05 15:00", crm=by_hand),
        call("D2", "05 16:00", crm=by_hand | {"timestamp": stamp("05 15:20"), "duration_seconds": 300}),
        call("D3", "05 17:00", crm={"external_id": True, "timestamp": stamp("05 20:00")}),
        call("L1", "05 18:00", dialer=None, crm={"duration_seconds": 90}),
    ]
    assert row(BOB, 5, calls=logs)["calls_made"] == 5  # D2's log lies too far off in time and length to be D2's or D1's
    redial = [call("D1", "05 15:00"), call("D2", "05 15:02", crm=by_hand | {"timestamp": stamp("05 15:02")})]
    assert row(BOB, 5, calls=redial)["calls_made"] == 2


def test_mails_count_by_external_recipients_and_kind() -> None:
    """(3, 3a)"""
    mails = [
        mail("M1", "05 09:00", to=["cora@cust.com", "ben@cust.com"], cc=["bob@acme.com"], bcc=["x@test.example"]),
        mail("M2", "05 10:00", kind="sequence", sequencer={"system": "hubspot"}, mailboxes=[], thread="S"),
        mail("M3", "05 11:00", kind="calendar", thread="U"),
        mail("M4", "05 11:30", to=["bob@acme.com"], thread="V"),
        mail("M5", "05 12:00", kind="bulk", thread="W"),
    ]
    found = row(ANA, 5, mails=mails)
    assert (found["emails_sent"], found["emails_sent_one_to_one"], found["emails_sent_sequence"]) == (2, 1, 1)
    assert (found["email_recipients"], found["emails_delivered"]) == (3, 2)


def test_one_mail_in_many_places_is_one_mail() -> None:
    """(0.5) Two mailboxes and the CRM, and another entry with the same Message-ID in another spelling."""
    mails = [
        mail("M1", "05 09:00", mailboxes=["ana", "bob"], crm={}, message_id="<Ab@Acme.com>"),
        mail("M2", "05 09:00", message_id=" <Ab@acme.COM> ", mailboxes=["bob"]),
    ]
    assert row(ANA, 5, mails=mails)["emails_sent"] == 1


@pytest.mark.parametrize(
    ("failed", "status", "expected"),
    [
        (["cora@cust.com"], "5.1.1", {"recipients_bounced": 1, "recipients_delivered": 1, "emails_delivered": 1}),
        (["cora@cust.com", "ben@cust.com"], "4.4.1", {"recipients_bounced": 2, "emails_bounced": 1}),
        ([], "4.4.1", {"recipients_delivered": 2, "emails_delivered": 1}),
    ],
)
def test_a_mail_bounced_when_all_its_recipients_failed(
    failed: list[str], status: str, expected: dict[str, int]
) -> None:
    """(3b) On the day of sending; a notice of delay is no bounce."""
    notice = {"kind": "bounce", "failed_recipients": failed, "status": status, "in_reply_to": "<M1@acme.com>"}
    mails = [
        mail("M1", "05 21:00", to=["cora@cust.com", "ben@cust.com"]),
        inbound("B1", "06 09:00", **{"from": "mailer-daemon@googlemail.com"} | notice),
    ]
    found = row(ANA, 5, mails=mails)
    names = ("recipients_bounced", "recipients_delivered", "emails_bounced", "emails_delivered")
    assert {m: found[m] for m in names if m in found} == expected
    assert found["emails_sent"] == 1
    assert row(ANA, 6, mails=mails) == {}


def test_a_notice_without_a_name_of_the_mail_is_matched_by_address_and_one_that_names_anothers_blames_none() -> None:
    """(3b)"""
    notice = {"kind": "bounce", "failed_recipients": ["cora@cust.com"], "status": "5.1.1", "thread": None}
    sent = mail("M1", "05 09:00", thread=None)
    nameless = inbound("B1", "05 09:01", **{"from": "mailer-daemon@googlemail.com"} | notice)
    assert row(ANA, 5, mails=[sent, nameless])["emails_bounced"] == 1
    assert "emails_bounced" not in row(ANA, 5, mails=[sent, nameless | {"in_reply_to": "<lost@acme.com>"}])


def test_replies_are_human_from_outside_and_follow_a_mail_of_ours() -> None:
    """(2, RESPONSE_RATE)"""
    mails = [
        inbound("I0", "04 08:00", thread="cold"),
        mail("M1", "04 09:00", thread=None),
        inbound("I1", "05 08:00", thread=None, in_reply_to="<M1@acme.com>"),
        inbound("I2", "05 08:30", thread=None, references=["<M1@acme.com>"], kind="auto_reply"),
        inbound("I3", "05 09:00", thread="news", kind="bulk"),
        inbound("I4", "05 09:30", **{"from": "bob@acme.com"}, thread=None, in_reply_to="<M1@acme.com>"),
    ]
    assert row(ANA, 4, mails=mails).get("replies_received", 0) == 0
    found = row(ANA, 5, mails=mails)
    assert (found["replies_received"], found["auto_replies_received"]) == (1, 1)


def test_a_conversation_begins_with_the_mail_that_makes_it_two_way() -> None:
    """(4a, 4b) out, in: the day of in. in, out: the day of out. Every later in on another day: that day."""
    out_first = [mail("M1", "03 09:00"), inbound("I1", "04 09:00"), mail("M2", "05 09:00"), inbound("I2", "06 09:00")]
    assert [row(ANA, d, mails=out_first).get("conversations", 0) for d in (3, 4, 5, 6)] == [0, 1, 0, 1]
    in_first = [inbound("I1", "03 09:00"), mail("M1", "04 09:00"), mail("M2", "05 09:00"), inbound("I2", "06 09:00")]
    assert [row(ANA, d, mails=in_first).get("conversations", 0) for d in (4, 5, 6)] == [1, 0, 1]
    assert row(ANA, 6, mails=in_first).get("conversations_new", 0) == 0


def test_a_contact_counts_once_a_day_over_channels_and_merges() -> None:
    """(4) C2 is merged into C1: a call to the one and a meeting with the other are one conversation."""
    contacts = [
        {"key": "C1", "emails": ["cora@cust.com"], "phones": [NUMBER]},
        {"key": "C2", "emails": ["c2@cust.com"], "phones": [], "merged_into": "C1", "merged_at": stamp("18 00:00")},
    ]
    meeting = {"key": "W", "rep": "bob", "contacts": ["C2"], "start_at": stamp("05 17:00"), "outcome": "held"}
    calls = [call("D1", "05 15:00"), call("D2", "05 16:00", number="+442071839999")]
    found = row(BOB, 5, contacts=contacts, calls=calls, meetings=[meeting | {"booked_at": stamp("04 15:00")}])
    assert (found["conversations"], found["conversations_new"]) == (2, 2)
    assert (found["conversation_contacts_call"], found["conversation_contacts_meeting"]) == (2, 1)


def test_a_meeting_is_booked_by_the_booker_and_held_by_the_host() -> None:
    """(0.3, 4.1)"""
    base = {
        "rep": "ana",
        "booked_by": "bob",
        "contacts": ["C1"],
        "booked_at": stamp("04 15:00"),
        "start_at": stamp("05 15:00"),
    }
    meetings = [
        base | {"key": f"W{i}", "ical_uid": f"uid-{i}", "outcome": o}
        for i, o in enumerate(("held", "no_show", "cancelled", "scheduled"))
    ]
    meetings.append(base | {"key": "W9", "outcome": "held", "deleted_at": stamp("06 00:00")})
    assert row(BOB, 4, meetings=meetings)["meetings_booked"] == 4
    ana = row(ANA, 5, meetings=meetings)
    assert (ana["meetings_held"], ana["meetings_no_show"], ana["meetings_cancelled"]) == (1, 1, 1)


def test_crm_usage_is_the_work_of_human_hands_at_the_time_of_writing() -> None:
    """(1a to 1d)"""

    def write(time: str, **more: str) -> dict[str, str]:
        return {"at": stamp(time), "by": "ana", "object": "contact", "key": "C1", "property": "phone"} | more

    writes = [
        *(
            write("05 09:00:05"),
            write("05 09:00:50", property="jobtitle"),
            write("05 09:01:01"),
            write("05 09:02", by="bob"),
        ),
        *(write("05 10:00", via="api"), write("05 11:00", by="integration"), write("05 12:00", via="mobile")),
    ]
    contacts = [
        {"key": "C1", "emails": ["cora@cust.com"], "created_by": "ana", "created_at": stamp("05 08:00")},
        {"key": "C2", "created_by": "ana", "created_at": stamp("05 08:30"), "deleted_at": stamp("06 00:00")},
    ]
    notes = [{"key": "N1", "rep": "bob", "at": stamp("05 09:00"), "crm": {"logged_by": "ana"}}]
    tasks = [
        {
            "key": "K1",
            "rep": "ana",
            "status": "completed",
            "created_at": stamp("02 08:00"),
            "completed_at": stamp("05 09:00"),
        }
    ]
    found = row(ANA, 5, crm_writes=writes, contacts=contacts, notes=notes, tasks=tasks)
    assert (found["crm_writes"], found["crm_records_created"], found["crm_activities_logged"]) == (3, 1, 2)
    assert (found["crm_active"], found["tools_active"]) == (1, 1)


@pytest.mark.parametrize(("succeeded", "active"), [(True, 1), (False, 0)])
def test_a_login_is_enough_to_be_active_if_it_succeeded(succeeded: bool, active: int) -> None:
    """(1a)"""
    logins = [{"rep": "ana", "system": "crm", "at": stamp("05 09:00"), "succeeded": succeeded}]
    assert row(ANA, 5, logins=logins, calls=[call("D1", "04 15:00")]).get("crm_active", 0) == active


def deal(**more: Any) -> dict[str, Any]:
    events = [{"at": stamp("05 15:00"), "type": "created", "stage": "open", "amount": "100.00", "by": "ana"}]
    return {"key": "X", "account": "A1", "owner": "bob", "created_by": "ana", "events": events} | more


@pytest.mark.parametrize(
    ("more", "email"), [({"sourced_by": "bob"}, BOB), ({}, ANA), ({"created_by": "integration", "events": None}, BOB)]
)
def test_a_deal_is_credited_to_its_source_then_its_maker_then_its_owner(more: dict[str, Any], email: str) -> None:
    """(0.3)"""
    if more.get("events", 0) is None:
        more = more | {"events": [{"at": stamp("05 15:00"), "type": "created", "amount": "100.00"}]}
    assert row(email, 5, deals=[deal(**more)])["deals_created"] == 1


def test_created_pipeline_is_frozen_at_the_end_of_the_day_of_entry() -> None:
    """(2) Later edits do not count; a missing amount is the first one within 30 days; 8 days without a rate are too many.

    C has no amount, E no rate: two without."""
    events = deal()["events"]
    same_day = {"at": stamp("05 18:00"), "type": "amount", "amount": "250.00"}
    later = {"at": stamp("07 18:00"), "type": "amount", "amount": "900.00"}
    empty = [{k: v for k, v in events[0].items() if k != "amount"}]
    fx = [
        {"date": "2026-03-02", "currency": "USD", "rate": "0.92"},
        {"date": "2026-02-20", "currency": "GBP", "rate": "1.2"},
    ]
    deals = [
        deal(key="A", events=[*events, same_day, later]),
        deal(key="B", events=[*empty, later]),
        deal(key="C", events=empty),
        deal(key="D", currency="USD"),
        deal(key="E", currency="GBP"),
        deal(key="F", events=[*events, {"at": stamp("08 00:00"), "type": "deleted"}]),
        deal(key="G", events=[*events, {"at": stamp("08 00:00"), "type": "merged_into", "deal": "A"}]),
    ]
    found = row(ANA, 5, deals=deals, fx=fx)
    assert (found["deals_created"], found["deals_created_without_amount"]) == (5, 2)
    assert found["pipeline_created_amount"] == Decimal("250.00") + Decimal("900.00") + Decimal("92.00")
