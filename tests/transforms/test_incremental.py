"""Nights built one after the other, each from what changed only, give what a rebuild from scratch gives, whatever came when."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import httpx
import pytest

from sandbox.company import generate
from tests.pipeline import serving
from tests.transforms.against_rebuild import contents, rebuilt
from tests.transforms.unsettled import unsettled
from transforms import changes, model, old_keys, publish, unpublished


def published_as(con: duckdb.DuckDBPyConnection, target: Path) -> dict[str, str]:
    """Of each published table that differs from the mart in any row, how. The file is continued, however small, but for the first."""
    marts = [m for m in model.load(model.root()) if m.schema == "marts"]
    is_first = not target.exists()
    assert unpublished.may_be_continued(con, target, marts, small=0) is not is_first
    publish.publish(con, target, small_file=0)
    con.execute(f"attach '{target}' as published (read_only)")
    found: dict[str, str] = {}
    for one in (m for m in marts if m.kind != "view"):
        there = f"published.main.{one.name}"
        rows = con.execute(
            f"(from {there} except all from {one.table}) union all (from {one.table} except all from {there})"
        ).fetchall()
        if rows:
            found[one.name] = str(rows[:2])
    con.execute("detach published")
    return found


@pytest.mark.parametrize("seed", [3, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (11, 12, 13, 14))])
def test_nights_give_what_a_rebuild_gives(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in tables so large that their old part, here of more than three days ago, is searched only on the days on which a key stands in it."""
    for setting, value in (("LARGE", 1), ("RECENT_DAYS", 3), ("MOST_DAYS", 4), ("SPAN", "day")):
        monkeypatch.setattr(old_keys, setting, value)
    monkeypatch.setattr(changes, "PUT_DOWN", 1)
    monkeypatch.setattr(unpublished, "GROWTH", 100)
    world, chance = generate(reps=4, days=10, seed=seed), random.Random(seed)
    end = datetime.fromisoformat(world["company"]["now"])
    unsettled(world, chance, end - timedelta(days=9))
    clocks = [*sorted(end - timedelta(hours=chance.uniform(0, 24 * 9)) for _ in range(2 if seed == 3 else 3)), end]
    with serving(world, tmp_path) as (pipeline, url):
        for number, clock in enumerate(clocks):
            httpx.post(f"{url}/__sandbox__/now", json={"now": clock.astimezone(UTC).isoformat()}).raise_for_status()
            pipeline.nightly(
                clock,
                first=(end - timedelta(days=14)).date(),
                without=chance.choice(["", "gmail", "cloudtalk", "hubspot"]).split(),
            )
            pipeline.con.execute("checkpoint")
            if number:  # the first night was made whole itself
                whole = rebuilt(tmp_path / "warehouse.duckdb", tmp_path / f"copy{number}.duckdb")
                night = contents(pipeline.con)
                assert {t: n for t, n in night.items() if n != whole[t]} == {}, f"after night {number} at {clock}"
            if seed == 3:
                assert published_as(pipeline.con, tmp_path / "published.duckdb") == {}, f"after night {number}"
    assert night["core.fct_call"][0] > 100
    if (
        seed == 3
    ):  # and so does one that has memory for 300 rows of an input at a time: every larger table in slices of its keys
        sliced = rebuilt(tmp_path / "warehouse.duckdb", tmp_path / "sliced.duckdb", slice_rows=300)
        assert {t: n for t, n in night.items() if n != sliced[t]} == {}
