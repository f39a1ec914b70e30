"""What a run leaves behind is readable to its owner alone, whatever the umask says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.conftest import Make
from tests.flows.product import Product


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("no_umask")
def test_every_file_is_0600_and_every_folder_0700(make_product: Make) -> None:
    """Two nights, so that there is a previous file too."""
    product: Product = make_product("modes")
    assert (product.nightly(), product.nightly()) == (0, 0)
    below = sorted(product.data.rglob("*"))
    assert {"warehouse.duckdb", "sales_metrics.duckdb", "limits.sqlite"} <= {f.name for f in below}

    def modes(wanted: int, found: list[Path]) -> list[str]:
        return [
            f"{f.relative_to(product.data)} {f.stat().st_mode & 0o777:o}"
            for f in found
            if f.stat().st_mode & 0o777 != wanted
        ]

    assert modes(0o600, [f for f in below if f.is_file()]) == []
    assert modes(0o700, [f for f in below if f.is_dir()]) == []
