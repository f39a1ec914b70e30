"""Who goes first, by locks of the kernel; across processes in tests/backfill."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import turns
from transforms.warehouse import WarehouseError, WarehouseLocked


def test_a_backfill_sees_who_goes_first_and_others_see_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert not turns.is_asked_for(folder)
    assert not turns.is_backfilled(folder)
    with turns.backfilling(folder):
        assert turns.is_backfilled(folder)
        with turns.going_first(folder):
            with turns.going_first(folder):
                assert turns.is_asked_for(folder)
            assert turns.is_asked_for(folder), "one of two is still there"
        assert not turns.is_asked_for(folder)
        turns.wait_until_done(folder)
    assert not turns.is_backfilled(folder)


def test_there_is_one_backfill(tmp_path: Path) -> None:
    with (
        turns.backfilling(tmp_path),
        pytest.raises(WarehouseLocked, match="another backfill is at work"),
        turns.backfilling(tmp_path),
    ):
        pass
    with turns.backfilling(tmp_path):
        assert turns.is_backfilled(tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(WarehouseError, match=r"first\.lock"), turns.going_first(tmp_path / "data"):
        pass
