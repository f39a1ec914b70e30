"""Guardrails (METRICS 3): mail pressure and suspicious calls through the whole pipeline; the statistics over core tables with round numbers."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.golden.test_worked_examples import FIRST, NOW, Story, World, company
from tests.pipeline import Pipeline, serving
from transforms import inputs, model
from transforms.parameters import Parameters
from transforms.warehouse import insert, open_warehouse


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The company in which all that is read happens, each story to people of its own."""
    with serving(company(pressed(), suspicious(), parts()), tmp_path_factory.mktemp("company")) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST)
        yield pipeline


def pressure(pipeline: Pipeline, address: str) -> dict[str, tuple[object, ...]]:
    """day of March -> mails, mails_7d, reps_7d, reps_24h, unanswered_streak, over_limit, streak_over_limit, several_reps_24h."""
    rows = pipeline.con.execute(
        "select strftime(activity_date, '%d'), mails, mails_7d, reps_7d, reps_24h, unanswered_streak, over_limit, streak_over_limit, "
        "several_reps_24h from marts.guard_email_pressure where contact_key = published_key("
        "(select contact_key from core.contact_address where address = ?)) order by 1",
        [address],
    ).fetchall()
    return {row[0]: row[1:] for row in rows}


def pressed() -> World:
    """Nobody else gets mails."""
    s = Story("pressed", "30")
    dan = s.email("dan")
    return s.told(mails=[
        s.mail("m1", "2026-03-02T14:00:00Z"), s.mail("m2", "2026-03-04T14:00:00Z"), s.mail("m3", "2026-03-04T15:00:00Z"),
        s.mail("m4", "2026-03-06T14:00:00Z"), s.mail("m5", "2026-03-08T14:00:00Z"), s.answer("r1", "2026-03-08T16:00:00Z", "m5"),
        s.mail("m6", "2026-03-09T14:00:00Z"), s.mail("b1", "2026-03-10T01:00:00Z", rep="pressed-bob", **{"from": s.email("bob")}),
        *(s.mail(f"n{d}", f"2026-03-{d:02}T17:00:00Z", to=[dan]) for d in (2, 5, 8, 11, 14, 17)),
        s.answer("o1", "2026-03-12T16:00:00Z", "n11", kind="auto_reply", **{"from": dan}),
        s.answer("x1", "2026-03-17T17:01:00Z", "n17", kind="bounce", failed_recipients=[dan], status="5.1.1",
                 **{"from": "mailer-daemon@googlemail.com"}),
        s.mail("bulk", "2026-03-16T16:20:00Z", kind="bulk"),
    ])  # fmt: skip


def test_mail_pressure_counts_what_a_contact_gets_from_everybody(night: Pipeline) -> None:
    """Cora: one mail on the 2nd, two on the 4th, one on the 6th, the 8th and the 9th by Ann, one by Bob on the 10th at 01:00Z, his morning.
    7 days to the 6th: 1 + 2 + 1 = 4, not over 4. To the 8th: 2nd to 8th = 5, over. To the 9th: 3rd to 9th = 2 + 1 + 1 + 1 = 5. To the 10th:
    4th to 10th = 6 by two reps, eleven hours apart. She answers on the 8th, after five mails: the mail of the 9th is the first again.
    Dan: six mails three days apart, never more than three in 7 days; the automatic answer of the 12th is none: the 17th ends a streak of six.
    "Outbound mails (all kinds)": the bulk mail that Cora gets on the 16th presses too: b1 of the 10th and it, by two reps; the third
    since her answer."""
    cora, dan = pressure(night, "cora@pressed.com"), pressure(night, "dan@pressed.com")
    assert cora == {
        "02": (1, 1, 1, 1, 1, False, False, False),
        "04": (2, 3, 1, 1, 3, False, False, False),
        "06": (1, 4, 1, 1, 4, False, False, False),
        "08": (1, 5, 1, 1, 5, True, False, False),
        "09": (1, 5, 1, 1, 1, True, False, False),
        "10": (1, 6, 2, 2, 2, True, False, True),
        "16": (1, 2, 2, 1, 3, False, False, False),
    }
    assert [(row[1], row[4]) for row in dan.values()] == [(1, 1), (2, 2), (3, 3), (3, 4), (3, 5), (3, 6)]
    assert dan["17"][5:] == (False, True, False)

    # Charged to who wrote that day. Ann on the 8th: m5 and n8 to two contacts, of whom Cora is over. Bob on the 10th: b1.
    # Bounces to the 17th: n11, n14, n17 sent, n17 failed: 1/3 > 2 %. To the 16th: n11 and n14, for the 10th's is Bob's: 0 of 2.
    charged = {
        (r["email"], str(r["activity_date"])[-2:]): r
        for r in night.rows(
            "select r.email, g.* from marts.guard_rep_pressure as g "
            "inner join (select distinct rep_id, email from core.dim_rep) as r on g.rep_id = r.rep_id"
        )
    }
    names = (
        "emails_sent",
        "mails_to_over_limit_contacts",
        "distinct_contacts_emailed",
        "contacts_over_mail_limit",
        "contacts_flagged",
    )
    told = {key: tuple(row[name] for name in names) for key, row in charged.items()}
    assert told["pressed-ann@acme.com", "08"] == (2, 1, 2, 1, 1)
    assert told["pressed-bob@acme.com", "10"] == (1, 1, 1, 1, 1)
    assert told["pressed-ann@acme.com", "17"] == (1, 0, 1, 0, 1), "flagged for the streak"
    assert told["pressed-ann@acme.com", "18"] == (0, 0, 0, 0, 0)
    bounced = {d: charged["pressed-ann@acme.com", d] for d in ("16", "17")}
    assert [(r["emails_sent_7d"], r["emails_bounced_7d"], r["bounce_signal"]) for r in bounced.values()] == [
        (2, 0, False),
        (3, 1, True),
    ]
    assert bounced["17"]["bounce_rate"] == pytest.approx(1 / 3)

    secret = bytes.fromhex((night.folder / "contact.key").read_text())
    (key,) = night.con.execute(
        "select contact_key from core.contact_address where address = ?", ["dan@pressed.com"]
    ).fetchall()
    with duckdb.connect(str(night.published()), read_only=True) as reader:
        found = reader.execute(
            "select contact_key, crm_record_id, is_flagged, source_status, is_complete from guard_email_pressure where streak_over_limit"
        ).fetchall()
    digest = hmac.new(secret, key[0].encode(), "sha256").hexdigest()[:32]
    assert found == [(digest, key[0].rpartition(":")[2], True, "complete", True)]


def suspicious() -> World:
    s = Story("suspicious", "31")
    dan = s.number("dan")
    logged = {"disposition": "Connected", "duration_seconds": 60}
    return s.told(calls=[
        s.call("D1", "2026-03-16T13:00:00Z", 4), s.call("D2", "2026-03-16T13:10:00Z", 5),
        s.call("D3", "2026-03-16T13:20:00Z", 3, result="voicemail", machine=True),
        *(s.call(f"E{i}", f"2026-03-16T15:{i * 10:02}:00Z", None, number=dan) for i in range(6)),
        s.call("E6", "2026-03-16T16:51:00Z", None, number=dan),
        s.call("L1", "2026-03-16T19:00:00Z", 60, dialer=None, crm={"logged_at": "2026-03-16T21:00:00Z", **logged}),
        s.call("L2", "2026-03-16T18:00:00Z", 60, dialer=None, crm={"logged_at": "2026-03-16T20:59:00Z", **logged}),
        s.call("L3", "2026-03-15T18:00:00Z", 60, dialer=None, crm={"logged_at": "2026-03-16T22:00:00Z", **logged}),
    ])  # fmt: skip


def test_suspicious_calls_are_counted_and_still_count(night: Pipeline) -> None:
    """Ann, in New York (UTC-4). Hung up 4 s after the answer: D1; 5 s is not, a machine is not. Dan's number six times within the hour from
    15:00Z: the fifth and the sixth; a seventh an hour and a minute after the sixth is alone. Logged without a dialer: at 17:00 local (21:00Z)
    one, at 16:59 another, and one of the day before: only the first. Made: 3 + 7 + 2 = 12, and one the day before."""
    (found,) = night.rows(
        "select * from marts.guard_suspicious_activity where activity_date = '2026-03-16' and rep_id in "
        "(select rep_id from core.dim_rep where email = 'suspicious-ann@acme.com')"
    )
    names = ("calls_ended_at_once", "repeated_dials", "calls_logged_only_late", "is_complete")
    assert tuple(found[name] for name in names) == (1, 2, 1, True)
    assert night.day("suspicious-ann@acme.com", "2026-03-16")["calls_made"] == 12


def parts() -> World:
    s = Story("parts", "32")
    return s.told(
        calls=[
            s.call("D1", "2026-03-16T14:00:00Z", 90), s.call("D2", "2026-03-16T16:00:00Z", 80), s.call("D5", "2026-03-16T17:00:00Z", None),
            s.call("D3", "2026-03-16T17:10:00Z", 20, crm={"logged_at": "2026-03-16T17:12:00Z", "external_id": True, "disposition": "Connected"}),
            s.call("D4", "2026-03-16T18:00:00Z", 61, number=s.number("dan"),
                   crm={"logged_at": "2026-03-16T18:05:00Z", "external_id": True, "disposition": "Not interested"}),
        ],
        meetings=[
            {"key": "W1", "rep": "parts-ann", "contacts": ["parts-cora"], "booked_at": "2026-03-16T15:00:00Z", "booked_by": "parts-ann",
             "start_at": "2026-03-19T15:00:00Z", "end_at": "2026-03-19T16:00:00Z", "outcome": "scheduled"},
        ],
    )  # fmt: skip


def test_parts_of_call_quality(night: Pipeline) -> None:
    """Made 5; connected: D1 (90 s), D2 (80 s), D3 (20 s, disposed as connected), D4 (61 s, not interested) = 4; short: D3; negative: D4;
    conversations: D1, D2, D4 = 3. With Cora a meeting is booked after D1 and before D2, with Dan none: with a meeting: D1.
    Else only the Ann of the suspicious calls has any: 1 on the 15th (L3) and 12 on the 16th."""
    whose = "select distinct rep_id, split_part(email, '@', 1) as who from core.dim_rep"
    (found,) = night.rows(
        f"select d.* exclude (rep_id) from core.call_quality_day as d inner join ({whose}) as r on d.rep_id = r.rep_id where who = 'parts-ann'"
    )
    assert found == {
        "activity_date": date(2026, 3, 16), "made": 5, "connected": 4, "short": 1, "negative": 1, "conversations": 3, "with_meeting": 1,
    }  # fmt: skip
    days = night.rows(
        f"select who, day(activity_date) as d, made from core.call_quality_day as q left join ({whose}) as r on q.rep_id = r.rep_id order by all"
    )
    assert [tuple(row.values()) for row in days] == [
        ("parts-ann", 16, 5), ("suspicious-ann", 15, 1), ("suspicious-ann", 16, 12)
    ]  # fmt: skip


# The statistics: core tables filled by hand, and the mart's own SELECT over them.

MONDAY = date(2026, 1, 5)
TEAMS = {1: "A", 2: "A", 3: "A", 4: "A", 5: "B"}


class Calls:
    """Reps 1 to 4 of team A and 5 of team B at work, Monday to Friday, from 2026-01-05 on. Days are numbered from 0, weekends left out."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.sql = (model.root() / "marts" / "guard_call_quality.sql").read_text("utf-8")
        con.execute("""create table core.rep_day (rep_id bigint, activity_date date, team_id varchar);
            create table core.rep_availability (rep_id bigint, activity_date date, working_fraction double);
            create table core.rep_day_status (rep_id bigint, activity_date date, talk_status varchar, booking_status varchar);
            create table core.call_quality_day (rep_id bigint, activity_date date, made bigint, connected bigint, short bigint,
                negative bigint, conversations bigint, with_meeting bigint);
            create table core.caller_id_day (own_number varchar, activity_date date, made bigint, connected bigint)""")

    @staticmethod
    def day(number: int) -> date:
        return MONDAY + timedelta(days=number // 5 * 7 + number % 5)

    def work(self, last: int, away: dict[int, range] | None = None) -> None:
        """Spine rows of every calendar day to the last working day, all sources read. away: days of leave by rep.

        Rep -1, users whom nobody knows, has many bad calls all along: they must count in no rate here."""
        self.calls(-1, range(last + 1), 50, 0)
        days = [MONDAY + timedelta(days=offset) for offset in range((self.day(last) - MONDAY).days + 1)]
        leave = {rep: [self.day(n) for n in numbers] for rep, numbers in (away or {}).items()}
        spine = [(rep, at, team) for at in days for rep, team in {**TEAMS, -1: "A"}.items()]
        work = [0.0 if at.weekday() > 4 or at in leave.get(rep, ()) else 1.0 for rep, at, _ in spine]
        insert(self.con, "core.rep_day", spine)
        insert(
            self.con, "core.rep_availability", [(rep, at, part) for (rep, at, _), part in zip(spine, work, strict=True)]
        )
        insert(self.con, "core.rep_day_status", [(rep, at, "complete", "complete") for rep, at, _ in spine])

    def calls(
        self, rep: int, days: range, connected: int, conversations: int, *, made: int = 0, short: int = 0
    ) -> None:
        """The same numbers on each of the days; made: as many as connected if not given."""
        rows = [[rep, self.day(n), made or connected, connected, short, 0, conversations, 0] for n in days]
        insert(self.con, "core.call_quality_day", rows)

    def of(self, day: int, scope: str, entity: str | int, measure: str = "conversation_rate") -> dict[str, Any]:
        cursor = self.con.execute(
            f"select * from ({self.sql}) where activity_date = ? and scope = ? and entity = ? and measure = ?",
            [self.day(day), scope, str(entity), measure],
        )
        (row,) = cursor.fetchall()
        return dict(zip([c[0] for c in cursor.description or []], row, strict=True))

    def parameters(self, **values: Any) -> None:
        told = asdict(replace(Parameters(), **values))
        columns = ", ".join(f"? as {name}" for name in told)
        self.con.execute(f"create or replace table input.parameter as select {columns}", list(told.values()))


@pytest.fixture
def quality(tmp_path: Path) -> Iterator[Calls]:
    with open_warehouse(tmp_path / "warehouse.duckdb") as con:
        inputs.load(con, inputs.Inputs("r1", datetime(2026, 4, 1, tzinfo=UTC), MONDAY))
        yield Calls(con)


def test_one_rep_against_the_teams_pooled_rate(quality: Calls) -> None:
    """20 working days, 5 connected calls a day: n = 100 each. Conversations a day: reps 1 and 4: 2, reps 2 and 3: 3. Pool of A, rep 1 in it:
    (40 + 60 + 60 + 40) / 400 = 0.5; z of rep 1 = (0.4 - 0.5) / sqrt(0.5 x 0.5 / 100) = -0.1 / 0.05 = -2, at the limit: a signal.
    Rep 2: +2, none. Rep 5 is alone in team B: z = 0. Short calls: rep 2 one a day, the others one every second day: 20 and 10 of 100; pool
    (20 + 3 x 10) / 400 = 0.125; z = (0.2 - 0.125) / sqrt(0.125 x 0.875 / 100) = 0.075 / 0.0330719 = 2.267787: bad when high, a signal."""
    quality.work(19)
    for rep, conversations in ((1, 2), (2, 3), (3, 3), (4, 2)):
        for half, days in enumerate((range(0, 19, 2), range(1, 20, 2))):
            quality.calls(rep, days, 5, conversations, short=1 if rep == 2 else half)
    quality.calls(5, range(20), 5, 1)
    one = quality.of(19, "rep", 1)
    assert (one["numerator"], one["n"], one["rate"], one["baseline"], one["z"]) == (40, 100, 0.4, 0.5, -2.0)
    assert (one["signal"], one["is_suppressed"], one["team_id"], one["is_complete"]) == (
        "coaching_signal",
        False,
        "A",
        True,
    )
    two = quality.of(19, "rep", 2)
    assert (two["z"], two["signal"]) == (2.0, None)
    five = quality.of(19, "rep", 5)
    assert (five["rate"], five["baseline"], five["z"], five["signal"]) == (0.2, 0.2, 0.0, None)
    short = quality.of(19, "rep", 2, "short_share")
    assert (short["numerator"], short["rate"], short["baseline"], short["z"]) == (20, 0.2, 0.125, 2.267787)
    assert short["signal"] == "coaching_signal"
    assert quality.of(19, "rep", 1, "short_share")["signal"] is None, "fewer than the others is not bad"


def test_fewer_calls_than_the_threshold_give_no_signal(quality: Calls) -> None:
    """n = 49: (0 - P) is far below, but 49 < 50; with a threshold of 49 it is a signal."""
    quality.work(6)
    quality.calls(1, range(7), 7, 0)
    for rep in (2, 3, 4):
        quality.calls(rep, range(7), 7, 5)
    assert (quality.of(6, "rep", 1)["n"], quality.of(6, "rep", 1)["signal"]) == (49, None)
    quality.parameters(coaching_min_connected=49)
    assert quality.of(6, "rep", 1)["signal"] == "coaching_signal"


def test_a_reps_window_is_of_the_reps_own_working_days(quality: Calls) -> None:
    """Rep 1 is away on days 10 to 14. On day 24 the last 20 own working days are 0-9 and 15-24: 20 x 5 = 100 calls, of rep 2 days 5-24.
    Rep 1 had 5 conversations a day on day 0 to 4 and 1 after: (5 x 5 + 15 x 1) = 40; day 14 has no row, nobody was to work."""
    quality.work(24, {1: range(10, 15)})
    quality.calls(1, range(5), 5, 5)
    quality.calls(1, range(5, 25), 5, 1)
    quality.calls(2, range(25), 5, 3)
    one, two = quality.of(24, "rep", 1), quality.of(24, "rep", 2)
    assert (one["numerator"], one["n"]) == (40, 100)
    assert (two["numerator"], two["n"]) == (60, 100)
    assert one["baseline"] == two["baseline"] == 0.5
    with pytest.raises(ValueError, match="not enough values"):
        quality.of(14, "rep", 1)


def test_a_past_without_calls_is_no_baseline(quality: Calls) -> None:
    """Nobody called on days 0 to 4, rep 1 on days 5 to 9, 2 of 5 conversations: 10 of 25 against 0 of 0, which is no rate. So z is NULL,
    and not NaN."""
    quality.work(9)
    quality.calls(1, range(5, 10), 5, 2)
    org = quality.of(9, "org", "org")
    assert (org["n"], org["rate"], org["baseline"], org["z"], org["signal"]) == (25, 0.4, None, None, None)


def past(quality: Calls, recent: dict[int, int]) -> None:
    """40 days of 5 connected calls with 3 conversations each for reps 1 to 5, then 5 days with so many conversations."""
    quality.work(44)
    for rep in TEAMS:
        quality.calls(rep, range(40), 5, 3)
        quality.calls(rep, range(40, 45), 5, recent[rep])


def test_the_organisation_against_its_own_past_silences_single_reps(quality: Calls) -> None:
    """Baseline: 40 x 5 reps x 3 of 5 = 600 / 1000 = 0.6. The last five days: reps 1 to 4 have 2, 2, 2, 0 of 5, rep 5 has 4:
    (10 + 10 + 10 + 0 + 20) / 125 = 0.4; z = (0.4 - 0.6) / sqrt(0.24 / 125) = -0.2 / 0.0438178 = -4.564355. n of each rep is 25 >= 10,
    four of five lie below their own 0.6: 0.8 >= 0.6: message_signal.
    Rep 4 on that day: 15 days of 3 and 5 of 0 = 45 of 100; team A: 3 x (45 + 10) + 45 = 210 of 400 = 0.525;
    z = -0.075 / sqrt(0.525 x 0.475 / 100) = -1.501879. With a limit of -1.5 that is a coaching signal, withheld."""
    past(quality, {1: 2, 2: 2, 3: 2, 4: 0, 5: 4})
    quality.parameters(coaching_z=-1.5)
    org = quality.of(44, "org", "org")
    assert (org["numerator"], org["n"], org["rate"], org["baseline"], org["z"]) == (50, 125, 0.4, 0.6, -4.564355)
    assert (org["reps_compared"], org["reps_below"], org["signal"]) == (5, 4, "message_signal")
    four = quality.of(44, "rep", 4)
    assert (four["z"], four["signal"], four["is_suppressed"]) == (-1.501879, None, True)


def test_a_drop_that_few_reps_share_is_no_message(quality: Calls) -> None:
    """Reps 1 and 2 fall to 0 of 5, the others keep 3 of 5: 45 / 125 = 0.36, z = -0.24 / 0.0438178 = -5.477226, but 2 of 5 = 0.4 < 0.6. So the
    coaching signal of rep 1 stands: 45 of 100 against (45 + 45 + 60 + 60) / 400 = 0.525, z = -1.501879."""
    past(quality, {1: 0, 2: 0, 3: 3, 4: 3, 5: 3})
    quality.parameters(coaching_z=-1.5)
    org = quality.of(44, "org", "org")
    assert (org["z"], org["reps_compared"], org["reps_below"], org["signal"]) == (-5.477226, 5, 2, None)
    one = quality.of(44, "rep", 1)
    assert (one["z"], one["signal"], one["is_suppressed"]) == (-1.501879, "coaching_signal", False)
    # A rep with n below 10 has no say: with the threshold above 25 nobody has, and there is no signal at all.
    quality.parameters(message_min_calls=26)
    assert (quality.of(44, "org", "org")["reps_compared"], quality.of(44, "org", "org")["signal"]) == (0, None)


def test_the_baseline_ends_where_the_window_begins(quality: Calls) -> None:
    """One more week of work, 45 to 49, like 40 to 44: the baseline of day 49 is days 5 to 44: 35 days of 15 and 5 of 10 conversations,
    (35 x 15 + 5 x 10) / (40 x 25) = 0.575; on Saturday there is no row, since nobody is to work."""
    past(quality, dict.fromkeys(TEAMS, 2))
    for offset in range(1, 8):
        at = quality.day(44) + timedelta(days=offset)
        for rep, team in TEAMS.items():
            quality.con.execute("insert into core.rep_day values (?, ?, ?)", [rep, at, team])
            quality.con.execute(
                "insert into core.rep_availability values (?, ?, ?)", [rep, at, float(at.weekday() < 5)]
            )
            quality.con.execute("insert into core.rep_day_status values (?, ?, 'complete', 'partial')", [rep, at])
    for rep in TEAMS:
        quality.calls(rep, range(45, 50), 5, 2)
    org = quality.of(49, "org", "org")
    assert (org["rate"], org["baseline"], org["is_complete"]) == (0.4, 0.575, True)
    saturday = quality.con.execute(
        f"select count(*) from ({quality.sql}) where activity_date = ?", [quality.day(44) + timedelta(days=1)]
    ).fetchone()
    assert saturday == (0,)


def test_what_was_not_read_counts_in_neither_part_and_is_told(quality: Calls) -> None:
    """Day 0 of rep 1 was not read: 19 x 5 of 100 calls are left, in a window that is not whole."""
    quality.work(19)
    quality.calls(1, range(20), 5, 2)
    quality.con.execute(
        "update core.rep_day_status set talk_status = 'missing', booking_status = 'missing' where rep_id = 1 and activity_date = ?",
        [MONDAY],
    )
    one = quality.of(19, "rep", 1)
    assert (one["n"], one["source_status"], one["is_complete"]) == (95, "partial", False)


def test_a_number_from_which_nobody_answers_any_more(quality: Calls) -> None:
    """From number 1 20 of 100 dials connect, 40 days long, then 5 days 10 of 100: 0.1 against 0.2, a drop of exactly 50 %: a signal.
    From number 2 11 of 100 in the last days: 45 %, none."""
    past(quality, dict.fromkeys(TEAMS, 3))
    for number, connected in (("4420001", 10), ("4420002", 11)):
        for n in range(45):
            row = [number, quality.day(n), 100, 20 if n < 40 else connected]
            quality.con.execute("insert into core.caller_id_day values (?, ?, ?, ?)", row)
    one, two = (quality.of(44, "number", number, "connect_rate") for number in ("4420001", "4420002"))
    assert (one["n"], one["rate"], one["baseline"], one["signal"]) == (500, 0.1, 0.2, "caller_id_signal")
    assert (two["rate"], two["signal"]) == (0.11, None)
