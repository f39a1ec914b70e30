"""Extract and land HubSpot calls: ours, with Prefect around it, the floor, and dlt, one after the other on the same server.

    make bench                                  100,000 calls, three rounds, medians
    python -m benchmarks --calls 10000 --rounds 1

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

ROOT = Path(__file__).parents[1]
BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
CONTENDERS: dict[str, list[str]] = {
    "floor": [sys.executable, "-m", "benchmarks.floor_land"],
    "salespulse": [sys.executable, "-m", "benchmarks.salespulse_land"],
    "salespulse with Prefect": [sys.executable, "-m", "benchmarks.salespulse_land", "--prefect"],
    "dlt": [str(BENCH_PYTHON), "-m", "benchmarks.dlt_land"],
}


@dataclass(frozen=True)
class Cost:
    wall: float
    cpu: float
    megabytes: float


def measure(command: list[str], url: str, calls: int) -> Cost:
    """Run one contender in a folder of its own; it must report that it landed every call."""
    with tempfile.TemporaryDirectory() as folder:
        module = command.index("-m") + 2
        full = [*command[:module], url, folder, *command[module:]]
        env = {
            **os.environ,
            "PREFECT_HOME": f"{folder}/prefect",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }
        with (Path(folder) / "out").open("w+") as out:
            began = perf_counter()
            process = subprocess.Popen(full, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, env=env)
            assert process.stderr
            error = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            wall = perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            said = out.read().split()
        if process.returncode or not said or said[-1] != str(calls):
            raise SystemExit(f"{' '.join(full)}: landed {said[-1:]}, not {calls}\n{error.decode()[-2000:]}")
        return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.pages", str(options.calls)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        costs: dict[str, list[Cost]] = {name: [] for name in CONTENDERS}
        for number in range(options.rounds):
            for name, command in CONTENDERS.items():
                costs[name].append(measure(command, url, options.calls))
                last = costs[name][-1]
                print(
                    f"round {number + 1}: {name}: {last.wall:.1f} s wall, {last.cpu:.1f} s CPU, {last.megabytes:.0f} MB",
                    flush=True,
                )
    finally:
        server.terminate()
    print(f"\n{options.calls:,} HubSpot calls, extract and land, median of {options.rounds}\n")
    print("| | wall s | CPU s | peak MB | times dlt's speed |\n|---|---|---|---|---|")
    slowest = statistics.median(c.wall for c in costs["dlt"])
    for name, found in costs.items():
        wall = statistics.median(c.wall for c in found)
        cpu, memory = statistics.median(c.cpu for c in found), statistics.median(c.megabytes for c in found)
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {memory:.0f} | {slowest / wall:.1f} |")


if __name__ == "__main__":
    main()
