"""Log files: a line of JSON an event, no secret and no address, and never more of them than was said."""

import json
import logging
import os
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from connectors.stream import Window
from flows import logs
from flows.redaction import Redactor

CALLS = Window("cloudtalk", "main", "dialer_call", "range")


class _Inner(BaseModel):
    password: SecretStr = SecretStr("hunter2.more")


class _Settings(BaseModel):
    token: SecretStr = SecretStr("pat-eu1-abc")
    inner: _Inner = _Inner()


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]


def test_an_event_is_a_line_with_run_source_stream_and_window(tmp_path: Path) -> None:
    with logs.of_run("nightly-1", tmp_path, Redactor(), how="none", keep_days=1, keep_mb=1):
        logs.event("window read", window=CALLS, rows=3, error="")
    logs.event("after the run")
    (line,) = lines(tmp_path)
    assert list(line)[:7] == ["time", "level", "run_id", "source", "stream", "window", "event"]
    assert {k: line[k] for k in list(line)[1:]} == {
        "level": "info", "run_id": "nightly-1", "source": "cloudtalk", "stream": "dialer_call",
        "window": "cloudtalk.main.dialer_call.range.-.-", "event": "window read", "rows": 3,
    }  # fmt: skip
    assert (tmp_path / "nightly-1.jsonl").stat().st_mode & 0o777 == 0o600


def test_secrets_and_addresses_are_taken_out_also_of_tracebacks(tmp_path: Path) -> None:
    with logs.of_run("r", tmp_path, Redactor.of(_Settings()), how="none", keep_days=1, keep_mb=1):
        logs.event("failed", error="pat-eu1-abc of ann@acme.com refused, GET /users/bob%40acme.com/profile")
        try:
            int("login with hunter2.more")
        except ValueError:
            logs.log.exception("it broke for eve.o'hara+x@mail.acme.co.uk")
    text = (tmp_path / "r.jsonl").read_text()
    assert "*** of [address] refused, GET /users/[address]/profile" in text
    assert "'login with ***'" in text
    for secret in ("pat-eu1-abc", "hunter2", "acme"):
        assert secret not in text


def test_a_word_without_end_is_gone_through_once() -> None:
    """A body in base64, say, of 200,000 letters; weighed from each of them to its end it would take minutes."""
    word = "QUJD/" + "ab+c" * 50_000
    assert Redactor()(f"{word} of ann@acme.com") == f"{word} of [address]"


@pytest.mark.parametrize("how", ["json", "text"])
def test_standard_error_gets_the_same_events_when_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], how: logs.Format
) -> None:
    try:
        with logs.of_run("r", tmp_path, Redactor(["s3cret"]), how=how, keep_days=1, keep_mb=1):
            logs.event("window read", window=CALLS, detail="s3cret")
    finally:
        logs.to_stderr("none")
    (told,) = capsys.readouterr().err.splitlines()
    if how == "json":
        assert json.loads(told) == lines(tmp_path)[0]
    else:
        assert told.endswith(
            "window read source=cloudtalk stream=dialer_call window=cloudtalk.main.dialer_call.range.-.- detail=***"
        )


def test_one_run_writes_no_more_than_its_share(tmp_path: Path) -> None:
    """keep_mb = 1: a file turns over at a quarter of a megabyte, once; with lines of some 1,100 bytes each."""
    with logs.of_run("r", tmp_path, Redactor(), how="none", keep_days=1, keep_mb=1):
        for n in range(1000):
            logs.event("window read", n=n, detail="word " * 200)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["r.1.jsonl", "r.jsonl"]
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= (1 << 20) // 2
    assert max(int(str(line["n"])) for line in lines(tmp_path)) == 999, "the newest are kept"


def test_older_files_go_by_age_and_then_by_size(tmp_path: Path) -> None:
    """Room for 400 bytes, of which a run may take a quarter: the newest two of 150 bytes stay, the third would be 450 > 300."""
    for age, name in enumerate(["new", "second", "third", "old"]):
        file = tmp_path / f"{name}.jsonl"
        file.write_text("x" * 150)
        day = file.stat().st_mtime - age * 86_400
        os.utime(file, (day, day))
    (tmp_path / "mine.txt").write_text("not ours")
    logs.tidy(tmp_path, keep_days=30, keep_bytes=400)
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["mine", "new", "second"]
    logs.tidy(tmp_path, keep_days=0, keep_bytes=1 << 20)
    assert [file.name for file in tmp_path.glob("*.jsonl")] == []


def test_a_folder_that_cannot_be_made_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    with logs.of_run("r", tmp_path / "logs", Redactor(), how="none", keep_days=1, keep_mb=1):
        logs.event("run started", logging.ERROR)
    assert (tmp_path / "logs").read_text() == "in the way"
