"""The command line: help, wrong arguments and settings are quick and clear."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli import run
from flows.exit_codes import Exit

COMMANDS = ("demo", "nightly", "backfill", "publish", "land", "check", "status", "sandbox")


def test_help_names_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    told = capsys.readouterr().out
    for command in COMMANDS:
        assert f" {command} " in told
    assert "Exit codes: 0 done; 1 failed; 2 wrong settings" in told
    assert "--settings" in told


@pytest.mark.parametrize("command", [*COMMANDS, "sandbox serve", "sandbox replay", "sandbox generate"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command.split(), "--help"]) == 0
    told = capsys.readouterr().out
    assert f"Usage: salespulse {command} " in told
    assert len(told.splitlines()[2]) > 20, "no sentence says what the command does"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == "0.1.0"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nightly", "--dai", "x"],
        ["nightly", "--day", "soon"],
        ["nightly", "--wait", "-1"],
        ["nonsense"],
        ["backfill"],
        ["forget", "ann"],
        ["forget", "Ann Lee <ann@acme.com>"],
        ["quarantine", "show", "--most", "-1"],
        ["demo", "--reps", "0"],
        ["demo", "--folder", __file__],
        ["sandbox", "generate", "world.json", "--days", "0"],
        ["sandbox", "serve", "--world", "world.json", "--port", "99999"],
    ],
)
def test_wrong_arguments_exit_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is begun that could fail in its own words."""
    assert run(arguments) == 2
    assert "What to do" not in capsys.readouterr().err


def test_make_help_names_every_target() -> None:
    root = Path(__file__).parents[2]
    (targets,) = re.findall(r"^\.PHONY: (.*)$", (root / "Makefile").read_text(), re.MULTILINE)
    told = subprocess.run(["make", "--silent", "help"], cwd=root, capture_output=True, text=True, check=True).stdout
    assert [line.split()[1] for line in told.splitlines()] == targets.split()


def test_the_demo_leaves_a_real_company_alone(tmp_path: Path) -> None:
    """Also where the environment says where that one's file is."""
    real = tmp_path / "sales_metrics.duckdb"
    real.write_text("what the sales director reads at nine")
    command = [sys.executable, "-m", "flows.cli", "demo", "--reps", "1", "--days", "1"]
    environment = os.environ | {"SALESPULSE__PUBLISHED": str(real), "PREFECT_HOME": str(tmp_path / "prefect")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert real.read_text() == "what the sales director reads at nine"
    assert (tmp_path / "demo" / "data" / "sales_metrics.duckdb").exists()


def test_wrong_settings_are_told_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    (tmp_path / "salespulse.toml").write_text("[hubspot]\ntokn = 1\n")
    code = (
        "import sys; from flows.cli import run; code = run(['nightly', '--settings', 'salespulse.toml']); "
        "print(code, sorted({'prefect', 'duckdb', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2 []"
    assert "did you mean token?" in done.stderr


def test_the_settings_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text('[hubspot]\ntoken = "x"\n')
    environment = os.environ | {"SALESPULSE_SETTINGS": str(tmp_path / "other.toml")}
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "status"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "start with `salespulse nightly`" in done.stdout) == (Exit.STALE, True), done.stderr


def test_a_company_is_generated_as_a_world_file(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    assert run(["sandbox", "generate", str(file), "--reps", "2", "--days", "3", "--now", "2026-03-20T06:00:00Z"]) == 0
    world = json.loads(file.read_text())
    assert (world["company"]["now"], len(world["reps"])) == ("2026-03-20T06:00:00Z", 2)


def test_serving_says_when_it_is_ready_and_writes_settings_that_work(tmp_path: Path) -> None:
    world, settings = tmp_path / "world.json", tmp_path / "salespulse.toml"
    run(["sandbox", "generate", str(world), "--reps", "1", "--days", "2", "--now", "2026-03-20T06:00:00Z"])
    command = [sys.executable, "-m", "flows.cli", "sandbox", "serve", "--world", str(world)]
    with subprocess.Popen([*command, "--settings-out", str(settings)], stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            assert serving.stdout.readline().startswith("sandbox ready at http://127.0.0.1:")
            assert run(["check", "--settings", str(settings)]) == 0
        finally:
            serving.terminate()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sandbox", "serve", "--world", "none.json"], "none.json: cannot be read"),
        (["sandbox", "replay", "nowhere"], "nowhere"),
    ],
)
def test_sandbox_errors_have_no_traceback(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    told = capsys.readouterr()
    assert words in told.err + told.out
