"""Whole runs over HTTP: what is published, what an outage, a crash or a second run leaves behind."""

import signal
import subprocess
import sys

import pytest

from flows.exit_codes import Exit
from tests.connectors.conftest import Vendor, answer
from tests.flows.product import AT_NOON, Product

NO_DIALER = {"fault": "forbidden", "match": {"system": "dialer"}}
COUNTS = "select count(*), sum(calls_made), sum(emails_sent), sum(conversations) from daily_rep_activity"


def test_a_night_publishes_and_the_same_night_again_changes_nothing(night: Product, night_again: Product) -> None:
    first = night.rows("select * from daily_rep_activity order by all")
    assert all(count > 0 for count in night.rows(COUNTS)[0])
    assert night.published.stat().st_mode & 0o777 == 0o600
    assert night_again.rows("select * from daily_rep_activity order by all") == first
    runs = night_again.warehouse(
        "select status, published, (detail ->> 'changed_rows')::int > 0 from meta.run order by started_at"
    )
    assert runs == [("ok", True, True), ("ok", True, False)]
    told = night_again.rows("select status, finished_at is null from meta_run order by started_at")
    assert told == [("ok", False), ("published", True)], "the run that makes the file is not over then"


def test_a_source_that_refuses_does_not_stop_the_others_and_is_read_the_next_night(
    product: Product, night: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    product.misbehave(NO_DIALER)
    assert product.nightly() == Exit.PARTIAL
    told = capsys.readouterr().out
    assert "cloudtalk dialer_call: forbidden" in told
    assert "calls, talk time and conversations" in told, "what goes dark is not said"
    ((made, sent),) = product.rows(
        "select sum(talk_seconds), sum(emails_sent) from daily_rep_activity where rep_id <> -1"
    )
    assert (made, sent > 0) == (None, True)
    assert product("status", "--now", AT_NOON) == Exit.UNHEALTHY
    assert "docs/operate/permission-missing.md" in capsys.readouterr().out
    product.misbehave()
    assert product.nightly() == 0
    assert product.daily() == night.daily()


def test_an_export_that_is_not_permitted_is_told_and_fails_no_night(
    copied: Product, night: Product, vendor: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    """LinkedIn's export jobs are for partners alone: a refusal is what most will see."""
    vendor.script = [answer({"serviceErrorCode": 100, "message": "Not enough permissions", "status": 403}, 403)]
    section = f'contract = "urn:li:contract:5"\naccess_token = "AQX-secret"\nbase_url = "{vendor.url}"\n'
    with copied.settings.open("a") as file:
        file.write(f"\n[sales_navigator]\n{section}")
    assert copied.nightly() == 0
    told = capsys.readouterr().out
    assert "r_sales_nav_analytics" in told
    assert "AQX-secret" not in told
    assert copied.daily() == night.daily()
    assert copied("status", "--now", AT_NOON) == 0
    assert {asked.path for asked in vendor.asked} == {"/salesAnalyticsExportJobs"}


def test_a_run_killed_in_the_middle_is_taken_up_by_the_next_one(product: Product, night: Product) -> None:
    with product.start("nightly", "--now", AT_NOON) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("hubspot crm_contact"):
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert not product.published.exists()
    assert product.warehouse("select status from meta.run") == [("running",)]
    assert product.nightly() == 0
    assert product.daily() == night.daily()


def test_a_file_that_was_read_but_not_landed_is_landed_first(copied: Product) -> None:
    landed = "select stream, status, landing_file from meta.extract_window order by all"
    before = copied.warehouse(landed)
    file = copied.landed("cloudtalk", "dialer_user")
    left = file.with_name(f"left.{file.name}")
    left.write_text(file.read_text().replace('"run_id":"nightly', '"run_id":"left'))
    assert copied("publish", "--now", AT_NOON) == 0
    assert copied.warehouse(landed) == sorted([*before, ("dialer_user", "done", left.name)])


def test_files_that_cannot_be_landed_are_put_aside(copied: Product, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied.data / "landing" / "cloudtalk" / "main" / "dialer_user"
    (folder / "torn.jsonl").write_text("{")
    assert copied("publish", "--now", AT_NOON) == 0
    assert "put aside as torn.jsonl.refused" in " ".join(capsys.readouterr().out.split())
    assert copied("publish", "--now", AT_NOON) == 0
    assert "torn" not in capsys.readouterr().out


def test_a_landing_file_can_be_replayed_alone(
    product: Product, night: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(night.landed("hubspot", "crm_deal"))
    assert product("land", file) == product("land", file) == 0
    assert "nothing changed" in capsys.readouterr().out
    count = "select count(*) from raw.hubspot_crm_deal"
    assert product.warehouse(count) == night.warehouse(count) != [(0,)]


def test_a_second_run_waits_for_nobody_and_says_who_is_at_work(
    copied: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    holding = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", holding, str(copied.data / "warehouse.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert copied.nightly() == Exit.LOCKED
        told = capsys.readouterr()
        assert f"process {holder.pid}" in told.err + told.out
        copied("status", "--now", AT_NOON)
        told = capsys.readouterr().out
        assert f"process {holder.pid}" in told
        assert "complete until Thu 2026-03-19" in told, "the published file is readable all the while"
        holder.communicate("")


def test_a_backfill_extends_history_and_gives_what_a_nightly_run_gives(product: Product, night: Product) -> None:
    first = "select min(activity_date)::varchar from daily_rep_activity"
    assert night.rows(first) == [("2026-03-05",)]
    assert product("backfill", "--from", "2026-03-12", "--to", "2026-03-19", "--now", AT_NOON) == 0
    assert product.rows(first) == [("2026-03-12",)]
    assert product("backfill", "--from", "2026-03-05", "--to", "2026-03-11", "--now", AT_NOON) == 0
    assert product.nightly() == 0
    assert product.daily() == night.daily()


@pytest.mark.slow  # tests/backfill kills one and goes on, in the gate
def test_a_backfill_goes_on_where_it_stopped(product: Product) -> None:
    def backfill() -> int:
        return product("backfill", "--from", "2026-03-12", "--to", "2026-03-19", "--now", AT_NOON)

    product.misbehave(NO_DIALER)
    assert backfill() == Exit.PARTIAL
    product.misbehave()
    assert backfill() == 0
    ranges = """
        select run_no, source_id from (
            select w.*, dense_rank() over (order by r.started_at) as run_no
            from meta.extract_window as w inner join meta.run as r using (run_id) where w.kind = 'range' and w.status = 'done'
        ) group by all order by all"""
    assert product.warehouse(ranges) == [(1, "gmail"), (2, "cloudtalk")]
    assert backfill() == 0
    assert product.warehouse(ranges)[2:] == [(3, "cloudtalk"), (3, "gmail")], "a finished one begins anew"


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
    assert product("backfill", *arguments, "--now", AT_NOON) == Exit.SETTINGS
    told = capsys.readouterr()
    assert words in told.err + told.out


def test_faults_in_the_users_own_files_are_told_before_anything_is_read(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    reps = product.settings.parent / "reps.csv"
    reps.write_text(reps.read_text().replace("Europe/London", "Londn").replace("America/New_York", "New York"))
    assert product.nightly() == Exit.SETTINGS
    told = capsys.readouterr()
    assert "reps.csv: line" in told.err + told.out
    assert not product.published.exists()
