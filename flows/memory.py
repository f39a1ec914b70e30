"""What glibc's malloc keeps: an arena for each of the dozens of threads that read sources, with what was freed in it.

A night without news is small; a tenth of its memory was such leftovers. Elsewhere than on glibc nothing is done.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # malloc.h
LARGE = 128 * 1024  # bytes: glibc's own, which it would raise with every larger block that it has seen


def share_arenas() -> None:
    """From now on threads share one arena, and large blocks go back to the system when they are freed.

    DuckDB has an allocator of its own, so that its threads do not wait for it.
    """
    with suppress(AttributeError, OSError):
        glibc = ctypes.CDLL(None)
        glibc.mallopt(M_ARENA_MAX, 1)
        glibc.mallopt(M_MMAP_THRESHOLD, LARGE)
        glibc.mallopt(M_TRIM_THRESHOLD, LARGE)


def give_back() -> None:
    """Collect what is not needed any more, and give its pages back to the system."""
    gc.collect()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
