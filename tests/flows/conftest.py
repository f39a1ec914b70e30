"""A small company behind a sandbox, installations of the product that read it, one Prefect server for all their runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness

from sandbox.company import generate
from sandbox.server import running
from sandbox.settings_out import write_settings
from sandbox.world import World, parse
from tests.connectors.conftest import Vendor
from tests.flows.product import NOW, Product

Make = Callable[[str], Product]


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prefect server for the session; yields its API's address."""
    os.environ["PREFECT_HOME"] = str(tmp_path_factory.mktemp("prefect"))
    with prefect_test_harness(server_startup_timeout=180):  # the machine may be busy with the other tests
        yield PREFECT_API_URL.value() or ""


@pytest.fixture(scope="session")
def company() -> World:
    """Three reps and six days; fewer days than usual are read again, so that a run has fewer windows."""
    document = generate(seed=3, reps=3, days=6, now=NOW)
    document["company"]["parameters"] = {"reprocess_days": 14}
    return parse(document)


@pytest.fixture(scope="session")
def make_product(tmp_path_factory: pytest.TempPathFactory, company: World, prefect_server: str) -> Iterator[Make]:
    """Makes installations of the product that read the same company."""
    os.environ.pop("SALESPULSE_SETTINGS", None)
    with running(company, now=NOW) as url:

        def make(name: str) -> Product:
            settings = tmp_path_factory.mktemp(name) / "salespulse.toml"
            write_settings(company, settings, url, limits=False)
            return Product(url, settings, {"PREFECT_API_URL": prefect_server})

        yield make


@pytest.fixture
def product(make_product: Make) -> Iterator[Product]:
    """A fresh installation, in front of a sandbox that behaves again afterwards."""
    product = make_product("product")
    yield product
    product.misbehave()


@pytest.fixture
def copied(night: Product, tmp_path: Path) -> Product:
    """An installation that has run one night, to be damaged."""
    return night.copied(tmp_path / "copied")


@pytest.fixture(scope="session")
def night(make_product: Make) -> Product:
    """An installation that has run one night, and against which others are held."""
    product = make_product("night")
    with _no_umask():
        assert product.nightly() == 0
    return product


@pytest.fixture(scope="session")
def night_again(night: Product, tmp_path_factory: pytest.TempPathFactory) -> Product:
    """An installation that has run the same night a second time; to be looked at, not to be changed."""
    product = night.copied(tmp_path_factory.mktemp("again") / "copied")
    with _no_umask():
        assert product.nightly() == 0
    return product


@contextmanager
def _no_umask() -> Generator[None]:
    """Whoever starts the run has told the system to keep nothing from anybody; see test_modes."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """A vendor that answers by a script of the test's."""
    running = Vendor()
    yield running
    running.close()
