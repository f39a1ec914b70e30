"""The journal: what was noted is read again, by other processes too, and a journal that cannot be used stops nobody."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from flows.journal import FILE, Facts, FindingFact, Journal, Quarantined, RunEntry, Sent, StreamFact

AT = datetime(2026, 3, 20, 4, tzinfo=UTC)
RUN = RunEntry("nightly-1", "nightly", date(2026, 3, 19), AT, None, "running")
DONE = replace(
    RUN, ended_at=datetime(2026, 3, 20, 5, tzinfo=UTC), status="failed", exit=6, page="disk-full", message="full"
)


def test_a_run_is_noted_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert (journal.runs(), journal.facts(), journal.sent("mail")) == ([], None, Sent())
    journal.begin(RUN)
    assert Journal(tmp_path).runs() == [RUN]
    journal.end(DONE)
    assert Journal(tmp_path).runs() == [DONE]
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_the_run_that_gets_the_warehouse_finds_out_that_another_was_killed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.begin(RUN)
    journal.begin(replace(RUN, run_id="nightly-2", started_at=DONE.ended_at or AT))
    assert [(r.run_id, r.status) for r in journal.runs()] == [("nightly-2", "running"), ("nightly-1", "cut off")]


def test_a_run_that_turned_out_to_be_none_is_struck(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.begin(RUN)
    journal.drop(RUN.run_id)
    assert journal.runs() == []


def test_facts_come_back_as_they_were(tmp_path: Path) -> None:
    facts = Facts(
        AT,
        [StreamFact("gmail", "main", "mail_message", AT, unread=1, page="rate-limit", error="429")],
        [Quarantined("gmail", "main", "mail_message", 2, "no id")],
        [FindingFact("lag", "warn", 3)],
    )
    Journal(tmp_path).keep(facts)
    assert Journal(tmp_path).facts() == facts


def test_of_two_that_would_tell_the_same_one_does(tmp_path: Path) -> None:
    one, other = Journal(tmp_path), Journal(tmp_path)
    was = one.sent("mail")
    assert one.replace("mail", was, Sent("failed run", AT))
    assert not other.replace("mail", was, Sent("failed run", AT))
    assert other.sent("mail") == Sent("failed run", AT)


def test_a_damaged_journal_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    journal = Journal(tmp_path)
    assert journal.runs() == []
    journal.end(DONE)  # finds the damage
    journal.end(DONE)
    assert journal.runs() == [DONE]


def test_what_a_killed_process_left_half_written_is_taken_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.end(DONE)
    half = """
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("pragma cache_size = 1")
db.execute("begin immediate")
db.executemany("insert into run (run_id, message) values (?, ?)", [(str(n), "x" * 2000) for n in range(200)])
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", half, str(tmp_path / FILE)], check=False)
    assert (tmp_path / f"{FILE}-journal").stat().st_size > 0, "the process left nothing to take back"
    assert journal.runs() == [DONE]


def test_where_no_journal_can_be_written_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    journal = Journal(tmp_path / "file")
    journal.end(DONE)
    assert journal.runs() == []
    assert journal.replace("mail", Sent(), Sent("failed run", AT)), "no notice is kept back"


def test_only_the_last_five_hundred_runs_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for n in range(503):
        journal.end(replace(DONE, run_id=f"run-{n}", started_at=datetime.fromtimestamp(n, UTC)))
    assert len(journal.runs(1000)) == 500
