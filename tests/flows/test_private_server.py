"""The Prefect server of a single run: it answers, it ends with the run however that ends, and says why it does not start."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

RUN = """
import os, sys
from flows.private_server import private_server
with private_server() as ready:
    ready()
    from prefect.settings import PREFECT_API_URL
    print(PREFECT_API_URL.value(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def no_server_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))


def test_it_answers_and_is_gone_when_the_run_was_killed() -> None:
    command = [sys.executable, "-c", RUN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        address = run.stdout.readline().strip()
        assert httpx.get(f"{address}/health", trust_env=False).json() is True
        where = urlsplit(address)
        with socket.create_connection((where.hostname or "", where.port or 0), timeout=60) as open_line:
            run.kill()
            assert open_line.recv(1) == b"", "the server hangs up"


def test_it_says_why_it_does_not_start() -> None:
    # In a process of its own: in this one, other tests' Prefect server may be set.
    wrong = os.environ | {"PREFECT_API_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:////nowhere/at/all.db"}
    run = subprocess.run(
        [sys.executable, "-c", RUN], check=False, env=wrong, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert re.search(r"ServerNotStartedError: it ended with \d+.*unable to open database file", run.stderr), run.stderr
    assert run.stdout == "", "no address of a server that is not there"
