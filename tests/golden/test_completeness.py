"""NULL against zero, whole and part days, roll-ups, and the days that people work (METRICS 0.3, 0.6, 0.7, 0.8), by hand.

Two companies: one whose dialer is not read for a while, over five runs; and one with a CRM alone, over twelve weeks of calendars.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import httpx
import pytest

from tests.pipeline import Pipeline, serving

World = dict[str, Any]


def rep(key: str, zone: str, team: str = "T1", **more: Any) -> World:
    return {"key": key, "name": key.title(), "email": f"{key}@acme.com", "timezone": zone, "team": team, **more}


def company(now: str, **systems: str) -> World:
    return {
        "now": now, "reporting_timezone": "UTC", "reporting_currency": "EUR", "internal_domains": ["acme.com"], "systems": systems,
    }  # fmt: skip


def instant(text: str) -> datetime:
    """Of March 2026: "17 16:00", UTC."""
    return datetime.fromisoformat(f"2026-03-{text.replace(' ', 'T')}:00+00:00")


def call(key: str, who: str, when: str) -> World:
    """A call of a minute that nobody answered."""
    at = instant(when)
    return {"key": key, "rep": who, "number": "+442071838750", "started_at": at.isoformat(), "ended_at": at.replace(minute=1).isoformat(),
            "result": "no_answer"}  # fmt: skip


FOUR: World = {
    "company": company("2026-03-17T16:00:00Z", crm="hubspot", dialer="cloudtalk", mail="gmail"),
    "teams": [{"key": "T1", "name": "One"}, {"key": "T2", "name": "Two"}, {"key": "T3", "name": "Three"}],
    "reps": [
        rep("ann", "America/New_York"), rep("cem", "Europe/Berlin"), rep("ned", "Europe/Berlin", "T2", seats=["crm", "mail"]),
        rep("lou", "America/Los_Angeles", "T2"),
        # Leaves before the days that are told of here: only her mailbox matters.
        rep("lea", "Europe/Berlin", "T3", end_date="2026-03-15"),
    ],
    "calls": [
        call("D1", "ann", "16 14:00"), call("D2", "ann", "17 12:00"), call("D3", "ann", "17 18:00"), call("D4", "ann", "18 14:00"),
        call("D5", "cem", "17 09:00"), call("D6", "cem", "18 09:00"), call("D7", "lou", "18 18:00"),
    ],
    "mails": [
        {"key": "m1", "rep": "cem", "from": "cem@acme.com", "to": ["cora@cust.com"], "sent_at": "2026-03-18T10:00:00Z",
         "message_id": "<m1@acme.com>"},
    ],
}  # fmt: skip


NIGHTS = {
    "afternoon": "17 16:00",
    "outage": "19 06:00",
    "lagging": "19 07:10",
    "whole": "19 07:15",
    "unread": "19 07:30",
}
OTHERS = ["ann@acme.com", "lou@acme.com", "ned@acme.com"]
MAILBOXES = {"outage": ["cem@acme.com", *OTHERS], "unread": ["lea@acme.com", *OTHERS]}  # all where not told
KEPT = ("daily_rep_activity", "daily_team_activity", "daily_org_activity", "meta_source_day")


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Five runs, after each of which the tables are kept in a schema of the run's name. The dialer is not read in "outage", nor is Lea's
    mailbox; in "unread" Cem's is not.

    Days end, in UTC: New York (-4) at 04:00, Berlin (+1) at 23:00 the evening before, Los Angeles (-7) at 07:00. The CRM's lag is 15 minutes.
    """
    with serving(FOUR, tmp_path_factory.mktemp("four")) as (pipeline, url):
        for name, when in NIGHTS.items():
            httpx.post(f"{url}/__sandbox__/now", json={"now": instant(when).isoformat()}).raise_for_status()
            without = ["cloudtalk"] if name == "outage" else []
            pipeline.nightly(instant(when), first=date(2026, 3, 14), without=without, mailboxes=MAILBOXES.get(name))
            pipeline.con.execute(f"create schema {name}")
            for table in KEPT:
                pipeline.con.execute(f"create table {name}.{table} as from marts.{table}")
        yield pipeline


def values(pipeline: Pipeline, night: str, who: str, day: str, *names: str) -> tuple[Any, ...]:
    found = pipeline.rows(
        f"select {', '.join(names)} from {night}.daily_rep_activity where activity_date = ? and rep_id in "
        "(select rep_id from core.dim_rep where email = ?)",
        [f"2026-03-{day}", f"{who}@acme.com"],
    )
    assert len(found) == 1
    return tuple(found[0].values())


def statuses(pipeline: Pipeline, night: str, who: str, day: str) -> tuple[Any, ...]:
    """calls_made, then the states of CRM, dialer and mail, then is_complete."""
    return values(pipeline, night, who, day, "calls_made", "crm_status", "dialer_status", "email_status", "is_complete")


def rollup(pipeline: Pipeline, night: str, day: str, team: str | None = None) -> tuple[Any, ...]:
    """calls_made, emails_sent, reps_expected, reps_reported, is_complete of a team's day, or of the organisation's."""
    table, which = ("daily_team_activity", f"and team_id = '{team}'") if team else ("daily_org_activity", "")
    found = pipeline.rows(
        f"select calls_made, emails_sent, reps_expected, reps_reported, is_complete from {night}.{table} where activity_date = ? {which}",
        [f"2026-03-{day}"],
    )
    assert len(found) == 1
    return tuple(found[0].values())


def sources(pipeline: Pipeline, night: str, name: str) -> dict[str, str]:
    """Status of a source on the 16th, 17th and 18th."""
    found = pipeline.rows(
        f"select strftime(date, '%d') as d, status from {night}.meta_source_day where source = ? and date between '2026-03-16' and '2026-03-18'",
        [name],
    )
    return {r["d"]: r["status"] for r in found}


def test_today_is_partial_and_a_day_that_is_over_is_complete(nights: Pipeline) -> None:
    """0.7. At 16:00Z on the 17th the 16th is over everywhere: Ann 1 (D1), Lou 0. Of today what was seen: Ann 1 (D2, not yet D3), Cem 1 (D5)."""
    assert statuses(nights, "afternoon", "ann", "16") == (1, "complete", "complete", "complete", True)
    assert statuses(nights, "afternoon", "lou", "16") == (0, "complete", "complete", "complete", True)
    assert statuses(nights, "afternoon", "ann", "17") == (1, "partial", "partial", "partial", False)
    assert statuses(nights, "afternoon", "cem", "17") == (1, "partial", "partial", "partial", False)
    # Saturday and Sunday have rows, and nothing happened: 0.
    assert [statuses(nights, "afternoon", "ann", d) for d in ("14", "15")] == [
        (0, "complete", "complete", "complete", True)
    ] * 2


def test_days_of_a_dialer_that_was_not_read(nights: Pipeline) -> None:
    """0.7. The dialer was read up to 16:00Z on the 17th. The 17th keeps what was seen and is partial: 1, 1, and Lou's 0 (his 17th began at
    07:00Z). The 18th (from 04:00Z, Berlin from 23:00Z on the 17th) was not read: NULL. CRM and mail were: 0 where nothing happened; Lou's 18th,
    which goes on for an hour, is partial there. Numbers that need the dialer among others are NULL with it."""
    assert statuses(nights, "outage", "ann", "16") == (1, "complete", "complete", "complete", True)
    assert statuses(nights, "outage", "ann", "17") == (1, "complete", "partial", "complete", False)
    assert statuses(nights, "outage", "cem", "17") == (1, "complete", "partial", "complete", False)
    assert statuses(nights, "outage", "lou", "17") == (0, "complete", "partial", "complete", False)
    assert statuses(nights, "outage", "ann", "18") == (None, "complete", "missing", "complete", False)
    assert statuses(nights, "outage", "cem", "18") == (None, "complete", "missing", "complete", False)
    assert statuses(nights, "outage", "lou", "18") == (None, "partial", "missing", "partial", False)
    names = ("emails_sent", "crm_writes", "talk_seconds", "conversations", "tools_active")
    assert values(nights, "outage", "ann", "18", *names) == (0, 0, None, None, None)
    assert values(nights, "outage", "cem", "18", *names) == (1, 0, None, None, None)


def test_a_rep_without_an_account_in_the_dialer_misses_nothing_there(nights: Pipeline) -> None:
    """0.7. Ned has none: not_applicable, and his days are complete, whether the dialer is read or not; what needs more sources does without."""
    for night, day in (("afternoon", "16"), ("outage", "16"), ("outage", "18"), ("whole", "18")):
        assert statuses(nights, night, "ned", day)[1:] == ("complete", "not_applicable", "complete", True)
    assert values(nights, "outage", "ned", "18", "emails_sent", "conversations", "tools_active") == (0, 0, 0)


def test_numbers_of_a_source_in_which_the_rep_has_no_account_are_null(nights: Pipeline) -> None:
    """0.7: "NULL if `missing` (source down / not yet loaded / rep has no account in that source — then `not_applicable`)". So on the 18th,
    when nobody's dialer was read, no roll-up knows of a call: NULL, not Ned's 0."""
    assert values(nights, "whole", "ned", "18", "calls_made", "calls_connected", "talk_seconds") == (None, None, None)
    assert rollup(nights, "outage", "18", "T2")[0] is None
    assert rollup(nights, "outage", "18")[0] is None


def test_rollups_add_what_is_known_and_say_of_how_many(nights: Pipeline) -> None:
    """0.7. Outage: T1 is Ann and Cem. 16th: 1 + 0, both reported. 17th: 1 + 1, neither whole. 18th: no call known, mails 0 + 1, neither whole.
    T2 is Ned and Lou: Ned is always whole, Lou on the 16th. Whole: 17th Ann 2 (D2, D3) + Cem 1 (D5) = 3; 18th 1 + 1 + 1 = 3, mails 1."""
    assert [rollup(nights, "outage", d, "T1") for d in ("16", "17", "18")] == [
        (1, 0, 2, 2, True), (2, 0, 2, 0, False), (None, 1, 2, 0, False)
    ]  # fmt: skip
    assert [rollup(nights, "outage", d, "T2")[1:] for d in ("16", "17", "18")] == [
        (0, 2, 2, True), (0, 2, 1, False), (0, 2, 1, False)
    ]  # fmt: skip
    assert [rollup(nights, "outage", d) for d in ("16", "17")] == [(1, 0, 4, 4, True), (2, 0, 4, 1, False)]
    assert rollup(nights, "outage", "18")[1:] == (1, 4, 1, False)
    assert [rollup(nights, "whole", d) for d in ("16", "17", "18")] == [
        (1, 0, 4, 4, True),
        (3, 0, 4, 4, True),
        (3, 1, 4, 4, True),
    ]
    assert rollup(nights, "whole", "19") == (0, 0, 4, 0, False)  # today


def test_a_day_is_complete_in_all_zones_and_after_the_sources_lag(nights: Pipeline) -> None:
    """0.7. The 18th ends at 07:00Z in Los Angeles. At 06:00Z it is partial in CRM and mail, and nobody read the dialer. At 07:10Z dialer and
    mail are whole, the CRM may still show something until 07:15Z; then it is whole too."""
    assert sources(nights, "outage", "cloudtalk") == {"16": "complete", "17": "partial", "18": "missing"}
    assert sources(nights, "outage", "hubspot") == {"16": "complete", "17": "complete", "18": "partial"}
    assert sources(nights, "outage", "gmail") == {"16": "complete", "17": "complete", "18": "partial"}
    assert statuses(nights, "lagging", "lou", "18") == (1, "partial", "complete", "complete", False)
    assert statuses(nights, "lagging", "ann", "18") == (1, "complete", "complete", "complete", True)
    assert sources(nights, "lagging", "hubspot")["18"] == "partial"
    assert statuses(nights, "whole", "lou", "18") == (1, "complete", "complete", "complete", True)
    assert statuses(nights, "whole", "ann", "19") == (0, "partial", "partial", "partial", False)
    for name in ("hubspot", "cloudtalk", "gmail"):
        assert sources(nights, "whole", name) == dict.fromkeys(("16", "17", "18"), "complete")


def test_what_is_read_after_all_is_restated(nights: Pipeline) -> None:
    """0.9. Ann's calls: her 17th said 1 while it went on, and 2 in the third run; her 18th was NULL and is 1; her 16th never changed."""
    found = nights.rows(
        "select left(key, 10) as d, old_value, new_value, run_id from meta.restatement where table_name = 'daily_rep_activity' "
        "and metric = 'calls_made' and split_part(key, '|', 2) in (select rep_id::varchar from core.dim_rep where email = 'ann@acme.com') "
        "and left(key, 10) < '2026-03-19' order by all"
    )
    assert [tuple(r.values()) for r in found] == [("2026-03-17", "1", "2", "r3"), ("2026-03-18", None, "1", "r3")]


def test_a_leavers_mailbox_holds_the_watermark_until_the_days_of_the_rep_are_read(nights: Pipeline) -> None:
    """Lea left on the 15th (Berlin: until 23:00 UTC). In "outage" her mailbox is read up to 17 16:00 and no further; the others' up to
    19 06:00. Nobody needs hers after the 15th, so the mail is read up to 19 06:00. Cem's, when it is the one left out, holds it at 19 07:15.
    """
    marks: dict[str, str] = {}
    for night in ("outage", "whole", "unread"):
        (found,) = nights.rows(
            f"select distinct watermark::varchar as mark from {night}.meta_source_day where source = 'gmail'"
        )
        marks[night] = found["mark"]
    assert marks["outage"] == "2026-03-19 06:00:00"
    assert marks["whole"] == "2026-03-19 07:15:00"
    assert marks["unread"] == "2026-03-19 07:15:00", "Cem's day is not read yet"


CALENDARS: World = {
    "company": company("2026-05-06T06:00:00Z", crm="hubspot"),
    "teams": [{"key": "T1", "name": "One"}],
    "reps": [
        rep("ann", "America/New_York", region="US", hire_date="2025-01-01"), rep("cem", "Europe/Berlin", region="DE"),
        rep("gil", "Europe/London", region="GB"), rep("pat", "Europe/Berlin", region="DE", working_days="1,2,4"),
        rep("hal", "Europe/London", region="GB", hire_date="2026-04-08"), rep("lea", "Europe/London", region="GB", end_date="2026-04-15"),
    ],
    "availability": [
        {"rep": "ann", "date": "2026-03-05", "working_fraction": 0.5, "leave_type": "leave"},
        {"rep": "ann", "date": "2026-03-06", "working_fraction": 0.0, "leave_type": "sick"},
        {"rep": "ann", "date": "2026-03-07", "working_fraction": 0.5, "leave_type": "leave"},
        {"rep": "cem", "date": "2026-04-03", "working_fraction": 0.5, "leave_type": "leave"},
        {"rep": "pat", "date": "2026-03-03", "working_fraction": 0.5, "leave_type": "leave"},
    ],
    "crm_writes": [{"at": "2026-03-07T15:00:00Z", "by": "ann", "object": "company", "key": "A1"}],
    "accounts": [{"key": "A1", "name": "Cust", "domain": "cust.com"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def calendars(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with serving(CALENDARS, tmp_path_factory.mktemp("calendars")) as (pipeline, _):
        pipeline.nightly(datetime(2026, 5, 6, 6, tzinfo=UTC), first=date(2026, 2, 14))
        yield pipeline


def fractions(pipeline: Pipeline, who: str, *days: str) -> list[float]:
    """working_fraction on days of 2026, "04-03"."""
    return [pipeline.day(f"{who}@acme.com", f"2026-{d}")["working_fraction"] for d in days]


def test_public_holidays_are_those_of_the_region(calendars: Pipeline) -> None:
    """0.8. 16 February: Washington's Birthday, US. 3 April: Good Friday, DE and GB. 1 May, a Friday: Labour Day, DE. 4 May: Early May
    bank holiday, GB. 5 May, a Tuesday: nobody's."""
    days = ("02-16", "04-03", "05-01", "05-04", "05-05")
    assert fractions(calendars, "ann", *days) == [0, 1, 1, 1, 1]
    assert fractions(calendars, "cem", *days) == [1, 0, 0, 1, 1]
    assert fractions(calendars, "gil", *days) == [1, 0, 1, 0, 1]
    assert [calendars.day("ann@acme.com", f"2026-{d}")["is_business_day"] for d in days] == [
        False,
        True,
        True,
        True,
        True,
    ]
    org = calendars.rows(
        "select working_fraction, reps_working, reps_expected from marts.daily_org_activity "
        "where activity_date = '2026-05-01'"
    )
    # Ann, Gil and Hal (GB); Cem and Pat have a holiday, Lea has left.
    assert org == [{"working_fraction": 3.0, "reps_working": 3, "reps_expected": 5}]


def test_leave_takes_its_share_of_working_days_only(calendars: Pipeline) -> None:
    """0.8: working day x (1 - leave). Ann: Thursday 5 March half a day, Friday none, Saturday none whatever the file says. Cem's half day of
    leave on Good Friday: 0. Pat works on Mondays, Tuesdays and Thursdays: 2 March 1, half a day of Tuesday, 0, 1, 0, 0, 0."""
    assert fractions(calendars, "ann", "03-04", "03-05", "03-06", "03-07", "03-08", "03-09") == [1, 0.5, 0, 0, 0, 1]
    assert fractions(calendars, "cem", "04-02", "04-03") == [1, 0]
    assert fractions(calendars, "pat", *(f"03-0{d}" for d in range(2, 9))) == [1, 0.5, 0, 1, 0, 0, 0]


def test_there_is_a_row_for_every_day_of_employment(calendars: Pipeline) -> None:
    """0.7, 0.3. From 14 February to 6 May, when it is morning everywhere: 15 + 31 + 30 + 6 = 82 days. Hal begins on 8 April: 23 + 6 = 29. Lea's
    last day is 15 April: 15 + 31 + 15 = 61. Weekends and leave included; what is done there stays: Ann's write of Saturday 7 March."""
    found = calendars.rows(
        "select r.email, count(*) as n, min(d.activity_date)::varchar as first, max(d.activity_date)::varchar as last "
        "from marts.daily_rep_activity as d inner join marts.dim_rep as r on d.rep_id = r.rep_id group by all order by all"
    )
    assert {r["email"].split("@")[0]: (r["n"], r["first"], r["last"]) for r in found} == {
        **dict.fromkeys(("ann", "cem", "gil", "pat"), (82, "2026-02-14", "2026-05-06")),
        "hal": (29, "2026-04-08", "2026-05-06"), "lea": (61, "2026-02-14", "2026-04-15"),
    }  # fmt: skip
    assert [calendars.day("ann@acme.com", f"2026-03-0{d}")["crm_writes"] for d in (5, 6, 7, 8)] == [0, 0, 1, 0]
    expected = calendars.rows(
        "select strftime(activity_date, '%m-%d') as d, reps_expected as n from marts.daily_org_activity "
        "where activity_date in ('2026-04-07', '2026-04-08', '2026-04-15', '2026-04-16') order by d"
    )
    assert [(r["d"], r["n"]) for r in expected] == [("04-07", 5), ("04-08", 6), ("04-15", 6), ("04-16", 5)]


def test_a_system_that_the_company_has_not_is_not_applicable(calendars: Pipeline) -> None:
    """0.7. There is a CRM alone: nothing is missing, and the day is complete."""
    row = calendars.day("cem@acme.com", "2026-03-04")
    assert (row["crm_status"], row["dialer_status"], row["email_status"]) == (
        "complete",
        "not_applicable",
        "not_applicable",
    )
    assert (row["crm_writes"], row["is_complete"]) == (0, True)


def test_numbers_of_a_system_that_the_company_has_not_are_null(calendars: Pipeline) -> None:
    """0.7: no account in that source: NULL."""
    row = calendars.day("cem@acme.com", "2026-03-04")
    assert (row["calls_made"], row["talk_seconds"], row["emails_sent"]) == (None, None, None)


def test_activities_are_of_the_systems_that_there_are(calendars: Pipeline) -> None:
    """4, rank 3. Neither calls nor mails will ever be known: activities are the meetings held, none in these months, and not unknown."""
    with duckdb.connect(calendars.published(), read_only=True) as file:
        assert file.execute("select distinct calls_made, activities from v_activity_ratios").fetchall() == [(None, 0)]
