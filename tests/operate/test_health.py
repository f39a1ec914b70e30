"""What is fresh, late or failed, judged from what was seen: each judgement with the hours that make it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from flows.exit_codes import Exit
from flows.health import PublishedFacts, Seen, judge
from flows.journal import Facts, FindingFact, Quarantined, RunEntry, StreamFact

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
LIMIT = timedelta(hours=30)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def stream(name: str = "dialer_call", hours: float | None = 6, **more: object) -> StreamFact:
    made = StreamFact("cloudtalk", "main", name, None if hours is None else ago(hours))
    return replace(made, **more)


def run(status: str = "ok", kind: str = "nightly", **more: object) -> RunEntry:
    ended = None if status == "running" else ago(5)
    return replace(RunEntry(f"{kind}-1", kind, date(2026, 3, 19), ago(6), ended, status), **more)


def seen(*streams: StreamFact, **more: object) -> Seen:
    """An installation that was read and published six hours ago, but for what is given."""
    published = PublishedFacts("sales.duckdb", exists=True, bytes=1 << 20, at=ago(6), complete_until=date(2026, 3, 19))
    made = Seen(NOW, ["cloudtalk"], published, LIMIT, [run()], Facts(ago(6), streams or (stream(),)))
    return replace(made, **more)


def told(what: Seen) -> list[tuple[str, str]]:
    return [(p.severity, p.page) for p in judge(what).problems]


def test_what_was_read_six_hours_ago_is_fresh() -> None:
    assert (told(seen()), judge(seen()).exit_code) == ([], Exit.OK)


@pytest.mark.parametrize(("hours", "late"), [(30, []), (30.1, [("late", "stale")])])
def test_published_numbers_are_late_after_more_than_the_limit(hours: float, late: list[tuple[str, str]]) -> None:
    """Published and read at the same instant: one problem, not two."""
    what = seen(stream(hours=hours))
    what = replace(what, published=replace(what.published, at=ago(hours)))
    assert told(what) == late
    assert judge(what).exit_code == (Exit.STALE if late else Exit.OK)


def test_a_stream_that_stays_behind_the_published_file_is_late_by_itself() -> None:
    """Read 31 hours ago, published 6 hours ago; the other stream is fresh."""
    (problem,) = judge(seen(stream(), stream("dialer_user", hours=31))).problems
    assert (problem.severity, problem.page) == ("late", "stale")
    assert "cloudtalk: dialer_user last read 2026-03-19 05:00 UTC" in problem.brief


def test_a_failed_stream_is_told_once_with_since_when_and_its_own_words_apart() -> None:
    bad = {"unread": 2, "page": "rate-limit", "error": "GET /calls of ann@acme.com: 429"}
    (problem,) = judge(
        seen(stream(hours=50, **bad), stream("dialer_user", hours=50, **bad), stream("dialer_group"))
    ).problems
    assert (problem.severity, problem.page) == ("failed", "rate-limit")
    assert problem.brief == (
        "cloudtalk: 4 windows of dialer_call, dialer_user could not be read; last read 2026-03-18 10:00 UTC"
    )
    assert problem.detail.startswith("GET /calls")


def test_what_an_account_does_not_offer_is_neither_late_nor_failed() -> None:
    missing = {"optional": True, "unread": 1, "forbidden": True, "page": "permission-missing"}
    assert told(seen(stream(), stream("crm_audit", hours=None, **missing))) == []


def test_a_missing_permission_of_a_needed_stream_has_failed() -> None:
    assert told(seen(stream(unread=1, forbidden=True, page="permission-missing"))) == [("failed", "permission-missing")]


def test_a_source_that_was_set_up_since_is_late_until_a_run_reads_it() -> None:
    (problem,) = judge(seen(sources=["cloudtalk", "gmail"])).problems
    assert (problem.severity, problem.brief) == ("late", "gmail: no run has read it yet")


def test_a_source_that_was_taken_out_is_not_late() -> None:
    other = replace(stream("mail_message", hours=500), source="gmail")
    assert told(seen(stream(), other)) == []


@pytest.mark.parametrize(
    ("status", "page", "expected"),
    [
        ("ok", "", []),
        ("partial", "source-down", []),  # its streams tell
        ("failed", "disk-full", [("failed", "disk-full")]),
        ("blocked", "check-failed", [("failed", "check-failed")]),
        ("locked", "warehouse-held", [("failed", "warehouse-held")]),
        ("cut off", "cut-off", [("failed", "cut-off")]),
        ("running", "", [("failed", "cut-off")]),  # nobody has the warehouse: it was killed
        ("stopped", "cut-off", [("note", "cut-off")]),
    ],
)
def test_how_the_last_run_ended(status: str, page: str, expected: list[tuple[str, str]]) -> None:
    assert told(seen(runs=[run(status, page=page), run()])) == expected


def test_a_run_at_work_is_no_problem_and_the_one_before_it_counts() -> None:
    working = run("running", run_id="now")
    assert told(seen(runs=[working, run()], holder="12 (salespulse nightly)")) == []
    assert told(seen(runs=[working, run("failed", page="disk-full")], holder="12")) == [("failed", "disk-full")]


def test_the_check_that_blocks_is_named_with_its_rows() -> None:
    facts = Facts(ago(6), (stream(),), (), (FindingFact("keys_are_unique", "error", 1200),))
    (problem,) = judge(seen(facts=facts, runs=[run("blocked", page="check-failed")])).problems
    assert "keys_are_unique: 1,200 rows" in problem.brief


def test_before_the_first_run_nothing_is_fresh() -> None:
    nothing = Seen(NOW, ["cloudtalk"], PublishedFacts("sales.duckdb"), LIMIT, has_warehouse=False)
    assert (told(nothing), judge(nothing).exit_code) == ([("late", "stale")], Exit.STALE)


def test_a_published_file_or_warehouse_that_is_gone_or_damaged_has_failed() -> None:
    gone = seen(published=PublishedFacts("sales.duckdb"))
    assert ("failed", "published-file") in told(gone)
    damaged = seen(published=PublishedFacts("sales.duckdb", exists=True, error="not a DuckDB file"))
    assert told(damaged) == [("failed", "published-file")]
    assert told(seen(has_warehouse=False)) == [("failed", "damaged-warehouse")]


def test_notes_do_not_change_the_exit_code() -> None:
    facts = Facts(
        ago(6),
        (stream(),),
        (Quarantined("cloudtalk", "main", "dialer_call", 3, "no id"),),
        (FindingFact("lag", "warn", 2), FindingFact("landing", "warn", 1)),
    )
    published = replace(seen().published, warnings={"user_without_rep": 2, "record_in_quarantine": 3})
    what = seen(facts=facts, published=published, free_bytes=1, failed_notices={"mail": "refused"})
    assert told(what) == [
        ("note", page)
        for page in ("check-failed", "data-quality", "disk-full", "landing-refused", "notice-failed", "quarantine")
    ]
    assert judge(what).exit_code == Exit.OK


def test_the_worst_comes_first_and_decides() -> None:
    what = seen(
        stream(unread=1, page="source-down"), sources=["cloudtalk", "gmail"], failed_notices={"mail": "refused"}
    )
    health = judge(what)
    assert [p.severity for p in health.problems] == ["failed", "late", "note"]
    assert (health.verdict, health.exit_code) == ("failed", Exit.UNHEALTHY)


def test_where_all_streams_of_a_source_are_meant_they_are_counted() -> None:
    bad = {"unread": 1, "page": "source-down"}
    (problem,) = judge(seen(stream(**bad), stream("dialer_user", **bad))).problems
    assert problem.brief.startswith("cloudtalk: 2 windows of all 2 streams could not be read")


def test_what_waits_in_quarantine_is_told_by_account() -> None:
    waiting = [Quarantined("hubspot", workspace, "crm_deal", 2, "no id") for workspace in ("main", "us")]
    told = judge(seen(facts=Facts(ago(6), (stream(),), waiting))).problems
    assert [p.brief for p in told] == [
        "hubspot crm_deal: 2 records in quarantine",
        "hubspot/us crm_deal: 2 records in quarantine",
    ]
    assert len({p.subject for p in told}) == 2
