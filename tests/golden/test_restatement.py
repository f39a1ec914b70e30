"""What changes after it was published (METRICS 0.3, 0.9): each late fact leaves exactly its lines in meta.restatement, nothing else does.

One company over six runs, r1 to r6; what happens between them is said beside each fact of WORLD. Complete days are those before 20 March.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.pipeline import Pipeline, serving

FIRST = date(2026, 3, 10)
SINCE = "2026-03-20T12:00:00Z"  # between the first run and the second
World = dict[str, Any]
RUNS = {"r1": "20 06:00", "r2": "21 06:00", "r3": "21 06:00", "r4": "21 06:30", "r5": "21 07:00", "r6": "21 07:30"}
MERGED = ("daily_rep_activity", "daily_team_activity", "daily_org_activity", "daily_pipeline", "daily_pipeline_owner")
MERGED += (
    "daily_rep_contact_distincts",
    "daily_tool_usage",
    "weekly_rep_activity",
    "monthly_org_activity",
    "hourly_call",
)


def instant(when: str) -> datetime:
    """Of March 2026: "20 06:00", UTC."""
    return datetime.fromisoformat(f"2026-03-{when.replace(' ', 'T')}:00+00:00")


def at(when: str, seconds: int = 0) -> str:
    return (instant(when) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def rep(key: str, zone: str, team: str) -> World:
    return {"key": key, "name": key.title(), "email": f"{key}@acme.com", "timezone": zone, "team": team}


def call(key: str, who: str, number: str, when: str, talk: int | None, **more: Any) -> World:
    """Answered after 10 s and `talk` s long; None: nobody answered, over after 30 s."""
    return {
        "key": key, "rep": who, "number": number, "started_at": at(when), "answered_at": None if talk is None else at(when, 10),
        "ended_at": at(when, 30 if talk is None else 10 + talk), "result": "no_answer" if talk is None else "answered", **more,
    }  # fmt: skip


def deal(key: str, *events: World, **more: Any) -> World:
    return {"key": key, "account": "A2", "created_by": "integration", "events": list(events), **more}


def event(when: str, kind: str, **more: Any) -> World:
    return {"at": when if "T" in when else at(when), "type": kind, **more}


NUMBERS = {key: f"+44207183875{n}" for n, key in enumerate(("CA", "CB", "CC", "CD", "CE"))}
WORLD: World = {
    "company": {
        "now": "2026-03-20T06:00:00Z", "reporting_timezone": "UTC", "reporting_currency": "EUR", "internal_domains": ["acme.com"],
        "systems": {"crm": "hubspot", "dialer": "cloudtalk", "mail": "gmail"},
    },
    "teams": [{"key": "T1", "name": "One"}, {"key": "T2", "name": "Two"}],
    "reps": [
        rep("ann", "America/New_York", "T1"), rep("cem", "Europe/Berlin", "T1"), rep("gil", "Europe/London", "T2"),
        rep("bob", "Asia/Tokyo", "T2"),
    ],
    "accounts": [{"key": "A1", "name": "Cust", "domain": "cust.com"}, {"key": "A2", "name": "Else", "domain": "else.com"}],
    "contacts": [
        {"key": key, "name": key, "emails": [f"{key.lower()}@cust.com"], "phones": [number], "account": "A1",
         "created_at": "2025-06-01T00:00:00Z"}
        for key, number in NUMBERS.items()
    ],
    "mails": [
        # Comes late into Ann's mailbox.
        {"key": "m1", "rep": "ann", "from": "ann@acme.com", "to": ["ca@cust.com"], "sent_at": at("16 15:00"), "message_id": "<m1@acme.com>",
         "visible_at": SINCE},
    ],
    "calls": [
        # The CRM shows late what Cem logged on the 18th, within 24 hours.
        call("D2", "cem", NUMBERS["CB"], "17 09:00", 90, crm={"logged_at": at("18 08:00"), "visible_at": SINCE, "external_id": True}),
        # The dialer corrects its length.
        call("D3", "gil", NUMBERS["CC"], "17 10:00", 90,
             dialer={"edits": [{"at": SINCE, "set": {"ended_at": at("17 10:00", 55), "talk_seconds": 45}}]}),
        # The dialer deletes it.
        call("D4", "bob", NUMBERS["CD"], "16 01:00", 20, dialer={"deleted_at": SINCE}),
        # Nothing happens to these; the last one is made on the day of the first run, after it.
        call("D5", "ann", NUMBERS["CE"], "17 14:00", None), call("D6", "ann", NUMBERS["CE"], "18 14:00", None),
        call("D7", "ann", NUMBERS["CE"], "20 14:00", None),
    ],
    "deals": [
        # Won by Gil; Ann's from then on. Open, sourced by Gil; Bob's from then on.
        deal("E1", event("12 10:00", "created", stage="open", amount="100.00"), event("17 12:00", "won"), event(SINCE, "owner", owner="ann"),
             owner="gil"),
        deal("E2", event("12 10:00", "created", stage="open", amount="200.00"), event(SINCE, "owner", owner="bob"),
             owner="cem", sourced_by="gil"),
        # Deleted.
        deal("E3", event("16 12:00", "created", stage="open", amount="1000.00"), event("18 12:00", "won"), event(SINCE, "deleted"),
             owner="gil"),
        # M2 is merged into M1.
        deal("M1", event("11 10:00", "created", stage="open", amount="10.00"), owner="gil"),
        deal("M2", event("13 10:00", "created", stage="open", amount="20.00"), event(SINCE, "merged_into", deal="M1"), owner="gil"),
        # Gets its first amount on the ninth day.
        deal("E4", event("12 10:00", "created", stage="open"), event(SINCE, "amount", amount="700.00"), owner="cem"),
    ],
}  # fmt: skip


def rows(pipeline: Pipeline, table: str, *, tail: bool = True) -> list[World]:
    """All rows of a mart, in order; tail: with who wrote them when."""
    columns = "*" if tail else "* exclude (run_id, first_published_at, last_changed_at)"
    return pipeline.rows(f"select {columns} from marts.{table} order by all")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pipeline, dict[str, dict[str, list[World]]]]]:
    """All runs; and every merged table after each of them."""
    kept: dict[str, dict[str, list[World]]] = {}
    folder = tmp_path_factory.mktemp("restated")
    with serving(WORLD, folder) as (pipeline, url):
        for run_id, when in RUNS.items():
            step(pipeline, url, folder, run_id, when)
            kept[run_id] = {table: rows(pipeline, table) for table in MERGED}
        yield pipeline, kept


def step(pipeline: Pipeline, url: str, folder: Path, run_id: str, when: str) -> None:
    """r5 lowers the threshold of a conversation to 40 s. r6 moves Ann to T2 from midnight of the 18th in New York, by a line in reps.csv."""
    if run_id == "r5":
        pipeline.config = {**pipeline.config, "parameters": {"conversation_min_talk_seconds": 40}}
    if run_id == "r6":
        move_ann(folder)
    httpx.post(f"{url}/__sandbox__/now", json={"now": instant(when).isoformat()}).raise_for_status()
    pipeline.nightly(instant(when), first=FIRST)


def move_ann(folder: Path) -> None:
    lines = (folder / "reps.csv").read_text("utf-8").splitlines()
    header = lines[0].split(",")
    ann = dict(zip(header, next(line for line in lines if line.startswith("ann@")).split(","), strict=True))
    ann |= {"team": "T2", "valid_from": "2026-03-18T04:00:00Z"}
    (folder / "reps.csv").write_text("\n".join([*lines, ",".join(ann[c] for c in header)]) + "\n", "utf-8")


def restated(pipeline: Pipeline, run_id: str, table: str = "daily_rep_activity") -> set[tuple[Any, ...]]:
    """What a run restated of complete days: (day, rep's key or the rest of the key, metric, old, new, reason)."""
    found = pipeline.rows(
        "select substr(s.key, 9, 2) as d, coalesce(split_part(r.email, '@', 1), substr(s.key, 12)) as who, s.metric, s.old_value, s.new_value, "
        "s.reason from meta.restatement as s left join (select distinct rep_id, email from core.dim_rep) as r "
        "on s.table_name in ('daily_rep_activity', 'daily_pipeline', 'daily_pipeline_owner') and split_part(s.key, '|', 2) = r.rep_id::varchar "
        "where s.table_name = ? and s.run_id = ? and left(s.key, 10) < '2026-03-20'",
        [table, run_id],
    )
    assert len(found) == len({tuple(r.values()) for r in found})
    return {tuple(r.values()) for r in found}


Runs = tuple[Pipeline, dict[str, dict[str, list[World]]]]


def test_late_facts_leave_exactly_their_lines(runs: Runs) -> None:
    """0.9, r2.

    m1: Ann's 16th: a mail, one-to-one, to one recipient, delivered, to be logged, with a tool.
    D2's log: Cem's 17th: logged in time. His 18th: logged by hand, so active, with a tool.
    D3: Gil's 17th: 45 s are no conversation (60): talk, conversation of the call, with the contact, a new one, on a cold call. Connected still.
    D4: Bob's 16th, 10:00 in Tokyo: a dial, answered, short, handled, cold, 20 s, with a tool: all gone.
    E1, E2: owners as of the event: nothing. E3: created on Gil's 16th, won on his 18th: gone. M2: created on his 13th,
    gone into M1, which stands. E4: Cem's 12th has an amount now.
    """
    pipeline, _ = runs
    expected = {
        *(("16", "ann", metric, "0", "1") for metric in (
            "emails_sent", "emails_sent_one_to_one", "email_recipients", "recipients_delivered", "emails_delivered", "loggable_activities",
            "tools_active")),
        ("17", "cem", "logged_activities_24h", "0", "1"),
        *(("18", "cem", metric, "0", "1") for metric in ("crm_activities_logged", "crm_active", "tools_active")),
        ("17", "gil", "talk_seconds", "90", "45"),
        *(("17", "gil", metric, "1", "0") for metric in (
            "call_conversations", "conversations", "conversations_new", "conversation_contacts_call", "cold_call_conversations")),
        ("16", "bob", "talk_seconds", "20", "0"),
        *(("16", "bob", metric, "1", "0") for metric in (
            "calls_made", "calls_answered", "calls_answered_short", "calls_handled", "cold_calls_made", "tools_active")),
        ("16", "gil", "deals_created", "1", "0"), ("16", "gil", "pipeline_created_amount", "1000.00", "0.00"),
        ("18", "gil", "deals_won_events", "1", "0"), ("18", "gil", "won_amount", "1000.00", "0.00"),
        ("13", "gil", "deals_created", "1", "0"), ("13", "gil", "pipeline_created_amount", "20.00", "0.00"),
        ("12", "cem", "deals_created_without_amount", "1", "0"), ("12", "cem", "pipeline_created_amount", "0.00", "700.00"),
    }  # fmt: skip
    assert restated(pipeline, "r2") == {(*line, "late_data") for line in expected}
    stamps = pipeline.rows(
        "select distinct run_id, restated_at from meta.restatement where key like '2026-03-16|%' and table_name = 'daily_rep_activity'"
    )
    assert stamps == [{"run_id": "r2", "restated_at": instant("21 06:00")}]


def test_rollups_restate_what_changes_in_the_sum(runs: Runs) -> None:
    """0.9, r2. Org's 16th: m1, D4 and E3. Tools: Ann 0 to 1, Bob 1 to 0: the sum stands. Contacts: CD was called, CA was written to: touched 1
    and 1, called 1 to 0, written to 0 to 1; both belong to A1."""
    pipeline, _ = runs
    expected = {
        *((metric, "0", "1") for metric in (
            "emails_sent", "emails_sent_one_to_one", "email_recipients", "recipients_delivered", "emails_delivered", "loggable_activities",
            "distinct_contacts_emailed")),
        *((metric, "1", "0") for metric in (
            "calls_made", "calls_answered", "calls_answered_short", "calls_handled", "cold_calls_made", "deals_created",
            "distinct_contacts_called")),
        ("talk_seconds", "20", "0"), ("pipeline_created_amount", "1000.00", "0.00"),
    }  # fmt: skip
    assert {line[2:5] for line in restated(pipeline, "r2", "daily_org_activity") if line[0] == "16"} == expected


def test_a_deal_given_to_another_moves_no_history(runs: Runs) -> None:
    """0.3, r2. E1 stays won by Gil on the 17th; E2 stays sourced by Gil, and Cem's on all days that are over."""
    pipeline, kept = runs
    for table in ("daily_pipeline", "daily_pipeline_owner"):
        lines = {line[:3] for line in restated(pipeline, "r2", table)}
        assert not {line for line in lines if line[1] == "ann" or (line[:2] == ("17", "gil") and "won" in line[2])}, (
            table
        )
        assert not {line for line in lines if line[2].startswith("open_deals") and line[1] == "bob"}, table
    ids = {r["email"]: r["rep_id"] for r in pipeline.rows("select distinct email, rep_id from core.dim_rep")}
    for run_id in RUNS:
        won = [
            r
            for r in kept[run_id]["daily_rep_activity"]
            if r["deals_won_events"] and r["activity_date"] == date(2026, 3, 17)
        ]
        assert [(r["rep_id"], str(r["won_amount"])) for r in won] == [(ids["gil@acme.com"], "100.00")]
        owned = {
            r["activity_date"].day: r["open_deals"] for r in kept[run_id]["daily_pipeline_owner"] if r["rep_id"] == ids["cem@acme.com"]
        }  # fmt: skip
        assert [owned[d] for d in range(11, 20)] == [0] + [2] * 8  # E2 and E4


def test_what_was_partial_is_restated_when_it_is_whole(runs: Runs) -> None:
    """0.9: "every published daily value that changes": Ann's 20th said 0 at six in the morning; D7 makes it 1."""
    pipeline, _ = runs
    found = pipeline.rows(
        "select old_value, new_value, reason, run_id from meta.restatement where table_name = 'daily_rep_activity' and metric = 'calls_made' "
        "and left(key, 10) = '2026-03-20'"
    )
    assert found == [{"old_value": "0", "new_value": "1", "reason": "day_completed", "run_id": "r2"}]


def test_rows_say_which_run_changed_them_last(runs: Runs) -> None:
    """0.9. After r2 the rows that it restated are its own, first published by r1; all other days before the 20th are r1's."""
    pipeline, kept = runs
    changed = {(line[0], line[1]) for line in restated(pipeline, "r2")}
    emails = {
        r["rep_id"]: (r["email"] or "").split("@")[0]
        for r in pipeline.rows("select distinct rep_id, email from core.dim_rep")
    }
    first, second = (instant(RUNS[r]).replace(tzinfo=None) for r in ("r1", "r2"))
    days = [r for r in kept["r2"]["daily_rep_activity"] if r["activity_date"] < date(2026, 3, 20)]
    assert len(days) == 4 * 10  # four reps, 10 to 19 March
    for row in days:
        touched = (row["activity_date"].strftime("%d"), emails[row["rep_id"]]) in changed
        assert (row["run_id"], row["first_published_at"], row["last_changed_at"]) == (
            ("r2", first, second) if touched else ("r1", first, first)
        ), row


@pytest.mark.parametrize(("run_id", "before"), [("r3", date(9999, 1, 1)), ("r4", date(2026, 3, 20))])
def test_a_run_without_news_changes_nothing(runs: Runs, run_id: str, before: date) -> None:
    """0.9. r3 is r2 again, at the same instant: every row of every table stands as it was, to the byte, whose run it is included. r4 comes half
    an hour later: today may be told anew, the days that are over are not."""
    pipeline, kept = runs
    for table in MERGED:
        if before.year < 9999 and table.startswith(("weekly", "monthly")):
            continue
        was, now = ([r for r in kept[k][table] if r.get("activity_date", date.min) < before] for k in ("r2", run_id))
        assert repr(was) == repr(now), table
    lines = pipeline.rows(
        "select * from meta.restatement where run_id = ? and left(key, 10) < ?", [run_id, before.isoformat()]
    )
    assert lines == []


def test_a_parameter_restates_the_past_with_its_reason(runs: Runs) -> None:
    """r5: a conversation takes 40 s. D3's 45 s are one now; D2 always was; nobody else was on the telephone."""
    pipeline, kept = runs
    assert restated(pipeline, "r5") == {
        ("17", "gil", metric, "0", "1", "parameters_changed")
        for metric in ("call_conversations", "conversations", "conversations_new", "conversation_contacts_call", "cold_call_conversations")
    }  # fmt: skip
    told = pipeline.rows(
        "select value, default_value, changed_at from meta.parameter where name = 'conversation_min_talk_seconds'"
    )
    assert told == [{"value": "40", "default_value": "60", "changed_at": instant("21 07:00")}]
    assert kept["r4"]["daily_pipeline"] == kept["r5"]["daily_pipeline"]


def test_a_change_of_team_leaves_the_days_before_it_alone(runs: Runs) -> None:
    """0.3, r6. Ann is T2's from the 18th. Until the 17th all team rows stand to the byte: T1 has her D5. On the 18th and 19th T1 is Cem alone
    and T2 three people; D6 is T2's call now, and the organisation's rows stand."""
    pipeline, kept = runs
    before = date(2026, 3, 18)
    for table in ("daily_rep_activity", "daily_team_activity"):
        was, now = ([r for r in kept[k][table] if r["activity_date"] < before] for k in ("r5", "r6"))
        assert repr(was) == repr(now), table
    was, now = (
        [r for r in kept[k]["daily_org_activity"] if r["activity_date"] < date(2026, 3, 20)] for k in ("r5", "r6")
    )
    assert repr(was) == repr(now)
    calls = {(r["activity_date"].day, r["team_id"]): r["calls_made"] for r in kept["r6"]["daily_team_activity"]}
    assert [calls[key] for key in ((17, "T1"), (17, "T2"), (18, "T1"), (18, "T2"))] == [
        2,
        1,
        0,
        1,
    ]  # D2, D5; D3; none; D6
    lines = {line[:5] for line in restated(pipeline, "r6", "daily_team_activity")}
    assert {line for line in lines if line[2] in ("reps_expected", "calls_made")} == {
        ("18", "T1", "reps_expected", "2", "1"), ("18", "T2", "reps_expected", "2", "3"), ("19", "T1", "reps_expected", "2", "1"),
        ("19", "T2", "reps_expected", "2", "3"), ("18", "T1", "calls_made", "1", "0"), ("18", "T2", "calls_made", "0", "1"),
    }  # fmt: skip
    assert {line[0] for line in lines} == {"18", "19"}
    teams = {line[:5] for line in restated(pipeline, "r6") if line[2] == "team_id"}
    assert teams == {(d, "ann", "team_id", "T1", "T2") for d in ("18", "19")}


def test_one_reading_of_everything_gives_the_same_tables(runs: Runs, tmp_path: Path) -> None:
    """0.9: a backfill gives what the nights gave, but for who wrote it when: an empty warehouse, read once as things stand at r6."""
    pipeline, _ = runs
    with serving(WORLD, tmp_path) as (fresh, url):
        move_ann(tmp_path)
        step(fresh, url, tmp_path, "r5", RUNS["r6"])
        for table in MERGED:
            assert rows(pipeline, table, tail=False) == rows(fresh, table, tail=False), table
