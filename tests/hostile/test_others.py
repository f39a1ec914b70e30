"""Faults that are no rule of the sandbox: hosts that do not exist, memory, a clock that is far off, calls that move between pages."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import connectors
from connectors.cloudtalk import CloudTalk, CloudTalkSettings
from connectors.stream import Changes, Traffic, Window
from tests.connectors.conftest import Asked, Vendor, answer
from tests.hostile.conftest import NIGHTS, Place, Undisturbed
from tests.hostile.matrix import CASES, PLACES, TOKENS, Case

PAGE = Path(__file__).parents[2] / "docs" / "network.md"


@pytest.mark.hostile
def test_a_host_that_does_not_exist_costs_one_source_and_only_until_it_does(
    place: Place, undisturbed: Undisturbed
) -> None:
    installation = place.install("dns")
    place.misbehave()
    place.move(NIGHTS[0])
    settings = installation.folder / "salespulse.toml"
    right = settings.read_text("utf-8")
    settings.write_text(right.replace(f"{place.url}/cloudtalk", "http://does-not-exist.invalid"), "utf-8")
    windows = installation.night(NIGHTS[0]).windows
    failed = [w for w in windows if w.status != "done"]
    assert {w.window.source for w in failed} == {"cloudtalk"}
    assert all("ConnectError" in w.error and "does-not-exist.invalid" in w.error for w in failed)
    settings.write_text(right, "utf-8")
    assert {w.status for w in installation.night(NIGHTS[0]).windows} == {"done"}
    assert installation.landed() == undisturbed[0]


@pytest.mark.hostile
def test_a_clock_that_is_hours_ahead_does_not_let_changes_be_skipped(place: Place, undisturbed: Undisturbed) -> None:
    """The vendors say it is three hours earlier than we think: the changes of those hours would never be asked for."""
    installation = place.install("clock")
    place.move(NIGHTS[0])
    place.misbehave({"fault": "skew", "seconds": -3 * 3600})
    failed = [w for w in installation.night(NIGHTS[0]).windows if w.status != "done"]
    by_changes = {
        (source, stream.name)
        for source in ("hubspot", "salesforce", "pipedrive")
        for stream in connectors.load(source)[0].streams
        if isinstance(stream.reading, Changes)
    }
    assert {(w.window.source, w.window.stream) for w in failed} == by_changes
    assert all("clock is 180 minutes ahead" in w.error for w in failed)
    place.misbehave()
    assert {w.status for w in installation.night(NIGHTS[0]).windows} == {"done"}
    assert installation.landed() == undisturbed[0]


MEASURE = """
import resource, sys
from datetime import UTC, datetime
from connectors.cloudtalk import CloudTalk, CloudTalkSettings
from connectors.stream import ConnectorError, Traffic, Window

settings = CloudTalkSettings(access_key_id="sandbox", access_key_secret="sandbox-secret", base_url=sys.argv[1] + "/cloudtalk/api")
source = CloudTalk(settings, workspace="main", now=datetime(2026, 3, 19, tzinfo=UTC))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    list(source.read(Window("cloudtalk", "main", "dialer_user", "snapshot"), {}, Traffic()))
except ConnectorError as error:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, error)
"""


@pytest.mark.parametrize("fault", ["huge", "bomb"])
def test_500_mb_are_refused_within_twice_the_bound_of_64(place: Place, fault: str) -> None:
    """In a process of its own, whose memory's peak is told by the system, with the settings' own bound."""
    place.misbehave({"fault": fault, "size": 500_000_000})
    told = subprocess.run([sys.executable, "-c", MEASURE, place.url], capture_output=True, text=True, check=True).stdout
    place.misbehave()
    grown, _, error = told.partition(" ")
    assert "a body of more than 67,108,864 bytes" in error
    assert int(grown) < 128


def test_a_call_deleted_while_pages_are_read_does_not_take_another_one_with_it(vendor: Vendor) -> None:
    """Pages of two of a, b, c, d. After the first page a is deleted: c moves onto it, and the second page has only d left to show."""
    calls, asked_for = ["a", "b", "c", "d"], 0

    def script(asked: Asked) -> Any:
        nonlocal asked_for
        asked_for += 1
        if asked_for == 2:
            calls.remove("a")
        page = int(asked.query["page"])
        data = [{"Cdr": {"id": one}} for one in calls[2 * page - 2 : 2 * page]]
        told = {"itemsCount": len(calls), "pageCount": 2, "pageNumber": page, "limit": 2, "data": data}
        return answer({"responseData": told})

    vendor.script = script
    settings = CloudTalkSettings.model_validate(
        {"access_key_id": "k", "access_key_secret": "s", "base_url": vendor.url, "requests_per_minute": 10**6}
    )
    source = CloudTalk(settings, workspace=f"moved-{id(vendor)}", now=NIGHTS[1])
    window = Window("cloudtalk", "main", "dialer_call", "range", NIGHTS[0], NIGHTS[1])
    read = b" ".join(record for page in source.read(window, {}, Traffic()) for record in page.records)
    source.close()
    assert all(f'"{one}"'.encode() in read for one in ("b", "c", "d"))


def test_the_page_shows_what_is_tried() -> None:
    """docs/network.md's table is made of the matrix; this test prints it when it is not."""
    made = table()
    found = re.search(r"<!-- matrix -->\n(.*?)<!-- /matrix -->", PAGE.read_text("utf-8"), re.DOTALL)
    assert found, "the markers are gone"
    assert found[1] == made, f"put this between the markers:\n{made}"


def table() -> str:
    """A line a fault: on how many streams of each source it is tried, and what the run makes of it."""

    def streams(case: Case, source: str) -> str:
        if source not in case.sources:
            return "–"
        if not case.rule:
            return "all" if case.more[0]["fault"] == "skew" or source in TOKENS else "–"
        tried = case.tried(source)
        return f"{len(tried)} of {len(PLACES[source])}" if tried else "–"

    words = {
        "retried": "asked again; the run is whole",
        "window fails": "the window fails, stays due; others go on; the next run is whole",
        "read": "noticed or borne; after the next run all is whole",
    }
    lines = [
        f"| {case.name} | {' | '.join(streams(case, source) for source in PLACES)} | {words[case.outcome]} |"
        for case in CASES
    ]
    head = ["fault", *PLACES, "what happens"]
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines]) + "\n"
