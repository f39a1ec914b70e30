"""Which machine of a cluster reads which account, so that no two machines ask one vendor account at the same time.

A limiter's memory is its machine's, so an account stays where it was, also from run to run. It moves when its machine is not in
the cluster any more, and then only after the vendor has stopped counting what the old one asked.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

QUIET = 180.0  # seconds: how long a limiter holds a request that was never answered (120), and a vendor's longest window (60)


class Machines:
    """The file that remembers it, in the data folder of the run; whoever uses it holds the warehouse, so there is one at a time.

    now: Unix time, for tests.
    """

    def __init__(self, file: Path, now: Callable[[], float] = time.time) -> None:
        self._file = file
        self._now = now

    @contextmanager
    def assigned(self, accounts: Sequence[str], hosts: Sequence[str]) -> Generator[tuple[dict[str, str], float]]:
        """The machine of each account, and the seconds to wait before the first request of a moved one.

        Of an account whose run was killed nobody knows when it was read last: it counts as read just now.
        """
        before, found, wait = self._read(), dict[str, str](), 0.0
        for account in accounts:
            was = before.get(account)
            if was and was["machine"] in hosts:
                found[account] = was["machine"]
                continue
            found[account] = _preferred(account, hosts, found)
            if was:
                last = self._now() if was["until"] is None else float(was["until"])
                wait = max(wait, last + QUIET - self._now())
        self._write(before, found, until=None)
        try:
            yield found, max(0.0, wait)
        finally:
            self._write(before, found, until=self._now())

    def _read(self) -> Mapping[str, dict[str, Any]]:
        try:
            return json.loads(self._file.read_text("utf-8"))
        except FileNotFoundError:
            return {}

    def _write(self, before: Mapping[str, Any], found: Mapping[str, str], until: float | None) -> None:
        told = {**before, **{account: {"machine": host, "until": until} for account, host in found.items()}}
        draft = self._file.with_name(self._file.name + ".next")
        with draft.open("w", encoding="utf-8") as opened:
            json.dump(told, opened, indent=1, sort_keys=True)
            opened.flush()
            os.fsync(opened.fileno())
        draft.replace(self._file)


def _preferred(account: str, hosts: Sequence[str], taken: Mapping[str, str]) -> str:
    """Of the machines with the fewest accounts the one that the account's name picks."""
    load = {host: sum(other == host for other in taken.values()) for host in hosts}
    free = [host for host in hosts if load[host] == min(load.values())]
    return max(free, key=lambda host: hashlib.sha256(f"{account} {host}".encode()).hexdigest())
