"""Deals and money (METRICS 0.3, 0.4, 0.6, 2): one company, some forty deals, every expected value worked out by hand.

All of it is one world and one night. In April and May 2026 New York is UTC-4, Los Angeles UTC-7, London UTC+1, Berlin UTC+2, Tokyo UTC+9.
Each rep has days of their own for each rule, so that what a day must say is told by the deals named beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.pipeline import Pipeline, serving

NOW = datetime(2026, 5, 20, 6, tzinfo=UTC)
FIRST = date(2026, 3, 25)
World = dict[str, Any]


def rep(key: str, zone: str) -> World:
    return {"key": key, "name": key.title(), "email": f"{key}@acme.com", "timezone": zone, "team": "T1"}


def event(at: str, kind: str, **more: Any) -> World:
    """An event of 2026; at: "04-01 10:00" or with seconds, UTC."""
    day, clock = at.split()
    return {"at": f"2026-{day}T{clock if clock.count(':') == 2 else clock + ':00'}Z", "type": kind, **more}


def amount(at: str, value: str | None) -> World:
    return event(at, "amount", amount=value)


def stage(at: str, name: str, **more: Any) -> World:
    return event(at, "stage", stage=name, **more)


def owner(at: str, key: str) -> World:
    return event(at, "owner", owner=key)


def deal(
    key: str, at: str, value: str | None, *events: World, created: Mapping[str, Any] | None = None, **more: Any
) -> World:
    """A deal that stands in "open" from `at` on; created: what else its first event says."""
    first = event(at, "created", **{"stage": "open", "amount": value, **(created or {})})
    return {"key": key, "account": "A1", "currency": "EUR", "events": [first, *events], **more}


def by(who: str, **more: Any) -> World:
    """Made by hand by a rep who also owns it."""
    return {"created_by": who, "owner": who, **more}


CREDIT = [
    deal("X1", "04-02 02:30", "1000.00", amount("04-02 03:59:59", "1500.00"), amount("04-02 04:00:00", "9000.00"),
         sourced_by="ann", created_by="integration", owner="bob"),
    deal("C1", "04-02 15:00", "100.00", sourced_by="ann", created_by="cem", owner="bob"),
    deal("C2", "04-03 10:00", "200.00", created_by="cem", owner="bob"),
    deal("C3", "04-06 16:00", "300.00", owner("04-06 17:00", "cem"), created_by="integration", owner="bob"),
    deal("C4", "04-07 14:00", "400.00", created_by="xen", owner="ann"),
    deal("C5", "04-08 14:00", "500.00", created={"via": "import"}, created_by="cem", owner="ann"),
    deal("C6", "04-09 10:00", "600.00", owner("04-09 11:00", "bob"), created_by="integration"),
]  # fmt: skip
ONCE = [
    deal("O1", "04-10 10:00", "1000.00", event("04-13 10:00", "lost"), event("04-14 10:00", "reopened", stage="open"),
         owner("04-15 10:00", "ann"), stage("04-16 10:00", "open", pipeline="second"), amount("04-16 11:00", "2000.00"),
         event("04-17 15:00", "won"), created_by="cem", owner="bob"),
    deal("O2", "04-20 10:00", "500.00", amount("04-21 10:00", "700.00"), stage("04-22 10:00", "open", pipeline="default"),
         amount("04-22 21:59:59", "750.00"), amount("04-22 22:00", "800.00"), stage("04-23 10:00", "open", pipeline="renewal"),
         stage("04-24 10:00", "open", pipeline="default"), pipeline="renewal", **by("cem")),
    deal("O3", "04-20 10:30", "5000.00", pipeline="renewal", **by("cem")),
    deal("O4", "04-25 10:00", "250.00", stage("04-27 12:00", "open", pipeline="renewal"), **by("cem")),
    deal("M1", "04-27 10:00", "100.00", **by("cem")),
    deal("M2", "04-28 10:00", "200.00", event("04-30 09:00", "merged_into", deal="M1"), **by("cem")),
    deal("M3", "04-29 10:00", "400.00", event("04-30 08:00", "merged_into", deal="M2"), **by("cem")),
    deal("M5", "05-01 10:00", "10.00", event("05-03 10:00", "merged_into", deal="M6"), **by("cem")),
    deal("M6", "05-02 10:00", "20.00", **by("cem")),
    deal("L1", "05-04 10:00", "50.00", event("05-05 10:00", "deleted"), **by("cem")),
    deal("Z1", "05-06 10:00", "60.00", **by("cem", account="TEST")),
]  # fmt: skip
AMOUNTS = [
    deal("N29", "04-01 10:00", None, amount("04-30 10:00", "111.00"), **by("gil")),
    deal("N30", "04-02 10:00", None, amount("05-02 10:00", "222.00"), **by("gil")),
    deal("N31", "04-03 10:00", None, amount("05-04 10:00", "333.00"), **by("gil")),
    deal("N1", "04-06 10:00", None, amount("04-11 10:00", "500.00"), amount("04-11 11:00", "600.00"), **by("gil")),
    deal("N0", "04-07 10:00", "0.00", amount("04-13 10:00", "5000.00"), **by("gil")),
    deal("NX", "04-08 10:00", "1000.00", amount("04-08 11:00", None), amount("04-10 10:00", "300.00"), **by("gil")),
    deal("ND", "04-09 10:00", "1000.00", amount("04-14 10:00", "1200.00"), amount("05-18 10:00", "1100.00"), **by("gil")),
    deal("NN", "04-16 10:00", None, **by("gil")),
]  # fmt: skip
QUALIFIED = [
    deal("Q1", "05-05 10:00", "1000.00", stage("05-06 10:00", "qualified"), amount("05-06 15:00", "1200.00"),
         amount("05-07 10:00", "1300.00"), stage("05-08 10:00", "open"), stage("05-09 10:00", "qualified"), **by("gil")),
    deal("Q2", "05-11 10:00", "77.00", created={"stage": "qualified"}, **by("gil")),
    deal("Q3", "04-15 10:00", None, stage("04-20 10:00", "qualified"), amount("04-28 10:00", "900.00"), **by("gil")),
]  # fmt: skip
CURRENCIES = [
    deal("F0", "04-01 06:00", "100.00", currency="USD", **by("ivy")),
    deal("F1", "04-02 03:00", "100.00", currency="USD", **by("ivy")),
    deal("F7", "04-09 18:00", "1000.00", currency="USD", **by("ivy")),
    deal("F8", "04-10 18:00", "1000.00", currency="USD", **by("ivy")),
    deal("FG", "04-14 18:00", None, amount("04-25 18:00", "1000.00"), currency="GBP", **by("ivy")),
    deal("FW", "04-20 18:00", "500.00", event("04-24 18:00", "won"), currency="USD", **by("ivy")),
    deal("FE", "05-05 18:00", "300.00", currency="EUR", **by("ivy")),
]  # fmt: skip
CLOSED = [
    deal("W1", "05-07 10:00", "1000.00", event("05-08 10:00", "won"), event("05-11 10:00", "reopened", stage="open"),
         amount("05-11 11:00", "1500.00"), event("05-12 10:00", "won"), sourced_by="gil", created_by="cem", owner="cem"),
    deal("W2", "05-07 11:00", "10.00", owner("05-14 14:59:59", "ann"), event("05-14 15:00:00", "won"),
         owner("05-14 15:00:01", "cem"), sourced_by="gil", created_by="cem", owner="cem"),
    deal("W3", "05-07 12:00", "30.00", event("05-15 10:00", "lost"), event("05-18 10:00", "won"),
         sourced_by="gil", created_by="cem", owner="cem"),
    deal("W4", "05-19 10:00", "42.00", created={"stage": "won"}, **by("cem")),
]  # fmt: skip
WORLD: World = {
    "company": {
        "now": "2026-05-20T06:00:00Z", "reporting_timezone": "UTC", "reporting_currency": "EUR", "internal_domains": ["acme.com"],
        "test_domains": ["test.example"], "systems": {"crm": "hubspot"}, "parameters": {"excluded_pipelines": ["renewal"]},
    },
    "teams": [{"key": "T1", "name": "One"}],
    "reps": [
        rep("ann", "America/New_York"), rep("bob", "Asia/Tokyo"), rep("cem", "Europe/Berlin"), rep("gil", "Europe/London"),
        rep("ivy", "America/Los_Angeles"),
    ],
    "users_without_rep": [{"key": "xen", "system": "crm", "email": "xen@else.com"}],
    "accounts": [{"key": "A1", "name": "Cust", "domain": "cust.com"}, {"key": "TEST", "name": "Test", "domain": "test.example"}],
    "deals": [*CREDIT, *ONCE, *AMOUNTS, *QUALIFIED, *CURRENCIES, *CLOSED],
    "fx": [
        {"date": "2026-04-01", "currency": "USD", "rate": "0.90"}, {"date": "2026-04-02", "currency": "USD", "rate": "0.80"},
        {"date": "2026-04-20", "currency": "USD", "rate": "1.00"}, {"date": "2026-04-13", "currency": "GBP", "rate": "1.15"},
        {"date": "2026-04-25", "currency": "GBP", "rate": "1.30"},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with serving(WORLD, tmp_path_factory.mktemp("deals")) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST)
        yield pipeline


def created(pipeline: Pipeline, who: str, *days: str) -> dict[str, tuple[int, int, str]]:
    """By day: deals_created, deals_created_without_amount, pipeline_created_amount. who: a rep's key, or "-1"."""
    return {d: (r["deals_created"], r["deals_created_without_amount"], str(r["pipeline_created_amount"]))
            for d, r in rows(pipeline, "daily_rep_activity", who, *days).items()}  # fmt: skip


def rows(pipeline: Pipeline, table: str, who: str, *days: str) -> dict[str, World]:
    """The rep's rows of 2026 in that table, by day ("04-01")."""
    found = pipeline.rows(
        f"select * from marts.{table} where activity_date in (select unnest(?)::date) and rep_id in "
        "(select rep_id from core.dim_rep where email = ? union all select -1 where ? = '-1')",
        [[f"2026-{d}" for d in days], f"{who}@acme.com", who],
    )
    return {r["activity_date"].strftime("%m-%d"): r for r in found}


def test_a_deal_is_created_on_the_day_of_the_rep_who_sourced_it(night: Pipeline) -> None:
    """2, 0.2. X1, sourced by Ann, begins at 02:30Z on the 2nd: 22:30 on 1 April in New York. Her 1st ends at 04:00Z: the 1,500 of 03:59:59Z
    are in it, the 9,000 of 04:00:00Z are not. Bob, the owner, for whom it is the 2nd, has none."""
    assert created(night, "ann", "04-01") == {"04-01": (1, 0, "1500.00")}
    assert created(night, "bob", "04-01", "04-02") == {"04-01": (0, 0, "0.00"), "04-02": (0, 0, "0.00")}


def test_credit_goes_to_the_source_then_to_the_human_creator_then_to_the_owner_of_that_instant(night: Pipeline) -> None:
    """0.3. C1 has a sourcing field: Ann, although Cem made it and Bob owns it. C2 has none: Cem, who made it. C3 was made by an
    integration: Bob, its owner at 16:00Z (01:00 on the 7th in Tokyo), not Cem, who got it an hour later. C4's creator is no rep, and
    C5 was imported, which is no human act: Ann, the owner. C6 has no owner at creation: unknown, although Bob gets it later."""
    assert created(night, "ann", "04-02", "04-07", "04-08") == {
        "04-02": (1, 0, "100.00"), "04-07": (1, 0, "400.00"), "04-08": (1, 0, "500.00")
    }  # fmt: skip
    assert created(night, "cem", "04-02", "04-03", "04-06", "04-07", "04-08") == {
        "04-02": (0, 0, "0.00"), "04-03": (1, 0, "200.00"), "04-06": (0, 0, "0.00"), "04-07": (0, 0, "0.00"), "04-08": (0, 0, "0.00"),
    }  # fmt: skip
    assert created(night, "bob", "04-03", "04-06", "04-07", "04-09") == {
        "04-03": (0, 0, "0.00"), "04-06": (0, 0, "0.00"), "04-07": (1, 0, "300.00"), "04-09": (0, 0, "0.00")
    }  # fmt: skip
    assert created(night, "-1", "04-09") == {"04-09": (1, 0, "600.00")}


def test_the_owner_at_entry_is_kept_beside_the_source(night: Pipeline) -> None:
    """0.3: SDR and AE views from one fact. Bob owned C1 and C2 when they began (15:00Z on the 2nd is the 3rd in Tokyo, 10:00Z on the 3rd
    too): 2 deals, 100 + 200 on his 3rd. Nobody owned C6."""
    bob = rows(night, "daily_pipeline_owner", "bob", "04-03")["04-03"]
    assert (bob["deals_created"], bob["pipeline_created_amount"]) == (2, Decimal("300.00"))
    assert rows(night, "daily_pipeline_owner", "-1", "04-09")["04-09"]["deals_created"] == 1


def test_a_deal_is_created_once_for_ever(night: Pipeline) -> None:
    """2. O1 (Cem, 1,000) is lost, re-opened, given to Ann, moved to another pipeline, made worth 2,000 and won: one creation, on the 10th."""
    assert created(night, "cem", "04-10", "04-13", "04-14", "04-15", "04-16", "04-17") == {
        "04-10": (1, 0, "1000.00"), "04-13": (0, 0, "0.00"), "04-14": (0, 0, "0.00"), "04-15": (0, 0, "0.00"),
        "04-16": (0, 0, "0.00"), "04-17": (0, 0, "0.00"),
    }  # fmt: skip
    for who in ("ann", "bob"):
        assert {v[0] for v in created(night, who, "04-10", "04-13", "04-14", "04-15", "04-16", "04-17").values()} == {0}


def test_a_deal_begins_where_it_first_enters_a_counted_pipeline(night: Pipeline) -> None:
    """2. O2 begins among the renewals on the 20th and comes to the default pipeline on the 22nd: created then, with the amount at the end of
    Cem's 22nd (22:00Z): 750. Back among renewals and again out of it: not again. O3 stays a renewal: never. O4 begins in the default
    pipeline and becomes a renewal two days later: created on the 25th, for ever."""
    days = ("04-20", "04-21", "04-22", "04-23", "04-24", "04-25")
    assert created(night, "cem", *days) == {
        "04-20": (0, 0, "0.00"), "04-21": (0, 0, "0.00"), "04-22": (1, 0, "750.00"), "04-23": (0, 0, "0.00"), "04-24": (0, 0, "0.00"),
        "04-25": (1, 0, "250.00"),
    }  # fmt: skip


def test_merged_deleted_and_test_deals_are_not_counted(night: Pipeline) -> None:
    """0.4, 2. M3 was merged into M2, and M2 into M1: M1 alone counts (27th, 100). M5, the older one, was merged into M6: M6 counts on its own
    day. L1 was deleted. Z1's account is a test record."""
    assert created(night, "cem", "04-27", "04-28", "04-29", "05-01", "05-02", "05-04", "05-06") == {
        "04-27": (1, 0, "100.00"), "04-28": (0, 0, "0.00"), "04-29": (0, 0, "0.00"), "05-01": (0, 0, "0.00"), "05-02": (1, 0, "20.00"),
        "05-04": (0, 0, "0.00"), "05-06": (0, 0, "0.00"),
    }  # fmt: skip


def test_an_amount_that_comes_later_counts_if_it_comes_within_30_days(night: Pipeline) -> None:
    """2. N29: 111 after 29 days; N30: 222 after 30 days to the second; N31: 333 after 31: too late, it has no amount. N1: 500 and then 600 on
    the fifth day: the first one. N0: 0 is an amount. NX: the 1,000 were taken back before the day ended; the first one after that is 300.
    ND: 1,000, whatever it is changed to. NN never had one."""
    assert created(night, "gil", "04-01", "04-02", "04-03", "04-06", "04-07", "04-08", "04-09", "04-16") == {
        "04-01": (1, 0, "111.00"), "04-02": (1, 0, "222.00"), "04-03": (1, 1, "0.00"), "04-06": (1, 0, "500.00"),
        "04-07": (1, 0, "0.00"), "04-08": (1, 0, "300.00"), "04-09": (1, 0, "1000.00"), "04-16": (1, 1, "0.00"),
    }  # fmt: skip


def test_edits_of_amounts_go_elsewhere_and_the_current_amount_stands_beside(night: Pipeline) -> None:
    """2. Gil: N1 600 - 500 = 100 on 11 April; N0 5,000 - 0 on the 13th; ND 1,200 - 1,000 = 200 on the 14th and 1,100 - 1,200 = -100 on 18 May;
    N31's 333 came too late to be created: all change, on 4 May. What was created with it is no change: N29 (30 April), N30 (2 May), NX (the
    10th), Q3 (the 28th). Ann: X1 9,000 - 1,500 = 7,500, on her 2nd. Now: N1 600, N31 333, N0 5,000, ND 1,100, X1 9,000."""
    days = ("04-10", "04-11", "04-13", "04-14", "04-28", "04-30", "05-02", "05-04", "05-18")
    changes = {d: str(r["pipeline_change_amount"]) for d, r in rows(night, "daily_pipeline", "gil", *days).items()}
    assert {d: v for d, v in changes.items() if v != "0.00"} == {
        "04-11": "100.00", "04-13": "5000.00", "04-14": "200.00", "05-04": "333.00", "05-18": "-100.00"
    }  # fmt: skip
    assert rows(night, "daily_pipeline", "ann", "04-02")["04-02"]["pipeline_change_amount"] == Decimal("7500.00")
    current = rows(night, "daily_pipeline", "gil", "04-01", "04-03", "04-06", "04-07", "04-09")
    assert {d: str(r["pipeline_created_amount_current"]) for d, r in current.items()} == {
        "04-01": "111.00", "04-03": "333.00", "04-06": "600.00", "04-07": "5000.00", "04-09": "1100.00"
    }  # fmt: skip
    assert rows(night, "daily_pipeline", "ann", "04-01")["04-01"]["pipeline_created_amount_current"] == Decimal(
        "9000.00"
    )


def test_qualified_pipeline_follows_the_same_rules_at_the_first_entry(night: Pipeline) -> None:
    """2. Q1 is qualified on 6 May, with 1,200 at that day's end, and again on the 9th: once. Q2 begins qualified. Q3 is qualified on 20 April
    without an amount and gets 900 eight days later."""
    found = rows(night, "daily_pipeline", "gil", "04-15", "04-20", "05-06", "05-08", "05-09", "05-11")
    assert {d: (r["qualified_deals"], str(r["qualified_pipeline_amount"])) for d, r in found.items()} == {
        "04-15": (0, "0.00"), "04-20": (1, "900.00"), "05-06": (1, "1200.00"), "05-08": (0, "0.00"), "05-09": (0, "0.00"),
        "05-11": (1, "77.00"),
    }  # fmt: skip
    assert created(night, "gil", "04-15", "05-05", "05-11") == {
        "04-15": (1, 0, "900.00"), "05-05": (1, 0, "1000.00"), "05-11": (1, 0, "77.00")
    }  # fmt: skip


def test_amounts_are_converted_at_the_rate_of_the_entry_day_carried_seven_days(night: Pipeline) -> None:
    """2. Ivy's days (UTC-7). F1 begins at 20:00 on 1 April: 100 x 0.90 = 90, not the 0.80 of the 2nd, which it is in UTC. F7 on the 9th: the
    rate of the 2nd, carried 7 days: 1,000 x 0.80 = 800. FG gets its 1,000 GBP on the 25th, at the rate of its entry day, the 14th (1.15, of the
    13th): 1,150, not 1,300. FE is in the reporting currency and needs no rate."""
    assert created(night, "ivy", "04-01", "04-09", "04-14", "04-20", "05-05") == {
        "04-01": (1, 0, "90.00"), "04-09": (1, 0, "800.00"), "04-14": (1, 0, "1150.00"), "04-20": (1, 0, "500.00"), "05-05": (1, 0, "300.00"),
    }  # fmt: skip


def test_an_amount_without_a_rate_adds_nothing_and_is_flagged(night: Pipeline) -> None:
    """fx_carry_days: else the amount is NULL and flagged. F8 begins on the 10th, the eighth day after the last rate; F0 on 31 March, before the
    first one, although that came an hour later."""
    found = rows(night, "daily_pipeline", "ivy", "03-31", "04-01", "04-09", "04-10")
    assert {d: (r["deals_created"], str(r["pipeline_created_amount"]), r["amounts_without_rate"]) for d, r in found.items()} == {
        "03-31": (1, "0.00", 1), "04-01": (1, "90.00", 0), "04-09": (1, "800.00", 0), "04-10": (1, "0.00", 1)
    }  # fmt: skip


def test_a_deal_whose_amount_is_null_for_want_of_a_rate_counts_as_without_amount(night: Pipeline) -> None:
    """2: "NULL amounts counted in `deals_created_without_amount`"; fx_carry_days: "else amount is NULL". F0 and F8 are such."""
    assert created(night, "ivy", "03-31", "04-10") == {"03-31": (1, 1, "0.00"), "04-10": (1, 1, "0.00")}


def test_won_and_lost_belong_to_the_owner_of_that_instant(night: Pipeline) -> None:
    """0.3. O1 is lost by Bob (1,000; 19:00 on the 13th in Tokyo), re-opened under him on the 14th, and won by Ann, who had it by then (2,000).
    W2 is Ann's from one second before it is won to one second after. Gil sourced W1 to W3 and Cem made O1: they won nothing by that."""
    expect_closed(night, "bob", {"04-13": (0, "0.00", 1, "1000.00", 0), "04-14": (0, "0.00", 0, "0.00", 1)})
    expect_closed(night, "ann", {"04-17": (1, "2000.00", 0, "0.00", 0), "05-14": (1, "10.00", 0, "0.00", 0)})
    expect_closed(night, "ivy", {"04-24": (1, "500.00", 0, "0.00", 0)})  # 500 USD at 1.00
    nothing = (0, "0.00", 0, "0.00", 0)
    expect_closed(night, "gil", dict.fromkeys(("05-08", "05-11", "05-12", "05-14", "05-15", "05-18"), nothing))
    expect_closed(night, "cem", dict.fromkeys(("04-13", "04-14", "04-17", "05-14"), nothing))


def test_won_reopened_and_won_again_are_events_of_their_days(night: Pipeline) -> None:
    """2. W1 is won on 8 May (1,000), re-opened on the 11th, made worth 1,500 and won on the 12th. W3 is lost on the 15th and won on the 18th. W4
    is won as soon as it exists: created and won on the 19th. None of them is created again: on 7 May Gil has W1, W2 and W3, 1,040."""
    expect_closed(night, "cem", {
        "05-08": (1, "1000.00", 0, "0.00", 0), "05-11": (0, "0.00", 0, "0.00", 1), "05-12": (1, "1500.00", 0, "0.00", 0),
        "05-15": (0, "0.00", 1, "30.00", 0), "05-19": (1, "42.00", 0, "0.00", 0),
    })  # fmt: skip
    won = rows(night, "daily_rep_activity", "cem", "05-18")["05-18"]
    assert (won["deals_won_events"], won["won_amount"], won["deals_lost"]) == (1, Decimal("30.00"), 0)
    assert created(night, "gil", "05-07", "05-08", "05-11", "05-12") == {
        "05-07": (3, 0, "1040.00"), "05-08": (0, 0, "0.00"), "05-11": (1, 0, "77.00"), "05-12": (0, 0, "0.00")
    }  # fmt: skip
    assert created(night, "cem", "05-19") == {"05-19": (1, 0, "42.00")}


def expect_closed(pipeline: Pipeline, who: str, expected: Mapping[str, tuple[int, str, int, str, int]]) -> None:
    """By day: deals_won_events, won_amount, deals_lost, lost_amount, deals_reopened."""
    found = rows(pipeline, "daily_rep_activity", who, *expected)
    assert {
        d: (r["deals_won_events"], str(r["won_amount"]), r["deals_lost"], str(r["lost_amount"]), r["deals_reopened"])
        for d, r in found.items()
    } == dict(expected)


def test_days_add_up_to_the_deals_that_there_are(night: Pipeline) -> None:
    """0.6. Of 40 deals O3 (renewal), M2, M3, M5 (merged), L1 (deleted) and Z1 (test) are out: 34, each once. Won: O1, W1 twice, W2, W3, W4,
    FW = 7; lost: O1, W3 = 2; re-opened: O1, W1 = 2. Created amounts: 1,500 (X1) + 2,100 (C1 to C6) + 1,000 + 750 + 250 (O1, O2, O4) + 100 + 20
    (M1, M6) + 111 + 222 + 500 + 0 + 300 + 1,000 (N29, N30, N1, N0, NX, ND) + 1,000 + 77 + 900 (Q1 to Q3) + 90 + 800 + 1,150 + 500 + 300 (F1, F7,
    FG, FW, FE) + 1,000 + 10 + 30 + 42 (W1 to W4) = 13,752."""
    assert len(WORLD["deals"]) == 40
    for table in ("daily_rep_activity", "daily_team_activity", "daily_org_activity"):
        total = night.rows(
            "select sum(deals_created)::int as created, sum(deals_won_events)::int as won, sum(deals_lost)::int as lost, "
            f"sum(deals_reopened)::int as reopened, sum(pipeline_created_amount)::varchar as amount from marts.{table}"
        )
        assert total == [{"created": 34, "won": 7, "lost": 2, "reopened": 2, "amount": "13752.00"}], table
