"""Disk full, read-only folder, damaged files: a clear error, the published file as it was, and recovery by a command."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.exit_codes import Exit
from tests.flows.product import AT_NOON, Product

Told = pytest.CaptureFixture[str]


def test_a_cut_off_warehouse_is_rebuilt_from_the_landing_files(copied: Product, night: Product, capsys: Told) -> None:
    before = copied.published.read_bytes()
    warehouse = copied.data / "warehouse.duckdb"
    with warehouse.open("rb+") as file:
        file.truncate(warehouse.stat().st_size // 2)
    assert copied.nightly() == Exit.STORAGE
    told = _flat(capsys)
    assert f"the warehouse {warehouse} is damaged" in told
    assert "`salespulse rebuild`" in told
    assert copied.published.read_bytes() == before
    assert copied("rebuild", "--now", AT_NOON) == 0
    assert "was put aside as" in _flat(capsys)
    assert list(copied.data.glob("warehouse.aside-*.duckdb"))
    assert copied.daily() == night.daily()
    assert copied.warehouse("select name, value from meta.fact where name = 'history_start'") == night.warehouse(
        "select name, value from meta.fact where name = 'history_start'"
    )


def test_without_landing_files_the_damaged_warehouse_is_left_alone(copied: Product, capsys: Told) -> None:
    shutil.rmtree(copied.data / "landing")
    assert copied("rebuild") == Exit.STORAGE
    assert "no landing files" in _flat(capsys)
    assert (copied.data / "warehouse.duckdb").exists()


def test_a_cut_off_published_file_is_made_anew(copied: Product, night: Product) -> None:
    with copied.published.open("rb+") as file:
        file.truncate(5000)
    assert copied("publish", "--now", AT_NOON) == 0
    assert copied.daily() == night.daily()


# In the middle of publishing; and before anything is written.
@pytest.mark.parametrize("free", ["12m", pytest.param("1m", marks=pytest.mark.slow)])
def test_a_full_disk_is_told_and_the_next_run_with_room_ends_the_night(
    night: Product, tmp_path: Path, capsys: Told, free: str
) -> None:
    size = sum(file.stat().st_size for file in night.settings.parent.rglob("*") if file.is_file()) + (1 << 20)
    with _mounted(tmp_path / "disk", f"{size + int(free[:-1]) * (1 << 20)}") as (folder, remount):
        full = night.copied(folder / "here")
        before = full.published.read_bytes()
        assert full.nightly() == Exit.STORAGE
        told = _flat(capsys)
        assert "is full" in told or "No space left" in told
        assert "run again" in told
        assert full.published.read_bytes() == before
        remount(f"size={2 * size + (200 << 20)}")
        assert full.nightly() == 0
        assert full.daily() == night.daily()


def test_a_read_only_folder_is_told(night: Product, tmp_path: Path, capsys: Told) -> None:
    with _mounted(tmp_path / "disk", "300m") as (folder, remount):
        fixed = night.copied(folder / "here")
        before = fixed.published.read_bytes()
        remount("ro")
        assert fixed.nightly() == Exit.STORAGE
        told = _flat(capsys)
        assert f"cannot write below {fixed.data}" in told
        assert "Make the folder writable" in told
        assert fixed.published.read_bytes() == before


def _flat(capsys: Told) -> str:
    told = capsys.readouterr()
    return " ".join((told.out + told.err).split())


@contextmanager
def _mounted(folder: Path, size: str) -> Iterator[tuple[Path, Callable[[str], None]]]:
    """A small disk in memory, and a way to mount it otherwise. Only root may mount, and modes do not stop root."""
    folder.mkdir()

    def mount(options: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
        )

    if not shutil.which("mount") or mount(f"size={size}").returncode:
        pytest.skip("this needs a small disk of its own, and only root may mount one")
    try:
        yield folder, lambda options: mount(f"remount,{options}").check_returncode()
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
