"""Mails, calls and use through a sequencer beside mailbox, dialer and CRM (METRICS 0.5, 2, 3, 5a): every number worked out by hand.

Ann has a mailbox and a dialer; Bob has Outreach alone. All is on Tuesday, March 17th, UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from sandbox.truth import METRICS, truth
from sandbox.world import parse
from tests.pipeline import Pipeline, Row, serving

NOW = datetime(2026, 3, 18, 6, tzinfo=UTC)
DAY = "2026-03-17"
STEP, BY_HAND = {"system": "outreach", "step": 2}, {"system": "outreach", "step": None}


def at(clock: str) -> str:
    return f"{DAY}T{clock}:00Z"


def mail(key: str, rep: str, clock: str, to: str, **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "rep": rep,
        "from": f"{rep}@acme.com",
        "to": [to],
        "sent_at": at(clock),
        "message_id": f"<{key}@mail.Acme.com>",
    } | more


def call(key: str, rep: str, clock: str, minutes: int, **more: Any) -> dict[str, Any]:
    hour, minute = clock.split(":")
    end = f"{hour}:{int(minute) + minutes:02}"
    return {
        "key": key, "rep": rep, "number": "+442071838750", "started_at": at(clock), "answered_at": at(clock), "ended_at": at(end),
        "result": "answered", **more,
    }  # fmt: skip


WORLD: dict[str, Any] = {
    "company": {
        "now": "2026-03-18T06:00:00Z",
        "internal_domains": ["acme.com"],
        "systems": {"crm": "hubspot", "dialer": "cloudtalk", "mail": "gmail", "sequencer": "outreach"},
        "tools": [
            {"name": "linkedin", "evidence": ["outreach"]},
            {"name": "Outreach", "price_per_seat": "62.00", "evidence": ["outreach"], "seats": "outreach"},
        ],
    },
    "reps": [
        {"key": "ann", "email": "ann@acme.com"},
        {"key": "bob", "email": "bob@acme.com", "seats": ["sequencer"]},
        {"key": "cem", "email": "cem@acme.com", "seats": ["crm", "sequencer"]},
        {"key": "dan", "email": "dan@acme.com", "seats": ["crm"]},
    ],
    "seats": [{"rep": r, "tool": "Outreach", "from": "2026-03-01"} for r in ("ann", "bob", "cem")]
    + [{"rep": "dan", "tool": "Outreach", "from": "2026-03-01", "to": "2026-03-16"}],
    "logins": [{"rep": "cem", "system": "sequencer", "at": at("09:00")}],
    "contacts": [{"key": "C1", "emails": ["cora@cust.com"], "phones": ["+442071838750"]}],
    "mails": [
        # Of a sequence: in Outreach and in the mailbox one mail; in Outreach alone; in Outreach and logged in the CRM.
        mail("both", "ann", "08:00", "cora@cust.com", kind="sequence", sequencer=STEP),
        mail("alone", "ann", "08:05", "dora@cust.com", kind="sequence", sequencer=STEP, mailboxes=[]),
        mail("logged", "ann", "08:10", "emma@cust.com", kind="sequence", sequencer=STEP, mailboxes=[],
             crm={"logged_at": at("08:11"), "message_id": False}),
        # By hand in Outreach, without a Message-ID: mailbox and CRM have it too.
        mail("hand", "ann", "08:20", "fay@cust.com", message_id=None, sequencer=BY_HAND, crm={"logged_at": at("08:21"), "message_id": False}),
        # By hand, and not in Outreach.
        mail("own", "ann", "08:30", "gina@cust.com"),
        # It bounced, as Outreach alone can tell.
        mail("lost", "ann", "08:40", "nobody@cust.com", kind="sequence", sequencer=STEP, mailboxes=[]),
        {"key": "dsn", "rep": "ann", "direction": "inbound", "kind": "bounce", "from": "daemon@cust.com", "to": ["ann@acme.com"],
         "sent_at": at("08:41"), "in_reply_to": "<lost@mail.Acme.com>", "mailboxes": []},
        # An answer that reached Ann's mailbox: Outreach tells of it too, and it is one.
        {"key": "re", "rep": "ann", "direction": "inbound", "from": "dora@cust.com", "to": ["ann@acme.com"], "sent_at": at("10:00"),
         "message_id": "<re@cust.com>", "in_reply_to": "<alone@mail.Acme.com>", "references": ["<alone@mail.Acme.com>"]},
        # Bob has no mailbox: what Outreach tells of his mails is all there is.
        mail("bobs", "bob", "09:00", "hana@cust.com", kind="sequence", sequencer=STEP, mailboxes=[]),
        {"key": "re2", "rep": "bob", "direction": "inbound", "from": "hana@cust.com", "to": ["bob@acme.com"], "sent_at": at("11:00"),
         "message_id": "<re2@cust.com>", "in_reply_to": "<bobs@mail.Acme.com>", "mailboxes": []},
    ],
    "calls": [
        call("d1", "ann", "12:00", 2, sequencer={"external_id": True}),  # by the dialer's id
        call("d2", "ann", "13:00", 2, sequencer={"timestamp": at("13:01")}),  # by who, whom and when
        call("s1", "ann", "14:00", 2, dialer=None, sequencer={}, crm={"logged_at": at("14:03"), "duration_seconds": 120}),
        call("s2", "bob", "15:00", 2, dialer=None, sequencer={}),
        {"key": "s3", "rep": "bob", "number": "+442071838750", "started_at": at("16:00"), "ended_at": at("16:01"), "result": "busy",
         "dialer": None, "sequencer": {}},
    ],
    "tasks": [{"key": "K", "rep": "bob", "type": "linkedin", "status": "completed", "completed_at": at("17:00"), "crm": None}],
}  # fmt: skip


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with serving(parse(WORLD), tmp_path_factory.mktemp("sequencer")) as (pipeline, _):
        pipeline.nightly(NOW, first=date(2026, 3, 16))
        yield pipeline


def numbers(night: Pipeline, rep: str, *names: str) -> list[Any]:
    row = night.day(f"{rep}@acme.com", DAY)
    return [row[name] for name in names]


def test_a_mail_counts_once_wherever_it_lies_and_outreach_says_whether_a_sequence_sent_it(night: Pipeline) -> None:
    sent = (
        "emails_sent",
        "emails_sent_sequence",
        "emails_sent_one_to_one",
        "emails_bounced",
        "emails_delivered",
        "replies_received",
    )
    assert numbers(night, "ann", *sent) == [6, 4, 2, 1, 5, 1]
    assert numbers(night, "bob", *sent) == [1, 1, 0, 0, 1, 1]
    assert numbers(night, "cem", "emails_sent", "email_status") == [0, "complete"]
    assert (
        numbers(night, "ann", "conversation_contacts_email")
        == numbers(night, "bob", "conversation_contacts_email")
        == [1]
    )


def test_a_call_counts_once_and_one_that_no_dialer_has_counts_too(night: Pipeline) -> None:
    made = ("calls_made", "calls_connected", "calls_busy", "talk_seconds")
    assert numbers(night, "ann", *made) == [3, 3, 0, 360]
    assert numbers(night, "bob", *made) == [2, 1, 1, 120]


def test_steps_and_enrolments_are_use_and_a_sign_in_is_not(night: Pipeline) -> None:
    """Ann: five mails, four of which enrolled somebody, and three calls; Bob: a mail, an enrolment, two calls, a task."""
    rows = {
        (row["email"][:3], row["tool"]): row
        for row in night.rows(
            "select u.*, r.email from marts.daily_tool_usage as u inner join core.dim_rep as r on u.rep_id = r.rep_id and r.is_current "
            f"where u.activity_date = '{DAY}'"
        )
    }

    def told(rep: str, tool: str) -> list[Any]:
        row: Row = rows[rep, tool]
        return [row["is_active"], row["actions"], row["evidence"], row["has_seat"], row["seat_cost_amount"]]

    assert told("ann", "outreach") == [True, 5 + 4 + 3, "action", True, Decimal("2.0000")]
    assert told("bob", "outreach") == [True, 1 + 1 + 2 + 1, "action", True, Decimal("2.0000")]
    assert told("bob", "linkedin") == [True, 1, "action", False, None]
    assert told("cem", "outreach") == [False, 0, None, True, Decimal("2.0000")], (
        "to sign in is no use of what shows what is done"
    )
    assert ("dan", "outreach") not in rows, "locked since the day before"
    assert ("ann", "sequencer") not in rows, "the tool of the settings takes all of it"


def test_the_sandbox_agrees(night: Pipeline) -> None:
    told = truth(parse(WORLD), NOW)
    wrong = [
        (email, metric, value)
        for (email, day), values in told.items()
        if str(day) == DAY
        for metric, value in values.items()
        if metric in METRICS and night.day(email, DAY)[metric] not in (value, None)
    ]
    assert not wrong
