"""Worked examples of responses, ours and theirs: small stories, the arithmetic by hand, and what the tables must say.

All happen in one company, to people of their own: each story has an Ann, a Bob, and contacts C1 to C7.
Ann lives in New York (UTC-5, UTC-4 from 2026-03-08), Bob in Tokyo (UTC+9). 2026-03-02 is a Monday.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.pipeline import Pipeline, serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
FIRST = date(2026, 3, 1)
World = dict[str, Any]

ANN = {"key": "ann", "name": "Ann", "email": "ann@acme.com", "timezone": "America/New_York", "team": "T1"}
BOB = {"key": "bob", "name": "Bob", "email": "bob@acme.com", "timezone": "Asia/Tokyo", "team": "T1"}


def number(contact: int) -> str:
    return f"+44207183875{contact}"


def world(**parts: Any) -> World:
    return {
        "company": {
            "now": "2026-03-20T06:00:00Z", "reporting_timezone": "UTC", "reporting_currency": "EUR", "internal_domains": ["acme.com"],
            "systems": {"crm": "hubspot", "dialer": "cloudtalk", "mail": "gmail"},
        },
        "teams": [{"key": "T1", "name": "One"}],
        "reps": [ANN, BOB],
        "accounts": [{"key": "A1", "name": "Cust", "domain": "cust.com"}],
        "contacts": [
            {"key": f"C{n}", "name": f"Contact {n}", "emails": [f"c{n}@cust.com"], "phones": [number(n)], "account": "A1",
             "created_at": "2025-06-01T00:00:00Z"}
            for n in range(1, 8)
        ],
        **parts,
    }  # fmt: skip


def call(key: str, at: str, contact: int, talk: int | None = None, rep: str = "ann", **more: Any) -> World:
    """A call to a contact in March 2026, "03-02T15:00:00"; talk None: nobody answered. Rings 10 s, unanswered 30 s."""
    start = datetime.fromisoformat(f"2026-{at}Z").timestamp()

    def iso(stamp: float) -> str:
        return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    inbound = more.get("direction") == "inbound"
    return {
        "key": key, "rep": rep, "direction": "outbound", "number": number(contact), "started_at": iso(start),
        "answered_at": None if talk is None else iso(start + 10), "ended_at": iso(start + (30 if talk is None else 10 + talk)),
        "result": ("missed" if inbound else "no_answer") if talk is None else "answered", **more,
    }  # fmt: skip


def mail(key: str, at: str, contact: int, rep: str = "ann", **more: Any) -> World:
    """A mail of ours to a contact."""
    return {
        "key": key, "rep": rep, "direction": "outbound", "from": f"{rep}@acme.com", "to": [f"c{contact}@cust.com"],
        "sent_at": f"2026-{at}Z", "message_id": f"<{key}@mail.example>", "kind": "one_to_one", **more,
    }  # fmt: skip


def answer(key: str, at: str, contact: int, to: str | None = None, rep: str = "ann", **more: Any) -> World:
    """A mail of a contact's to us, in answer to the mail `to` if any."""
    return {
        "key": key, "rep": rep, "direction": "inbound", "from": f"c{contact}@cust.com", "to": [f"{rep}@acme.com"],
        "sent_at": f"2026-{at}Z", "message_id": f"<{key}@mail.example>", "in_reply_to": to and f"<{to}@mail.example>",
        "kind": "one_to_one", **more,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Story:
    """An Ann, a Bob and seven contacts of one test. line: two digits that only this story's numbers have."""

    name: str
    line: str

    def number(self, contact: int) -> str:
        return f"+44207183{self.line}5{contact}"

    def email(self, who: str | int) -> str:
        return f"c{who}@{self.name}.com" if isinstance(who, int) else f"{self.name}-{who}@acme.com"

    def rep(self, rep: World, **more: Any) -> World:
        return {**rep, "key": f"{self.name}-{rep['key']}", "email": self.email(rep["key"]), **more}

    def contact(self, n: int, **more: Any) -> World:
        return {"key": f"{self.name}-C{n}", "name": f"Contact {n}", "emails": [self.email(n)], "phones": [self.number(n)],
                "account": self.name, "created_at": "2025-06-01T00:00:00Z", **more}  # fmt: skip

    def call(self, key: str, at: str, contact: int, talk: int | None = None, rep: str = "ann", **more: Any) -> World:
        """As call()."""
        own = {"rep": f"{self.name}-{rep}", "number": self.number(contact)}
        return {**call(f"{self.name}-{key}", at, contact, talk, **more), **own}

    def mail(self, key: str, at: str, contact: int, rep: str = "ann", **more: Any) -> World:
        """As mail()."""
        own = {"rep": f"{self.name}-{rep}", "from": self.email(rep), "to": [self.email(contact)]}
        return {**mail(f"{self.name}-{key}", at, contact, **more), **own}

    def answer(self, key: str, at: str, contact: int, to: str | None = None, rep: str = "ann", **more: Any) -> World:
        """As answer()."""
        own = {"rep": f"{self.name}-{rep}", "from": self.email(contact), "to": [self.email(rep)]}
        return {**answer(f"{self.name}-{key}", at, contact, to and f"{self.name}-{to}", **more), **own}

    def told(self, **parts: list[World]) -> World:
        """The people and what happened; parts: lists of a world."""
        return {
            "reps": [self.rep(ANN), self.rep(BOB)],
            "accounts": [{"key": self.name, "name": f"Cust {self.name}", "domain": f"{self.name}.com"}],
            "contacts": [self.contact(n) for n in range(1, 8)],
            **parts,
        }


def company(*stories: World) -> World:
    """The world in which all these stories happen."""
    lists: dict[str, list[World]] = defaultdict(list)
    for story in stories:
        for name, things in story.items():
            lists[name] += things
    return world(**lists)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with serving(company(touched(), asked(), missed(), logged()), tmp_path_factory.mktemp("company")) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST)
        yield pipeline


def table(pipeline: Pipeline, mart: str, columns: str, where: str = "true", story: str = "") -> set[tuple[Any, ...]]:
    """Rows of a mart as (name of the rep, columns …), dates as text; all, or all but those of the reps of other stories."""
    name = "(select min(d.name) from core.dim_rep as d where d.rep_id = t.rep_id)"
    whose = f"rep_id not in (select rep_id from core.dim_rep where email not like '{story}-%')" if story else "true"
    rows = pipeline.con.execute(f"select {name}, {columns} from marts.{mart} as t where {where} and {whose}").fetchall()
    found = [tuple(v.isoformat() if isinstance(v, date) else v for v in row) for row in rows]
    assert len(found) == len(set(found))
    return set(found)


def touched() -> World:
    s = Story("touched", "40")
    return s.told(
        mails=[
            s.mail("m1", "03-02T15:00:00", 1),
            s.answer("r1", "03-16T15:00:00", 1, "m1"),
            s.mail("m2", "03-03T15:00:00", 2),
            s.mail("m3", "03-02T15:10:00", 3),
            s.mail("m4", "03-02T15:20:00", 4),
            s.answer("o4", "03-02T15:21:00", 4, "m4", kind="auto_reply"),
            s.mail("m5", "03-03T15:00:00", 5),
        ],
        calls=[
            s.call("d1", "03-02T16:00:00", 1),
            s.call("d2", "03-02T23:00:00", 2, 90, rep="bob"),
            s.call("b2", "03-16T23:00:01", 2, 90, direction="inbound"),
            s.call("d3", "03-04T16:00:00", 3, 45),
            s.call("b5", "03-02T16:00:00", 5, 90, direction="inbound"),
            s.call("d6", "03-10T15:00:00", 6),
        ],
    )


def test_first_touches_and_who_responded(night: Pipeline) -> None:
    """2, response_rate.
    C1: Ann mails on the 2nd at 15:00Z and calls an hour later: both. C1 writes on the 16th at 15:00Z, exactly 14 days after: responded.
    C2: Bob reaches C2 on the 2nd at 23:00Z, the 3rd in Tokyo: the touch itself is no response, C2's call 14 days and 1 s later too late.
        Ann's mail on the 3rd is not the first touch.
    C3: Ann mails on the 2nd, reaches C3 by telephone on the 4th: responded. C4: only an automatic reply.
    C5 called on the 2nd, Ann mails on the 3rd: what came before is no response. C6: called on the 10th, one day after which the window ends
    on the 24th, not over on the 20th.
    Ann, 2nd: both 1 of 1; email C3, C4: 1 of 2. 3rd: Bob call 0 of 1, Ann email C5 0 of 1. 10th: Ann call 0 of 1."""
    columns = "first_touch_date, channel, contacts_touched, responded_14d, matures_on, is_mature, is_complete"
    assert table(night, "cohort_first_touch_response", columns, story="touched") == {
        ("Ann", "2026-03-02", "both", 1, 1, "2026-03-16", True, True),
        ("Ann", "2026-03-02", "email", 2, 1, "2026-03-16", True, True),
        ("Bob", "2026-03-03", "call", 1, 0, "2026-03-17", True, True),
        ("Ann", "2026-03-03", "email", 1, 0, "2026-03-17", True, True),
        ("Ann", "2026-03-10", "call", 1, 0, "2026-03-24", False, True),
    }


def asked() -> World:
    s = Story("asked", "41")
    return s.told(
        availability=[{"rep": "asked-ann", "date": "2026-03-05", "working_fraction": 0, "leave_type": "leave"}],
        mails=[
            s.answer("r1", "03-04T21:50:00", 1),
            s.answer("r1b", "03-04T22:50:00", 1, "r1"),
            s.mail("a1", "03-06T14:20:00", 1, in_reply_to="<asked-r1@mail.example>"),
            s.answer("r2", "03-04T15:00:00", 2),
            s.mail("s2", "03-04T15:02:00", 2, in_reply_to="<asked-r2@mail.example>", kind="sequence",
                   sequencer={"system": "hubspot", "step": 1}),
            s.mail("a2", "03-04T15:07:00", 2, in_reply_to="<asked-r2@mail.example>"),
            s.answer("r4", "03-04T23:00:00", 4),
            s.mail("a4", "03-07T15:00:00", 4, in_reply_to="<asked-r4@mail.example>"),
            s.answer("r5", "03-04T15:30:00", 5),
            s.mail("b5", "03-04T16:00:00", 5, rep="bob", in_reply_to="<asked-r5@mail.example>"),
            s.mail("a5", "03-18T15:30:01", 5, in_reply_to="<asked-r5@mail.example>"),
        ],
        calls=[
            s.call("d3", "03-04T16:00:00", 3, direction="inbound"),
            s.call("c3", "03-04T16:15:00", 3),
        ],
    )  # fmt: skip


def test_first_response_in_business_minutes(night: Pipeline) -> None:
    """2, first_response_minutes; 9 to 17 in New York, UTC-5: 14Z to 22Z. On Thursday the 5th Ann is away.
    r1 Wed 4th 21:50Z, answered Fri 6th 14:20Z: 10 min on Wednesday, none on Thursday, 20 min on Friday = 30. r1b asks nothing new.
    r2 Wed 4th 15:00Z, answered 15:07Z: 7. s2, a step of a sequence at 15:02Z, is no answer by hand: none within 5.
    d3 missed Wed 4th 16:00Z; Ann calls at 16:15Z, nobody answers: still her answer, 15.
    r4 Wed 4th 23:00Z (18:00), answered Sat 7th 15:00Z: Thursday away, Friday whole = 480.
    r5 Wed 4th 15:30Z: Bob's answer is none of Ann's; hers comes on the 18th at 15:30:01Z, 14 days and 1 s later: unanswered.
    Items 5, answered 4 {7, 15, 30, 480}; within 5: 0, 15: 2, 60: 3; p50 = (15 + 30) / 2 = 22.5; p95 = rank 0.95 * 3 = 2.85:
    30 + 0.85 * 450 = 412.5."""
    columns = (
        "items, items_answered, answered_within_5m, answered_within_15m, answered_within_60m, "
        "first_response_minutes_p50, round(first_response_minutes_p95, 9), matures_on, is_mature"
    )
    assert table(night, "daily_response_time", columns, "items > 0", story="asked") == {
        ("Ann", 5, 4, 0, 2, 3, 22.5, 412.5, "2026-03-18", True)
    }


def missed() -> World:
    s = Story("missed", "42")
    return s.told(
        calls=[
            s.call("d1", "03-04T15:00:00", 1, direction="inbound"),
            s.call("c1", "03-04T16:00:00", 1, rep="bob"),
            s.call("d2", "03-04T13:59:00", 2, direction="inbound"),
            s.call("e2", "03-04T14:05:00", 2, 90, direction="inbound"),
            s.call("d3", "03-04T16:00:00", 3, direction="inbound"),
            s.call("c3", "03-04T17:00:01", 3),
        ]
    )


def test_missed_calls_are_called_back_by_anybody(night: Pipeline) -> None:
    """2h. Wednesday the 4th, New York 9 to 17 = 14Z to 22Z. d1 missed at 15:00Z, Bob calls at 16:00:00Z, 60 min later: called back, but
    no answer of Ann's. d2 missed at 13:59Z, before business: C2 calls again at 14:05Z and Ann takes it: her answer, 5 business minutes, no
    call back.
    d3 missed at 16:00Z, Ann calls at 17:00:01Z: too late for a call back, 60 min and 1 s for the answer. Missed 3, in hours 2, back 1.
    Nothing happened on the 3rd: zeros, and no median."""
    columns = (
        "activity_date, calls_inbound_missed, calls_inbound_missed_in_hours, callback_within_60m, items, items_answered, "
        "answered_within_5m, answered_within_60m, first_response_minutes_p50 is null"
    )
    wanted = "activity_date in ('2026-03-03', '2026-03-04') and rep_id in (select rep_id from core.dim_rep where name = 'Ann')"
    assert table(night, "daily_response_time", columns, wanted, story="missed") == {
        ("Ann", "2026-03-03", 0, 0, 0, 0, 0, 0, 0, True),
        ("Ann", "2026-03-04", 3, 2, 1, 3, 2, 1, 1, False),
    }


def logged() -> World:
    s = Story("logged", "43")
    return s.told(
        calls=[
            s.call("d1", "03-04T15:00:00", 1, 90, crm={"logged_at": "2026-03-04T15:11:40Z", "external_id": True, "duration_seconds": 90}),
            s.call("d2", "03-04T16:00:00", 2, 90, crm={"logged_at": "2026-03-04T16:41:40Z", "external_id": True, "duration_seconds": 90}),
            s.call("d3", "03-04T17:00:00", 3, 90),
            s.call("d4", "03-04T17:30:00", 3, crm={"logged_at": "2026-03-04T19:00:00Z", "external_id": True}),
            s.call("d5", "03-04T02:00:00", 4, 90, rep="bob",
                 crm={"logged_at": "2026-03-05T02:01:40Z", "external_id": True, "duration_seconds": 90, "logged_by": "logged-bob"}),
        ],
        meetings=[
            {"key": "w1", "rep": "logged-ann", "host": "logged-ann", "contacts": ["logged-C5"], "booked_at": "2026-03-03T16:00:00Z",
             "start_at": "2026-03-04T18:00:00Z", "end_at": "2026-03-04T18:30:00Z", "outcome": "held"},
        ],
    )  # fmt: skip


def test_log_lag_of_reps_and_of_the_organisation(night: Pipeline) -> None:
    """1f. Wednesday the 4th. Ann, ends to log: d1 ends 15:01:40Z (10 s of ringing, 90 s of talk), logged 15:11:40Z = 10 min; d2 ends 16:01:40Z,
    logged 16:41:40Z = 40; w1, a held meeting that ends 18:30Z, was entered the day before = 0, not -1,590; d3 never logged, d4 reached
    nobody: not loggable. {0, 10, 40}: p50 10, p90 = rank 1.8: 10 + 0.8 * 30 = 34. Bob: d5 ends 02:01:40Z, logged a day later: 1,440.
    Both: {0, 10, 40, 1440}: p50 (10 + 40) / 2 = 25, p90 = rank 2.7: 40 + 0.7 * 1400 = 1020; the mean of the reps' p50 would be 725.
    Nobody else logs anything that day."""
    columns = "logged_items, log_lag_minutes_p50, round(log_lag_minutes_p90, 9)"
    assert table(night, "daily_log_lag", columns, "activity_date = '2026-03-04'", story="logged") == {
        ("Ann", 3, 10.0, 34.0),
        ("Bob", 1, 1440.0, 1440.0),
    }
    org = night.con.execute(
        f"select {columns} from marts.daily_org_log_lag where activity_date = '2026-03-04'"
    ).fetchall()
    assert org == [(4, 25.0, 1020.0)]
    assert night.day("logged-ann@acme.com", "2026-03-04")["loggable_activities"] == 4
