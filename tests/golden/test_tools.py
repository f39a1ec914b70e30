"""Use of the tools bought (METRICS 5, 0.7) at a company that mixes all that shows it: every number worked out by hand.

LinkedIn: seats by Okta, use by Okta's sign-ins, the usage export and LinkedIn tasks done in Outreach; 93 EUR a month,
3 EUR a day of March. Gong: seats.csv, sign-ins
through Google; 62 USD at 0.5, 1 EUR a day. Notion: seats.csv, sign-ins through Entra; 31 EUR, 1 EUR a day, for Bob 15.50, 0.50 a day.
Pencil: nothing shows its use.
All is read from February 1st on, but Entra, which keeps 30 days. Ann is in New York (UTC-4 from March 8th), Bob in Berlin, Cem in London.
Dora and Finn, in London too, are those of whom something shows late, begins or ends between two nights: the company is read once, on the
20th, and once more on the 12th and on the 20th, there with LinkedIn's export jobs and without a tool that Entra shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.sales_navigator_jobs import CONTRACT, TOKEN
from sandbox.truth import truth
from sandbox.truth_frame import Frame
from sandbox.truth_tools import usage
from sandbox.world import parse
from sandbox.world_state import State
from tests.golden.examples import sleep_until
from tests.pipeline import Pipeline, Row, serving
from transforms import build

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
FIRST, LAST = date(2026, 2, 1), date(2026, 3, 19)


def rep(key: str, zone: str) -> dict[str, Any]:
    return {"key": key, "name": key.title(), "email": f"{key}@acme.com", "timezone": zone, "team": "T1"}


def use(who: str, tool: str, at: str, evidence: str = "login", **more: Any) -> dict[str, Any]:
    return {"rep": who, "tool": tool, "at": f"2026-{at}:00Z", "evidence": evidence, **more}


WORLD: dict[str, Any] = {
    "company": {
        "now": "2026-03-20T06:00:00Z",
        "internal_domains": ["acme.com"],
        "systems": {
            "crm": "hubspot",
            "dialer": "cloudtalk",
            "mail": "gmail",
            "tools": ["okta", "google_admin", "entra", "sales_navigator"],
            "sequencer": "outreach",
        },
        "tools": [
            {
                "name": "linkedin",
                "price_per_seat": "93.00",
                "evidence": ["okta", "sales_navigator", "outreach"],
                "seats": "okta",
            },
            {"name": "Gong", "price_per_seat": "62.00", "currency": "USD", "evidence": ["google_admin"]},
            {"name": "notion", "price_per_seat": "31.00", "currency": "EUR", "evidence": ["entra"]},
            {"name": "pencil", "price_per_seat": "10.00"},
        ],
    },
    "teams": [{"key": "T1", "name": "One"}],
    "reps": [
        rep("ann", "America/New_York"),
        rep("bob", "Europe/Berlin"),
        rep("cem", "Europe/London"),
        rep("dora", "Europe/London"),
        {**rep("finn", "Europe/London"), "end_date": "2026-03-15"},
    ],
    "fx": [{"date": f"2026-03-{day}", "currency": "USD", "rate": "0.50"} for day in ("01", "08", "15")],
    "seats": [
        {"rep": "ann", "tool": "linkedin", "from": "2026-01-01"},
        {"rep": "bob", "tool": "linkedin", "from": "2026-01-01", "to": "2026-03-10"},
        {"rep": "cem", "tool": "linkedin", "from": "2026-03-05"},
        {"rep": "ann", "tool": "gong", "from": "2025-06-01"},
        {"rep": "bob", "tool": "gong", "from": "2026-01-01"},
        {"rep": "bob", "tool": "notion", "from": "2026-01-01", "monthly_cost": "15.50"},
        {"rep": "cem", "tool": "notion", "from": "2026-01-01"},
        {"rep": "cem", "tool": "pencil", "from": "2026-01-01"},
        {"rep": "ann", "tool": "dialer", "from": "2026-01-01", "monthly_cost": "31.00"},
        {"rep": "dora", "tool": "linkedin", "from": "2026-01-01", "to": "2026-03-16"},
        {"rep": "finn", "tool": "linkedin", "from": "2026-03-13", "to": "2026-03-14"},
    ],
    "tool_actions": [
        use("ann", "linkedin", "03-17T02:30"),
        use("ann", "linkedin", "03-18T12:00", "action", action="search"),
        use("ann", "linkedin", "03-18T12:05", "action", action="search"),
        use("ann", "linkedin", "03-18T13:00"),
        use("cem", "linkedin", "03-17T09:00", succeeded=False),
        use("bob", "Gong", "02-10T10:00"),
        use("cem", "Gong", "03-12T10:00"),
        use("cem", "Gong", "03-13T10:00", action="authorize"),
        use("bob", "notion", "03-16T10:00"),
        use("cem", "notion", "03-17T10:00", succeeded=False),
        use("dora", "linkedin", "03-10T09:00", visible_at="2026-03-12T09:00:00Z"),
        use("dora", "linkedin", "03-11T09:00", "action", action="search"),
        use("finn", "gong", "03-11T09:00"),
        use("finn", "linkedin", "03-14T09:00"),
    ],
    "tasks": [
        {
            "key": "K1",
            "rep": "cem",
            "type": "linkedin",
            "status": "completed",
            "completed_at": "2026-03-18T10:00:00Z",
            "crm": None,
        }
    ],
    "calls": [
        {
            "key": "D1",
            "rep": "ann",
            "number": "+442071838750",
            "started_at": "2026-03-18T15:00:00Z",
            "ended_at": "2026-03-18T15:00:30Z",
            "result": "no_answer",
        }
    ],
}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with serving(WORLD, tmp_path_factory.mktemp("tools")) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST)
        yield pipeline


@dataclass(frozen=True, slots=True)
class Nights:
    """The company after two nights: what the first one said of Dora's late sign-in, and what the second asked LinkedIn for."""

    pipeline: Pipeline
    late: Row
    routes: dict[str, int]


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    """Read twice, by other settings: a partner of LinkedIn reads by its API; and no tool is named notion."""
    tools = [t for t in WORLD["company"]["tools"] if t["name"] != "notion"]
    first = datetime(2026, 3, 12, 6, tzinfo=UTC)
    world = {**WORLD, "company": {**WORLD["company"], "now": first.isoformat(), "tools": tools}}
    with serving(world, tmp_path_factory.mktemp("nights")) as (pipeline, url):
        by_jobs = {
            "contract": CONTRACT,
            "access_token": TOKEN,
            "base_url": f"{url}/sales_navigator/v2",
            "poll_seconds": 0.001,
            "days": 60,
        }
        pipeline.config = {**pipeline.config, "sales_navigator": by_jobs}
        pipeline.nightly(first, first=FIRST)
        late = of(pipeline, "dora", "linkedin", "03-10")
        sleep_until(NOW, url)
        httpx.delete(f"{url}/__sandbox__/requests").raise_for_status()
        pipeline.nightly(NOW, first=FIRST)
        yield Nights(pipeline, late, httpx.get(f"{url}/__sandbox__/requests").json()["routes"])


def of(pipeline: Pipeline, who: str, tool: str, day: str) -> Row:
    rows = pipeline.rows(
        """select * from marts.daily_tool_usage where tool = ? and activity_date = ?
               and rep_id in (select rep_id from core.dim_rep where email = ?)""",
        [tool, f"2026-{day}", f"{who}@acme.com"],
    )
    return rows[0] if rows else {}


def told(row: Row) -> tuple[Any, ...]:
    return row["is_active"], row["evidence"], row["actions"], row["has_seat"], row["source_status"]


def test_a_sign_in_counts_on_the_reps_own_day_and_adds_nothing_to_actions(night: Pipeline) -> None:
    """02:30 UTC on the 17th is 22:30 on the 16th in New York. On the 18th there are two searches, and a sign-in beside them."""
    assert told(of(night, "ann", "linkedin", "03-16")) == (True, "login", 1, True, "complete")
    assert told(of(night, "ann", "linkedin", "03-17")) == (False, None, 0, True, "complete")
    assert told(of(night, "ann", "linkedin", "03-18")) == (True, "action", 2, True, "complete")
    assert told(of(night, "cem", "linkedin", "03-17")) == (False, None, 0, True, "complete"), "the sign-in failed"
    assert told(of(night, "bob", "notion", "03-16")) == (True, "login", 1, True, "complete")
    assert of(night, "cem", "notion", "03-17")["is_active"] is False
    assert night.day("ann@acme.com", "2026-03-18")["tools_active"] == 2, "the dialer and LinkedIn"
    assert told(of(night, "cem", "linkedin", "03-18")) == (True, "action", 1, True, "complete"), "a task in Outreach"
    assert told(of(night, "cem", "sequencer", "03-18"))[:3] == (True, "action", 1), "where it was done"


def test_use_without_a_seat_is_a_leak(night: Pipeline) -> None:
    leak = of(night, "cem", "gong", "03-12")
    assert (told(leak)[:4], leak["is_unassigned_use"], leak["seat_cost_amount"]) == (
        (True, "login", 1, False),
        True,
        None,
    )
    assert of(night, "cem", "gong", "03-13")["is_active"], "a tool that was let in to the account"
    assert of(night, "cem", "gong", "03-14") == {}


def test_seats_begin_and_end_with_their_days(night: Pipeline) -> None:
    assert [bool(of(night, "bob", "linkedin", day)) for day in ("03-10", "03-11")] == [True, False]
    assert [bool(of(night, "cem", "linkedin", day)) for day in ("03-04", "03-05")] == [False, True]


def test_what_a_seat_costs_a_day(night: Pipeline) -> None:
    """Of March a 31st of the month's price; what seats.csv says goes before it. No rate of the dollar in February: no cost."""
    cells = [("ann", "linkedin"), ("ann", "gong"), ("bob", "notion"), ("cem", "notion"), ("ann", "dialer")]
    costs = [of(night, who, tool, "03-16")["seat_cost_amount"] for who, tool in cells]
    assert costs == [Decimal(text) for text in ("3.0000", "1.0000", "0.5000", "1.0000", "1.0000")]
    assert of(night, "ann", "gong", "02-16")["seat_cost_amount"] is None
    assert of(night, "ann", "linkedin", "02-16")["seat_cost_amount"] == Decimal("3.3214")
    assert night.rows("select subject from marts.meta_data_quality where check_name = 'price_without_rate'") == [
        {"subject": "gong"}
    ]


def test_idle_seats_cost_what_nobody_used_for_thirty_days(night: Pipeline) -> None:
    """LinkedIn: Bob March 1st to 10th, when his seat ended, Ann 1st to 15th: 25 days at 3. Gong: Ann all 19 days, Bob from the 12th on, for
    he signed in on February 10th: 27 at 1. Notion: Entra tells of the whole days from February 19th on, so nobody knows before the 19th of
    March that Cem did not use it: 1 day at 1; Bob did. Of Pencil nobody knows.
    LinkedIn as well: Dora 1st to 9th, for she signed in on the 10th: 9 more, 34 at 3 = 102. Cem's seat and Finn's are not 30 days old."""
    rows = night.rows(
        """select tool, count_if(is_idle) as days, sum(idle_cost_amount) as cost from marts.daily_tool_usage
           where activity_date between '2026-03-01' and ? and tool not in ('crm', 'dialer', 'mail', 'sequencer') group by tool order by tool""",
        [LAST],
    )
    assert [(row["tool"], row["days"], row["cost"]) for row in rows] == [
        ("gong", 27, Decimal(27)),
        ("linkedin", 34, Decimal(102)),
        ("notion", 1, Decimal(1)),
        ("pencil", 0, Decimal(0)),
    ]
    assert told(of(night, "cem", "pencil", "03-16")) == (None, None, None, True, "not_applicable")


def test_a_day_is_as_whole_as_what_shows_the_tool(night: Pipeline) -> None:
    """Google may show a sign-in four hours late: Ann's 19th ended at 04:00 UTC, two hours before the reading. Entra's 18th of February
    began before what it keeps. The export says nothing of a day that is not over."""
    assert of(night, "ann", "gong", "03-19")["source_status"] == "partial"
    assert of(night, "bob", "gong", "03-19")["source_status"] == "complete"
    status = {day: of(night, "cem", "notion", day)["source_status"] for day in ("02-17", "02-18", "02-19")}
    assert status == {"02-17": "missing", "02-18": "partial", "02-19": "complete"}
    assert of(night, "cem", "linkedin", "03-20")["source_status"] == "partial"
    days = night.rows(
        "select source, status from marts.meta_source_day where date = '2026-03-16' and source <> 'gmail' order by 1"
    )
    assert {row["source"]: row["status"] for row in days} == dict.fromkeys(
        ("cloudtalk", "entra", "google_admin", "hubspot", "okta", "outreach", "sales_navigator"), "complete"
    )


def test_the_sandbox_tells_the_same_truth(night: Pipeline) -> None:
    state = State(parse(WORLD), NOW)
    rows = night.rows(
        "select u.*, r.email from marts.daily_tool_usage as u inner join core.dim_rep as r on u.rep_id = r.rep_id and r.is_current"
    )
    found = {(row["email"], row["activity_date"], row["tool"]): row for row in rows}
    compared = 0
    for wanted in usage(Frame(state)):
        cell = wanted["email"], wanted["date"], wanted["tool"]
        if not FIRST <= cell[1] <= LAST or wanted["tool"] == "pencil":
            continue
        row = found.pop(cell)
        names = (
            "has_seat",
            "seat_cost_amount",
            *(("is_active", "evidence", "actions") if row["is_active"] is not None else ()),
        )
        assert {name: row[name] for name in names} == {name: wanted[name] for name in names}, cell
        compared += 1
    assert compared > 200
    assert not [cell for cell in found if cell[2] in ("linkedin", "gong", "notion") and cell[1] <= LAST]
    daily = truth(parse(WORLD), NOW)
    active = {(email, day): values["tools_active"] for (email, day), values in daily.items() if values["tools_active"]}
    assert len(active) == 7 + 4, "Dora's 10th and 11th, Finn's 11th and 14th"
    assert all(night.day(email, str(day))["tools_active"] == number for (email, day), number in active.items())


def rows(pipeline: Pipeline, which: str) -> list[Row]:
    """All rows of a kind, but for who wrote them when."""
    return pipeline.rows(
        f"select * exclude (run_id, first_published_at, last_changed_at) from marts.daily_tool_usage where {which} order by all"
    )


def test_export_jobs_tell_what_the_folder_tells(night: Pipeline, nights: Nights) -> None:
    """A partner of LinkedIn reads the same by its API; it tells of the days that it was asked for, 60 up to yesterday."""
    linkedin = "tool = 'linkedin'"
    assert rows(nights.pipeline, linkedin) == rows(night, linkedin) != []
    made = nights.routes["POST /sales_navigator/v2/salesAnalyticsExportJobs"]
    assert made == 2, "one export of seats, one of activities"


def test_nothing_of_a_profile_is_kept(night: Pipeline) -> None:
    for stream in (
        "okta_tool_user",
        "okta_tool_app_user",
        "okta_tool_action",
        "google_admin_tool_action",
        "entra_tool_action",
    ):
        kept = " ".join(str(row["payload"]) for row in night.rows(f"select payload from raw.{stream}"))
        assert "acme.com" in kept.lower()
        assert not [word for word in ("203.0.113.7", "Berlin", "home@example.net", "mobilePhone") if word in kept], (
            stream
        )


def test_two_nights_tell_what_one_does(night: Pipeline, nights: Nights) -> None:
    """The sign-in of the 10th shows late and restates its day (3). Dora's seat ended, Finn's began and ended between the nights: the log has
    both (6). Finn has left, and Okta lists him no more: what he did stays his (5). One night from nothing gives the same rows, but of
    Notion, of which these nights read nothing."""
    assert nights.late["is_active"] is False
    for pipeline in (nights.pipeline, night):
        uses = [
            (who, tool, day)
            for who in ("dora", "finn")
            for tool, day in (("linkedin", "03-10"), ("linkedin", "03-14"), ("gong", "03-11"))
        ]
        assert [cell for cell in uses if of(pipeline, *cell).get("is_active")] == [
            ("dora", "linkedin", "03-10"),
            ("finn", "linkedin", "03-14"),
            ("finn", "gong", "03-11"),
        ]
        assert [bool(of(pipeline, "dora", "linkedin", day)) for day in ("03-16", "03-17")] == [True, False]
        assert [bool(of(pipeline, "finn", "linkedin", day)) for day in ("03-12", "03-13", "03-14", "03-15")] == [
            False,
            True,
            True,
            False,
        ]
    assert rows(nights.pipeline, "tool <> 'notion'") == rows(night, "tool <> 'notion'")


def test_a_source_that_no_tool_names_is_told(nights: Nights) -> None:
    """Entra shows the use of notion alone; where the settings do not name notion, it is read for nothing."""
    told = "select subject, severity from marts.meta_data_quality where check_name = 'source_of_no_tool'"
    assert nights.pipeline.rows(told) == [{"subject": "entra:main", "severity": "warning"}]
    assert nights.pipeline.rows("select 1 as x from marts.meta_source_day where source = 'entra'") == []


def test_where_all_sources_are_named_nothing_is_told(night: Pipeline) -> None:
    assert night.rows("select subject from marts.meta_data_quality where check_name = 'source_of_no_tool'") == []


def test_a_seat_is_idle_however_the_list_of_seats_is_kept(tmp_path: Path) -> None:
    """Nobody uses Gong. Ann's seat has no beginning in seats.csv: she always had it. Bob's has another price from March 1st on: he holds it
    since January. Cem's began on March 1st. By hand, of 31 days in March: 31 EUR a month are 1 a day, 62 are 2. Without seats.csv an account
    in the CRM is a seat as well, for as long as it is known."""
    gong = {"name": "gong", "evidence": ["google_admin"]}
    crm = {"name": "crm", "price_per_seat": "93.00"}
    company = {**WORLD["company"], "systems": {"crm": "hubspot", "tools": ["google_admin"]}, "tools": [gong, crm]}
    reps = [rep(key, "Europe/London") for key in ("ann", "bob", "cem")]
    seats = [{"rep": "ann", "tool": "gong", "from": "2026-01-01"}]
    with serving({"company": company, "teams": WORLD["teams"], "reps": reps, "seats": seats}, tmp_path) as (
        pipeline,
        _,
    ):
        (tmp_path / "seats.csv").write_text(
            "email,tool,from,to,monthly_cost\nann@acme.com,gong,,,31\nbob@acme.com,gong,2026-01-01,2026-02-28,31\n"
            "bob@acme.com,gong,2026-03-01,,62\ncem@acme.com,gong,2026-03-01,,31\n"
        )
        pipeline.nightly(NOW, first=FIRST)
        told = {who: of(pipeline, who, "gong", "03-16") for who in ("ann", "bob", "cem")}
        assert {who: (row["is_idle"], row["idle_cost_amount"]) for who, row in told.items()} == {
            "ann": (True, Decimal(1)), "bob": (True, Decimal(2)), "cem": (False, Decimal(0)),
        }  # fmt: skip
        pipeline.config["inputs"].pop("seats")
        pipeline.nightly(NOW, first=FIRST)
        ann = of(pipeline, "ann", "crm", "03-16")
        assert (ann["has_seat"], ann["is_idle"], ann["idle_cost_amount"]) == (True, True, Decimal(3))


def test_where_nobody_told_of_seats_nobody_is_known_to_have_none(tmp_path: Path) -> None:
    """Okta assigns LinkedIn's seats, and Ann, who has none, signs in: a leak. Without `okta.apps.read` nobody can say so."""
    linkedin = {"name": "linkedin", "price_per_seat": "93.00", "evidence": ["okta"], "seats": "okta"}
    company = {**WORLD["company"], "systems": {"crm": "hubspot", "tools": ["okta"]}, "tools": [linkedin]}
    reps = [rep("ann", "Europe/London"), rep("bob", "Europe/London")]
    world = {
        "company": company,
        "teams": WORLD["teams"],
        "reps": reps,
        "seats": [{"rep": "bob", "tool": "linkedin", "from": "2026-01-01"}],
        "tool_actions": [use("ann", "linkedin", "03-17T10:00")],
    }

    def seat(pipeline: Pipeline) -> tuple[Any, ...]:
        row = of(pipeline, "ann", "linkedin", "03-17")
        return row["has_seat"], row["is_unassigned_use"], row["is_active"], row["seat_cost_amount"]

    with serving(world, tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=FIRST)
        assert seat(pipeline) == (False, True, True, None)
        pipeline.con.execute("delete from meta.extract_window where stream = 'tool_app_user'")
        pipeline.con.execute("delete from raw.okta_tool_app_user")
        build.build(pipeline.con, full=True)
        assert seat(pipeline) == (None, None, True, None)
