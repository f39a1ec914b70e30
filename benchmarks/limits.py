"""How much of each vendor's limit is used while there is work, and how often the vendor refuses: `make bench-limits`.

    python -m benchmarks.limits                                       every case, about 12 minutes
    python -m benchmarks.limits --only "hubspot search" --reserve 0.1

Two processes with eight threads each read from a sandbox that keeps the documented limits on real time; they share one limiter
file and nothing else. What was let through and refused is taken from the sandbox's own meters, not from the client. "share" is
of the units permitted in the long run: permitted units pass in bursts, so a count in a span of time would be off by a burst;
instead, the window's length is divided by the mean time from each unit to the one `permitted` units later, which is the window's
length at best. "most in a window" is the greatest sum of units that the server let into any window of the vendor's length.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

from connectors import limits
from connectors.stream import ConnectorError, Traffic, Window
from sandbox.company import generate
from sandbox.limits import Limits, Taken
from sandbox.server import running
from sandbox.settings_out import service_account_key
from sandbox.world import parse

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
PROCESSES, THREADS = 2, 8


@dataclass(frozen=True)
class Case:
    """A limit as documented: `limit` units in `seconds`, kept by the sandbox's meters named `meter`; for `span` s and a window."""

    name: str
    meter: str
    limit: int
    seconds: float
    span: float


CASES = [
    Case("hubspot burst", "hubspot.burst", 190, 10.0, 60.0),
    Case("hubspot search", "hubspot.search", 5, 1.0, 60.0),
    Case("cloudtalk", "cloudtalk", 60, 60.0, 120.0),
    Case("gmail user", "gmail.user.", 6_000, 60.0, 120.0),
]


@dataclass
class Ledger(Limits):
    """The sandbox's meters, which write down what they let through (when, units) and what they refused."""

    passed: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    refused: dict[str, list[float]] = field(default_factory=dict)

    def take(self, name: str, budget: int, seconds: float, cost: int = 1) -> Taken:
        taken = super().take(name, budget, seconds, cost)
        if taken.ok:
            self.passed.setdefault(name, []).append((self.clock(), cost))
        else:
            self.refused.setdefault(name, []).append(self.clock())
        return taken


def work(case: str, url: str, folder: Path, reserve: float, seconds: float) -> None:
    """One process: threads that read as long as there is time. Errors end it."""
    limits.keep_in(folder / "limits.sqlite")
    until = time.monotonic() + seconds
    connector, windows = _reader(case, url, folder, reserve)
    failed: list[BaseException] = []

    def read(number: int) -> None:
        try:
            while time.monotonic() < until and not failed:
                for _ in connector.read(windows[number % len(windows)], {}, Traffic()):
                    if time.monotonic() > until:
                        break
        except ConnectorError as error:
            failed.append(error)

    threads = [threading.Thread(target=read, args=(n,), daemon=True) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until + 5 - time.monotonic()))
    if failed:
        raise SystemExit(str(failed[0]))


def _reader(case: str, url: str, folder: Path, reserve: float) -> tuple[Any, list[Window]]:
    """A connector and the windows that its threads read over and over."""
    if case.startswith("hubspot"):
        from connectors.hubspot import HubSpot, HubSpotSettings

        settings = HubSpotSettings.model_validate(
            {"token": "pat-eu1-sandbox", "base_url": f"{url}/hubspot", "reserve": reserve}
        )
        one = HubSpot(settings, workspace="main", now=NOW)
        if case == "hubspot burst":
            return one, [Window("hubspot", "main", s, "snapshot") for s in ("crm_user", "crm_pipeline_stage")]
        return one, [Window("hubspot", "main", "crm_call", "changes", NOW - timedelta(hours=1), NOW)]
    if case == "cloudtalk":
        from connectors.cloudtalk import CloudTalk, CloudTalkSettings

        keys = {"access_key_id": "sandbox", "access_key_secret": "sandbox-secret"}
        talk = CloudTalkSettings.model_validate({**keys, "base_url": f"{url}/cloudtalk/api", "reserve": reserve})
        return CloudTalk(talk, workspace="main", now=NOW), [Window("cloudtalk", "main", "dialer_user", "snapshot")]
    from connectors.gmail import Gmail, GmailSettings

    given = {"service_account_file": folder / "key.json", "base_url": f"{url}/gmail", "reserve": reserve}
    boxes = json.loads((folder / "boxes.json").read_text())
    mail = Gmail(GmailSettings.model_validate(given), workspace="main", now=NOW, mailboxes=boxes)
    return mail, [Window("gmail", "main", "mail_message", "range", NOW - timedelta(days=20), NOW, box) for box in boxes]


def measure(case: Case, reserve: float) -> str:
    """One row of the table."""
    world = parse(generate(seed=1, reps=4, days=21, now=NOW))
    ledger = Ledger()
    with tempfile.TemporaryDirectory() as name, running(world, limits=ledger) as url:
        folder = Path(name)
        (folder / "key.json").write_text(json.dumps(service_account_key(f"{url}/gmail/token")))
        (folder / "boxes.json").write_text(json.dumps([rep.email for rep in world.reps if "mail" in rep.seats][:2]))
        lasting = 3 + case.seconds + case.span  # 3 s to start
        command = [
            sys.executable,
            "-m",
            "benchmarks.limits",
            "--work",
            case.name,
            url,
            name,
            str(reserve),
            str(lasting),
        ]
        workers = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
        for worker in workers:
            _, said = worker.communicate()
            if worker.returncode:
                raise SystemExit(f"{case.name}: {said[-2000:]}")
    return _row(case, reserve, ledger)


def _row(case: Case, reserve: float, ledger: Ledger) -> str:
    meters = {name: spent for name, spent in ledger.passed.items() if name.startswith(case.meter)}
    ours = limits.permitted(case.limit, reserve)
    share = case.seconds / statistics.fmean(_cycle(spent, ours) for spent in meters.values())
    # A refusal by any of the vendor's limits counts.
    vendor = case.meter.split(".", maxsplit=1)[0]
    refused = sum(len(at) for name, at in ledger.refused.items() if name.startswith(vendor))
    asked = refused + sum(len(spent) for spent in meters.values())
    most = max(_most(spent, case.seconds) for spent in meters.values())
    return (
        f"| {case.name} | {case.limit:,} in {case.seconds:.0f} s | {reserve:g} | {ours:,} | {share:.1%} | {asked:,} | {refused} "
        f"| {1000 * refused / asked:.2f} | {most:,} |"
    )


def _cycle(spent: list[tuple[float, int]], permitted: int) -> float:
    """Mean seconds, weighted by units, from what passed to what passed `permitted` units later."""
    passed = list(accumulate(units for _, units in spent))
    cycles: list[tuple[float, int]] = []
    for number, (at, units) in enumerate(spent):
        later = bisect_right(passed, passed[number] - units + permitted)  # the first that holds the unit so much later
        if later < len(spent):
            cycles.append((spent[later][0] - at, units))
    return sum(seconds * units for seconds, units in cycles) / sum(units for _, units in cycles)


def _most(spent: list[tuple[float, int]], seconds: float) -> int:
    """The greatest sum of units within any window, half-open."""
    most = held = first = 0
    for at, units in spent:
        held += units
        while spent[first][0] <= at - seconds:
            held -= spent[first][1]
            first += 1
        most = max(most, held)
    return most


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=[case.name for case in CASES])
    parser.add_argument("--reserve", type=float, action="append", help="default: 0 and 0.1")
    parser.add_argument("--work", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        case, url, folder, reserve, seconds = options.work
        work(case, url, Path(folder), float(reserve), float(seconds))
        return
    print("| case | documented limit | reserve | permitted | share | calls | refused | per mille | most in a window |")
    print("|---|---|---|---|---|---|---|---|---|")
    for reserve in options.reserve or [0.0, 0.1]:
        for case in CASES:
            if options.only in (None, case.name):
                print(measure(case, reserve), flush=True)


if __name__ == "__main__":
    main()
