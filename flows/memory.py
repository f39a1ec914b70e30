"""What allocators keep of what was freed: glibc's, an arena for each of the dozens of threads that read sources, and DuckDB's.

A night without news is small; a tenth of its memory was such leftovers. Elsewhere than on glibc nothing is done about malloc.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

import duckdb

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # malloc.h
LARGE = 128 * 1024  # bytes: glibc's own, which it would raise with every larger block that it has seen
FEW = 50_000  # new records, up to which a build is small enough for DuckDB to be sparing


def share_arenas() -> None:
    """From now on threads share one arena, and large blocks go back to the system when they are freed.

    DuckDB has an allocator of its own, so that its threads do not wait for it.
    """
    with suppress(AttributeError, OSError):
        glibc = ctypes.CDLL(None)
        glibc.mallopt(M_ARENA_MAX, 1)
        glibc.mallopt(M_MMAP_THRESHOLD, LARGE)
        glibc.mallopt(M_TRIM_THRESHOLD, LARGE)


def sparing(con: duckdb.DuckDBPyConnection, *, on: bool) -> None:
    """Have DuckDB give back what it frees at once, not from 512 MB on. A large build that spills takes 6 % more CPU by it."""
    setting = "allocator_bulk_deallocation_flush_threshold"
    con.execute(f"set {setting} = '1MB'" if on else f"reset {setting}")


def give_back(con: duckdb.DuckDBPyConnection, limit: str) -> None:
    """Collect what is not needed any more, let go of what DuckDB has cached of its file, and give the pages back to the system.

    limit: the connection's memory_limit, which it cannot tell exactly: it would get smaller each time.
    """
    gc.collect()
    with suppress(duckdb.OutOfMemoryException):  # what is in use stays, and so does the limit
        con.execute("set memory_limit = '1MB'")
    con.execute("set memory_limit = ?", [limit])
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
