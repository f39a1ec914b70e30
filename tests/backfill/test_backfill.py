"""A backfill that is cut off, that gives way to a nightly run, that publishes on its way: at the end nothing shows it."""

from __future__ import annotations

from datetime import date, timedelta

from flows import turns
from flows.look import look
from flows.settings_file import load_settings
from tests.backfill.installation import SCOPE, Installation
from tests.kill.victim import OF_A_RUN
from transforms.warehouse import open_warehouse

# Each installation has a secret of its own for contacts; when a day was first published is told apart on purpose.
APART = OF_A_RUN | {"contact_key"}
RANGES = """
    select r.kind, w.stream, w.partition, w.window_start::varchar, w.window_end::varchar
    from meta.extract_window as w inner join meta.run as r using (run_id) where w.kind = 'range' and w.status = 'done'
    order by w.landing_no"""


def without_accounts_of_runs(installation: Installation) -> dict[str, str]:
    """Restatements tell which run changed what: of interrupted runs they are others."""
    return {t: f for t, f in installation.tables(APART).items() if t != "main.meta_restatement"}


def whole_from(line: str) -> date:
    return date.fromisoformat(line.split()[3])


def test_windows_come_newest_first(undisturbed: Installation) -> None:
    starts = [start for _, stream, _, start, _ in undisturbed.warehouse(RANGES) if stream == "dialer_call"]
    assert len(starts) > 5
    assert starts == sorted(starts, reverse=True)


def test_whole_days_are_published_on_the_way_and_a_killed_backfill_goes_on_at_the_window(
    installation: Installation, undisturbed: Installation
) -> None:
    """Published after every three windows, killed when a second file is out: what the file shows is complete, but for the days of
    a window that failed, and the next run reads only what is missing. At the end nothing tells the many files and the two runs from
    one run with one.

    The window of the 16th and 17th (UTC) fails: it takes something of the 15th to the 18th from reps east and west of there.
    """
    often = {"SALESPULSE__BACKFILL__PUBLISH_WINDOWS": "3"}
    installation.misbehave(
        {"fault": "forbidden", "match": {"system": "dialer", "path": "/calls", "query": "date_from=2026-03-16"}}
    )
    process = installation.start("backfill", **often)
    early = whole_from(process.until(" on are whole"))
    first = whole_from(process.until(" on are whole"))
    process.until("going on")  # the second file is out
    process.kill()
    installation.misbehave()
    assert first < early, "newest days first"
    assert SCOPE.first < first < date(2026, 3, 15)
    days = {day: (rows, whole) for day, rows, whole in installation.rows(
        """select activity_date, count(*), count(*) filter (where is_complete) from daily_rep_activity
           where rep_id <> -1 group by all"""
    )}  # fmt: skip
    assert min(days) == first, "days that are not read yet are not there"
    assert {days[date(2026, 3, day)][1] for day in (16, 17)} == {0}, "what was not read is marked"
    others = [days[day] for day in days if day < date(2026, 3, 15) or day == date(2026, 3, 19)]
    assert all(rows == whole > 0 for rows, whole in others)
    assert {s for (s,) in installation.rows(
        f"select status from meta_source_day where date between '{first}' and '2026-03-14'"
    )} == {"complete"}  # fmt: skip
    assert list((installation.published.parent / "previous").glob("*")) == [], "no file to go back to"
    read = installation.warehouse(RANGES)
    assert installation.run("backfill", **often) == ("ok", "")
    again = installation.warehouse(RANGES)[len(read) :]
    assert set(again).isdisjoint(read)
    assert sorted(read + again) == sorted(undisturbed.warehouse(RANGES))
    assert without_accounts_of_runs(installation) == without_accounts_of_runs(undisturbed)


def test_a_backfill_waits_for_a_night_that_has_not_opened_the_warehouse_yet(installation: Installation) -> None:
    """Else it takes the warehouse between the night's look for a backfill and its opening, and the night leaves."""
    with turns.going_first(installation.published.parent):
        backfill = installation.start("backfill")
        backfill.until("begins when that has ended")
        with open_warehouse(installation.published.with_name("warehouse.duckdb")) as con:
            assert con.execute("select count(*) from meta.run").fetchall() == [(0,)]
        backfill.kill()


def test_a_nightly_run_goes_first_and_the_backfill_goes_on(
    installation: Installation, undisturbed: Installation
) -> None:
    """Two processes. The night is a day later: the backfill must not take its day away again."""
    later = installation.now + timedelta(days=1)
    backfill = installation.start("backfill")
    backfill.until("cloudtalk dialer_call, 2026-03-16")
    night = installation.start("nightly", later)
    said = night.until("waiting up to")
    assert "is being written by process" in said
    backfill.until("a nightly run goes first")
    backfill.go_on()
    night.until("building the tables")
    problems = look(load_settings(installation.settings), later).problems
    assert not [p for p in problems if p.page == "cut-off"], "the backfill only waits"
    assert night.end() == ("ok", "")
    assert backfill.end() == ("ok", "")
    kinds = [kind for kind, *_ in installation.warehouse(RANGES)]
    assert kinds[0] == kinds[-1] == "backfill"
    assert "nightly" in kinds
    windows = [row[1:] for row in installation.warehouse(RANGES) if row[0] == "backfill"]
    assert sorted(windows) == sorted(row[1:] for row in undisturbed.warehouse(RANGES)), "none lost, none read twice"
    assert installation.rows("select max(activity_date) from daily_rep_activity") == [(later.date(),)]
