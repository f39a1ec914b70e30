# ruff: noqa: E501 (an example is read as one table: what happened beside what it must give)
"""Combinations by hand: threads in which several people ask, legs of strangers and leavers, logs beside unanswered dials, chains of merges, hours over midnight.

Every example has a rep of its own and contacts of its own, and happens on 16 March 2026 in UTC unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import date
from decimal import Decimal

import pytest

from sandbox.truth import METRICS, truth
from sandbox.world import parse
from tests.golden.examples import (
    NOW,
    Example,
    Json,
    after,
    call,
    contact,
    differences,
    inbound,
    log,
    mail,
    rep,
    whole_way,
    world,
)
from tests.pipeline import Pipeline
from transforms.explain import Cell
from transforms.explain_table import explain

DAY = "2026-03-16"
NEXT = "2026-03-17"
T = f"{DAY}T10:00:00Z"


def at(clock: str, day: str = DAY) -> str:
    return f"{day}T{clock}Z"


def tel(n: int) -> str:
    return f"+44207184{n:04d}"


def met(key: str, who: str, contacts: list[str], start: str, outcome: str, **more: object) -> Json:
    """A meeting that was booked on the 12th."""
    return {
        "key": key, "rep": who, "contacts": contacts, "booked_at": "2026-03-12T09:00:00Z", "start_at": start, "outcome": outcome, **more,
    }  # fmt: skip


def deal(key: str, who: str, *events: Json) -> Json:
    return {
        "key": key,
        "account": "A1",
        "sourced_by": who,
        "created_by": who,
        "owner": who,
        "currency": "EUR",
        "events": list(events),
    }


def ev(when: str, kind: str, **more: object) -> Json:
    return {"at": when, "type": kind, **more}


EXAMPLES = [
    Example("fwd", "4a: passed on to a partner first, answered the day after",
        {"fwd 2026-03-10": {"conversations": 0}, "fwd 2026-03-11": {"conversations": 0}, "fwd 2026-03-12": {"conversations": 1, "conversations_new": 1}},
        {"contacts": [contact("fwc"), contact("fwd1", emails=["d@partner.com"])],
         "mails": [inbound("fw1", "fwd", "fwc@cust.com", at("10:00:00", "2026-03-10"), thread="fw"),
                   mail("fw2", "fwd", "d@partner.com", at("10:00:00", "2026-03-11"), thread="fw", in_reply_to="<fw1@cust.com>"),
                   mail("fw3", "fwd", "fwc@cust.com", at("10:00:00", "2026-03-12"), thread="fw", in_reply_to="<fw1@cust.com>")]}),
    Example("twoask", "4a: two of a company ask, answered on two days",
        {"twoask 2026-03-09": {"conversations": 0}, "twoask 2026-03-10": {"conversations": 1}, "twoask 2026-03-11": {"conversations": 1, "conversations_new": 1}},
        {"contacts": [contact("ta1"), contact("ta2")],
         "mails": [inbound("ta1", "twoask", "ta1@cust.com", at("10:00:00", "2026-03-09"), thread="ta"),
                   inbound("ta2", "twoask", "ta2@cust.com", at("11:00:00", "2026-03-09"), thread="ta"),
                   mail("ta3", "twoask", "ta1@cust.com", at("10:00:00", "2026-03-10"), thread="ta", in_reply_to="<ta1@cust.com>"),
                   mail("ta4", "twoask", "ta2@cust.com", at("10:00:00", "2026-03-11"), thread="ta", in_reply_to="<ta2@cust.com>")]}),
    Example("chainm", "0.4: merged a->b->c; a's number on the 10th, b's address and c's number on the 16th: one contact",
        {"chainm 2026-03-10": {"conversations": 1, "conversations_new": 1}, f"chainm {DAY}": {"conversations": 1, "conversations_new": 0, "conversation_contacts_call": 1, "conversation_contacts_email": 1}},
        {"contacts": [contact("cma", phones=[tel(1)], merged_into="cmb", merged_at="2026-03-11T10:00:00Z"), contact("cmb", phones=[tel(2)], merged_into="cmc", merged_at="2026-03-12T10:00:00Z"),
                      contact("cmc", phones=[tel(3)])],
         "calls": [call("cm1", "chainm", tel(1), at("10:00:00", "2026-03-10"), 90), call("cm2", "chainm", tel(3), T, 90)],
         "mails": [mail("cm3", "chainm", "cmb@cust.com", at("09:00:00"), thread="cm"), inbound("cm4", "chainm", "cmb@cust.com", at("11:00:00"), "cm3", thread="cm")]}),
    Example("passer", "0.3: leg of a stranger", {"passer 2026-03-04": {"calls_made": 1, "calls_connected": 1, "call_conversations": 1, "calls_handled": 1, "talk_seconds": 20}},
        {"users_without_rep": [{"key": "strange", "system": "dialer", "email": "who@else.com"}],
         "calls": [call("pa1", "passer", tel(5), at("10:00:00", "2026-03-04"), 320, legs=[{"rep": "passer", "talk_seconds": 20}, {"rep": "strange", "talk_seconds": 300}])]}),
    Example("autogen", "0.4: Auto-Submitted != no", {f"autogen {DAY}": {"replies_received": 1, "auto_replies_received": 2, "conversations": 1}},
        {"mails": [mail("ag1", "autogen", "ag@cust.com", T, thread="ag"),
                   inbound("ag2", "autogen", "ag@cust.com", at("11:00:00"), "ag1", thread="ag", kind="auto_reply", headers={"Auto-Submitted": "auto-generated"}),
                   inbound("ag3", "autogen", "ag@cust.com", at("11:10:00"), "ag1", thread="ag", headers={"Auto-Submitted": "no"}),
                   inbound("ag4", "autogen", "ag@cust.com", at("11:20:00"), "ag1", thread="ag", kind="auto_reply", headers={"X-Autoreply": "yes", "Auto-Submitted": "no"})]}),
    Example("autobulk", "0.4: Precedence bulk of an automatic answer", {f"autobulk {DAY}": {"replies_received": 0, "auto_replies_received": 1, "conversations": 0}},
        {"mails": [mail("ab1", "autobulk", "ab@cust.com", T, thread="ab"),
                   inbound("ab2", "autobulk", "ab@cust.com", at("11:00:00"), "ab1", thread="ab", kind="auto_reply", headers={"Precedence": "bulk"})]}),
    Example("mixed", "0.4: a test record at a meeting is no conversation", {f"mixed {DAY}": {"meetings_held": 1, "conversations": 1, "conversation_contacts_meeting": 1}},
        {"contacts": [contact("mx"), contact("mxt", emails=["mxt@test.example"])], "meetings": [met("mx1", "mixed", ["mx", "mxt"], T, "held")]}),
    Example("ccd", "0.5, 3: only a colleague in Cc holds a copy, the CRM says that it was sent", {f"ccd {DAY}": {"emails_sent": 1, "email_recipients": 1, "loggable_activities": 1, "logged_activities_24h": 1}, f"ccd2 {DAY}": {"emails_sent": 0}},
        {"reps": [rep("ccd2")], "contacts": [contact("cc")],
         "mails": [mail("cc1", "ccd", "cc@cust.com", T, cc=["ccd2@acme.com"], mailboxes=["ccd2"], crm={"logged_at": at("10:05:00"), "contacts": ["cc"]})]}),
    Example("night", "repeated dials over midnight", {f"night {DAY}": {"calls_made": 4}, f"night {NEXT}": {"calls_made": 1}},
        {"calls": [*(call(f"ni{n}", "night", tel(20), at(f"23:5{n}:00"), None) for n in range(4)), call("ni9", "night", tel(20), at("00:10:00", NEXT), None)]}),
    Example("future", "0.7: the zone that holds now", {"future 2026-03-19": {"timezone": "Pacific/Honolulu"}},
        {"reps": [rep("future", timezone="Pacific/Honolulu", changes=[{"at": "2026-05-01T00:00:00Z", "set": {"timezone": "Pacific/Auckland"}}])]}),
    Example("zerotask", "0.1: due date as a date: Honolulu, Apia", {f"zerotask {DAY}": {"crm_activities_logged": 1}, f"zerotask2 {DAY}": {"crm_activities_logged": 1}, f"zerotask2 {NEXT}": {"crm_activities_logged": 0}},
        {"reps": [rep("zerotask", timezone="Pacific/Honolulu"), rep("zerotask2", timezone="Pacific/Apia")],
         "tasks": [{"key": f"zt{w}", "rep": w, "type": "todo", "due_date": DAY, "status": "completed", "created_at": "2026-03-02T10:00:00Z", "crm": {"logged_by": "integration"}} for w in ("zerotask", "zerotask2")]}),
    Example(
        "leavem", "0.3: a leg of who left yesterday", {f"leavem {DAY}": {"calls_made": 1, "talk_seconds": 20}},
        {"reps": [rep("leavem2", end_date="2026-03-15")], "calls": [call("lv1", "leavem", tel(41), T, 320, legs=[{"rep": "leavem", "talk_seconds": 20}, {"rep": "leavem2", "talk_seconds": 300}])]}),
    Example("mobile", "0.5 T2: an unanswered dial and the log of 300 s of another telephone: durations differ",
        {f"mobile {DAY}": {"calls_made": 2, "calls_connected": 1, "call_conversations": 1, "calls_no_answer": 1}},
        {"calls": [call("mo1", "mobile", tel(1), T, None), log("mo2", "mobile", tel(1), after(T, 120), "Connected", 300)]}),
    Example("ring", "0.5 T2: an unanswered dial of 30 s and its log of 28 s of ringing", {f"ring {DAY}": {"calls_made": 1, "calls_no_answer": 1}},
        {"calls": [call("ri1", "ring", tel(2), T, None), log("ri2", "ring", tel(2), after(T, 10), "No answer", 28)]}),
    Example("renew", "2: won among the renewals: not new business; back in default it is won",
        {f"renew {DAY}": {"deals_created": 1, "deals_won_events": 0}, f"renew {NEXT}": {"deals_won_events": 0}},
        {"deals": [deal("rn1", "renew", ev(T, "created", stage="open", amount="100.00"), ev(at("11:00:00"), "stage", stage="open", pipeline="renewals"), ev(at("11:00:00", NEXT), "won"))]}),
    Example("twice", "2: won twice on one day, re-opened between", {f"twice {DAY}": {"deals_created": 1, "deals_won_events": 2, "deals_reopened": 1, "won_amount": Decimal("240.00"), "pipeline_created_amount": Decimal("120.00")}},
        {"deals": [deal("tw1", "twice", ev(T, "created", stage="open", amount="100.00"), ev(at("11:00:00"), "won"), ev(at("12:00:00"), "reopened", stage="open"), ev(at("12:30:00"), "amount", amount="120.00"), ev(at("13:00:00"), "won"))]}),
    Example("mergeddeal", "0.4: chain of merges, the middle one deleted", {f"mergeddeal {DAY}": {"deals_created": 1, "pipeline_created_amount": Decimal("7.00")}, f"mergeddeal {NEXT}": {"deals_created": 0}},
        {"deals": [deal("md1", "mergeddeal", ev(at("08:00:00"), "created", stage="open", amount="5.00"), ev(at("09:00:00", NEXT), "merged_into", deal="md2")),
                   deal("md2", "mergeddeal", ev(at("09:00:00"), "created", stage="open", amount="6.00"), ev(at("10:00:00", NEXT), "merged_into", deal="md3")),
                   deal("md3", "mergeddeal", ev(at("10:00:00"), "created", stage="open", amount="7.00"))]}),
    Example("crossday", "4b: a call over midnight and a mail the next day", {f"crossday {DAY}": {"conversations": 1, "talk_seconds": 1800}, f"crossday {NEXT}": {"conversations": 0, "talk_seconds": 0, "emails_sent": 1}},
        {"contacts": [contact("xd", phones=[tel(9)])], "calls": [call("xd1", "crossday", tel(9), at("23:50:00"), 1800)], "mails": [mail("xd2", "crossday", "xd@cust.com", at("00:10:00", NEXT))]}),
    Example("twobox", "0.3: the reply reached both, the rep who wrote has it once", {f"twobox {DAY}": {"replies_received": 1, "conversations": 1}, f"twobox2 {DAY}": {"replies_received": 0, "conversations": 0}},
        {"reps": [rep("twobox2")], "mails": [mail("tb1", "twobox", ["tb@cust.com", "twobox2@acme.com"], T, thread="tb", mailboxes=["twobox", "twobox2"]),
             inbound("tb2", "twobox", "tb@cust.com", at("11:00:00"), "tb1", thread="tb", to=["twobox@acme.com", "twobox2@acme.com"], mailboxes=["twobox", "twobox2"])]}),
    Example("handover", "0.3: the colleague answers in the thread: the reply is the colleague's", {f"handover {DAY}": {"replies_received": 0, "emails_sent": 1}, f"handover2 {DAY}": {"replies_received": 1, "emails_sent": 1}},
        {"reps": [rep("handover2")], "mails": [mail("ho1", "handover", "ho@cust.com", T, thread="ho", cc=["handover2@acme.com"], mailboxes=["handover", "handover2"]),
             mail("ho2", "handover2", "ho@cust.com", at("11:00:00"), thread="ho", in_reply_to="<ho1@mail.acme.com>"),
             inbound("ho3", "handover2", "ho@cust.com", at("12:00:00"), "ho2", thread="ho")]}),
    Example("calrep", "0.4: an accepted invitation is no reply", {f"calrep {DAY}": {"replies_received": 0, "auto_replies_received": 0, "conversations": 0}},
        {"mails": [mail("cr1", "calrep", "cr@cust.com", T, thread="cr"), inbound("cr2", "calrep", "cr@cust.com", at("11:00:00"), "cr1", thread="cr", kind="calendar"),
                   inbound("cr3", "calrep", "cr@cust.com", at("11:10:00"), "cr1", thread="cr", kind="receipt"), inbound("cr4", "calrep", "cr@cust.com", at("11:20:00"), "cr1", thread="cr", kind="bulk")]}),
    Example("newname", "0.3: a rep whose address changed: both are the rep's", {f"newname {DAY}": {"emails_sent": 1, "calls_made": 1}, f"newname {NEXT}": {"emails_sent": 1, "calls_made": 1}},
        {"reps": [rep("newname", changes=[{"at": at("00:00:00", NEXT), "set": {"email": "married@acme.com"}}])],
         "mails": [mail("nn1", "newname", "nn@cust.com", T), mail("nn2", "newname", "nn@cust.com", at("10:00:00", NEXT), **{"from": "married@acme.com"})],
         "calls": [call("nn3", "newname", tel(11), T, 90), call("nn4", "newname", tel(11), at("10:00:00", NEXT), 90)]}),
    Example("bccown", "3: Bcc to oneself and to an external", {f"bccown {DAY}": {"emails_sent": 1, "email_recipients": 2}},
        {"mails": [mail("bo1", "bccown", "bo@cust.com", T, bcc=["bccown@acme.com", "bo2@cust.com"], crm={"logged_at": T, "contacts": []})]}),
    Example("crmreply", "0.5: a reply that only the CRM logged", {f"crmreply {DAY}": {"emails_sent": 1, "replies_received": 1, "conversations": 1}},
        {"contacts": [contact("cq")], "mails": [mail("cq1", "crmreply", "cq@cust.com", T, thread="cq", crm={"logged_at": T, "contacts": ["cq"]}),
             inbound("cq2", "crmreply", "cq@cust.com", at("11:00:00"), "cq1", thread="cq", mailboxes=[], crm={"logged_at": at("11:00:00"), "contacts": ["cq"]})]}),
    Example("heldlater", "4.1: told as held before it begins", {"heldlater 2026-03-20": {"meetings_held": 0}},
        {"contacts": [contact("hl")], "meetings": [met("hl1", "heldlater", ["hl"], "2026-03-20T15:00:00Z", "held", outcome_at="2026-03-19T10:00:00Z")]}),
    Example("resched", "4.1: one record moved to the next day", {f"resched {DAY}": {"meetings_held": 0, "meetings_no_show": 0}, f"resched {NEXT}": {"meetings_held": 1}, "resched 2026-03-12": {"meetings_booked": 1}},
        {"contacts": [contact("rs")], "meetings": [met("rs1", "resched", ["rs"], T, "held", edits=[{"at": "2026-03-15T10:00:00Z", "set": {"start_at": at("10:00:00", NEXT), "end_at": at("11:00:00", NEXT)}}])]}),
    Example("mgr", "0.3: manager and zone change at noon", {f"mgr {DAY}": {"calls_made": 2}},
        {"reps": [rep("mgr", changes=[{"at": at("11:00:00"), "set": {"manager": "mgrb", "territory": "X"}}]), rep("mgrb")], "calls": [call("mg1", "mgr", tel(16), T, 90), call("mg2", "mgr", tel(16), at("12:00:00"), 90)]}),
    Example("inwrong", "4a: 70 s inbound, disposed as wrong number", {f"inwrong {DAY}": {"calls_inbound": 1, "calls_inbound_answered": 1, "conversations": 1}},
        {"contacts": [contact("iw", phones=[tel(17)])], "calls": [call("iw1", "inwrong", tel(17), T, 70, direction="inbound", crm={"logged_at": at("12:00:00"), "external_id": True, "disposition": "Wrong number"})]}),
    Example("inmach", "2h: inbound with legs: the second took it", {f"inmach {DAY}": {"calls_inbound": 1, "calls_inbound_answered": 1, "calls_handled": 1, "talk_seconds": 40}, f"inmach2 {DAY}": {"calls_handled": 1, "talk_seconds": 100, "calls_inbound": 0}},
        {"reps": [rep("inmach2")], "calls": [call("im1", "inmach", tel(18), T, 200, direction="inbound", legs=[{"rep": "inmach", "talk_seconds": 30}, {"rep": "inmach2", "talk_seconds": 100}, {"rep": "inmach", "talk_seconds": 10}])]}),
    Example("three", "0.3: three legs, back to the first", {f"three {DAY}": {"calls_made": 1, "calls_handled": 1, "talk_seconds": 45, "calls_connected": 1, "call_conversations": 1}, f"three2 {DAY}": {"calls_handled": 1, "talk_seconds": 25, "calls_made": 0}},
        {"reps": [rep("three2")], "calls": [call("th1", "three", tel(19), T, 70, legs=[{"rep": "three", "talk_seconds": 30}, {"rep": "three2", "talk_seconds": 25}, {"rep": "three", "talk_seconds": 15}])]}),
    Example("rung", "2b, 2d: a log of the CRM that says that nobody answered, and for how long it rang",
        {f"rung {DAY}": {"calls_made": 3, "calls_answered": 0, "calls_connected": 0, "calls_no_answer": 2, "calls_busy": 1, "talk_seconds": 0, "call_conversations": 0}},
        {"calls": [log("rg1", "rung", tel(701), at("10:00:00"), None, 45, result="no_answer"), log("rg2", "rung", tel(702), at("11:00:00"), "No answer", 28, result="no_answer"),
                   log("rg3", "rung", tel(703), at("12:00:00"), None, 70, result="busy")]}),
    Example("inrung", "2h: a missed call that the CRM alone has", {f"inrung {DAY}": {"calls_inbound": 2, "calls_inbound_missed": 1, "calls_inbound_answered": 1, "talk_seconds": 80, "conversations": 1}},
        {"calls": [log("ir1", "inrung", tel(711), at("10:00:00"), None, 65, direction="inbound", result="missed"), log("ir2", "inrung", tel(712), at("11:00:00"), None, 80, direction="inbound")]}),
    Example("saidso", "2b: the disposition says connected, the status does not", {f"saidso {DAY}": {"calls_made": 1, "calls_connected": 1, "call_conversations": 1, "talk_seconds": 90}},
        {"calls": [log("ss1", "saidso", tel(721), T, "Connected", 90)]}),
    Example("halfbounce", "2, 3b: two addresses of one contact, one fails: delivered, one contact-thread", {f"halfbounce {DAY}": {"emails_sent": 1, "email_recipients": 2, "recipients_bounced": 1, "emails_delivered": 1, "emails_bounced": 0}},
        {"contacts": [contact("hb", emails=["hb@cust.com", "hb@home.com"])],
         "mails": [mail("hb1", "halfbounce", ["hb@cust.com", "hb@home.com"], T), inbound("hb2", "halfbounce", "mailer-daemon@googlemail.com", at("10:05:00"), "hb1", kind="bounce", failed_recipients=["hb@home.com"], status="5.1.1")]}),
    Example("notetest", "0.4: a note on a merged contact", {f"notetest {DAY}": {"crm_activities_logged": 1}},
        {"contacts": [contact("nt1", merged_into="nt2", merged_at="2026-03-17T10:00:00Z"), contact("nt2")], "notes": [{"key": "ntn", "rep": "notetest", "at": T, "contact": "nt1"}]}),
    Example("colda", "3: a connected call of 45 s is no conversation: cold again; after a meeting it is not",
        {f"colda {DAY}": {"cold_calls_made": 2, "cold_calls_connected": 1}, f"colda {NEXT}": {"cold_calls_made": 0, "calls_made": 1}},
        {"accounts": [{"key": "A9", "name": "Nine", "domain": "nine.com"}], "contacts": [contact("cd", phones=[tel(731)], account="A9")], "calls": [call("cda", "colda", tel(731), at("10:00:00"), 45), call("cdb", "colda", tel(731), at("11:00:00"), None), call("cdc", "colda", tel(731), at("11:00:00", NEXT), None)],
         "meetings": [{"key": "cdm", "rep": "colda", "contacts": ["cd"], "booked_at": "2026-03-12T09:00:00Z", "start_at": at("15:00:00"), "outcome": "held"}]}),
    Example("fromalias", "0.5, 0.3: the same mail from an alias in the CRM alone", {f"fromalias {DAY}": {"emails_sent": 1, "emails_sent_one_to_one": 1}},
        {"reps": [rep("fromalias", aliases=["from.alias@acme.com"])], "mails": [mail("fa1", "fromalias", "fa@cust.com", T, mailboxes=[], crm={"logged_at": T, "contacts": []}, **{"from": "from.alias@acme.com"})]}),
    Example("threeway", "4a, 4b: in, out, in on three days", {"threeway 2026-03-10": {"conversations": 0}, "threeway 2026-03-11": {"conversations": 1}, "threeway 2026-03-12": {"conversations": 2}},
        {"contacts": [contact("tw1"), contact("tw2")], "mails": [inbound("tq1", "threeway", "tw1@cust.com", at("10:00:00", "2026-03-10"), thread="tq"), mail("tq2", "threeway", ["tw1@cust.com"], at("10:00:00", "2026-03-11"), thread="tq", in_reply_to="<tq1@cust.com>", cc=["tw2@cust.com"]),
             inbound("tq3", "threeway", "tw2@cust.com", at("10:00:00", "2026-03-12"), "tq2", thread="tq"), inbound("tq4", "threeway", "tw1@cust.com", at("11:00:00", "2026-03-12"), "tq2", thread="tq")]}),
]  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Generator[Pipeline]:
    with whole_way(EXAMPLES, tmp_path_factory.mktemp("combinations")) as (pipeline, _):
        yield pipeline


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_combinations(built: Pipeline, example: Example) -> None:
    assert not differences(built, example), example.why


def test_the_sandbox_tells_the_same(built: Pipeline) -> None:
    """Of every rep and day that is over."""
    wrong: list[str] = []
    for (email, day), values in truth(parse(world(EXAMPLES)), NOW).items():
        if "2026-03-01" <= str(day) <= "2026-03-19":
            row = built.day(email, str(day))
            wrong += [
                f"{email} {day} {m}: {row[m]}, not {v}"
                for m, v in values.items()
                if m in METRICS and row[m] not in (v, None)
            ]
    assert not wrong


def test_a_strangers_leg_is_nobodys_and_the_organisation_has_it(built: Pipeline) -> None:
    """0.3: never dropped. On the 4th nobody else calls: 20 + 300 s."""
    assert built.rows(
        "select calls_made, calls_handled, talk_seconds from marts.daily_rep_activity where rep_id = -1 and activity_date = '2026-03-04'"
    ) == [{"calls_made": 0, "calls_handled": 1, "talk_seconds": 300}]
    assert built.rows("select talk_seconds from marts.daily_org_activity where activity_date = '2026-03-04'") == [
        {"talk_seconds": 320}
    ]


def test_a_leavers_leg_stays_the_leavers(built: Pipeline) -> None:
    assert built.day("leavem2@acme.com", DAY)["talk_seconds"] == 300


def test_an_hour_goes_over_midnight(built: Pipeline) -> None:
    """3: five dials of a number within an hour, four of them before midnight: the fifth is a repeated one, of its own day."""
    rows = built.rows(
        "select activity_date::varchar as d, repeated_dials as n from marts.guard_suspicious_activity "
        "where repeated_dials > 0 and rep_id in (select rep_id from core.dim_rep where email = 'night@acme.com')"
    )
    assert rows == [{"d": NEXT, "n": 1}]
    rep = str(built.day("night@acme.com", NEXT)["rep_id"])
    found = explain(
        built.con, Cell("repeated_dials", "guard_suspicious_activity", date.fromisoformat(NEXT), {"rep_id": rep})
    )
    assert (found.total, [row[found.shows.index("dials_within_1h")] for row in found.rows]) == (1, [5])


def test_a_move_that_is_announced_has_not_happened(built: Pipeline) -> None:
    """0.7. It is 20:00 on the 19th in Honolulu; in May the rep moves to Auckland, where it is the 20th."""
    rows = built.rows(
        "select max(activity_date)::varchar as d from marts.daily_rep_activity where rep_id in (select rep_id from core.dim_rep where email = 'future@acme.com')"
    )
    assert rows == [{"d": "2026-03-19"}]


def test_a_contact_with_two_addresses_is_one_contact_thread(built: Pipeline) -> None:
    """2, reply_rate. One of its addresses failed, the other did not: delivered."""
    rows = built.rows(
        "select delivered_threads from marts.cohort_email_reply where rep_id in (select rep_id from core.dim_rep where email = 'halfbounce@acme.com')"
    )
    assert rows == [{"delivered_threads": 1}]
