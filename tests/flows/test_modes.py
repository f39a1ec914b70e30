"""What a run leaves behind is readable to its owner alone, whatever the umask says."""

from __future__ import annotations

from pathlib import Path

from tests.flows.product import Product


def test_every_file_is_0600_and_every_folder_0700(night_again: Product) -> None:
    """Two nights without a umask, so that there is a previous file too."""
    data = night_again.data
    below = sorted(data.rglob("*"))
    assert {"warehouse.duckdb", "sales_metrics.duckdb", "limits.sqlite"} <= {f.name for f in below}
    assert list((data / "previous").iterdir()), "no previous file"

    def modes(wanted: int, found: list[Path]) -> list[str]:
        return [
            f"{f.relative_to(data)} {f.stat().st_mode & 0o777:o}" for f in found if f.stat().st_mode & 0o777 != wanted
        ]

    assert modes(0o600, [f for f in below if f.is_file()]) == []
    assert modes(0o700, [f for f in below if f.is_dir()]) == []
