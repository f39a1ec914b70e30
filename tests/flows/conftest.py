"""A small company behind a sandbox, settings that point at it, and one Prefect server for all runs of the session."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness

from sandbox.company import generate
from sandbox.server import running
from sandbox.settings_out import write_settings
from sandbox.world import World, parse
from tests.flows.product import NOW, Product


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prefect server for the session; yields its API's address."""
    os.environ["PREFECT_HOME"] = str(tmp_path_factory.mktemp("prefect"))
    with prefect_test_harness():
        yield PREFECT_API_URL.value() or ""


@pytest.fixture(scope="session")
def company() -> World:
    return parse(generate(seed=3, reps=3, days=6, now=NOW))


@pytest.fixture(scope="session")
def sandbox_url(company: World) -> Iterator[str]:
    with running(company, now=NOW) as url:
        yield url


@pytest.fixture
def make_product(
    tmp_path: Path, company: World, sandbox_url: str, prefect_server: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Product]]:
    """Makes installations of the product beside one another, which read the same company."""
    monkeypatch.delenv("SALESPULSE_SETTINGS", raising=False)
    made: list[Product] = []

    def make(name: str) -> Product:
        settings = tmp_path / name / "salespulse.toml"
        write_settings(company, settings, sandbox_url)
        made.append(Product(sandbox_url, settings, {"PREFECT_API_URL": prefect_server}))
        return made[-1]

    yield make
    for product in made:
        product.misbehave()


@pytest.fixture
def product(make_product: Callable[[str], Product]) -> Product:
    return make_product("product")
