"""What each system holds at an instant."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.world import World
from sandbox.world_deals import crm_deals, pipelines
from sandbox.world_ids import IdCollision, Ids
from sandbox.world_state import Clock, State
from tests.sandbox.conftest import at, stamp, world


def call(**more: object) -> dict[str, object]:
    base: dict[str, object] = {"key": "D1", "rep": "bob", "number": "+442071838750", "result": "answered"}
    times = {"started_at": stamp("02 09:00"), "answered_at": stamp("02 09:00:10"), "ended_at": stamp("02 09:05:10")}
    return base | times | more


def test_a_call_is_visible_when_it_has_ended_and_edited_from_the_edit_on() -> None:
    edit = {"at": stamp("03 10:00"), "set": {"ended_at": stamp("02 09:10:10")}}
    company = world(calls=[call(dialer={"edits": [edit], "deleted_at": stamp("05 00:00")})])
    assert State(company, at("02 09:05")).dialer_calls == []
    assert State(company, at("02 09:06")).dialer_calls[0].value.talk_seconds == 300
    assert State(company, at("03 10:00")).dialer_calls[0].value.talk_seconds == 600
    assert State(company, at("05 00:00")).dialer_calls == []


def test_the_crms_copy_has_its_own_edits_stamps_and_deletion() -> None:
    edits = [{"at": stamp("03 08:00"), "set": {"disposition": "Wrong number", "number": "+442071838751"}}]
    crm = {"logged_at": stamp("02 18:00"), "edits": edits, "deleted_at": stamp("04 00:00")}
    company = world(calls=[call(crm=crm)])
    assert State(company, at("02 17:59")).crm_calls == []
    first = State(company, at("02 18:00")).crm_calls[0]
    assert (first.created_at, first.updated_at, first.created_by, first.created_via) == (
        *(at("02 18:00"), at("02 18:00"), "bob", "ui"),
    )
    assert first.value.crm is not None
    assert first.value.crm.timestamp == at("02 09:00")
    edited = State(company, at("03 09:00")).crm_calls[0]
    assert edited.value.crm is not None
    assert (edited.value.crm.disposition, edited.value.number) == ("Wrong number", "+442071838751")
    assert edited.updated_at == at("03 08:00")
    assert State(company, at("03 09:00")).dialer_calls[0].value.number == "+442071838750"
    gone = State(company, at("04 00:00")).crm_calls[0]
    assert (gone.deleted_at, gone.updated_at) == (at("04 00:00"), at("04 00:00"))


def test_what_shows_much_later_than_it_was_logged_was_written_then() -> None:
    late = {"logged_at": stamp("02 18:00"), "visible_at": stamp("03 07:00")}
    soon = {"logged_at": stamp("02 18:00"), "visible_at": stamp("02 18:10")}
    for crm, written in ((late, at("03 07:00")), (soon, at("02 18:00"))):
        assert State(world(calls=[call(crm=crm)]), at("03 08:00")).crm_calls[0].updated_at == written


def test_a_meeting_is_scheduled_until_its_outcome_is_known() -> None:
    meeting = {"key": "W", "rep": "ana", "contacts": ["C1"], "booked_at": stamp("02 10:00"), "outcome": "held"}
    company = world(meetings=[meeting | {"start_at": stamp("05 10:00"), "outcome_at": stamp("05 12:00")}])
    assert State(company, at("02 09:00")).crm_meetings == []
    assert [State(company, at(t)).crm_meetings[0].value.outcome for t in ("05 11:00", "05 12:00")] == [
        "scheduled",
        "held",
    ]


def test_a_task_is_open_until_it_is_completed() -> None:
    task = {
        "key": "K",
        "rep": "ana",
        "status": "completed",
        "completed_at": stamp("04 12:00"),
        "created_at": stamp("02 08:00"),
    }
    company = world(tasks=[task])
    before, after = (State(company, at(t)).crm_tasks[0].value for t in ("04 11:00", "04 12:00"))
    assert (before.status, before.completed_at) == ("not_started", None)
    assert (after.status, after.completed_by) == ("completed", "ana")


def merged() -> World:
    contacts = [
        {"key": "C1", "emails": ["cora@cust.com"], "phones": ["+442071838750"]},
        {"key": "C2", "emails": ["c.one@cust.com"], "merged_into": "C1", "merged_at": stamp("04 00:00")},
        {"key": "C3", "emails": ["c3@cust.com"], "merged_into": "C2", "merged_at": stamp("03 00:00")},
    ]
    return world(contacts=contacts)


def test_merges_are_transitive_and_the_survivor_keeps_every_address() -> None:
    assert [s.key for s in State(merged(), at("02 12:00")).crm_contacts] == ["C1", "C2", "C3"]
    between = State(merged(), at("03 12:00"))
    assert [(s.key, s.merged) for s in between.crm_contacts] == [("C1", ()), ("C2", ("C3",))]
    after = State(merged(), at("04 12:00"))
    assert [(s.key, s.merged) for s in after.crm_contacts] == [("C1", ("C3", "C2"))]
    assert after.crm_contacts[0].value.emails == ["cora@cust.com", "c3@cust.com", "c.one@cust.com"]
    assert after.survivor("contact", "C3") == "C1"


def test_a_deal_is_the_sum_of_its_events_so_far() -> None:
    events = [
        {"at": stamp("02 09:00"), "type": "created", "stage": "open", "amount": "10000.00", "by": "bob"},
        {"at": stamp("03 09:00"), "type": "amount", "amount": "12000.00"},
        {"at": stamp("04 09:00"), "type": "owner", "owner": "ana", "by": "bob"},
        {"at": stamp("05 09:00"), "type": "won"},
        {"at": stamp("06 09:00"), "type": "reopened", "stage": "qualified"},
        {"at": stamp("07 09:00"), "type": "deleted"},
    ]
    company = world(deals=[{"key": "X", "account": "A1", "created_by": "bob", "owner": "bob", "events": events}])
    assert crm_deals(State(company, at("02 08:00"))) == []
    day5 = crm_deals(State(company, at("05 10:00")))[0].value
    assert (day5.amount, day5.owner, day5.stage_id, day5.is_won) == (Decimal("12000.00"), "ana", "closedwon", True)
    day6 = crm_deals(State(company, at("06 10:00")))[0]
    assert (day6.value.stage, day6.value.is_closed, day6.deleted_at) == ("qualified", False, None)
    by = [(v.property, v.by, v.at_creation) for v in day6.history if v.property in ("amount", "owner")]
    assert by == [("owner", "bob", True), ("amount", "bob", True), ("amount", None, False), ("owner", "bob", False)]
    assert crm_deals(State(company, at("08 00:00")))[0].deleted_at == at("07 09:00")


def test_pipelines_hold_every_stage_that_deals_go_through() -> None:
    events = [
        {"at": stamp("02 09:00"), "type": "created", "stage": "open"},
        {"at": stamp("03 09:00"), "type": "stage", "stage": "demo"},
        {"at": stamp("04 09:00"), "type": "won"},
    ]
    found = pipelines(
        world(deals=[{"key": "X", "events": events}, {"key": "Y", "pipeline": "renewal", "events": events}])
    )
    assert [[s.id for s in p.stages] for p in found] == [
        ["open", "qualified", "demo", "closedwon", "closedlost"],
        ["renewal_open", "renewal_qualified", "renewal_demo", "renewal_closedwon", "renewal_closedlost"],
    ]


def test_mails_lie_in_the_mailboxes_named_and_in_the_crm_if_logged_or_sequenced() -> None:
    mail = {"rep": "ana", "from": "ana@acme.com", "to": ["cora@cust.com"], "sent_at": stamp("02 09:00")}
    mails = [
        mail | {"key": "M1"},
        mail | {"key": "M2", "mailboxes": ["ana", "bob"], "crm": {"logged_at": stamp("02 10:00")}},
        mail | {"key": "M3", "mailboxes": [], "sequencer": {"system": "hubspot", "step": 1}},
        mail | {"key": "M4", "deleted_at": stamp("02 09:30"), "crm": {}},
    ]
    state = State(world(mails=mails), at("02 12:00"))
    assert [s.key for s in state.mailbox("ana")] == ["M1", "M2"]
    assert [s.key for s in state.mailbox("bob")] == ["M2"]
    assert [(s.key, s.deleted_at is not None) for s in state.crm_mails] == [("M2", False), ("M3", False), ("M4", True)]
    assert [(when, m.key) for when, m in state.mail_deletions("ana")] == [(at("02 09:30"), "M4")]


def test_people_without_a_seat_have_no_account_and_those_who_left_are_not_active() -> None:
    reps = [
        {"key": "bob", "email": "bob@acme.com", "seats": ["crm"], "end_date": "2026-03-10"},
        {"key": "ana", "email": "ana@acme.com"},
    ]
    company = world(reps=reps, users_without_rep=[{"key": "x777", "system": "dialer", "email": "x@else.com"}])
    assert [(u.key, u.active) for u in State(company, at("10 23:00")).users("crm")] == [("bob", True), ("ana", True)]
    assert [(u.key, u.active) for u in State(company, at("11 00:00")).users("crm")] == [("bob", False), ("ana", True)]
    assert [u.key for u in State(company, at("10 23:00")).users("dialer")] == ["ana", "x777"]


def test_the_clock_gives_one_state_until_it_is_moved() -> None:
    clock = Clock(world(calls=[call()]), at("02 08:00"))
    first = clock.state()
    assert clock.state() is first
    clock.move(at("02 10:00"))
    assert len(clock.state().dialer_calls) == 1
    clock.move(at("02 08:00"))
    assert clock.state().dialer_calls == []


@given(st.sets(st.text(min_size=1), min_size=1, max_size=200))
def test_ids_are_stable_distinct_and_of_the_vendors_length(keys: set[str]) -> None:
    once, again = Ids(), Ids()
    numbers = [once.number("hubspot.deal", key) for key in sorted(keys)]
    assert len(set(numbers)) == len(keys)
    assert all(10 <= len(n) <= 13 and n[0] != "0" for n in numbers)
    assert numbers == [again.number("hubspot.deal", key) for key in sorted(keys)]
    assert {once.key_of("hubspot.deal", n) for n in numbers} == keys


def test_two_keys_with_one_id_are_refused() -> None:
    ids = Ids()
    with pytest.raises(IdCollision, match="rename one of them"):
        for n in range(12):
            ids.number("agent", f"a{n}", (1, 1))
