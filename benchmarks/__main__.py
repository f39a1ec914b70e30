"""Extract and land HubSpot calls: ours, with Prefect around it, the floor, and dlt, one after the other on the same server.

    make bench                                  100,000 calls, three rounds, medians; then the 1 % of them that changed
    python -m benchmarks --calls 1000000 --rounds 1 --without dlt

Each contender is a process of its own; wall, CPU (user + system) and peak resident memory are the kernel's (wait4).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.pages import CHANGED_ONE_IN

ROOT = Path(__file__).parents[1]
BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
CONTENDERS: dict[str, list[str]] = {
    "floor": [sys.executable, "-m", "benchmarks.floor_land"],
    "salespulse": [sys.executable, "-m", "benchmarks.salespulse_land"],
    "salespulse with Prefect": [sys.executable, "-m", "benchmarks.salespulse_land", "--prefect"],
    "dlt": [str(BENCH_PYTHON), "-m", "benchmarks.dlt_land"],
}


@dataclass(frozen=True)
class Landed:
    """What a contender is to do, and how many records it must then say it has."""

    step: str  # full | changed
    records: int


@dataclass(frozen=True)
class Cost:
    wall: float
    cpu: float
    megabytes: float


def measure(command: list[str], url: str, folder: Path, what: Landed) -> Cost:
    """Run one contender in a folder of its own; it must report that it landed what it was to."""
    module = command.index("-m") + 2
    full = [*command[:module], url, str(folder), what.step, *command[module:]]
    env = {
        **os.environ,
        "PREFECT_HOME": f"{folder}/prefect",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",  # other work may slow the machine down
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    with (folder / "out").open("w+") as out:
        began = perf_counter()
        process = subprocess.Popen(full, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, env=env)
        assert process.stderr
        error = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read().split()
    if process.returncode or not said or said[-1] != str(what.records):
        raise SystemExit(f"{' '.join(full)}: landed {said[-1:]}, not {what.records}\n{error.decode()[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def rounds(contenders: dict[str, list[str]], url: str, steps: list[Landed], number: int) -> dict[str, list[list[Cost]]]:
    """By contender and step: the cost of each round. A step finds what the one before it landed."""
    costs: dict[str, list[list[Cost]]] = {name: [[] for _ in steps] for name in contenders}
    for turn in range(number):
        for name, command in contenders.items():
            with tempfile.TemporaryDirectory() as folder:
                for found, what in zip(costs[name], steps, strict=True):
                    cost = measure(command, url, Path(folder), what)
                    found.append(cost)
                    figures = f"{cost.wall:.1f} s wall, {cost.cpu:.1f} s CPU, {cost.megabytes:.0f} MB"
                    print(f"round {turn + 1}: {name}, {what.step}: {figures}", flush=True)
    return costs


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without", action="append", default=[], choices=list(CONTENDERS), help="may be repeated")
    options = parser.parse_args()
    contenders = {name: command for name, command in CONTENDERS.items() if name not in options.without}
    steps = [Landed("full", options.calls), Landed("changed", options.calls // CHANGED_ONE_IN)]
    command = [sys.executable, "-m", "benchmarks.pages", str(options.calls)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        costs = rounds(contenders, url, steps, options.rounds)
    finally:
        server.terminate()
    for at, what in enumerate(steps):
        print(f"\n{what.records:,} HubSpot calls, {what.step}, extract and land, median of {options.rounds}\n")
        show({name: found[at] for name, found in costs.items()})


def show(costs: dict[str, list[Cost]]) -> None:
    """The medians as a table; speed beside dlt's, or the floor's where dlt did not run."""
    beside = "dlt" if "dlt" in costs else "floor"
    print(f"| | wall s | CPU s | peak MB | times {beside}'s speed |\n|---|---|---|---|---|")
    yardstick = statistics.median(c.wall for c in costs[beside])
    for name, found in costs.items():
        wall = statistics.median(c.wall for c in found)
        cpu, memory = statistics.median(c.cpu for c in found), statistics.median(c.megabytes for c in found)
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {memory:.0f} | {yardstick / wall:.2f} |")


if __name__ == "__main__":
    main()
