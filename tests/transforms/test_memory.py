"""A build that does not fit into its memory puts aside on disk what it joins and sorts, and gives the same tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import connectors
from benchmarks import large_company
from tests.transforms.test_incremental import contents
from transforms import build, inputs, landing, raw
from transforms.warehouse import open_warehouse

REPS, DAYS = 20, 20
LITTLE = "200MB"


def built(folder: Path, memory: str, disk: str = "") -> dict[str, Any]:
    """The company built as a whole, then with one more day. disk: how much may be put aside; as much as there is if not given."""
    folder.mkdir()
    (folder / "contact.key").write_text("0" * 64 + "\n")  # contacts are published under hashes with it
    systems = {"hubspot": "crm", "cloudtalk": "dialer", "gmail": "mail"}
    with open_warehouse(folder / "warehouse.duckdb", memory_limit=memory, threads=2) as con:
        for name in connectors.NAMES:
            raw.declare(con, [(name, s.name) for s in connectors.load(name)[0].streams])
        if disk:
            con.execute(f"set max_temp_directory_size = '{disk}'")
        sources = [inputs.SourceInput(name, "main", system) for name, system in systems.items()]
        for files in (large_company.write_history(folder, REPS, DAYS), large_company.write_day(folder, REPS)):
            for file in files:
                landing.land(con, file)
            told = inputs.Inputs("bench", large_company.RUN_AT, large_company.LAST_DAY, sources=sources, internal_domains=["acme.com"],
                                 files={"reps": folder / "reps.csv"})  # fmt: skip
            inputs.load(con, told)
            build.build(con)
        return contents(con)


@pytest.mark.slow
def test_what_does_not_fit_into_memory_is_put_aside_and_gives_the_same(tmp_path: Path) -> None:
    with pytest.raises(build.BuildError, match="Out of Memory"):
        built(tmp_path / "nowhere", LITTLE, "0KB")
    roomy = built(tmp_path / "roomy", "2GB")
    assert roomy["core.fct_call"][0] > 5_000
    little = built(tmp_path / "little", LITTLE)
    assert {table for table in roomy if roomy[table] != little[table]} == set()
