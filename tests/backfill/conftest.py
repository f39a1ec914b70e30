"""A small company, an installation of the product, and one that did its backfill undisturbed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.company import generate
from sandbox.server import running
from sandbox.settings_out import write_settings
from sandbox.world import parse
from tests.backfill.installation import Installation
from tests.kill.conftest import memory

__all__ = ["memory"]

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
Make = Callable[[str], Installation]


@pytest.fixture(scope="session")
def make(memory: Path) -> Iterator[Make]:
    """Makes installations that read the same company: three reps, two weeks."""
    document = generate(seed=3, reps=3, days=14, now=NOON)
    document["company"]["parameters"] = {"reprocess_days": 2}
    company = parse(document)
    with running(company, now=NOON) as url:

        def build(name: str) -> Installation:
            folder = memory / "backfill" / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            write_settings(company, folder / "salespulse.toml", url)
            return Installation(folder / "salespulse.toml", NOON, url)

        yield build


@pytest.fixture
def installation(make: Make, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """A fresh one, in front of a sandbox that behaves again afterwards."""
    installation = make(request.node.name)
    yield installation
    installation.misbehave()


@pytest.fixture(scope="session")
def undisturbed(make: Make) -> Installation:
    """An installation that did the whole backfill in one go."""
    installation = make("undisturbed")
    assert installation.run("backfill") == ("ok", "")
    return installation
