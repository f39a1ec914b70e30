"""What a change reaches by way of another record, or of a day on which nothing happened, is made anew; and no order of rows decides anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import duckdb

from tests.golden.examples import FIRST, Example, call, contact, rep, sleep_until
from tests.golden.examples import world as world_of
from tests.pipeline import Pipeline, serving
from tests.transforms.against_rebuild import contents, rebuilt
from transforms import inputs, model
from transforms.warehouse import open_warehouse

THIRD, SECOND = "2026-03-21T12:00:00Z", "2026-03-20T12:00:00Z"  # before the third night, and before the second


def tel(n: int) -> str:
    return f"+44207183{n:04d}"


def dial(key: str, number: int, at: str, talk: int | None = 90, **dialer: Any) -> dict[str, Any]:
    return call(key, "ana", tel(number), f"2026-03-{at}:00Z", talk, dialer={"system": "cloudtalk", **dialer})


# What a change reaches at second hand: by another record, or by a day on which nothing happened.
BY_WAY = Example(
    "ana",
    "",
    {},
    {
        "reps": [rep("ana", seats=["crm", "cloudtalk", "mail"]), rep("uma", seats=["crm", "cloudtalk/us", "mail"])],
        "accounts": [
            {"key": "AX", "name": "X", "domain": "x.com", "merged_into": "AY", "merged_at": THIRD},
            {"key": "AY", "name": "Y", "domain": "y.com", "territory": "EMEA"},
            {"key": "AT", "name": "T", "domain": "t.com", "created_at": "2025-06-01T00:00:00Z",
             "changes": [{"at": "2026-03-10T00:00:00Z", "set": {"territory": "EMEA"}}]},
        ],
        "contacts": [
            # The survivor has the company of who was merged into it; then that company is merged too.
            contact("loser", account="AX", phones=[tel(1)], merged_into="winner", merged_at=SECOND),
            contact("winner", account=None, phones=[tel(2)]),
            contact("settler", account="AT", phones=[tel(3)]),
        ],
        "calls": [
            dial("merged", 1, "16T10:00"),
            # The account has a territory from the 10th on. Until the second call goes, the first one's 14 days end on the 6th.
            dial("settled", 3, "02T10:00"), dial("unsettled", 3, "06T10:00", deleted_at=THIRD),
            # On the 10th everybody is on leave, and a call comes in for nobody: of the windows that end on the 11th it is no day.
            dial("base", 4, "06T11:00", None), dial("recent", 4, "09T11:00"), dial("today", 4, "11T11:00"),
            dial("gone", 5, "11T12:00", deleted_at=SECOND),
            {**dial("nobody", 6, "10T10:00", None), "rep": None, "direction": "inbound", "result": "missed"},
            # Another account's call has the id of this one's second leg.
            {**dial("passed", 7, "12T10:00", 180), "legs": [{"rep": "ana", "talk_seconds": 60}, {"rep": "ana", "talk_seconds": 120}]},
            {**dial("passed#1~us", 8, "12T11:00", system="cloudtalk/us", deleted_at=SECOND), "rep": "uma"},
        ],
        "availability": [{"rep": r, "date": "2026-03-10", "working_fraction": 0, "leave_type": "leave"} for r in ("ana", "uma")],
    },
)  # fmt: skip


def hired(pipeline: Pipeline, day: str) -> None:
    """All reps from that day on: on days before on which nobody did anything nobody has a row any more."""
    reps = pipeline.folder / pipeline.config["inputs"]["reps"]
    reps.write_text(reps.read_text().replace("2025-01-01", day))


def test_what_a_change_reaches_at_second_hand_is_made_anew(tmp_path: Path) -> None:
    company = world_of(
        [BY_WAY],
        systems={"crm": "hubspot", "dialer": ["cloudtalk", "cloudtalk/us"], "mail": "gmail"},
        parameters={"coaching_days": 1, "message_recent_days": 2, "message_baseline_days": 1},
    )
    with serving(company, tmp_path) as (pipeline, url):
        for number in range(3):
            night = datetime(2026, 3, 20 + number, 6, tzinfo=UTC)
            sleep_until(night, url)
            if number == 2:
                hired(pipeline, "2026-03-05")
            pipeline.nightly(night, first=FIRST)
            pipeline.con.execute("checkpoint")
            if number:
                whole = rebuilt(tmp_path / "warehouse.duckdb", tmp_path / f"copy{number}.duckdb")
                assert {t: n for t, n in contents(pipeline.con).items() if n != whole[t]} == {}, f"after night {number}"
        # Also before there was a territory the account was worked on: from the first call on.
        assert pipeline.rows(
            "select min(activity_date)::varchar as day from marts.daily_untouched_account where territory_id = '-1'"
        ) == [{"day": "2026-03-02"}]


MERGED = [("1", "A"), ("2", "B"), ("3", None)]
ASSOCIATED = [("k1", ["111"]), ("k2", ["222"])]


LEGS = [(1, 0.1), (2, 0.2), (3, 0.3)]  # as doubles, (0.1 + 0.2) + 0.3 is not 0.1 + (0.2 + 0.3)


def in_any_order(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]], query: str) -> set[str]:
    """What a query says of a table's rows, whichever of them lies first."""
    told: set[str] = set()
    for order in permutations(rows):
        con.execute(f"delete from {table}")
        con.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", [list(row) for row in order])
        told.add(str(con.execute(query).fetchall()))
    return told


def test_no_order_of_rows_decides(tmp_path: Path) -> None:
    """A night's rows lie in another order than a rebuild's. Two with companies are merged into one without; a log is of two contacts. Legs of
    fractions of seconds."""
    models = {one.table: one.select for one in model.load(model.root())}
    with open_warehouse(tmp_path / "warehouse.duckdb", threads=1) as con:
        inputs.load(con, inputs.Inputs("r1", datetime(2026, 3, 20, tzinfo=UTC), date(2026, 3, 1)))
        con.execute("""
            create table company_of (contact_id varchar, company_id varchar);
            create view staging.stg_crm_contact as
                select 's' as source_id, 'w' as workspace_id, contact_id, company_id, []::varchar[] as emails, []::varchar[] as phones,
                    contact_id <> '3' as is_deleted from company_of;
            create table core.map_merge as
                select 'contact' as object_type, 's' as source_id, 'w' as workspace_id, unnest(['1', '2']) as loser_id, '3' as survivor_id;
            create table core.account_company (account_key varchar, company_key varchar)""")
        of_contact = in_any_order(con, "company_of", MERGED, f"select account_key from ({models['core.dim_contact']})")
        assert of_contact == {"[('s:w:A',)]"}
        con.execute("""
            create table leg_of (leg_no bigint, talk_s double);
            create view core.fct_call_leg as
                select 's:w:1' as call_key, leg_no, 's' as source_id, 'w' as workspace_id, leg_no::varchar as call_id, 'outbound' as direction,
                    '111' as counterpart_number, '222' as own_number, now() as started_at, now() as answered_at, now() as ended_at,
                    true as is_answered, 'answered' as result, false as is_machine, talk_s, 1 as rep_id,
                    null::varchar as disposition_label from leg_of""")
        talked = in_any_order(con, "leg_of", LEGS, f"select talk_s from ({models['core.dialer_call']})")
        assert talked == {"[(0.6,)]"}
        con.execute("""
            create table core.dim_contact (contact_key varchar, phones varchar[]);
            create view core.crm_link as
                select 's' as source_id, 'w' as workspace_id, 'call' as from_type, 'c' as from_id, 'contact' as to_type, contact_key as to_key
                from core.dim_contact;
            create table core.map_identity (source_id varchar, workspace_id varchar, id_space varchar, source_user_id varchar, rep_id bigint);
            create table staging.stg_crm_call as
                select 's' as source_id, 'w' as workspace_id, 'c' as call_id, 'outbound' as direction, now() as occurred_at, now() as logged_at,
                    60.0 as duration_s, null::varchar as disposition_label, null::varchar as status, null::varchar as external_call_id,
                    null::varchar as counterpart_number, null::varchar as owner_user_id, null::varchar as created_by_user_id,
                    false as is_deleted""")
        query = f"select counterpart_number, numbers, contact_key from ({models['core.crm_call']})"
        assert in_any_order(con, "core.dim_contact", ASSOCIATED, query) == {"[('111', ['111', '222'], 'k1')]"}
