"""A company over two nights: an installation that ran the first, one that ran both undisturbed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx
import pytest

from sandbox.company import generate
from sandbox.server import running
from sandbox.settings_out import write_settings
from sandbox.world import parse
from tests.companies import at_every_vendor
from tests.kill.victim import OF_A_RUN, Nights, Victim

FIRST, SECOND = datetime(2026, 3, 19, 6, tzinfo=UTC), datetime(2026, 3, 20, 6, tzinfo=UTC)


@pytest.fixture(scope="session")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is one: a kill does not lose what the kernel has, and hundreds of runs need not wait for a disk."""
    shm = Path("/dev/shm")
    if not os.access(shm, os.W_OK):
        yield tmp_path_factory.mktemp("kill")
        return
    folder = Path(mkdtemp(prefix="salespulse-kill-", dir=shm))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def nights(memory: Path) -> Iterator[Nights]:
    """Two nights over the same company, undisturbed."""
    with _two_nights(generate(seed=3, reps=2, days=3, now=SECOND), memory / "usual") as both:
        yield both


@pytest.fixture(scope="session")
def nights_at_every_vendor(memory: Path) -> Iterator[Nights]:
    with _two_nights(at_every_vendor(SECOND), memory / "every") as both:
        yield both


@contextmanager
def _two_nights(document: dict[str, Any], folder: Path) -> Generator[Nights]:
    document["company"]["parameters"] = {"reprocess_days": 2}
    company = parse(document)
    (folder / "first").mkdir(parents=True)
    with running(company, now=FIRST) as url:
        first = Victim(folder / "first" / "salespulse.toml", FIRST)
        write_settings(company, first.settings, url, limits=False)
        assert first.run().status == "ok"
        httpx.post(f"{url}/__sandbox__/now", json={"now": "2026-03-20T06:00:00Z"}).raise_for_status()
        second = first.copy(folder / "second", SECOND)
        usual = second.run()
        assert usual.status == "ok"
        yield Nights(first, second, usual)


@pytest.fixture(scope="session")
def only_night(nights: Nights, memory: Path) -> Nights:
    """As `nights`, where the second night is the only one: killed runs begin with nothing but settings."""
    bare = memory / "bare"
    shutil.copytree(nights.first.settings.parent, bare, ignore=shutil.ignore_patterns("data"))
    before = Victim(bare / nights.first.settings.name, SECOND)
    after = before.copy(memory / "only", SECOND)
    usual = after.run()
    assert usual.status == "ok"
    return Nights(before, after, usual, OF_A_RUN | {"contact_key"})  # each installation makes a secret of its own
