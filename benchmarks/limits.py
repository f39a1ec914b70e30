"""How much of each vendor's limit is used while there is work, and how often the vendor refuses: `make bench-limits`.

    python -m benchmarks.limits                                       every case, about half an hour
    python -m benchmarks.limits --only "hubspot search" --only aircall --reserve 0.1

Two processes with eight threads each read from a sandbox that keeps the documented limits on real time; they share one limiter
file and nothing else. What was let through and refused is taken from the sandbox's own meters, not from the client. "share" is
of the units permitted in the long run: permitted units pass in bursts, so a count in a span of time would be off by a burst;
instead, the window's length is divided by the mean time from each unit to the one `permitted` units later, which is the window's
length at best. "most in a window" is the greatest sum of units that the server let into any window of the vendor's length.

Of a limit of ten minutes, an hour or a day one window is looked at (Case.fills): share is what had passed of what it permits when
the work stopped for it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

from connectors import limits
from connectors.limits import LimitSpent
from connectors.stream import ConnectorError, Kind, Traffic, Window
from flows.run import mailboxes_of, open_source
from flows.settings_file import load_settings
from sandbox.company import generate
from sandbox.limits import Limits, Taken
from sandbox.server import running
from sandbox.settings_out import write_settings
from sandbox.world import World, parse

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
PROCESSES, THREADS = 2, 8


@dataclass(frozen=True)
class Case:
    """A limit as documented: `limit` units in `seconds`, kept by the sandbox's meters named `meter`; for `span` s and a window.

    windows: (stream, kind) that are read over and over. setting: our own limits that would be met before the vendor's.
    fills: the window is longer than anybody waits here: read until it is used up, for `span` s at most.
    """

    name: str
    meter: str
    limit: int
    seconds: float
    span: float
    windows: Sequence[tuple[str, Kind]]
    setting: Mapping[str, str] = field(default_factory=dict[str, str])
    fills: bool = False

    @property
    def source(self) -> str:
        return self.name.split()[0]


CASES = [
    Case("hubspot burst", "hubspot.burst", 190, 10.0, 60.0, [("crm_user", "snapshot"), ("crm_pipeline_stage", "snapshot")]),
    Case("hubspot search", "hubspot.search", 5, 1.0, 60.0, [("crm_call", "changes")]),
    Case("cloudtalk", "cloudtalk", 60, 60.0, 120.0, [("dialer_user", "snapshot")]),
    Case("gmail user", "gmail.user.", 6_000, 60.0, 120.0, [("mail_message", "range")]),
    Case("aircall", "aircall", 60, 60.0, 120.0, [("dialer_user", "snapshot")]),
    Case("dialpad", "dialpad", 20, 1.0, 60.0, [("dialer_user", "snapshot")]),
    Case("okta logs", "okta.logs", 60, 60.0, 120.0, [("tool_action", "range")]),
    Case("okta apps", "okta.apps", 100, 60.0, 120.0, [("tool_app", "snapshot")], {"lists_per_minute": "100"}),
    Case("google_admin", "google_admin", 250, 60.0, 120.0, [("tool_action", "range")]),
    Case("entra", "entra", 5, 10.0, 60.0, [("tool_action", "range")]),
    # Salesforce limits days, not minutes: what is kept here is our own setting.
    Case("salesforce (ours)", "salesforce.day", 600, 60.0, 60.0, [("crm_team", "snapshot")], {"requests_per_minute": "600"}),
    # Its 100,000 a day take longer than anybody waits: kept is a lower number of our own, as a company sets whose other tools need the rest.
    Case("salesforce day (ours)", "salesforce.day", 20_000, 86_400.0, 400.0, [("crm_team", "snapshot")],
         {"requests_per_minute": "100000", "requests_per_day": "20000"}, fills=True),
    Case("outreach", "outreach", 10_000, 3600.0, 240.0, [("seq_user", "snapshot")], fills=True),
    Case("microsoft365 mailbox", "microsoft365.", 10_000, 600.0, 200.0, [("mail_account", "snapshot")],
         {"requests_per_second": "1000"}, fills=True),
]  # fmt: skip


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


def work(case: Case, settings: Path, seconds: float) -> None:
    """One process: threads that read as long as there is time. Errors end it."""
    until = time.monotonic() + seconds
    loaded = load_settings(settings)
    boxes = mailboxes_of(loaded, NOW.date())[:2]
    connector = open_source(loaded, case.source, NOW, boxes)
    windows = [window for stream, kind in case.windows for window in _windows(case, stream, kind, boxes)]
    failed: list[BaseException] = []

    def read(number: int) -> None:
        try:
            while time.monotonic() < until and not failed:
                for _ in connector.read(windows[number % len(windows)], {}, Traffic()):
                    if time.monotonic() > until:
                        break
        except LimitSpent:
            return
        except ConnectorError as error:
            failed.append(error)

    threads = [threading.Thread(target=read, args=(n,), daemon=True) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until + 5 - time.monotonic()))
    if failed:
        raise SystemExit(str(failed[0]))


def _windows(case: Case, stream: str, kind: Kind, boxes: Sequence[str]) -> list[Window]:
    """What the threads read: of a list all, of a log or a mailbox the last 20 days, of changes the last hour."""
    ago = {"range": timedelta(days=20), "changes": timedelta(hours=1)}.get(kind)
    one = Window(case.source, "main", stream, kind, None if ago is None else NOW - ago, NOW)
    return [replace(one, partition=box) for box in boxes] if stream in ("mail_message", "mail_account") else [one]


def company() -> World:
    """A company that has every vendor of the cases: of systems that may have one, two stand side by side here."""
    document = generate(seed=1, reps=4, days=21, now=NOW)
    document["company"]["systems"] = {
        "crm": ["hubspot", "salesforce"],
        "dialer": ["cloudtalk", "aircall", "dialpad"],
        "mail": ["gmail", "microsoft365"],
        "tools": ["okta", "google_admin", "entra"],
        "sequencer": "outreach",
    }
    for rep in document["reps"]:  # everybody is everywhere
        rep["seats"] = [
            name
            for named in document["company"]["systems"].values()
            for name in ([named] if isinstance(named, str) else named)
        ]
    return parse(document)


def measure(case: Case, reserve: float) -> str:
    """One row of the table."""
    world = company()
    ledger = Ledger()
    with tempfile.TemporaryDirectory() as name, running(world, limits=ledger) as url:
        settings = Path(name) / "salespulse.toml"
        write_settings(world, settings, url)
        lasting = 3 + (0 if case.fills else case.seconds) + case.span  # 3 s to start
        command = [sys.executable, "-m", "benchmarks.limits", "--work", case.name, str(settings), str(lasting)]
        prefix = f"SALESPULSE__{case.source.upper()}__"
        own = {f"{prefix}{key.upper()}": value for key, value in {"reserve": str(reserve), **case.setting}.items()}
        workers = [
            subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=os.environ | own)
            for _ in range(PROCESSES)
        ]
        for worker in workers:
            _, said = worker.communicate()
            if worker.returncode:
                raise SystemExit(f"{case.name}: {said[-2000:]}")
    return _row(case, reserve, ledger)


def _row(case: Case, reserve: float, ledger: Ledger) -> str:
    each = case.meter.endswith(".")  # a meter for every mailbox
    meters = {
        name: spent
        for name, spent in ledger.passed.items()
        if name == case.meter or (each and name.startswith(case.meter))
    }
    # Salesforce's reserve is of its day: our own pace has none.
    ours = limits.permitted(case.limit, 0.0 if case.name == "salesforce (ours)" else reserve)
    share = (
        min(sum(units for _, units in spent) for spent in meters.values()) / ours
        if case.fills
        else case.seconds / statistics.fmean(_cycle(spent, ours) for spent in meters.values())
    )
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
    parser.add_argument("--only", action="append", choices=[case.name for case in CASES])
    parser.add_argument("--reserve", type=float, action="append", help="default: 0 and 0.1")
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        name, settings, seconds = options.work
        work(next(case for case in CASES if case.name == name), Path(settings), float(seconds))
        return
    print("| case | documented limit | reserve | permitted | share | calls | refused | per mille | most in a window |")
    print("|---|---|---|---|---|---|---|---|---|")
    for reserve in options.reserve or [0.0, 0.1]:
        for case in CASES:
            if not options.only or case.name in options.only:
                print(measure(case, reserve), flush=True)


if __name__ == "__main__":
    main()
