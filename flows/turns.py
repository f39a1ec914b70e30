"""Whose turn it is: a backfill takes hours or days, and lets a nightly run go first when its hour comes.

Two files beside the warehouse, empty, that only carry locks of the kernel (flock), which go with the process that holds them,
however that ends: nothing is left behind that somebody would have to clean up.

`backfill.lock`: held by the backfill that is at work or waits, so that there is one, and others know that it pays to wait.
`first.lock`: shared by all who go before a backfill, from when they ask for the warehouse until they are done with it.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from time import sleep

from transforms.warehouse import WarehouseError, WarehouseLocked, storage_fault

BACKFILL, FIRST = "backfill.lock", "first.lock"
INSTANT = 0.02  # seconds
HANDING_OVER = 2 * 3600.0  # seconds in which a backfill has surely landed the windows in hand, and a night has ended


@contextmanager
def backfilling(folder: Path) -> Generator[None]:
    """Be the backfill of a data folder. Raises WarehouseLocked when there is one."""
    with _opened(folder, BACKFILL) as handle:
        # Who only looks (is_backfilled) holds it for an instant too.
        if not any(_locked(handle, LOCK_EX) or sleep(INSTANT) for _ in range(10)):
            raise WarehouseLocked(
                f"another backfill is at work in {folder}, or waits there for a nightly run to end; wait until it has ended, or "
                "stop it, and start again"
            )
        yield


def is_backfilled(folder: Path) -> bool:
    """Is a backfill at work on this data folder?"""
    with _opened(folder, BACKFILL) as handle:
        return not _locked(handle, LOCK_SH)


@contextmanager
def going_first(folder: Path) -> Generator[None]:
    """Ask whatever backfill there is to let go of the warehouse, and keep it waiting until the block ends."""
    with _opened(folder, FIRST) as handle:
        flock(handle, LOCK_SH)
        yield


def is_asked_for(folder: Path) -> bool:
    """Does somebody go before the backfill?"""
    with _opened(folder, FIRST) as handle:
        return not _locked(handle, LOCK_EX)


def wait_until_done(folder: Path) -> None:
    """Block until nobody goes before the backfill any longer."""
    with _opened(folder, FIRST) as handle:
        flock(handle, LOCK_EX)


@contextmanager
def _opened(folder: Path, name: str) -> Generator[int]:
    file = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise storage_fault(file, error) or WarehouseError(f"cannot open {file}: {error}") from error
    try:
        yield handle
    finally:
        os.close(handle)  # and with it the lock


def _locked(handle: int, how: int) -> bool:
    try:
        flock(handle, how | LOCK_NB)
    except BlockingIOError:
        return False
    return True
