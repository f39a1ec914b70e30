"""A vendor changes what it sends: the whole way over HTTP, through a server in between that changes the sandbox's answers (docs/drift.md).

One rep in UTC makes 8 calls a day from Monday, 9 March, to Friday, of 60 seconds each, all answered by people. Thursday's calls come without
talk time and end, Friday's with a direction in another form and a field that nobody has seen before. Of 40 calls 32 are fine: by chance 8 lack a
field with (1 - 32/33)^8 = 7e-13 < 1e-12.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.golden.examples import call, rep
from tests.pipeline import Pipeline, serving
from tests.transforms.against_rebuild import contents, rebuilt

NOW = datetime(2026, 3, 14, 6, tzinfo=UTC)
WORLD: dict[str, Any] = {
    "company": {
        "now": "2026-03-14T06:00:00Z", "reporting_timezone": "UTC", "reporting_currency": "EUR", "internal_domains": ["acme.com"],
        "systems": {"dialer": "cloudtalk"},
    },
    "teams": [{"key": "T1", "name": "One"}],
    "reps": [rep("ann")],
    "calls": [
        call(f"D{day}{hour:02}", "ann", "+442071838750", f"2026-03-{day:02}T{hour:02}:30:00Z", 60)
        for day in range(9, 14) for hour in range(9, 17)
    ],
}  # fmt: skip
Change = Callable[[dict[str, Any]], None]


def as_of_thursday(item: dict[str, Any]) -> None:
    """What the vendor makes of a call."""
    cdr = item["Cdr"]
    if cdr["started_at"].startswith("2026-03-12"):
        del cdr["talking_time"], cdr["ended_at"]
    if cdr["started_at"].startswith("2026-03-13"):
        cdr["type"] = {"name": cdr["type"]}
        cdr["mood"] = "sunny"


@pytest.fixture
def drifting(tmp_path: Path) -> Iterator[tuple[Pipeline, list[Change]]]:
    with drift(WORLD, tmp_path) as found:
        yield found


@contextmanager
def drift(world: dict[str, Any], tmp_path: Path) -> Generator[tuple[Pipeline, list[Change]]]:
    """A pipeline that reads calls of the first dialer as the changes in the list, while they are in it, make them."""
    changes: list[Change] = []
    with serving(world, tmp_path) as (pipeline, url):

        class Between(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {k: v for k, v in self.headers.items() if k.lower() == "authorization"}
                answer = httpx.get(f"{url}{self.path}", headers=headers)
                body = answer.json()
                for item in body.get("responseData", {}).get("data", []):
                    for change in changes if "Cdr" in item else ():
                        change(item)
                sent = json.dumps(body).encode()
                self.send_response(answer.status_code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Between)
        Thread(target=server.serve_forever, daemon=True).start()
        of_dialer = dict(pipeline.config["cloudtalk"])
        of_dialer["base_url"] = of_dialer["base_url"].replace(url, f"http://127.0.0.1:{server.server_port}")
        pipeline.config = {**pipeline.config, "cloudtalk": of_dialer}
        try:
            yield pipeline, changes
        finally:
            server.shutdown()
            server.server_close()


def day(pipeline: Pipeline, number: int) -> tuple[Any, ...]:
    row = pipeline.day("ann@acme.com", f"2026-03-{number:02}")
    return tuple(
        row[name] for name in ("dialer_status", "calls_made", "calls_answered", "calls_connected", "talk_seconds")
    )


def test_a_field_that_is_gone_takes_the_numbers_that_need_it_and_no_others(
    drifting: tuple[Pipeline, list[Change]],
) -> None:
    """Thursday's talk is unknown, its calls are not; Friday's calls are in quarantine, so nothing is known of them."""
    pipeline, changes = drifting
    changes.append(as_of_thursday)
    pipeline.nightly(NOW, first=date(2026, 3, 9))
    assert day(pipeline, 11) == ("complete", 8, 8, 8, 480)
    assert day(pipeline, 12) == ("complete", 8, 8, None, None)
    assert day(pipeline, 13) == ("missing", None, None, None, None)
    reasons = pipeline.rows("select date, reason from marts.meta_source_day where reason is not null order by date")
    assert [row["date"].day for row in reasons] == [12, 13, 14], "and today, until the next record"
    assert "Cdr.talking_time is missing in all 8 records" in reasons[0]["reason"]
    assert "Cdr.type is no text in all 8 records" in reasons[1]["reason"]
    assert pipeline.rows("select count(*) as n from meta.quarantine where resolved_at is null") == [{"n": 8}]


def only(pipeline: Pipeline, query: str) -> tuple[Any, ...]:
    (row,) = pipeline.rows(query)
    return tuple(row.values())


def test_what_needs_the_talk_is_unknown_wherever_it_is_told(tmp_path: Path) -> None:
    """Ann's as above. Bob dials from another account, whose calls stay what they were: one a day, connected. So on Thursday nobody knows
    how many of Ann's calls were short, and none of Bob's was. Of Ann's rates 24 of 24 calls are left (Monday to Wednesday), not 24 of 32,
    and of the organisation's with Bob's five 29 of 29."""
    ann, bob = (
        rep("ann", seats=["cloudtalk"], phone="+12125550001"),
        rep("bob", seats=["cloudtalk/us"], phone="+12125550002"),
    )
    calls = [call(f"B{n}", "bob", "+442071838751", f"2026-03-{n:02}T10:00:00Z", 60) for n in range(9, 14)]
    told = {
        **WORLD,
        "company": {**WORLD["company"], "systems": {"dialer": ["cloudtalk", "cloudtalk/us"]}},
        "reps": [ann, bob],
        "calls": [*WORLD["calls"], *calls],
    }
    with drift(told, tmp_path) as (pipeline, changes):
        changes.append(as_of_thursday)
        pipeline.nightly(NOW, first=date(2026, 3, 9))
        thursday = pipeline.day("ann@acme.com", "2026-03-12")
        unknown = (
            "calls_inbound_abandoned",
            "cold_calls_connected",
            "cold_call_conversations",
            "cold_call_meetings",
            "conversations",
            "loggable_activities",
        )
        assert {name: thursday[name] for name in unknown} == dict.fromkeys(unknown)
        assert (thursday["cold_calls_made"], thursday["dialer_status"]) == (0, "complete")
        assert (thursday["source_status"], thursday["is_complete"]) == ("partial", False)
        whose = (
            "activity_date = '2026-03-12' and rep_id = (select rep_id from core.dim_rep where email = 'ann@acme.com')"
        )
        hour = "calls_made, calls_answered, calls_connected, call_conversations, source_status, is_complete"
        assert only(pipeline, f"select {hour} from marts.hourly_call where hour_local = 9 and {whose}") == (
            1, 1, None, None, "partial", False
        )  # fmt: skip
        signs = "calls_ended_at_once, repeated_dials, calls_logged_only_late, is_complete"
        assert only(pipeline, f"select {signs} from marts.guard_suspicious_activity where {whose}") == (
            None,
            0,
            0,
            False,
        )
        assert only(pipeline, f"select activities, is_complete from marts.daily_off_hours where {whose}") == (8, True)
        places = "select sum(calls_answered_short)::bigint as n from marts.daily_{}_activity where activity_date = '2026-03-12'"
        assert [only(pipeline, places.format(place)) for place in ("org", "territory", "segment")] == [(0,)] * 3
        rates = (
            "select numerator, n from marts.guard_call_quality "
            "where activity_date = '2026-03-13' and measure = 'connect_rate' and scope = '{}' {}"
        )
        assert only(pipeline, rates.format("rep", f"and entity = {thursday['rep_id']}::varchar")) == (24, 24)
        assert only(pipeline, rates.format("org", "")) == (29, 29)
        numbers = pipeline.rows(rates.format("number", ""))
        assert numbers, "Ann's and Bob's"
        assert all(row["numerator"] == row["n"] for row in numbers), numbers
        changes.clear()
        pipeline.nightly(NOW.replace(hour=7), first=date(2026, 3, 9))
        assert only(pipeline, f"select {hour} from marts.hourly_call where hour_local = 9 and {whose}")[:4] == (
            1,
            1,
            1,
            1,
        )
        pipeline.con.execute("checkpoint")
        whole = rebuilt(tmp_path / "warehouse.duckdb", tmp_path / "copy.duckdb")
        assert {t: n for t, n in contents(pipeline.con).items() if n != whole[t]} == {}


def test_numbers_come_back_when_the_field_does(drifting: tuple[Pipeline, list[Change]]) -> None:
    pipeline, changes = drifting
    changes.append(as_of_thursday)
    pipeline.nightly(NOW, first=date(2026, 3, 9))
    changes.clear()
    pipeline.nightly(NOW.replace(hour=7), first=date(2026, 3, 9))
    assert [day(pipeline, n) for n in (12, 13)] == [("complete", 8, 8, 8, 480)] * 2
    assert pipeline.rows("select date from marts.meta_source_day where reason is not null") == []


def test_a_field_that_nobody_has_seen_before_is_kept_and_written_down(
    drifting: tuple[Pipeline, list[Change]],
) -> None:
    pipeline, changes = drifting
    pipeline.nightly(NOW, first=date(2026, 3, 9))
    before = pipeline.rows("select field from meta.field where stream = 'dialer_call'")
    changes.append(lambda item: item["Cdr"].update({"mood": "sunny", "a \"b/~c'; drop table meta.field": 1}))
    pipeline.nightly(NOW.replace(hour=7), first=date(2026, 3, 9))
    new = pipeline.rows("select field, first_run_id from meta.field where first_run_id = 'r2' order by field")
    assert [row["field"] for row in new] == ["Cdr.a \"b/~c'; drop table meta.field", "Cdr.mood"]
    assert before
    assert pipeline.rows("select distinct payload ->> '$.Cdr.mood' as mood from raw.cloudtalk_dialer_call_latest") == [
        {"mood": "sunny"}
    ]
