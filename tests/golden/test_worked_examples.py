"""Worked examples of the definitions: small stories, the arithmetic by hand, and what the tables must say.

They go the whole way: served over HTTP in the vendors' formats, read by the connectors, landed, built, checked. Most happen in one
company, read once: each has people of its own, an Ann and a Bob, Cora and Dan, so that nothing of one is seen in another's rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.pipeline import Pipeline, Row, serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
NEXT_NIGHT = datetime(2026, 3, 21, 6, tzinfo=UTC)
FIRST = date(2026, 3, 1)
World = dict[str, Any]

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


@dataclass(frozen=True, slots=True)
class Story:
    """An Ann, a Bob, a Cora and a Dan of one test. line: two digits that only this story's numbers have."""

    name: str
    line: str

    def email(self, who: str) -> str:
        return f"{self.name}-{who}@acme.com" if who in ("ann", "bob") else f"{who}@{self.name}.com"

    def number(self, who: str) -> str:
        """Cora's, or another one."""
        return f"+44207183{self.line}{50 if who == 'cora' else 51}"

    def rep(self, rep: World, **more: Any) -> World:
        return {**rep, "key": f"{self.name}-{rep['key']}", "email": self.email(rep["key"]), **more}

    def contact(self, who: str) -> World:
        return {
            "key": f"{self.name}-{who}", "name": who.title(), "emails": [self.email(who)], "phones": [self.number(who)],
            "account": self.name, "created_at": "2025-06-01T00:00:00Z",
        }  # fmt: skip

    def call(self, key: str, at: str, talk: int | None, **more: Any) -> World:
        """An outbound call of Ann's to Cora, as call()."""
        return call(
            f"{self.name}-{key}", at, talk, **{"rep": f"{self.name}-ann", "number": self.number("cora"), **more}
        )

    def mail(self, key: str, at: str, **more: Any) -> World:
        """A mail of Ann's to Cora."""
        own = {"rep": f"{self.name}-ann", "from": self.email("ann"), "to": [self.email("cora")]}
        return mail(f"{self.name}-{key}", at, **{**own, **more})

    def answer(self, key: str, at: str, to: str, **more: Any) -> World:
        """A mail from Cora to Ann that answers the mail `to`."""
        own = {"rep": f"{self.name}-ann", "from": self.email("cora"), "to": [self.email("ann")]}
        return {**answer(f"{self.name}-{key}", at, f"{self.name}-{to}"), **own, **more}

    def told(self, **parts: list[World]) -> World:
        """The people and what happened; parts: lists of a world."""
        return {
            "reps": [self.rep(ANN), self.rep(BOB)],
            "accounts": [{"key": self.name, "name": f"Cust {self.name}", "domain": f"{self.name}.com"}],
            "contacts": [self.contact("cora"), self.contact("dan")],
            **parts,
        }


def company(*stories: World) -> World:
    """The world in which all these stories happen."""
    lists: dict[str, list[World]] = defaultdict(list, teams=world()["teams"])
    for story in stories:
        for name, things in story.items():
            lists[name] += things
    return world(**lists)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pipeline, str]]:
    """The company after its first night, and the sandbox's URL."""
    stories = [outcomes(), own_days(), logged(), mails(), talks(), frozen(), moved(), nobody(), late(), merged()]
    with serving(company(*stories), tmp_path_factory.mktemp("company")) as (pipeline, url):
        pipeline.nightly(NOW, first=FIRST)
        yield pipeline, url


@pytest.fixture(scope="module")
def night(sandbox: tuple[Pipeline, str]) -> Pipeline:
    """The company after its first night; or after the second one, which moves no day but those of `late` and `merged`."""
    return sandbox[0]


@pytest.fixture(scope="module")
def two_nights(sandbox: tuple[Pipeline, str]) -> tuple[Mapping[str, Row], Pipeline]:
    """What the first night said of the 16th of `late` and `merged`, and the company after the second night."""
    pipeline, url = sandbox
    first = {who: pipeline.day(f"{who}@acme.com", "2026-03-16") for who in ("late-ann", "merged-ann")}
    httpx.post(f"{url}/__sandbox__/now", json={"now": NEXT_NIGHT.isoformat()}).raise_for_status()
    pipeline.nightly(NEXT_NIGHT, first=FIRST)
    return first, pipeline


def expect(row: Mapping[str, Any], **values: Any) -> None:
    assert {name: row[name] for name in values} == values


def outcomes() -> World:
    s = Story("outcomes", "10")
    return s.told(calls=[
        s.call("D1", "2026-03-16T14:00:00Z", 61),
        s.call("D2", "2026-03-16T15:00:00Z", 45),
        s.call("D3", "2026-03-16T16:00:00Z", 29),
        s.call("D4", "2026-03-16T17:00:00Z", 20, result="voicemail", machine=True),
        s.call("D5", "2026-03-16T18:00:00Z", None),
        s.call("D6", "2026-03-16T19:00:00Z", None, result="busy"),
        s.call("D7", "2026-03-16T19:10:00Z", None, result="cancelled"),
        s.call("D8", "2026-03-16T19:20:00Z", 90, number="+12125550042"),
    ])  # fmt: skip


def test_outcomes_of_calls(night: Pipeline) -> None:
    """2-2e. Made: D1-D6 = 6 (D7 was cancelled, D8 goes to a colleague's line).
    Connected: D1 (61 s, undisposed), D2 (45 s) = 2; conversations: D1 (61 >= 60) = 1; short: D3 (29 s < 30) = 1;
    machine: D4 = 1; nobody: D5 = 1; busy: D6 = 1; 2 + 1 + 1 + 1 + 1 = 6. Answered: D1-D4 = 4. Talk: 61 + 45 + 29 = 135 s."""
    row = night.day("outcomes-ann@acme.com", "2026-03-16")
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


def own_days() -> World:
    s = Story("days", "11")
    return s.told(calls=[
        s.call("D1", "2026-03-08T04:59:00Z", 120),
        s.call("D2", "2026-03-08T05:00:00Z", 100),
        s.call("D3", "2026-03-09T03:59:00Z", 100),
        s.call("D4", "2026-03-09T04:00:00Z", 100),
    ])  # fmt: skip


def test_a_day_is_the_reps_own_and_a_short_one_counts_like_any_other(night: Pipeline) -> None:
    """0.2. New York has 23 hours on 2026-03-08. 04:59Z on the 8th is still Saturday 23:59 there (UTC-5), 05:00Z Sunday 00:00;
    Sunday ends at 04:00Z on the 9th (UTC-4): 03:59Z is Sunday, 04:00Z Monday. Talk stays whole on the day of the start."""
    days = {d: night.day("days-ann@acme.com", d) for d in ("2026-03-07", "2026-03-08", "2026-03-09")}
    assert {d: (r["calls_made"], r["talk_seconds"]) for d, r in days.items()} == {
        "2026-03-07": (1, 120),
        "2026-03-08": (2, 200),
        "2026-03-09": (1, 100),
    }


def logged() -> World:
    s = Story("logged", "12")
    return s.told(calls=[
        s.call("D1", "2026-03-16T13:00:00Z", 120, crm={"logged_at": "2026-03-16T13:10:00Z", "external_id": True, "duration_seconds": 120}),
        s.call("D2", "2026-03-16T14:00:00Z", 120, crm={"logged_at": "2026-03-16T15:00:00Z", "timestamp": "2026-03-16T14:16:10Z",
               "duration_seconds": 118, "external_id": False, "disposition": "Connected"}),
        s.call("D3", "2026-03-16T16:00:00Z", 120, crm={"logged_at": "2026-03-16T16:30:00Z", "timestamp": "2026-03-16T16:18:11Z",
               "duration_seconds": 120, "external_id": False, "disposition": "Connected"}),
        s.call("D4", "2026-03-16T14:02:50Z", None),
    ])  # fmt: skip


def test_one_physical_call_however_often_it_is_logged(night: Pipeline) -> None:
    """0.5. D1 carries the dialer's id. D2's log stands 14 min after its end, with 118 s against 120: within 900 s and 15 s, the same call.
    D3's log stands 16 min after its end: too late, so a call of its own. D4 is a redial 40 s after D2: another call.
    Made: D1, D2, D3, D3's log, D4 = 5. No other story logs a call, so that these are the company's only matches."""
    assert night.day("logged-ann@acme.com", "2026-03-16")["calls_made"] == 5
    rules = night.rows(
        "select match_rule, count(*) as n from core.fct_call where rep_id in (select rep_id from core.dim_rep where email = ?) "
        "group by all order by all",
        ["logged-ann@acme.com"],
    )
    assert [(r["match_rule"], r["n"]) for r in rules] == [("T1", 1), ("T2", 1), (None, 3)]
    assert night.rows("select count(*) as n from core.fct_call where match_rule is not null") == [{"n": 2}]


def mails() -> World:
    s = Story("mails", "13")
    cora, dan, bob = s.email("cora"), s.email("dan"), s.email("bob")
    return s.told(mails=[
        s.mail("m1", "2026-03-16T14:00:00Z", to=[cora, dan, bob]),
        s.mail("m2", "2026-03-16T15:00:00Z"),
        s.mail("m3", "2026-03-16T16:00:00Z"),
        s.mail("m4", "2026-03-16T16:10:00Z", to=[bob]),
        s.mail("m5", "2026-03-16T16:20:00Z", kind="bulk"),
        s.mail("m6", "2026-03-16T16:30:00Z", to=["qa@test.example"]),
        s.answer("b1", "2026-03-16T14:01:00Z", "m1", kind="bounce", failed_recipients=[dan], status="5.1.1",
                 **{"from": "mailer-daemon@googlemail.com"}),
        s.answer("b2", "2026-03-18T15:01:00Z", "m2", kind="bounce", failed_recipients=[cora], status="5.1.1",
                 **{"from": "mailer-daemon@googlemail.com"}),
        s.answer("o1", "2026-03-16T16:01:00Z", "m3", kind="auto_reply"),
        s.answer("r1", "2026-03-17T16:00:00Z", "m3"),
    ])  # fmt: skip


def test_mails_bounces_and_replies(night: Pipeline) -> None:
    """3-3b. Sent on the 16th: M1 (Cora and Dan), M2 (Cora), M3 (Cora) = 3; M4 is internal, M5 bulk, M6 to a test record.
    Recipients 2 + 1 + 1 = 4. Dan's delivery of M1 failed, so did Cora's of M2: failed 2, delivered 2; of messages only M2 failed whole:
    bounced 1, delivered 2. R1 answers M3 the next day: one reply on the 17th; the out-of-office is an automatic one."""
    row = night.day("mails-ann@acme.com", "2026-03-16")
    expect(
        row, emails_sent=3, emails_sent_one_to_one=3, email_recipients=4, recipients_bounced=2, recipients_delivered=2
    )
    expect(row, emails_bounced=1, emails_delivered=2, replies_received=0, auto_replies_received=1)
    expect(night.day("mails-ann@acme.com", "2026-03-17"), replies_received=1, auto_replies_received=0, emails_sent=0)


def talks() -> World:
    s = Story("talks", "14")
    return s.told(
        calls=[
            s.call("D1", "2026-03-16T14:00:00Z", 90),
            s.call("D2", "2026-03-16T15:00:00Z", 30, number=s.number("dan"), result="voicemail"),
        ],
        mails=[
            s.mail("m1", "2026-03-16T14:30:00Z"),
            s.answer("r1", "2026-03-16T16:00:00Z", "m1"),
            s.answer("r2", "2026-03-17T16:00:00Z", "m1"),
            s.mail("m2", "2026-03-18T14:30:00Z", in_reply_to="<talks-r2@cust.com>"),
        ],
    )


def test_conversations_are_two_way_and_counted_once_a_contact_and_day(night: Pipeline) -> None:
    """4-4c. 16th: a 90 s call with Cora, and her answer to m1: one contact, one conversation, new. 17th: she writes again: one, not new.
    18th: Ann only writes: none. Dan's voicemail on the 16th is none."""
    ann = "talks-ann@acme.com"
    expect(
        night.day(ann, "2026-03-16"), conversations=1, conversations_new=1, conversation_contacts_call=1, conversation_contacts_email=1
    )  # fmt: skip
    expect(night.day(ann, "2026-03-17"), conversations=1, conversations_new=0, conversation_contacts_call=0)
    expect(night.day(ann, "2026-03-18"), conversations=0)


def frozen() -> World:
    ann, bob = "frozen-ann", "frozen-bob"
    deals = [
        {"key": "X", "account": "frozen", "sourced_by": ann, "created_by": bob, "owner": bob, "currency": "EUR", "events": [
            {"at": "2026-03-10T16:00:00Z", "type": "created", "stage": "open", "amount": "10000.00", "by": bob},
            {"at": "2026-03-10T22:00:00Z", "type": "amount", "amount": "12000.00"},
            {"at": "2026-03-11T16:00:00Z", "type": "amount", "amount": "15000.00"},
            {"at": "2026-03-18T16:00:00Z", "type": "won"}]},
        {"key": "Y", "account": "frozen", "sourced_by": ann, "created_by": ann, "owner": ann, "currency": "USD", "events": [
            {"at": "2026-03-09T16:00:00Z", "type": "created", "stage": "open", "by": ann},
            {"at": "2026-03-18T16:00:00Z", "type": "amount", "amount": "5000.00"}]},
    ]  # fmt: skip
    return Story("frozen", "15").told(deals=deals, fx=[{"date": "2026-03-02", "currency": "USD", "rate": "0.92"}])


def test_deals_are_frozen_at_the_end_of_their_first_day(night: Pipeline) -> None:
    """2. X: 10,000 at noon, 12,000 by that evening, 15,000 next day: created with 12,000. Y begins without an amount and gets 5,000 USD nine
    days later, inside 30: 5,000 x 0.92 (rate of the 2nd carried 7 days to the 9th) = 4,600. Won: X on the 18th at 15,000."""
    expect(night.day("frozen-ann@acme.com", "2026-03-10"), deals_created=1, pipeline_created_amount=Decimal("12000.00"))
    expect(
        night.day("frozen-ann@acme.com", "2026-03-09"),
        deals_created=1,
        deals_created_without_amount=0,
        pipeline_created_amount=Decimal("4600.00"),
    )
    # 16:00Z on the 18th is already the 19th in Tokyo, where Bob, the owner, is.
    expect(night.day("frozen-bob@acme.com", "2026-03-19"), deals_won_events=1, won_amount=Decimal("15000.00"))


def moved() -> World:
    """Nobody else is in these two teams."""
    s = Story("moved", "16")
    change = {"at": "2026-03-17T04:00:00Z", "set": {"team": "moved-T2"}}
    return s.told(
        teams=[{"key": "moved-T1", "name": "From"}, {"key": "moved-T2", "name": "To"}],
        reps=[s.rep(ANN, team="moved-T1", changes=[change]), s.rep(BOB, team="moved-T2")],
        calls=[s.call("D1", "2026-03-16T14:00:00Z", 90), s.call("D2", "2026-03-17T14:00:00Z", 90)],
    )


def test_a_change_of_team_moves_no_history(night: Pipeline) -> None:
    """0.3. Ann moves to T2 at 2026-03-17T04:00Z, midnight in New York: the 16th stays with T1, the 17th goes to T2."""
    found = night.rows(
        "select activity_date::varchar as d, team_id, calls_made from marts.daily_team_activity "
        "where calls_made > 0 and team_id like 'moved-%' order by d"
    )
    assert [(r["d"], r["team_id"], r["calls_made"]) for r in found] == [
        ("2026-03-16", "moved-T1", 1),
        ("2026-03-17", "moved-T2", 1),
    ]


def nobody() -> World:
    """On the 12th nobody else calls."""
    s = Story("nobody", "17")
    return s.told(
        users_without_rep=[{"key": "x", "system": "dialer", "email": "who@else.com"}],
        calls=[s.call("D1", "2026-03-12T14:00:00Z", 90, rep="x")],
    )


def test_what_a_user_without_rep_did_is_rep_minus_one(night: Pipeline) -> None:
    unknown = night.rows("select calls_made, team_id from marts.daily_rep_activity where rep_id = -1")
    assert unknown == [{"calls_made": 1, "team_id": "-1"}]
    assert night.rows("select calls_made from marts.daily_org_activity where activity_date = '2026-03-12'") == [
        {"calls_made": 1}
    ]
    assert len(night.rows("select 1 as x from marts.meta_data_quality where check_name = 'user_without_rep'")) == 1


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


def late() -> World:
    s = Story("late", "18")
    return s.told(calls=[
        s.call("D1", "2026-03-16T14:00:00Z", 90),
        s.call("D2", "2026-03-16T15:00:00Z", 60, dialer={"deleted_at": "2026-03-20T12:00:00Z"}),
        s.call("D3", "2026-03-16T16:00:00Z", 100, dialer={"visible_at": "2026-03-20T13:00:00Z"}),
    ])  # fmt: skip


def test_late_and_deleted_facts_restate_their_day(two_nights: tuple[Mapping[str, Row], Pipeline]) -> None:
    """0.9. First night: D1 and D2. Then D2 is deleted in the dialer and D3, of the same day, becomes visible: 2 - 1 + 1 = 2 calls, but other
    talk: 90 + 60 = 150 s before, 90 + 100 = 190 s after."""
    before, pipeline = two_nights
    expect(before["late-ann"], calls_made=2, talk_seconds=150)
    expect(pipeline.day("late-ann@acme.com", "2026-03-16"), calls_made=2, talk_seconds=190, run_id="r2")
    changes = pipeline.rows(
        "select metric, old_value, new_value, reason from meta.restatement "
        "where key like '2026-03-16|%' and table_name = 'daily_rep_activity'"
    )
    assert {"metric": "talk_seconds", "old_value": "150", "new_value": "190", "reason": "late_data"} in changes
    assert not [c for c in changes if c["metric"] == "calls_made"]


def merged() -> World:
    s = Story("merged", "19")
    contacts = [
        {"key": "merged-cora", "name": "Cora", "phones": [s.number("cora")], "created_at": "2025-06-01T00:00:00Z"},
        {"key": "merged-again", "name": "Cora", "phones": [s.number("again")], "created_at": "2025-06-01T00:00:00Z",
         "merged_into": "merged-cora", "merged_at": "2026-03-20T12:00:00Z"},
    ]  # fmt: skip
    calls = [
        s.call("D1", "2026-03-16T14:00:00Z", 90),
        s.call("D2", "2026-03-16T15:00:00Z", 90, number=s.number("again")),
    ]
    return s.told(contacts=contacts, calls=calls)


def test_merged_contacts_are_one_contact(two_nights: tuple[Mapping[str, Row], Pipeline]) -> None:
    """0.4. Two records of Cora's, called on one day: two conversations. On the 20th they are merged: they were one contact all along, so
    that day has one conversation, although the number of the merged record is now in no record of the CRM."""
    before, pipeline = two_nights
    expect(before["merged-ann"], calls_made=2, conversations=2, conversations_new=2)
    expect(pipeline.day("merged-ann@acme.com", "2026-03-16"), calls_made=2, conversations=1, conversations_new=1)
