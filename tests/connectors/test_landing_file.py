"""A landing file is whole or not there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.landing_file import LONGEST, extract, is_complete, read_header
from connectors.landing_folder import appearing
from connectors.stream import (
    ByIds,
    Changes,
    Check,
    ConnectorError,
    DateRange,
    Page,
    PermissionMissing,
    Reading,
    Snapshot,
    Stream,
    Traffic,
    Window,
)

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)
WINDOW = Window("acme", "main", "dialer_call", "range", START, END)


class Acme:
    """A connector that gives the pages it was given; an error among them is raised there."""

    name = "acme"
    system: Any = "dialer"
    workspace = "main"
    now = END

    def __init__(self, *pages: Page | Exception, reading: Reading | None = None) -> None:
        feeds, scopes = "calls and talk time", ("calls.read",)
        self.streams = (Stream("dialer_call", reading or DateRange(), key=("Cdr.id", "n"), scopes=scopes, feeds=feeds),)
        self.pages = pages

    def partitions(self, stream: Stream) -> Sequence[str]:
        return ("",)

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        for page in self.pages:
            traffic.requests += 1
            if isinstance(page, Exception):
                raise page
            yield page

    def check(self) -> Iterator[Check]:
        yield from ()

    def close(self) -> None:
        pass


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_a_window_becomes_a_file(tmp_path: Path) -> None:
    met: list[Page] = []
    pages = [
        Page(records=[b'{"id": "1",  "a": 1.10}', b'{"id": "2"}'], expected=3),
        Page(records=[b'{"id": "3"}'], seen=["8"], gone=["9"], rejected=[("no object", "nu\nll")], cursor="c-7"),
        Page(),
    ]
    path = extract(Acme(*pages), WINDOW, {}, tmp_path, "run1", met.append)
    assert path == tmp_path / "acme" / "main" / "dialer_call" / f"{WINDOW.window_id}.run1.jsonl"
    assert b'\n{"id": "1",  "a": 1.10}\n' in path.read_bytes()  # byte for byte
    header, *between, trailer = lines(path)
    assert header["salespulse_landing"] == 1
    assert path.read_bytes().startswith(b'{"salespulse_landing":')
    assert between == [
        {"id": "1", "a": 1.1},
        {"id": "2"},
        {"id": "3"},
        {"salespulse_seen": "8"},
        {"salespulse_gone": "9"},
        {"salespulse_rejected": "nu\nll", "reason": "no object"},
    ]
    seconds = trailer.pop("seconds")
    assert seconds >= 0
    counted = {
        "records": 3,
        "seen": 1,
        "gone": 1,
        "rejected": 1,
        "expected": 3,
        "cursor": "c-7",
        "requests": 3,
        "retries": 0,
    }
    assert trailer == {"salespulse_trailer": 1, **counted}
    assert path.stat().st_mode & 0o777 == 0o600
    assert is_complete(path)
    assert met == pages
    assert files(tmp_path) == [path.name]


@pytest.mark.parametrize(
    "error", [ConnectorError("gone wrong"), PermissionMissing("not allowed"), OSError("disk full"), KeyError("x")]
)
def test_a_failure_leaves_nothing(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)):
        extract(Acme(Page(records=[b'{"id":1}']), error), WINDOW, {}, tmp_path, "run1")
    assert files(tmp_path) == []


def test_a_record_that_is_too_long_to_land_is_still_there(tmp_path: Path) -> None:
    """Absent from a whole window, what is known of it would be taken for deleted."""
    long = b'{"Cdr": {"id": 7}, "n": "a", "text": "%s"}' % (b"x" * LONGEST)
    _, *between, trailer = lines(extract(Acme(Page(records=[long])), WINDOW, {}, tmp_path, "run1"))
    assert between[0] == {"salespulse_seen": "7/a"}
    assert between[1]["reason"].startswith("longer than")
    assert (trailer["records"], trailer["seen"], trailer["rejected"]) == (0, 1, 1)


def test_a_failed_second_reading_leaves_the_first(tmp_path: Path) -> None:
    path = extract(Acme(Page(records=[b'{"id":1}'])), WINDOW, {}, tmp_path, "run1")
    before = path.read_bytes()
    with pytest.raises(ConnectorError):
        extract(Acme(ConnectorError("gone wrong")), WINDOW, {}, tmp_path, "run1")
    assert path.read_bytes() == before
    assert files(tmp_path) == [path.name]


def test_a_reader_thought_dead_and_the_one_in_its_place_do_not_write_into_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "window.jsonl"
    with appearing(path) as first:
        first.write(b"first, ")
        first.flush()
        with appearing(path) as second:
            second.write(b"second\n")
        assert path.read_bytes() == b"second\n"
        first.write(b"whole\n")
    assert path.read_bytes() == b"first, whole\n"
    assert files(tmp_path) == [path.name]


def test_a_missing_permission_says_what_goes_dark(tmp_path: Path) -> None:
    with pytest.raises(
        PermissionMissing, match=r"no\. Needed: calls\.read\. Without it: calls and talk time\."
    ) as caught:
        extract(Acme(PermissionMissing("no.")), WINDOW, {}, tmp_path, "run1")
    assert (caught.value.scope, caught.value.feeds) == ("calls.read", "calls and talk time")


@pytest.mark.parametrize("record", [b'{"id":\n1}', b'{"salespulse_gone":"1"}'])
def test_a_record_cannot_pass_for_one_of_our_lines(tmp_path: Path, record: bytes) -> None:
    with pytest.raises(ConnectorError, match="line break or looks like a line of our own"):
        extract(Acme(Page(records=[b"{}", record])), WINDOW, {}, tmp_path, "run1")


@pytest.mark.parametrize(
    "reading", [DateRange(), Changes(), Snapshot("deleted"), ByIds(("crm_call", "crm_email"))], ids=str
)
def test_the_header_says_all(tmp_path: Path, reading: Reading) -> None:
    acme = Acme(reading=reading)
    window = replace(WINDOW, partition="ana@acme.example", cursor="c-6")
    header = read_header(extract(acme, window, {}, tmp_path, "run1"))
    assert (header.run_id, header.window, header.stream) == ("run1", window, acme.streams[0])


def test_what_is_no_landing_file(tmp_path: Path) -> None:
    path = extract(Acme(Page(records=[b'{"id":1}'])), WINDOW, {}, tmp_path, "run1")
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(path.read_bytes()[:-2])
    assert not is_complete(cut)
    assert not is_complete(tmp_path / "absent")
    cut.write_bytes(b'{"id":1}\n')
    with pytest.raises(ConnectorError, match="not a landing file"):
        read_header(cut)


def test_an_unknown_stream(tmp_path: Path) -> None:
    with pytest.raises(ConnectorError, match=r"has no stream crm_call; it has \['dialer_call'\]"):
        extract(Acme(), replace(WINDOW, stream="crm_call"), {}, tmp_path, "run1")
