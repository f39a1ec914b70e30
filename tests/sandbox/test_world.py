"""A world file is read whole or refused with file, path, value and what was expected."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import WorldError, load, parse, unknown_keys

CALL = {"key": "D1", "rep": "bob", "started_at": "2026-03-02T09:00:00Z", "result": "answered"}
BOB = {"key": "bob", "email": "bob@acme.com"}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"calls": [CALL | {"rep": "bobb"}], "reps": [BOB]}, "calls[0].rep: 'bobb' is not a key of reps"),
        ({"calls": [CALL | {"rep": "bobb"}], "reps": [BOB]}, "did you mean 'bob'?"),
        ({"calls": [CALL | {"started_at": "2026-03-02T09:00:00"}], "reps": [BOB]}, "calls[0].started_at: Expected"),
        ({"calls": [CALL | {"started_at": "2026-03-02T09:00:00"}], "reps": [BOB]}, "(found '2026-03-02T09:00:00')"),
        ({"calls": [CALL | {"result": "rang"}], "reps": [BOB]}, "calls[0].result: Invalid enum value 'rang'"),
        ({"calls": [CALL, CALL], "reps": [BOB]}, "calls[1].key: 'D1' is the key of calls[0] already"),
        ({"reps": [BOB | {"timezone": "Mars/Olympus"}]}, "reps[0].timezone: 'Mars/Olympus' is not the name of"),
        ({"reps": [{"key": "bob"}]}, "reps[0]: Object missing required field `email`"),
        ({"reps": [BOB | {"team": "T9"}]}, "reps[0].team: 'T9' is not a key of teams"),
        ({"deals": [{"key": "X", "events": []}]}, 'deals[0].events: expected exactly one event "created"'),
        ({"crm_writes": [{"at": CALL["started_at"], "by": "bob", "object": "deal", "key": "Z"}], "reps": [BOB]}, "'Z'"),
        (
            {"calls": [CALL | {"dialer": {"edits": [{"at": CALL["started_at"], "set": {"talk": 3}}]}}], "reps": [BOB]},
            "calls[0].dialer.edits: Call has no field 'talk'",
        ),
        ({"calls": [CALL | {"ended_at": "2026-03-02T08:00:00Z"}], "reps": [BOB]}, "calls[0].ended_at"),
    ],
)
def test_a_faulty_world_is_refused_with_its_place(document: dict[str, Any], message: str) -> None:
    with pytest.raises(WorldError) as caught:
        parse(document, "case.json")
    assert str(caught.value).startswith("case.json: ")
    assert message in str(caught.value)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(WorldError) as caught:
        parse({"calls": [CALL], "reps": [{"key": "eve", "email": "e@x", "team": "T1", "manager": "zed"}]})
    assert len(str(caught.value).splitlines()) == 3


def test_defaults_are_those_of_the_format() -> None:
    world = parse({"reps": [BOB], "calls": [CALL], "notes": [{"key": "N", "rep": "bob", "at": CALL["started_at"]}]})
    assert world.company.reporting_currency == "EUR"
    assert world.reps[0].seats == ["crm", "dialer", "mail"]
    assert world.calls[0].dialer is not None
    assert world.calls[0].crm is None
    assert world.notes[0].crm is not None
    assert world.vendor("crm") == ["hubspot"]


def test_null_keeps_a_record_out_of_a_system() -> None:
    note = {"key": "N", "rep": "bob", "at": CALL["started_at"], "crm": None}
    world = parse({"reps": [BOB], "calls": [CALL | {"dialer": None}], "notes": [note]})
    assert world.calls[0].dialer is None
    assert world.notes[0].crm is None


def test_unknown_keys_are_named_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    document = {"reps": [BOB], "calls": [CALL | {"crm": {"dispositon": "Connected"}}], "weather": "fine"}
    assert unknown_keys(document) == ["calls[0].crm.dispositon", "weather"]
    file = tmp_path / "case.json"
    file.write_text(json.dumps(document))
    with caplog.at_level(logging.WARNING, "sandbox"):
        load(file)
    assert "calls[0].crm.dispositon" in caplog.text


def test_a_file_that_is_no_world_says_so(tmp_path: Path) -> None:
    file = tmp_path / "case.json"
    with pytest.raises(WorldError, match="cannot be read"):
        load(file)
    file.write_text("{")
    with pytest.raises(WorldError, match="is not JSON"):
        load(file)
    file.write_text("[]")
    with pytest.raises(WorldError, match="expected one JSON object, found list"):
        load(file)
