"""What staging makes of Salesloft's records: parts of one call, tasks that a mail or call has completed, offsets, ids that are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .conftest import Row, Stage

AT = datetime(2026, 3, 18, 14, 0, tzinfo=UTC)


def call(number: int, **more: object) -> Row:
    """A logged call."""
    return {
        "id": number,
        "created_at": "2026-03-18T10:05:00.000000-04:00",
        "to": "+44 20 7183 8750",
        "duration": 240,
        "user": {"id": 7},
    } | more


def record(number: int, **more: object) -> Row:
    """A call as the telephone had it, two minutes and a half of which were talk."""
    return {"id": number, "created_at": "2026-03-18T14:04:00Z", "started_at": "2026-03-18T14:00:00Z", "ended_at": "2026-03-18T14:04:00Z",
            "direction": "outbound", "from": "+12125550001", "to": "+442071838750", "status": "completed", "duration": 150,
            "call_type": "call", "user": {"id": 7}} | more  # fmt: skip


def calls(stage: Stage, logged: list[Row], dialled: list[Row]) -> dict[str, Row]:
    rows = stage("stg_seq_call__salesloft", salesloft_seq_call=logged, salesloft_seq_call_record=dialled)
    assert len(rows) == len({row["call_id"] for row in rows})
    return {row["call_id"]: row for row in rows}


def test_a_call_its_log_and_its_legs_are_one(stage: Stage) -> None:
    """A leg to a colleague has the same call_uuid; the log says what came of it, the telephone when and how long."""
    leg = record(12, call_uuid="u1", call_type="bridge", started_at="2026-03-18T13:59:00Z", call={"id": 1})
    found = calls(
        stage,
        [call(1, disposition="Connected")],
        [
            record(11, call_uuid="u1", call={"id": 1}),
            leg,
            record(13, call_uuid="u2"),
            record(14, call_uuid="u2", call_type="bridge"),
            record(15),
        ],
    )
    assert set(found) == {"log/1", "call/u2", "call/15"}
    one = found["log/1"]
    assert (one["started_at"], one["ended_at"], one["talk_s"]) == (AT, AT + timedelta(minutes=4), 150.0)
    assert one["answered_at"] == AT + timedelta(seconds=90)
    assert (one["result"], one["disposition_label"], one["direction"]) == ("answered", "connected", "outbound")
    assert (one["counterpart_number"], one["own_number"]) == ("442071838750", "12125550001")


def test_what_was_only_logged_ended_when_it_was_logged(stage: Stage) -> None:
    found = calls(
        stage,
        [
            call(1, connected=True),
            call(2, duration=0, disposition="No Answer"),
            call(3, duration=30, disposition="Left Voicemail"),
            call(4, duration=0, disposition="Busy"),
            call(5, sentiment="Demo Scheduled"),
            call(6, connected=False, disposition="Wrong Number"),
        ],
        [],
    )
    assert (found["log/1"]["started_at"], found["log/1"]["talk_s"]) == (AT + timedelta(minutes=1), 240.0)
    assert [found[f"log/{n}"]["result"] for n in range(1, 7)] == [
        "answered", "no_answer", "voicemail", "busy", "answered", "no_answer",
    ]  # fmt: skip
    assert [found[f"log/{n}"]["disposition_label"] for n in range(1, 7)] == [
        None,
        None,
        None,
        None,
        "demo scheduled",
        "wrong number",
    ]
    assert found["log/1"]["own_number"] is None


def test_a_part_that_was_deleted_leaves_the_other(stage: Stage) -> None:
    both = calls(stage, [call(1, disposition="Wrong Number", archived=True)], [record(11, call={"id": 1})])["log/1"]
    assert (both["is_deleted"], both["disposition_label"], both["result"]) == (False, None, "answered")
    alone = calls(stage, [call(1, disposition="Wrong Number")], [record(11, call={"id": 1}, archived=True)])["log/1"]
    assert (alone["is_deleted"], alone["started_at"]) == (False, AT + timedelta(minutes=1))
    gone = calls(stage, [call(1, archived=True)], [record(11, call={"id": 1}, archived=True)])["log/1"]
    assert gone["is_deleted"]


def test_how_a_call_ended_and_what_cannot_be_read(stage: Stage) -> None:
    dialled = [
        record(1, status="no-answer", duration=0),
        record(2, status="busy", duration=0),
        record(3, status="canceled", duration=0),
        record(4, direction="inbound", status="no-answer", duration=0),
        record(5, direction="sideways"),
        record(6, started_at="soon"),
        record(7, duration="long"),
    ]
    found = calls(stage, [], dialled)
    assert [found[f"call/{n}"]["result"] for n in range(1, 5)] == ["no_answer", "busy", "cancelled", "missed"]
    assert found["call/4"]["counterpart_number"] == "12125550001"
    assert [found[f"call/{n}"]["unreadable_reason"] for n in range(5, 8)] == [
        "direction is not outbound or inbound: sideways",
        "started_at is no time: soon",
        "duration is no number: long",
    ]


def mail(number: int, **more: object) -> Row:
    return {"id": number, "sent_at": "2026-03-18T10:00:00.000000-04:00", "status": "sent", "bounced": False, "user": {"id": 7},
            "recipient_email_address": "Cora@Cust.com"} | more  # fmt: skip


def test_a_mail_is_of_a_cadence_or_one_off_and_its_id_may_be_none(stage: Stage) -> None:
    answers = [
        {"id": f"email_reply-{n}", "occurred_at": at, "static_data": {"email_id": 1}}
        for n, at in enumerate(("2026-03-19T09:00:00Z", "2026-03-18T15:00:00Z"))
    ]
    rows = stage(
        "stg_seq_send__salesloft",
        salesloft_seq_send=[
            mail(
                1,
                cadence={"id": 5},
                message_id="AbC@Mail.ACME.com",
                headers={"cc": '"Ray, Bob" <Bob@ACME.com>, a@x.com'},
            ),
            mail(2, message_id="17aa90f1c2", headers={"bcc": ["log@crm.com"]}, bounced=True),
            mail(3, status="failed"),
            mail(4, status="sent_from_external", sent_at="yesterday"),
        ],
        salesloft_seq_reply=[
            *answers,
            {
                "id": "email_reply-9",
                "occurred_at": "2026-03-18T14:30:00Z",
                "static_data": {"email_id": 1},
                "archived": True,
            },
        ],
        salesloft_seq_user=[{"id": 7, "email": "ann@login.example", "sending_email_address": "Ann@acme.com"}],
    )
    first, second, third = sorted(rows, key=lambda row: row["send_id"])
    assert (first["send_kind"], first["sent_at"], first["from_address"], first["to_addresses"]) == (
        "sequence",
        AT,
        "ann@acme.com",
        ["cora@cust.com"],
    )
    assert (first["message_id"], first["cc_addresses"]) == ("AbC@mail.acme.com", ["bob@acme.com", "a@x.com"])
    assert first["replied_at"] == AT + timedelta(hours=1), "the first answer that still stands"
    assert (second["send_kind"], second["message_id"], second["bcc_addresses"], second["bounced_at"]) == (
        "one_to_one",
        None,
        ["log@crm.com"],
        AT,
    )
    assert third["unreadable_reason"] == "sent_at cannot be read: yesterday"


def test_what_completes_a_task_is_counted_once_and_who_is_added_again_twice(stage: Stage) -> None:
    done = {"current_state": "completed", "completed_at": "2026-03-18T10:00:00.000000-04:00", "user": {"id": 7}}
    member = {"created_at": "2026-03-01T10:00:00Z", "added_at": "2026-03-01T10:00:00.25Z", "user": {"id": 7}}
    rows = stage(
        "stg_tool_action__salesloft",
        salesloft_seq_send=[mail(1, task={"id": 21})],
        salesloft_seq_call=[call(1, task={"id": 22})],
        salesloft_seq_call_record=[
            record(11, call={"id": 1}, user={"id": 8}),
            record(12, direction="inbound", user=None),
        ],
        salesloft_seq_task=[{"id": 21, **done}, {"id": 22, **done}, {"id": 23, **done, "completed_by": {"id": 9}}],
        salesloft_seq_state=[
            {"id": 31, **member},
            {"id": 32, **member, "added_at": "2026-03-10T10:00:00Z"},
            {"id": 33, "added_at": "2026-03-10T10:00:00Z"},
        ],
    )
    assert {(row["record_id"], row["action"], row["user_id"]) for row in rows} == {
        ("mail/1", "mail", "7"), ("log/1", "call", "8"), ("task/23", "task", "9"),
        ("enrol/31", "enrol", "7"), ("enrol/32", "enrol", "7"), ("enrol_again/32", "enrol", "7"),
    }  # fmt: skip
    assert not any(row["unreadable_reason"] for row in rows)
