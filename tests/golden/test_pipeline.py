"""Worked examples of deals and pipeline: small stories, the arithmetic by hand, and what the tables must say.

Ann sources deals and lives in New York (UTC-5, UTC-4 from 2026-03-08), Bob owns them and lives in Tokyo (UTC+9). Every story has
an Ann, a Bob, an account and deals of its own, named after it ("frozen-ann"), so that one company, read once, holds many stories.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox.company import generate
from sandbox.truth_crm import rate_on
from sandbox.truth_frame import Frame
from sandbox.world import parse
from sandbox.world_deals import crm_deals, pipelines
from sandbox.world_state import State
from tests.pipeline import Pipeline, serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
FIRST = date(2026, 3, 1)
World = dict[str, Any]


def ann(story: str) -> World:
    return {
        "key": f"{story}-ann",
        "name": "Ann",
        "email": f"{story}-ann@acme.com",
        "timezone": "America/New_York",
        "team": "T1",
    }


def bob(story: str, **more: Any) -> World:
    return {
        "key": f"{story}-bob", "name": "Bob", "email": f"{story}-bob@acme.com", "timezone": "Asia/Tokyo", "team": "T2", **more,
    }  # fmt: skip


def account(story: str) -> World:
    return {"key": story, "name": f"Cust {story}", "domain": f"{story}.com"}


def cora(story: str, **more: Any) -> World:
    return {
        "key": f"{story}-cora", "name": "Cora", "emails": [f"cora@{story}.com"], "account": story, "created_at": "2025-06-01T00:00:00Z",
        **more,
    }  # fmt: skip


def told(story: str, *deals: World, **parts: list[World]) -> World:
    """What one test tells: its people, its account with Cora, its deals; parts: more lists of a world, or others than these."""
    people = {"reps": [ann(story), bob(story)], "accounts": [account(story)], "contacts": [cora(story)]}
    return {**people, "deals": list(deals), **parts}


def world(*stories: World, **parameters: Any) -> World:
    """The company in which these stories happen. parameters: its settings."""
    lists: dict[str, list[World]] = defaultdict(list)
    for story in stories:
        for name, things in story.items():
            lists[name] += things
    return {
        "company": {
            "now": "2026-03-20T06:00:00Z", "reporting_timezone": "UTC", "reporting_currency": "EUR",
            "internal_domains": ["acme.com"], "test_domains": ["test.example"],
            "systems": {"crm": "hubspot", "dialer": "cloudtalk", "mail": "gmail"}, "parameters": parameters,
        },
        "teams": [{"key": "T1", "name": "One"}, {"key": "T2", "name": "Two"}],
        **lists,
    }  # fmt: skip


def deal(story: str, key: str, *events: World, **more: Any) -> World:
    """A deal that the story's Ann sourced and its Bob owns. Events: at(...)."""
    return {
        "key": f"{story}-{key}", "account": story, "contacts": [f"{story}-cora"], "sourced_by": f"{story}-ann",
        "created_by": f"{story}-ann", "owner": f"{story}-bob", "currency": "EUR", "events": list(events), **more,
    }  # fmt: skip


def at(when: str, what: str, *, month: str = "03", **more: Any) -> World:
    """An event of a deal on a day of 2026 (of March, unless told) at an hour, UTC: at("10T16", "created", amount="100.00")."""
    return {
        "at": f"2026-{month}-{when}:00:00Z",
        "type": what,
        **({"stage": "open"} if what == "created" else {}),
        **more,
    }


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Nothing is set; published from March on."""
    case = world(FROZEN, RATES, AGAIN, INSTANT, MOVED, QUALIFIED, OUT, STANDING, TOUCHED, NUMBERED)
    with serving(case, tmp_path_factory.mktemp("company")) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST)
        yield pipeline


@pytest.fixture(scope="module")
def other_company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Parameters of its own, no file of rates; published from February on, when only the story of velocity has deals."""
    case = world(
        GRACE, DEMO, LEFT, CONVERSION, VELOCITY, CRM_RATE,
        amount_grace_days=5, stage_conversion_days=5, qualified_stages=["demo"],
    )  # fmt: skip
    with serving(case, tmp_path_factory.mktemp("other")) as (pipeline, _):
        del pipeline.config["inputs"]["fx"]
        pipeline.nightly(NOW, first=date(2026, 2, 1))
        yield pipeline


def row(pipeline: Pipeline, who: str, day: str, table: str = "daily_pipeline") -> Mapping[str, Any]:
    rows = pipeline.rows(
        f"select d.* from marts.{table} as d where d.activity_date = ? and d.rep_id in "
        "(select rep_id from core.dim_rep where email = ?)",
        [day, f"{who}@acme.com"],
    )
    assert len(rows) == 1, f"{len(rows)} rows for {who} on {day}"
    return rows[0]


def expect(found: Mapping[str, Any], **values: Any) -> None:
    assert {name: found[name] for name in values} == {
        name: Decimal(value) if isinstance(value, str) and value[:1] in "-0123456789" else value
        for name, value in values.items()
    }


def others(story: str) -> str:
    """The people of the other stories, in SQL. What is not theirs is of the story, or wrongly of nobody: rep -1 is not among them."""
    return f"(select rep_id from core.dim_rep where email not like '{story}-%')"


def total(pipeline: Pipeline, story: str, column: str, table: str = "daily_pipeline") -> Any:
    """The sum of all rows that are not of other stories."""
    return pipeline.rows(f"select sum({column}) as n from marts.{table} where rep_id not in {others(story)}")[0]["n"]


FROZEN = told(
    "frozen",
    deal("frozen", "X", at("10T16", "created", amount="10000.00"), at("10T22", "amount", amount="12000.00"),
         at("11T16", "amount", amount="15000.00"), at("12T16", "amount"), at("13T16", "amount", amount="4000.00")),
)  # fmt: skip


def test_the_created_amount_is_frozen_and_later_edits_are_changes(company: Pipeline) -> None:
    """2. X: 10,000 at 16Z on the 10th and 12,000 at 22Z, still the 10th in New York: created 12,000. 15,000 at 16Z on the 11th: change
    +3,000;
    cleared at 16Z on the 12th: change -15,000; 4,000 at 16Z on the 13th: change +4,000. 12,000 + 3,000 - 15,000 + 4,000 = 4,000, what it
    has now."""
    expect(
        row(company, "frozen-ann", "2026-03-10"), deals_created=1, pipeline_created_amount="12000.00",
        pipeline_created_amount_current="4000.00", pipeline_change_amount="0",
    )  # fmt: skip
    expect(row(company, "frozen-ann", "2026-03-11"), pipeline_change_amount="3000.00", deals_created=0)
    expect(row(company, "frozen-ann", "2026-03-12"), pipeline_change_amount="-15000.00", open_pipeline_amount="0")
    expect(row(company, "frozen-ann", "2026-03-12"), open_deals=1, open_deals_without_amount=1)
    expect(row(company, "frozen-ann", "2026-03-13"), pipeline_change_amount="4000.00")
    # Bob's day: 22Z on the 10th is the 11th in Tokyo, and so is the creation at 16Z; still one frozen amount, and the same changes.
    expect(
        row(company, "frozen-bob", "2026-03-11", "daily_pipeline_owner"), deals_created=1, pipeline_created_amount="12000.00",
        pipeline_change_amount="0",
    )  # fmt: skip
    expect(row(company, "frozen-bob", "2026-03-12", "daily_pipeline_owner"), pipeline_change_amount="3000.00")


GRACE = told(
    "grace",
    deal("grace", "X", at("03T16", "created"), at("07T16", "amount", amount="700.00")),
    deal("grace", "Y", at("03T16", "created"), at("10T16", "amount", amount="900.00")),
)  # fmt: skip


def test_a_first_amount_within_the_grace_days_is_created_and_a_later_one_is_change(other_company: Pipeline) -> None:
    """2. With amount_grace_days = 5: X begins without an amount on the 3rd and gets 700 on the 7th (4 days): created 700, no change.
    Y begins on the 3rd and gets 900 on the 10th (7 days): created without amount, change +900 on the 10th."""
    expect(
        row(other_company, "grace-ann", "2026-03-03"), deals_created=2, deals_created_without_amount=1, pipeline_created_amount="700.00",
        pipeline_created_amount_current="1600.00",
    )  # fmt: skip
    expect(row(other_company, "grace-ann", "2026-03-07"), pipeline_change_amount="0", open_pipeline_amount="700.00")
    expect(
        row(other_company, "grace-ann", "2026-03-10"), pipeline_change_amount="900.00", open_pipeline_amount="1600.00"
    )


RATES = told(
    "rates",
    deal("rates", "X", at("09T16", "created", amount="1000.05"), at("11T10", "amount", amount="2000.00"), currency="USD"),
    deal("rates", "V", at("13T16", "created", amount="1000000000.00"), currency="VND", sourced_by="rates-bob", created_by="rates-bob"),
    fx=[
        {"date": "2026-03-02", "currency": "USD", "rate": "0.9"},
        {"date": "2026-03-12", "currency": "USD", "rate": "0.8"},
        {"date": "2026-03-13", "currency": "VND", "rate": "0.0000354"},
    ],
)  # fmt: skip


def test_other_currencies_at_the_rate_of_the_day_carried_a_week_else_unknown(company: Pipeline) -> None:
    """2, fx_carry_days. USD is 0.9 on the 2nd and 0.8 on the 12th; carried 7 days it holds on the 2nd-9th and the 12th-19th, on the 10th
    and
    11th none does. X: 1,000.05 USD on the 9th: 900.045, rounded once: 900.05; of now 2,000 USD at the rate of the 9th: 1,800. On the 11th
    it becomes
    2,000: the change has no rate. On the 13th 2,000 x 0.8 = 1,600 stand open; on the 20th no rate: 0, and one deal that says so.
    VND at 0.0000354: 1,000,000,000 x 0.0000354 = 35,400 (six decimals of the rate would give 35,000)."""
    expect(
        row(company, "rates-ann", "2026-03-09"), pipeline_created_amount="900.05", pipeline_created_amount_current="1800.00",
        open_pipeline_amount="900.05", amounts_without_rate=0,
    )  # fmt: skip
    expect(
        row(company, "rates-ann", "2026-03-11"), pipeline_change_amount="0", amounts_without_rate=1, open_pipeline_amount="0",
        open_deals=1, open_deals_without_rate=1,
    )  # fmt: skip
    expect(row(company, "rates-ann", "2026-03-13"), open_pipeline_amount="1600.00", open_deals_without_rate=0)
    expect(row(company, "rates-ann", "2026-03-19"), open_pipeline_amount="1600.00")
    expect(row(company, "rates-ann", "2026-03-20"), open_pipeline_amount="0", open_deals_without_rate=1)
    expect(row(company, "rates-bob", "2026-03-14"), pipeline_created_amount="35400.00")


AGAIN = told(
    "again",
    deal("again", "X", at("03T10", "created", amount="100.00"), at("05T10", "won"), at("08T10", "reopened", stage="qualified"),
         at("09T10", "amount", amount="150.00"), at("10T10", "won")),
    deal("again", "Y", at("03T10", "created", amount="40.00"), at("06T10", "lost"), at("07T10", "reopened"), at("09T10", "lost")),
    deal("again", "Z", at("03T10", "created", amount="70.00"), at("06T10", "won"), at("09T10", "lost")),
)  # fmt: skip


def test_won_reopened_and_won_again_nets_out(company: Pipeline) -> None:
    """0.3, 2. X, 100 on the 3rd: won on the 5th at 100, re-opened on the 8th, 150 on the 9th, won again on the 10th at 150, all at 10Z (no
    zone matters).
    won events 2 (100 + 150), re-opened won 1 (100): net 1 deal, 150. Cycle: 2 + 7 days, 2 undone: 7.
    Y, 40: lost on the 6th, re-opened on the 7th (40 undone), lost again on the 9th. Z, 70: won on the 6th, moved to lost at once on the
    9th: 1 won less 1, and lost.
    Net: won 1 + 0, closed = (3 won - 2) + (3 lost - 1) = 3; amounts: won 150, closed 150 + 40 + 70 = 260."""
    owner = "daily_pipeline_owner"
    expect(
        row(company, "again-bob", "2026-03-05", owner),
        deals_won=1,
        won_amount="100.00",
        won_cycle_days=2,
        deals_reopened=0,
    )
    expect(
        row(company, "again-bob", "2026-03-08", owner), deals_won=0, deals_reopened=1, deals_reopened_won=1, reopened_won_amount="100.00",
        reopened_won_cycle_days=2, net_deals_won=-1, net_won_amount="-100.00",
    )  # fmt: skip
    expect(
        row(company, "again-bob", "2026-03-07", owner),
        deals_reopened=1,
        deals_reopened_lost=1,
        deals_reopened_won=0,
    )
    expect(row(company, "again-bob", "2026-03-07", owner), reopened_amount="40.00", reopened_lost_amount="40.00")
    # Z's step from won to lost is no re-opening, but the deal is won no more.
    expect(row(company, "again-bob", "2026-03-09", owner), deals_lost=2, deals_reopened=0, deals_reopened_won=1)
    for table in ("daily_pipeline", owner):
        sums = {
            c: total(company, "again", c, table)
            for c in ("deals_won", "won_amount", "net_deals_won", "net_won_amount", "net_deals_closed")
        }
        assert sums == {
            "deals_won": 3, "won_amount": Decimal("320.00"), "net_deals_won": 1, "net_won_amount": Decimal("150.00"), "net_deals_closed": 3,
        }  # fmt: skip
        assert total(company, "again", "net_closed_amount", table) == Decimal("260.00")
        assert total(company, "again", "won_cycle_days - reopened_won_cycle_days", table) == 7
    # The two ways of crediting tell of the same events; the activity table has kept its numbers.
    expect(company.day("again-bob@acme.com", "2026-03-05"), deals_won_events=1, won_amount="100.00")
    expect(row(company, "again-ann", "2026-03-05"), deals_won=1, won_amount="100.00")
    expect(row(company, "again-ann", "2026-03-05", owner), deals_won=0, won_amount="0")


INSTANT = told(
    "instant",
    deal("instant", "X", at("03T10", "created", amount="100.00"), at("03T10", "lost")),
    deal("instant", "Y", at("03T10", "created", amount="100.00"), at("03T10", "amount", amount="90.00"),
         at("03T10", "stage", stage="qualified")),
)  # fmt: skip


def test_several_values_of_one_instant_follow_one_another(company: Pipeline) -> None:
    """2. At 10Z on the 3rd, to the second: X is made as "open" with 100 and lost, Y is made with 100, comes down to 90 and is
    qualified. By the text of the values "open" came after "closedlost" and "100.00" before "90.00". X: created and lost, nothing
    stands open. Y: created and qualified at 90, 90 stands open. Both entered open, one of them qualified: 2 entered, 1 reached."""
    expect(
        row(company, "instant-bob", "2026-03-03", "daily_pipeline_owner"), deals_created=2, pipeline_created_amount="190.00", deals_lost=1,
        lost_amount="100.00", open_deals=1, open_pipeline_amount="90.00", qualified_deals=1, qualified_pipeline_amount="90.00",
        pipeline_change_amount="0",
    )  # fmt: skip
    cohort = company.rows(
        "select deals_entered, deals_reached from marts.cohort_stage_conversion "
        f"where from_stage_name = 'Open' and to_stage_name = 'Qualified' and rep_id not in {others('instant')}"
    )
    assert cohort == [{"deals_entered": 2, "deals_reached": 1}]


MOVED = told(
    "moved",
    deal("moved", "X", at("03T10", "created", amount="100.00"), at("05T10", "won"), at("07T10", "pipeline", pipeline="default"),
         at("07T11", "won"), pipeline="partner"),
)  # fmt: skip


def test_a_won_deal_that_moves_to_another_pipeline_stays_won(company: Pipeline) -> None:
    """2: a move recounts nothing. Won on the 5th in "partner"; at 10Z on the 7th the pipeline is written, the stage an hour later.
    In between it is in default with a stage of partner's: still won, not re-opened."""
    for table in ("daily_pipeline", "daily_pipeline_owner"):
        counted = [
            total(company, "moved", c, table) for c in ("deals_created", "deals_won", "deals_reopened", "won_amount")
        ]
        assert counted == [1, 1, 0, Decimal("100.00")]


QUALIFIED = told(
    "qualified",
    deal("qualified", "X", at("03T10", "created", amount="100.00"), at("05T10", "stage", stage="qualified"),
         at("05T20", "amount", amount="130.00"), at("06T10", "stage", stage="open"), at("07T10", "stage", stage="qualified")),
    deal("qualified", "Y", at("03T10", "created", amount="9.00"), at("05T10", "stage", stage="disqualified")),
)  # fmt: skip


def test_qualified_is_the_first_entry_with_the_amount_of_that_day(company: Pipeline) -> None:
    """2. X, 100: qualified on the 5th at 10Z, 130 at 20Z that day (still the 5th in New York): 130 qualified. Back to open on the 6th,
    qualified again on the 7th:
    not again. Y never. "disqualified" is not qualified, though it says so. The pipelines of other stories have a stage of that name too."""
    expect(row(company, "qualified-ann", "2026-03-05"), qualified_deals=1, qualified_pipeline_amount="130.00")
    assert total(company, "qualified", "qualified_deals") == 1
    stages = company.rows("select stage_id from marts.dim_pipeline_stage where is_qualified")
    assert {s["stage_id"] for s in stages} == {"qualified", "partner_qualified", "renewals_qualified"}


DEMO = told(
    "demo",
    deal("demo", "X", at("03T10", "created", amount="100.00"), at("04T10", "stage", stage="qualified"),
         at("06T10", "stage", stage="demo")),
)  # fmt: skip


def test_the_settings_say_which_stage_is_qualified(other_company: Pipeline) -> None:
    expect(row(other_company, "demo-ann", "2026-03-04"), qualified_deals=0)
    expect(row(other_company, "demo-ann", "2026-03-06"), qualified_deals=1, qualified_pipeline_amount="100.00")


OUT = told(
    "out",
    deal("out", "X", at("03T10", "created", amount="100.00"), at("05T10", "won")),
    deal("out", "T", at("03T10", "created", amount="1.00"), at("05T10", "won"), account="out-test"),
    deal("out", "D", at("03T10", "created", amount="2.00"), at("05T10", "won"), at("07T10", "deleted")),
    deal("out", "L", at("03T10", "created", amount="4.00"), at("05T10", "won"), at("07T10", "merged_into", deal="out-X")),
    deal("out", "R", at("03T10", "created", amount="8.00"), at("05T10", "won"), pipeline="renewals"),
    deal("out", "M", at("03T10", "created", amount="16.00"), at("06T10", "stage", stage="open", pipeline="default"),
         pipeline="renewals"),
    accounts=[account("out"), {"key": "out-test", "name": "Test", "domain": "test.example"}],
)  # fmt: skip


def test_tests_losers_deleted_and_excluded_pipelines_are_out(company: Pipeline) -> None:
    """0.4. Of five deals one counts: T is of a test company, D was deleted, L was merged into X, R is a renewal. M began among the renewals
    on the 3rd and came into the default pipeline on the 6th: created on the 6th. Nothing is set: what is called renewals is no new business."""
    expect(row(company, "out-ann", "2026-03-03"), deals_created=1, pipeline_created_amount="100.00", open_deals=1)
    expect(row(company, "out-ann", "2026-03-05"), deals_won=1, won_amount="100.00", open_deals=0)
    expect(row(company, "out-ann", "2026-03-06"), deals_created=1, pipeline_created_amount="16.00", open_deals=1)
    reasons = company.rows(
        "select exclusion_reason as r, list(distinct event_type order by event_type) as e from core.fct_deal_event "
        f"where sourcing_rep_id not in {others('out')} group by all order by all"
    )
    assert [(r["r"], r["e"]) for r in reasons] == [
        ("deleted", ["deleted"]),
        ("excluded_pipeline", ["created", "entered_stage", "won"]),
        ("test", ["created", "entered_stage", "won"]),
        (None, ["created", "entered_stage", "won"]),
    ]


STANDING = told(
    "standing",
    deal("standing", "X", at("03T16", "created", amount="100.00"), at("05T20", "owner", owner="standing-ann"), at("09T02", "lost")),
    deal("standing", "Y", at("10T10", "created", month="02", amount="50.00"), close_date="2026-03-05"),
)  # fmt: skip


def test_what_stands_open_at_the_end_of_everybodys_own_day(company: Pipeline) -> None:
    """1g. X, 100, from 16Z on the 3rd: the 3rd in New York, the 4th in Tokyo. Bob hands it to Ann at 20Z on the 5th: the 6th in Tokyo, the
    5th in New York.
    Lost at 02Z on the 9th: 22:00 on the 8th in New York (UTC-4 since that morning). Y, 50, open since February, close date the 5th: past
    it from the 6th on."""

    def standing(who: str, table: str) -> dict[str, tuple[int, Decimal, int]]:
        return {
            f"{day:02}": tuple(  # type: ignore[misc]
                row(company, who, f"2026-03-{day:02}", table)[c]
                for c in ("open_deals", "open_pipeline_amount", "open_deals_past_close_date")
            )
            for day in range(1, 10)
        }

    hundred, fifty, both, none = Decimal(100), Decimal(50), Decimal(150), Decimal(0)
    assert standing("standing-ann", "daily_pipeline") == {
        "01": (1, fifty, 0), "02": (1, fifty, 0), "03": (2, both, 0), "04": (2, both, 0), "05": (2, both, 0), "06": (2, both, 1),
        "07": (2, both, 1), "08": (1, fifty, 1), "09": (1, fifty, 1),
    }  # fmt: skip
    assert standing("standing-bob", "daily_pipeline_owner") == {
        "01": (1, fifty, 0), "02": (1, fifty, 0), "03": (1, fifty, 0), "04": (2, both, 0), "05": (2, both, 0), "06": (1, fifty, 1),
        "07": (1, fifty, 1), "08": (1, fifty, 1), "09": (1, fifty, 1),
    }  # fmt: skip
    assert standing("standing-ann", "daily_pipeline_owner") == {
        **{f"{day:02}": (0, none, 0) for day in (1, 2, 3, 4, 8, 9)},
        **{f"{day:02}": (1, hundred, 0) for day in (5, 6, 7)},
    }  # fmt: skip


LEFT = told(
    "left",
    deal("left", "X", at("03T10", "created", amount="100.00")),
    deal("left", "N", at("03T10", "created", amount="7.00"), owner=None),
    reps=[ann("left"), bob("left", end_date="2026-03-10")],
)  # fmt: skip


def test_open_deals_of_who_left_and_of_nobody_still_stand_open(other_company: Pipeline) -> None:
    """0.7, 0.4. Bob left on the 10th; his deal of 100 is his still on the 15th. N has no owner: it is rep -1's every day from the 3rd
    on."""
    expect(
        row(other_company, "left-bob", "2026-03-15", "daily_pipeline_owner"),
        open_deals=1,
        open_pipeline_amount="100.00",
    )
    unknown = other_company.rows(
        "select count(*) as days, min(activity_date)::varchar as first, sum(open_deals)::bigint as deals, max(open_pipeline_amount) as amount "
        "from marts.daily_pipeline_owner where rep_id = -1"
    )
    # The 3rd to the 20th, today: 18 days.
    assert unknown == [{"days": 18, "first": "2026-03-03", "deals": 18, "amount": Decimal("7.00")}]
    after = other_company.rows(
        "select 1 as x from marts.daily_rep_activity where rep_id = (select rep_id from core.dim_rep "
        "where email = 'left-bob@acme.com') and activity_date > '2026-03-10'"
    )
    assert not after, "the spine ends with the employment"


TOUCHED = told(
    "touched",
    deal("touched", "X", at("10T10", "created", month="02", amount="50.00"), next_activity_at="2026-04-01T09:00:00Z"),
    deal("touched", "Y", at("10T10", "created", month="02", amount="50.00"), contacts=[], owner="touched-ann"),
    contacts=[cora("touched", phones=["+442071838750"])],
    calls=[{"key": "D1", "rep": "touched-ann", "direction": "outbound", "number": "+442071838750", "started_at": "2026-03-03T15:00:00Z",
            "ended_at": "2026-03-03T15:00:30Z", "answered_at": None, "result": "no_answer"}],
    mails=[{"key": "m1", "rep": "touched-ann", "direction": "outbound", "from": "touched-ann@acme.com", "to": ["cora@touched.com"],
            "kind": "one_to_one", "sent_at": "2026-03-19T15:00:00Z", "message_id": "<m1@mail.acme.com>"}],
)  # fmt: skip


def test_untouched_is_fourteen_days_without_call_mail_or_meeting(company: Pipeline) -> None:
    """4.7. X is open since February, with Cora. Ann calls her at 15Z on the 3rd (no answer: a try is a touch): touched on the 3rd and the
    13 days after, the 16th;
    untouched on the 17th and 18th; a mail on the 19th. Y has no contacts: untouched. Until the 13th less than 14 days were read: not
    known."""
    days = {
        d: row(company, "touched-ann", f"2026-03-{d}")["open_deals_untouched_14d"] for d in (13, 14, 16, 17, 18, 19)
    }
    assert days == {13: None, 14: 1, 16: 1, 17: 2, 18: 2, 19: 1}
    expect(row(company, "touched-bob", "2026-03-17", "daily_pipeline_owner"), open_deals_untouched_14d=1)
    # X has a meeting planned for April, Y has nothing.
    expect(row(company, "touched-ann", "2026-03-17"), open_deals_without_next_step=1)


def test_deals_that_were_not_read_are_null(tmp_path: Path) -> None:
    case = world(told("unread", deal("unread", "X", at("03T10", "created", amount="100.00"))))
    with serving(case, tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST, without=["hubspot"])
        expect(
            row(pipeline, "unread-ann", "2026-03-03"), deals_created=None, pipeline_created_amount=None, open_deals=None, net_deals_won=None,
            source_status="missing", is_complete=False,
        )  # fmt: skip


CONVERSION = told(
    "conversion",
    deal("conversion", "X", at("03T10", "created", amount="1.00"), at("05T10", "stage", stage="qualified"), at("06T10", "won")),
    deal("conversion", "Y", at("03T10", "created", amount="1.00"), at("12T10", "stage", stage="qualified")),
    deal("conversion", "Z", at("03T10", "created", amount="1.00"), at("04T10", "won")),
    deal("conversion", "W", at("16T10", "created", amount="1.00")),
)  # fmt: skip


def test_stage_conversion_within_the_window_and_ever(other_company: Pipeline) -> None:
    """2. stage_conversion_days = 5. Entered open on the 3rd (Tokyo's, 10Z): X, Y, Z. X is qualified on the 5th (2 days: in time), won on
    the 6th.
    Y is qualified on the 12th (9 days: ever only). Z is won on the 4th: qualified is skipped, not reached.
    open -> qualified: 3 entered, 1 in time, 2 ever. open -> won: X and Z in time. Matures on 3 + 5 = 8; Y's entry into qualified on the
    12th
    matures on the 17th: both over on the 20th. W enters on the 16th: the 21st is not over."""
    rows = other_company.rows(
        "select c.entry_date::varchar as d, f.stage_id as i, t.stage_id as j, c.deals_entered, c.deals_reached, "
        "c.deals_reached_ever, c.matures_on::varchar as m, c.is_mature from marts.cohort_stage_conversion as c "
        "inner join marts.dim_pipeline_stage as f on c.from_stage_key = f.stage_key "
        "inner join marts.dim_pipeline_stage as t on c.to_stage_key = t.stage_key "
        "where c.rep_id in (select rep_id from core.dim_rep where email like 'conversion-%')"
    )
    found = {(r["d"], r["i"], r["j"]): tuple(r.values())[3:] for r in rows}
    assert found["2026-03-03", "open", "qualified"] == (3, 1, 2, "2026-03-08", True)
    assert found["2026-03-03", "open", "closedwon"] == (3, 2, 2, "2026-03-08", True)
    assert found["2026-03-03", "open", "closedlost"] == (3, 0, 0, "2026-03-08", True)
    assert found["2026-03-05", "qualified", "closedwon"] == (1, 1, 1, "2026-03-10", True)
    assert found["2026-03-12", "qualified", "closedwon"] == (1, 0, 0, "2026-03-17", True)
    assert found["2026-03-16", "open", "qualified"] == (1, 0, 0, "2026-03-21", False)
    assert not any(i.startswith("closed") for _, i, _ in found), "nothing follows the end"


VELOCITY = told(
    "velocity",
    deal("velocity", "X", at("03T10", "created", month="02", amount="100.00"), at("05T10", "won", month="02")),
    deal("velocity", "Y", at("03T10", "created", month="02", amount="300.00"), at("09T10", "won", month="02")),
    deal("velocity", "Z", at("03T10", "created", month="02", amount="50.00"), at("06T10", "lost", month="02")),
    deal("velocity", "V", at("03T10", "created", month="02", amount="10.00")),
    deal("velocity", "W", at("04T10", "created", month="02", amount="10.00")),
)  # fmt: skip


def test_velocity_and_its_parts(other_company: Pipeline) -> None:
    """4.4. The whole company by 12 February: X won 100 after 2 days, Y won 300 after 6, Z lost, and V and W open: open 2, win rate 2/3,
    average won 200, cycle (2 + 6) / 2 = 4 days:
    2 x 2/3 x 200 / 4 = 66.67 a day. On the 4th nothing was closed yet: no rate, no velocity."""
    file = other_company.published()
    with duckdb.connect(str(file), read_only=True) as reader:
        said = reader.execute(
            "select open_deals, net_deals_won, net_deals_closed, net_won_amount, net_won_cycle_days, round(win_rate, 4), "
            "avg_won_amount, avg_cycle_days, round(velocity_amount, 2), is_complete from v_pipeline_velocity where activity_date = '2026-02-12'"
        ).fetchone()
        early = reader.execute(
            "select win_rate, velocity_amount, open_deals from v_pipeline_velocity where activity_date = '2026-02-04'"
        ).fetchone()
    assert said == (2, 2, 3, Decimal("400.00"), 8, 0.6667, 200.0, 4.0, 66.67, True)
    assert early == (None, None, 5)


NUMBERED = told(
    "numbered",
    deal("numbered", "X", at("03T10", "created", amount="100.00"), at("04T10", "amount", amount="80.00"),
         at("05T10", "owner", owner="numbered-ann"), at("06T10", "won")),
)  # fmt: skip


def test_events_are_numbered_in_order_with_who_and_how_much(company: Pipeline) -> None:
    """CONTRACT 3. At one instant: created, then the entry into its stage. Bob hands over to Ann on the 5th, who wins on the 6th."""
    rows = company.rows(
        "select e.event_no, e.event_type, r.name, s.name as sourced, b.name as before, e.amount, e.amount_change "
        "from core.fct_deal_event as e "
        "left join core.dim_rep as r on e.rep_id = r.rep_id left join core.dim_rep as s on e.sourcing_rep_id = s.rep_id "
        "left join core.dim_rep as b on e.previous_owner_rep_id = b.rep_id "
        f"where e.sourcing_rep_id not in {others('numbered')} order by event_no"
    )
    assert [tuple(r.values()) for r in rows] == [
        (1, "created", "Ann", "Ann", None, Decimal("100.00"), None),
        (2, "entered_stage", "Bob", "Ann", None, Decimal("100.00"), None),
        (3, "amount_changed", "Bob", "Ann", None, Decimal("80.00"), Decimal("-20.00")),
        (4, "owner_changed", "Ann", "Ann", "Bob", Decimal("80.00"), None),
        (5, "entered_stage", "Ann", "Ann", None, Decimal("80.00"), None),
        (6, "won", "Ann", "Ann", None, Decimal("80.00"), None),
    ]


def test_a_deal_is_counted_once_in_the_whole_company(company: Pipeline) -> None:
    """All rows, by whom who sourced and by whom who owns. Created in March: FROZEN 1, RATES 2, AGAIN 3, INSTANT 2, MOVED 1, QUALIFIED 2,
    OUT 2 (X and M), STANDING 1 (X), NUMBERED 1: 15; TOUCHED only in February. Won: AGAIN 3, MOVED 1, OUT 1, NUMBERED 1: 6."""
    for table in ("daily_pipeline", "daily_pipeline_owner"):
        sums = company.rows(f"select sum(deals_created) as created, sum(deals_won) as won from marts.{table}")
        assert sums == [{"created": 15, "won": 6}]


def test_intervals_tell_what_looking_at_every_deal_on_every_day_tells(tmp_path: Path) -> None:
    """1g. A generated company: for each rep and day, every deal's history is walked to the end of the rep's local day, in plain Python;
    open deals are counted and their amounts added at that day's rate. The tables get there by adding up what begins and ends."""
    made = parse(generate(seed=5, reps=10, days=18, now=NOW))
    first = NOW.date() - timedelta(days=19)
    frame = Frame(State(made, NOW))
    closed = {s.id for p in pipelines(made) for s in p.stages if s.is_closed}
    expected: dict[tuple[str, str, date], tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for stored in crm_deals(frame.state):
        account = next(a for a in made.accounts if a.key == stored.value.account)
        if stored.deleted_at or frame.test_address(f"@{account.domain}"):
            continue
        sourced_by = stored.value.sourced_by or (stored.created_by if stored.created_by in frame.reps else None)
        for rep, day in product(frame.reps, (first + timedelta(days=n) for n in range(20))):
            now = {v.property: v.value for v in stored.history if frame.day(rep, v.at) <= day}
            if "stage" not in now or now["stage"] in closed:
                continue
            rate = rate_on(frame, str(now["currency"]), day)
            worth = Decimal(str(now.get("amount") or 0)) * (rate or 0)
            source = sourced_by or next(v.value for v in stored.history if v.property == "owner")
            for credit, who in (("daily_pipeline", source), ("daily_pipeline_owner", now["owner"])):
                if who == rep:
                    n, amount = expected[credit, rep, day]
                    expected[credit, rep, day] = (n + 1, amount + worth)
    with serving(made, tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=first)
        emails = {r.email: r.key for r in made.reps}
        for table in ("daily_pipeline", "daily_pipeline_owner"):
            found = pipeline.rows(
                f"select r.email, d.activity_date, d.open_deals, d.open_pipeline_amount from marts.{table} as d "
                "inner join core.dim_rep as r on d.rep_id = r.rep_id and r.is_current where d.rep_id <> -1"
            )
            assert len(found) >= 10 * 20, "a row for every rep and day"
            wrong = [
                (r, want)
                for r in found
                if (r["open_deals"], r["open_pipeline_amount"])
                != (
                    (want := expected[table, emails[r["email"]], r["activity_date"]])[0],
                    want[1].quantize(Decimal("0.01"), ROUND_HALF_UP),
                )
            ]
            assert not wrong, wrong[:5]
        assert max(n for n, _ in expected.values()) > 3, "a number that is always small proves little"


CRM_RATE = told(
    "crm",
    deal("crm", "usd", at("05T15", "created", amount="1000.00", by="crm-ann"), currency="USD"),
    fx=[{"date": "2026-03-02", "currency": "USD", "rate": "0.92"}],
)  # fmt: skip


def test_without_a_file_the_rates_that_the_crm_keeps_are_taken(other_company: Pipeline) -> None:
    """1,000 USD at 0.92 EUR, the CRM's rate of 2 March, carried to 5 March: 920.00."""
    rows = other_company.rows(
        "select source, rate::double as rate from core.fx_rate where currency = 'USD' and date = '2026-03-05'"
    )
    assert rows == [{"source": "crm", "rate": 0.92}]
    assert other_company.day("crm-ann@acme.com", "2026-03-05")["pipeline_created_amount"] == Decimal("920.00")


def test_rates_to_the_crms_own_currency_are_turned_round(tmp_path: Path) -> None:
    """The company reports in USD, its CRM is kept in EUR and knows on 2 March that 1 USD is 0.80 EUR and 1 GBP 1.20 EUR. So 1 EUR is 1 / 0.80 =
    1.25 USD and 1 GBP 1.20 / 0.80 = 1.50 USD: on the 5th 1,000 EUR are 1,250 and 100 GBP 150; on the 10th, 8 days later, there is no rate."""
    story = told(
        "round",
        deal("round", "eur", at("05T15", "created", amount="1000.00", by="round-ann"), currency="EUR"),
        deal("round", "gbp", at("05T15", "created", amount="100.00", by="round-ann"), currency="GBP"),
        deal("round", "late", at("10T15", "created", amount="1000.00", by="round-ann"), currency="EUR"),
        fx=[
            {"date": "2026-03-02", "currency": "USD", "rate": "0.80"},
            {"date": "2026-03-02", "currency": "GBP", "rate": "1.20"},
        ],
    )
    with serving(world(story), tmp_path) as (pipeline, _):
        del pipeline.config["inputs"]["fx"]
        pipeline.config["company"]["reporting_currency"] = "USD"
        pipeline.nightly(NOW, first=FIRST)
        expect(
            row(pipeline, "round-ann", "2026-03-05"), pipeline_created_amount="1400.00", deals_created=2, reporting_currency="USD",
            deals_created_without_amount=0,
        )  # fmt: skip
        expect(row(pipeline, "round-ann", "2026-03-10"), pipeline_created_amount="0", deals_created_without_amount=1)
