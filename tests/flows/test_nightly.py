"""Whole runs over HTTP: what is published, what an outage, a crash or a second run leaves behind."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flows.product import AT_NOON, Product

NO_DIALER = {"fault": "forbidden", "match": {"system": "dialer"}}
COUNTS = "select count(*), sum(calls_made), sum(emails_sent), sum(conversations) from daily_rep_activity"


def nightly(product: Product, now: str = AT_NOON) -> int:
    return product("nightly", "--now", now)


def test_a_night_publishes_and_the_same_night_again_changes_nothing(product: Product) -> None:
    assert nightly(product) == 0
    first = product.rows("select * exclude (run_id) from daily_rep_activity order by all")
    counts = product.rows(COUNTS)[0]
    assert all(count > 0 for count in counts)
    assert product.published.stat().st_mode & 0o777 == 0o600
    assert nightly(product) == 0
    assert product.rows("select * exclude (run_id) from daily_rep_activity order by all") == first
    (again,) = product.warehouse("select detail from meta.run order by started_at desc limit 1")
    assert '"changed_rows": 0' in again[0] or '"changed_rows":0' in again[0]
    assert product.warehouse("select status, published, count(*) from meta.run group by all") == [("ok", True, 2)]


def test_a_source_that_refuses_does_not_stop_the_others_and_is_read_the_next_night(
    make_product: Callable[[str], Product], capsys: pytest.CaptureFixture[str]
) -> None:
    product, unharmed = make_product("product"), make_product("unharmed")
    product.misbehave(NO_DIALER)
    assert nightly(product) == 3
    told = capsys.readouterr().out
    assert "cloudtalk dialer_call: forbidden" in told
    assert "calls, talk time and conversations" in told, "what goes dark is not said"
    made, sent = product.rows(
        "select sum(calls_made), sum(emails_sent) from daily_rep_activity where crm_status is not null"
    )[0]
    assert (made, sent > 0) == (None, True)
    assert product("status") == 0
    assert "forbidden" in capsys.readouterr().out
    product.misbehave()
    assert nightly(product) == nightly(unharmed) == 0
    assert product.daily() == unharmed.daily()


def test_a_run_killed_in_the_middle_is_taken_up_by_the_next_one(make_product: Callable[[str], Product]) -> None:
    product, unharmed = make_product("killed"), make_product("unharmed")
    with product.start("nightly", "--now", AT_NOON) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("hubspot crm_contact"):
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert not product.published.exists()
    assert product.warehouse("select status from meta.run") == [("running",)]
    assert nightly(product) == nightly(unharmed) == 0
    assert product.daily() == unharmed.daily()


def test_a_file_that_was_read_but_not_landed_is_landed_first(product: Product, tmp_path: Path) -> None:
    assert nightly(product) == 0
    (file,) = (product.data / "landing" / "cloudtalk" / "main" / "dialer_user").glob("*.jsonl")
    left = file.with_name(file.name.replace("nightly-", "cut-off-"))
    left.write_text(file.read_text().replace("nightly-", "cut-off-"))
    assert nightly(product) == 0
    rows = product.warehouse("select status from meta.extract_window where landing_file like '%cut-off-%'")
    assert rows == [("done",)]


def test_a_landing_file_can_be_replayed_alone(
    make_product: Callable[[str], Product], capsys: pytest.CaptureFixture[str]
) -> None:
    product, other = make_product("product"), make_product("other")
    assert nightly(product) == 0
    (file,) = (product.data / "landing" / "hubspot" / "main" / "crm_deal").glob("*.jsonl")
    capsys.readouterr()
    assert other("land", str(file)) == other("land", str(file)) == 0
    assert "nothing changed" in capsys.readouterr().out
    count = "select count(*) from raw.hubspot_crm_deal"
    assert other.warehouse(count) == product.warehouse(count) != [(0,)]


def test_a_second_run_waits_for_nobody_and_says_who_is_at_work(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    assert nightly(product) == 0
    capsys.readouterr()
    code = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    warehouse = str(product.data / "warehouse.duckdb")
    with subprocess.Popen(
        [sys.executable, "-c", code, warehouse], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert nightly(product) == 5
        told = capsys.readouterr()
        assert f"process {holder.pid}" in told.err + told.out
        assert product("status") == 0
        told = capsys.readouterr().out
        assert f"process {holder.pid}" in told
        assert "Thu 2026-03-19" in told, "the published file is readable all the while"
        holder.communicate("")


def test_a_backfill_extends_history_and_gives_what_a_nightly_run_gives(make_product: Callable[[str], Product]) -> None:
    backfilled, nightly_only = make_product("backfilled"), make_product("nightly")
    first = "select min(activity_date)::varchar from daily_rep_activity"
    assert backfilled("backfill", "--from", "2026-03-01", "--to", "2026-03-19", "--now", AT_NOON) == 0
    assert backfilled.rows(first) == [("2026-03-01",)]
    assert nightly(backfilled) == nightly(nightly_only) == 0
    assert nightly_only.rows(first) == [("2026-02-12",)]
    assert backfilled("backfill", "--from", "2026-02-12", "--to", "2026-02-28", "--now", AT_NOON) == 0
    assert backfilled.daily() == nightly_only.daily()


def test_a_backfill_goes_on_where_it_stopped(product: Product) -> None:
    def backfill() -> int:
        return product("backfill", "--from", "2026-03-01", "--to", "2026-03-19", "--now", AT_NOON)

    product.misbehave(NO_DIALER)
    assert backfill() == 3
    product.misbehave()
    assert backfill() == 0
    ranges = """
        select run_no, source_id, count(*) > 0 from (
            select w.*, dense_rank() over (order by r.started_at) as run_no
            from meta.extract_window as w inner join meta.run as r using (run_id) where w.kind = 'range' and w.status = 'done'
        ) group by all order by all"""
    assert product.warehouse(ranges) == [(1, "gmail", True), (2, "cloudtalk", True)]
    assert backfill() == 0
    assert product.warehouse(ranges)[2:] == [(3, "cloudtalk", True), (3, "gmail", True)], "a finished one begins anew"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "2026-03-02", "--to", "2026-03-01"], "is after"),
        (["--from", "2026-04-02", "--to", "2026-04-03"], "in the future"),
        (["--from", "2026-03-01", "--to", "2026-03-02", "--source", "pipedrive"], "hubspot, cloudtalk, gmail"),
        (["--from", "2026-03-01", "--to", "2026-03-02", "--source", "gmail", "--stream", "crm_call"], "mail_message"),
    ],
)
def test_a_backfill_of_what_there_is_not_is_refused(
    product: Product, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert product("backfill", *arguments, "--now", AT_NOON) == 2
    told = capsys.readouterr()
    assert words in told.err + told.out


def test_faults_in_the_users_own_files_are_told_before_anything_is_read(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    reps = product.settings.parent / "reps.csv"
    reps.write_text(reps.read_text().replace("Europe/London", "Londn").replace("America/New_York", "New York"))
    assert nightly(product) == 2
    told = capsys.readouterr()
    assert "reps.csv: line" in told.err + told.out
    assert not product.published.exists()
