"""A list that gives fewer pages than it counts: the window is read in halves, and nothing is lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.cloudtalk import CloudTalk, CloudTalkSettings
from connectors.landing_file import extract
from connectors.stream import ConnectorError, Traffic, Window
from sandbox.server import running
from sandbox.world import parse

from .conftest import Answer, Asked, Vendor, answer

START = datetime(2026, 3, 1, tzinfo=UTC)
WEEK = Window("cloudtalk", "main", "dialer_call", "range", START, START + timedelta(days=7))
NEXT = Window("cloudtalk", "main", "dialer_call", "range", START + timedelta(days=7), START + timedelta(days=14))
NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
ON_A_PAGE = 10


def connector(url: str, **more: Any) -> CloudTalk:
    given = {"access_key_id": "sandbox", "access_key_secret": "sandbox-secret", "base_url": url, **more}
    return CloudTalk(CloudTalkSettings.model_validate(given), workspace="main", now=NOW)


@pytest.fixture
def source(vendor: Vendor) -> Iterator[CloudTalk]:
    made = connector(f"{vendor.url}/api", requests_per_minute=6000)
    yield made
    made.close()


def capped(starts: list[datetime], most: int, refusal: int) -> Any:
    """Calls that began at these instants, ten a page, and no page after the first `most` ones."""

    def listing(asked: Asked) -> Answer:
        first, last = (
            datetime.fromisoformat(asked.query[name]).replace(tzinfo=UTC) for name in ("date_from", "date_to")
        )
        found = [n for n, at in enumerate(starts) if first <= at <= last]
        page, pages = int(asked.query["page"]), -(-len(found) // ON_A_PAGE)
        if page > min(most, max(pages, 1)):
            return answer({"responseData": {"status": refusal, "message": "no"}}, refusal)
        items = [{"Cdr": {"id": n}} for n in found[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]]
        told = {"itemsCount": len(found), "pageCount": pages, "pageNumber": page, "limit": 1000, "data": items}
        return answer({"responseData": told})

    return listing


def ids_of(source: CloudTalk, window: Window) -> set[int]:
    pages = source.read(window, {}, Traffic())
    return {json.loads(record)["Cdr"]["id"] for page in pages for record in page.records}


@pytest.mark.parametrize("refusal", [404, 400])
def test_a_window_with_more_pages_than_are_given_is_read_in_halves(
    vendor: Vendor, source: CloudTalk, refusal: int
) -> None:
    """63 calls a week, two hours and 40 minutes apart: 7 pages, of which 4 are given. The halves have 4 pages each."""
    starts = [START + timedelta(minutes=160) * n for n in range(126)]
    vendor.script = capped(starts, 4, refusal)
    assert ids_of(source, WEEK) == set(range(63))
    asked = [(a.query["date_from"], a.query["date_to"]) for a in vendor.asked]
    week = ("2026-03-01 00:00:00", "2026-03-07 23:59:59")
    halves = [("2026-03-01 00:00:00", "2026-03-04 11:59:59"), ("2026-03-04 12:00:00", "2026-03-07 23:59:59")]
    assert Counter(asked) == {week: 10, halves[0]: 4, halves[1]: 4}, (
        "twice, to be sure that the list did not get shorter"
    )
    vendor.asked.clear()
    assert ids_of(source, NEXT) == set(range(63, 126))
    assert len(vendor.asked) == 1 + 4 + 4, "the next window is cut as soon as it is known how many pages it has"


def test_more_calls_in_a_second_than_are_given_end_the_window_loudly(
    vendor: Vendor, source: CloudTalk, tmp_path: Path
) -> None:
    vendor.script = capped([START + timedelta(hours=5)] * 41, 4, 404)
    with pytest.raises(ConnectorError, match=r"counts 41 calls from 2026-03-01 05:00:00 to 2026-03-01 05:00:00 UTC"):
        extract(source, WEEK, {}, tmp_path, "run1")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_against_the_sandbox_that_gives_one_page_of_a_thousand(tmp_path: Path) -> None:
    """2,520 calls, one every four minutes of a week: three pages. With one page given, the quarters have 630 each."""
    call = {"rep": "bob", "direction": "outbound", "number": "+442071838750", "result": "no_answer"}
    calls = [
        {**call, "key": f"D{n}", "started_at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "ended_at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
        for n in range(2520)
        for at in [START + timedelta(minutes=4) * n]
    ]
    reps = [{"key": "bob", "name": "Bob Ray", "email": "bob@acme.com", "hire_date": "2025-01-01"}]
    world = parse({"company": {"now": "2026-03-20T06:00:00Z"}, "reps": reps, "calls": calls})
    with running(world, now=NOW) as url:
        rule = {"fault": "too_far", "match": {"system": "dialer", "query": r"(^|&)page=([2-9]|\d\d)"}}
        httpx.post(f"{url}/__sandbox__/faults", json=[rule]).raise_for_status()
        source = connector(f"{url}/cloudtalk/api")
        assert source.count(WEEK) == 2520
        file = extract(source, WEEK, {}, tmp_path, "run1")
        source.close()
        (rule,) = httpx.get(f"{url}/__sandbox__/faults").json()["faults"]
    *records, trailer = [json.loads(line) for line in file.read_text().splitlines()[1:]]
    assert len({record["Cdr"]["id"] for record in records}) == 2520
    assert rule["struck"] == 2, "asked for the second page twice, and never again"
    assert trailer["expected"] == 2520
