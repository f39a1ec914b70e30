"""`salespulse quarantine` as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.landing_file import header_line
from connectors.stream import LandingHeader, Window
from flows.cli import run
from tests.golden.test_drift import NOW, WORLD
from tests.pipeline import serving


def test_what_waits_is_listed_shown_and_landed_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record that was wrongly rejected lands, one that is no JSON stays; the second time there is only that one to try."""
    from connectors.cloudtalk_lists import CALLS

    good = json.dumps({"Cdr": {"id": "77", "started_at": "2026-03-09T09:00:00Z"}})
    lines = [
        header_line(LandingHeader("r1", Window("cloudtalk", "main", "dialer_call", "ids"), CALLS, NOW)).decode(),
        *(json.dumps({"salespulse_rejected": text, "reason": "odd"}) + "\n" for text in (good, '{"Cdr": [bold]')),
        '{"salespulse_trailer": 1, "records": 0}\n',
    ]
    file = tmp_path / "odd.jsonl"
    file.write_text("".join(lines))
    with serving(WORLD, tmp_path):
        pass
    at = ["--settings", str(tmp_path / "salespulse.toml")]

    def told(*arguments: str) -> str:
        assert run([*at, *arguments]) == 0
        return " ".join(capsys.readouterr().out.split())

    assert "2 quarantined" in told("land", str(file))
    assert "odd" in told("quarantine", "list")
    assert '{"Cdr": [bold]' in told("quarantine", "show", "--source", "cloudtalk"), "no markup"
    assert "Nothing is in quarantine" in told("quarantine", "list", "--source", "gmail")
    assert "2 tried, 1 new or changed, 1 still cannot be read" in told("quarantine", "retry")
    assert "1 tried, 0 new or changed, 1 still cannot be read" in told("quarantine", "retry", "--stream", "dialer_call")
    assert "not valid JSON" in told("quarantine", "list")


def test_what_was_kept_by_its_id_alone_is_not_landed_and_the_way_to_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its text has the record's id where other records have theirs; landed, it would be a person without any field."""
    from connectors.cloudtalk_lists import CALLS

    left_out = '{"salespulse_left_out":"77","fields":["Cdr","Notes"]}'
    lines = [
        header_line(LandingHeader("r1", Window("cloudtalk", "main", "dialer_call", "ids"), CALLS, NOW)).decode(),
        json.dumps({"salespulse_rejected": left_out, "reason": "odd"}) + "\n",
        '{"salespulse_trailer": 1, "records": 0}\n',
    ]
    (tmp_path / "odd.jsonl").write_text("".join(lines))
    with serving(WORLD, tmp_path):
        pass
    at = ["--settings", str(tmp_path / "salespulse.toml")]

    def told(*arguments: str) -> str:
        assert run([*at, *arguments]) == 0
        return " ".join(capsys.readouterr().out.split())

    assert "1 quarantined" in told("land", str(tmp_path / "odd.jsonl"))
    assert "cloudtalk dialer_call 77: odd" in told("quarantine", "show")
    again = told("quarantine", "retry")
    assert "1 tried, 0 new or changed, 1 still cannot be read" in again
    assert "Of 1 nothing was kept but their ids, so they must be read again" in again
    assert "1 tried, 0 new" in told("quarantine", "retry"), "it is not lost"
