"""The planner: nothing is left out, nothing is read twice without need, and what failed stays due."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.stream import ByIds, Changes, DateRange, Snapshot, Stream, Window
from flows.windows import Source, first_instant, last_instant, plan, plan_backfill, recent_from, waits_for, whole_from
from transforms.state import DoneWindow

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
DAY = timedelta(days=1)
CALLS = Stream("dialer_call", DateRange(span=timedelta(days=7)))
MAILS = Stream("mail_message", DateRange(span=timedelta(days=3)), partitioned=True)
DEALS = Stream("crm_deal", Changes(lookback=timedelta(hours=1), lag=timedelta(minutes=15), relist=timedelta(days=7)))
USERS = Stream("dialer_user", Snapshot())
LINKS = Stream("crm_association", ByIds(of=("crm_call", "crm_deal")))


def source(*streams: Stream, mailboxes: tuple[str, ...] = ("ana@acme.com", "bob@acme.com")) -> Source:
    return Source("vendor", "main", streams, {s.name: mailboxes for s in streams if s.partitioned})


def done(window: Window, cursor: str | None = None, at: datetime = NOW) -> DoneWindow:
    return DoneWindow(window.stream, window.partition, window.kind, window.start, window.end, at, cursor, "run-1")


@dataclass
class Nights:
    """Nightly runs after one another, with what each of them landed."""

    of: Source
    history_from: datetime
    landed: list[DoneWindow] = field(default_factory=list)
    settles: timedelta = timedelta()
    reread: timedelta = 35 * DAY

    def run(self, now: datetime, fails: set[int] = frozenset()) -> list[Window]:
        windows = plan(
            self.of,
            self.landed,
            now=now,
            reread_from=now - self.reread,
            history_from=self.history_from,
            settles=self.settles,
        )
        self.landed += [done(w, at=now) for n, w in enumerate(windows) if n not in fails]
        return windows


@given(st.lists(st.tuples(st.integers(1, 24 * 60), st.sets(st.integers(0, 12))), min_size=1, max_size=6))
def test_ranges_that_failed_or_nights_without_a_run_leave_no_gap(runs: list[tuple[int, set[int]]]) -> None:
    nights = Nights(source(CALLS, MAILS), NOW - 36 * DAY)
    now = NOW
    for hours, fails in runs:
        nights.run(now, fails)
        now += timedelta(hours=hours)
    nights.run(now)
    for stream, partition in [("dialer_call", ""), ("mail_message", "ana@acme.com"), ("mail_message", "bob@acme.com")]:
        reached = nights.history_from
        for w in sorted(
            (w for w in nights.landed if (w.stream, w.partition) == (stream, partition)), key=lambda w: w.start
        ):
            assert w.start <= reached, f"{stream} {partition}: nobody read {reached} to {w.start}"
            reached = max(reached, w.end)
        assert reached == now


@given(st.integers(2, 120), st.integers(0, 40))
def test_after_nights_without_a_run_days_are_read_that_were_read_too_early(nights_off: int, failing: int) -> None:
    """Each day is read until `settles` after it: what appeared or was edited late was left to nights that did not come, or failed."""
    nights = Nights(source(CALLS), NOW - 100 * DAY, settles=33 * DAY)
    nights.run(NOW)
    for night in range(failing):
        nights.run(NOW + (1 + night) * DAY, fails=set(range(100)))
    now = NOW + (failing + nights_off) * DAY
    nights.run(now)
    last_read = max(w.start for w in nights.landed if w.extracted_at == NOW)
    for at in (last_read - n * DAY for n in range(40)):
        late = max(w.extracted_at - at for w in nights.landed if w.start <= at < w.end)
        assert late >= 33 * DAY or now - at < 33 * DAY + 7 * DAY, f"{at} was last read {late} after it"


@pytest.mark.parametrize(("first", "nights_long"), [(1, 20), (20, 25), (34, 25)])
def test_a_range_that_could_not_be_read_again_when_it_was_due_is_read_later(first: int, nights_long: int) -> None:
    at = NOW - 3 * DAY
    nights = Nights(source(CALLS), NOW - 100 * DAY, settles=33 * DAY)
    for night in range(70):
        now = NOW + night * DAY
        windows = plan(nights.of, nights.landed, now=now, reread_from=now - nights.reread, history_from=nights.history_from,
                       settles=nights.settles)  # fmt: skip
        fails = {n for n, w in enumerate(windows) if w.start <= at < w.end and first <= night < first + nights_long}
        nights.run(now, fails)
    assert max(w.extracted_at - at for w in nights.landed if w.start <= at < w.end) >= 33 * DAY


def test_looking_further_back_than_before_does_not_read_all_history_again() -> None:
    nights = Nights(source(CALLS), NOW - 400 * DAY, settles=12 * DAY, reread=14 * DAY)
    for night in range(100):
        nights.run(NOW + night * DAY)
    nights.settles, nights.reread = 33 * DAY, 35 * DAY
    assert nights.run(NOW + 100 * DAY)[-1].start > NOW + 100 * DAY - (33 + 35 + 7) * DAY
    assert nights.run(NOW + 101 * DAY)[-1].start > NOW + 101 * DAY - (35 + 7) * DAY


def test_nights_without_a_gap_read_nothing_longer_than_they_did() -> None:
    """A day that the last night read for the last time has settled then."""
    quiet = Nights(source(CALLS), NOW - 100 * DAY), Nights(source(CALLS), NOW - 100 * DAY, settles=33 * DAY)
    for night in range(60):
        first, second = (one.run(NOW + night * DAY) for one in quiet)
        assert first == second


@given(st.integers(1, 24 * 400), st.integers(0, 24 * 60))
def test_windows_of_one_run_do_not_overlap_and_reread_the_trailing_days(history_hours: int, later: int) -> None:
    nights = Nights(source(CALLS), NOW - timedelta(hours=history_hours))
    first = nights.run(NOW)
    assert (first[-1].start, first[0].end) == (nights.history_from, NOW)
    again = nights.run(NOW + timedelta(hours=later))
    for windows in (first, again):
        assert all(w.start < w.end for w in windows)
        assert all(older.end <= newer.start for newer, older in pairwise(windows))
    assert again[-1].start <= max(nights.history_from, NOW + timedelta(hours=later) - 35 * DAY)
    assert again[-1].start >= nights.history_from
    assert again[0].end == NOW + timedelta(hours=later)
    assert sum((w.end - w.start for w in again), timedelta()) <= (35 + 7) * DAY + timedelta(hours=later)


def test_the_same_time_is_the_same_window_at_every_run() -> None:
    nights = Nights(source(CALLS), NOW - 30 * DAY)
    first, again = nights.run(NOW), nights.run(NOW + DAY)
    assert [w.window_id for w in again[-4:]] == [w.window_id for w in first[-4:]]


def test_a_stream_of_changes_is_listed_whole_then_read_from_its_watermark_then_listed_again() -> None:
    nights = Nights(source(DEALS), NOW - 36 * DAY)
    assert [(w.kind, w.start, w.end) for w in nights.run(NOW)] == [("full", None, NOW)]
    (second,) = nights.run(NOW + DAY)
    assert (second.kind, second.start, second.end) == ("changes", NOW - timedelta(hours=1, minutes=15), NOW + DAY)
    assert nights.run(NOW + 2 * DAY, fails={0})[0].start == NOW + DAY - timedelta(hours=1, minutes=15)
    assert nights.run(NOW + 3 * DAY)[0].start == NOW + DAY - timedelta(hours=1, minutes=15), "the failed night is due"
    assert nights.run(NOW + 7 * DAY)[0].kind == "full"


def test_a_full_listing_that_failed_is_due_again() -> None:
    nights = Nights(source(DEALS), NOW - 36 * DAY)
    nights.run(NOW, fails={0})
    assert nights.run(NOW + DAY)[0].kind == "full"


def test_a_clock_set_back_never_asks_for_a_time_that_ends_before_it_starts() -> None:
    nights = Nights(source(DEALS), NOW - 36 * DAY)
    nights.run(NOW)
    (window,) = nights.run(NOW - DAY)
    assert window.start < window.end == NOW - DAY


def test_what_is_read_by_ids_starts_where_its_last_complete_window_ended() -> None:
    nights = Nights(source(LINKS, USERS), NOW - 36 * DAY)
    assert [(w.kind, w.start) for w in nights.run(NOW)] == [("ids", None), ("snapshot", None)]
    assert [(w.kind, w.start) for w in nights.run(NOW + DAY)] == [("ids", NOW), ("snapshot", None)]
    assert waits_for(LINKS) == ("crm_call", "crm_deal")
    assert waits_for(CALLS) == ()


def test_parents_are_recent_as_of_the_last_reading_by_ids() -> None:
    """What an activity of 40 days ago was linked to while nobody looked for ten nights was to be found by the first of them."""
    nights = Nights(source(LINKS), NOW - 36 * DAY)
    (first,) = nights.run(NOW)
    assert recent_from(first, NOW, 35 * DAY) == NOW - 35 * DAY
    nights.run(NOW + 3 * DAY, fails={0})
    (after,) = nights.run(NOW + 10 * DAY)
    assert recent_from(after, NOW + 10 * DAY, 35 * DAY) == NOW - 35 * DAY


def test_each_partition_goes_on_from_its_own_cursor() -> None:
    mailboxes = source(MAILS)
    first = plan(mailboxes, [], now=NOW, reread_from=NOW - 2 * DAY, history_from=NOW - 2 * DAY)
    landed = [done(w, cursor=f"{w.partition}-{n}") for n, w in enumerate(first)]
    again = plan(mailboxes, landed, now=NOW + DAY, reread_from=NOW - DAY, history_from=NOW - 2 * DAY)
    last = {w.partition: f"{w.partition}-{n}" for n, w in enumerate(first)}
    assert {w.partition: w.cursor for w in again} == last


def test_a_mailbox_that_joins_is_read_from_the_start_of_history() -> None:
    nights = Nights(source(MAILS, mailboxes=("ana@acme.com",)), NOW - 100 * DAY)
    nights.run(NOW)
    nights.of = source(MAILS, mailboxes=("ana@acme.com", "new@acme.com"))
    windows = nights.run(NOW + DAY)
    assert min(w.start for w in windows if w.partition == "new@acme.com") == NOW - 100 * DAY
    assert min(w.start for w in windows if w.partition == "ana@acme.com") > NOW - 40 * DAY


@given(st.dates(date(2024, 1, 1), date(2026, 3, 20)), st.integers(0, 400))
def test_a_backfill_covers_its_days_newest_first(start: date, days: int) -> None:
    end = start + timedelta(days=days)
    windows = plan_backfill(source(CALLS), [], now=NOW, start=first_instant(start), end=last_instant(end, NOW))
    assert windows[-1].start == first_instant(start)
    assert windows[0].end == last_instant(end, NOW) <= NOW
    assert all(older.end == newer.start for newer, older in pairwise(windows))


def test_a_backfill_brings_streams_without_time_up_to_date_once() -> None:
    windows = plan_backfill(source(DEALS, USERS, CALLS), [], now=NOW, start=NOW - 20 * DAY, end=NOW)
    assert [w.kind for w in windows][:2] == ["full", "snapshot"]
    assert {w.kind for w in windows[2:]} == {"range"}


def test_days_are_whole_from_where_nothing_of_them_is_left_to_read() -> None:
    """A day is whole in every time zone when it was read from a day before it on (first_instant)."""
    first = date(2026, 3, 1)
    windows = plan_backfill(source(CALLS), [], now=NOW, start=first_instant(first), end=NOW)
    for read in range(1, len(windows)):
        day = whole_from(windows[read:], first)
        assert day is not None
        assert first_instant(day) >= windows[read].end
        assert first_instant(day - DAY) < windows[read].end
    assert whole_from([], first) == first
    (users,) = plan_backfill(source(USERS), [], now=NOW, start=NOW - DAY, end=NOW)
    assert whole_from([users], first) is None, "who did something is not known yet"
