"""Who writes to the warehouse just now, asked of the kernel: without opening the file, so that nobody is kept from it by the question."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import sys
from datetime import UTC, datetime
from pathlib import Path

# struct flock of <fcntl.h>: whole file, by whichever process has it. Linux, and macOS.
LINUX, MAC = "hhqqi4x", "qqihh"


def holder(file: Path) -> str | None:
    """The process that holds a DuckDB file, described; None if nobody does or the file is not there.

    Not to be called by the process that holds it: closing any handle of a file gives up a process's own locks on it.
    """
    try:
        handle = os.open(file, os.O_RDONLY)
    except OSError:
        return None
    try:
        if sys.platform == "darwin":
            asked = struct.pack(MAC, 0, 0, 0, fcntl.F_RDLCK, os.SEEK_SET)
            _, _, pid, kind, _ = struct.unpack(MAC, fcntl.fcntl(handle, fcntl.F_GETLK, asked))
        else:
            asked = struct.pack(LINUX, fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, pid = struct.unpack(LINUX, fcntl.fcntl(handle, fcntl.F_GETLK, asked))
    except OSError:
        return None
    finally:
        os.close(handle)
    return None if kind == fcntl.F_UNLCK else described(str(pid))


def described(pid: str) -> str:
    """The process, its command if it is one of ours (another's may hold secrets), and since when it runs, as far as the system tells."""
    started = Path("/proc") / pid
    try:
        since = datetime.fromtimestamp(started.stat().st_mtime, UTC)
        words = (started / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace").split("\0")
    except OSError:
        return pid
    ours = next((n for n, word in enumerate(words) if word == "flows.cli" or Path(word).name == "salespulse"), None)
    command = words[0] if ours is None else " ".join(["salespulse", *words[ours + 1 :]])
    return f"{pid} ({command}, running since {since:%Y-%m-%d %H:%M} UTC)"


def holder_in(message: str) -> str:
    """The process that DuckDB names where it refuses to open a file."""
    pid = re.search(r"PID (\d+)", message)
    return described(pid.group(1)) if pid else "another"
