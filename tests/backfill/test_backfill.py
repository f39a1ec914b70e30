"""A backfill that is cut off, that gives way to a nightly run, that publishes on its way: at the end nothing shows it."""

from __future__ import annotations

from datetime import date, timedelta

from tests.backfill.installation import SCOPE, Installation
from tests.kill.victim import OF_A_RUN

# Each installation has a secret of its own for contacts; when a day was first published is told apart on purpose.
APART = OF_A_RUN | {"contact_key"}
RANGES = """
    select r.kind, w.stream, w.partition, w.window_start::varchar, w.window_end::varchar
    from meta.extract_window as w inner join meta.run as r using (run_id) where w.kind = 'range' and w.status = 'done'
    order by w.landing_no"""


def without_accounts_of_runs(installation: Installation) -> dict[str, str]:
    """Restatements tell which run changed what: of interrupted runs they are others."""
    return {t: f for t, f in installation.tables(APART).items() if t != "main.meta_restatement"}


def test_windows_come_newest_first(undisturbed: Installation) -> None:
    starts = [start for _, stream, _, start, _ in undisturbed.warehouse(RANGES) if stream == "dialer_call"]
    assert len(starts) > 5
    assert starts == sorted(starts, reverse=True)


def test_whole_days_are_published_on_the_way_and_a_killed_backfill_goes_on_at_the_window(
    installation: Installation, undisturbed: Installation
) -> None:
    """Published after every window, killed when a first file is out: what the file shows is complete, and the next run reads
    only what is missing."""
    process = installation.start("backfill", SALESPULSE__BACKFILL__PUBLISH_WINDOWS="1")
    first = date.fromisoformat(process.until(" on are whole").split()[3])
    process.until("publishing")
    process.until(", 2026-03-")  # the next window: the file is out
    process.kill()
    assert SCOPE.first < first < SCOPE.last
    ((begin, end, rows, whole),) = installation.rows(
        """select min(activity_date), max(activity_date) filter (where is_complete), count(*) filter (where activity_date <= '2026-03-18'),
               count(*) filter (where is_complete and activity_date <= '2026-03-18')
           from daily_rep_activity where rep_id <> -1"""
    )
    assert begin == first, "days that are not read yet are not there"
    assert end == date(2026, 3, 19)
    assert rows == whole > 0
    assert {s for (s,) in installation.rows(
        f"select status from meta_source_day where date between '{first}' and '2026-03-18'"
    )} == {"complete"}  # fmt: skip
    read = installation.warehouse(RANGES)
    assert installation.run("backfill") == ("ok", "")
    again = installation.warehouse(RANGES)[len(read) :]
    assert set(again).isdisjoint(read)
    assert sorted(read + again) == sorted(undisturbed.warehouse(RANGES))
    assert without_accounts_of_runs(installation) == without_accounts_of_runs(undisturbed)


def test_published_on_the_way_the_end_is_that_of_a_single_run(
    installation: Installation, undisturbed: Installation
) -> None:
    process = installation.start("backfill", SALESPULSE__BACKFILL__PUBLISH_WINDOWS="3")
    begins = [date.fromisoformat(process.until(" on are whole").split()[3])]
    process.until("publishing")
    begins.append(date.fromisoformat(process.until(" on are whole").split()[3]))
    assert process.end() == ("ok", "")
    assert begins[0] > begins[1]
    assert without_accounts_of_runs(installation) == without_accounts_of_runs(undisturbed)
    previous = list((installation.published.parent / "previous").glob("*"))
    assert previous == [], "a file on the way is no file to go back to"


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
    assert night.end() == ("ok", "")
    assert backfill.end() == ("ok", "")
    kinds = [kind for kind, *_ in installation.warehouse(RANGES)]
    assert kinds[0] == kinds[-1] == "backfill"
    assert "nightly" in kinds
    windows = [row[1:] for row in installation.warehouse(RANGES) if row[0] == "backfill"]
    assert sorted(windows) == sorted(row[1:] for row in undisturbed.warehouse(RANGES)), "none lost, none read twice"
    assert installation.rows("select max(activity_date) from daily_rep_activity") == [(later.date(),)]
