"""One run of the product in a process that may die: its own steps in its own order, without Prefect, whose start takes seconds."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter

from rich.console import Console

from connectors.landing_file import extract
from connectors.stream import Window
from flows import steps
from flows.nightly import due
from flows.progress import watched_by
from flows.run import start_run
from flows.settings_file import load_settings
from flows.tasks import Piece, Waves
from tests.kill.trap import Trap
from transforms import model

model.load(model.root())  # once in the process that all runs are forked from

STEPS = ("start", "leftovers", "extract", "build", "check", "publish", "end")


def one_run(settings: str, kind: str, now: datetime, trap: Trap, line: Connection) -> None:
    """`salespulse nightly` or `salespulse publish`. Says each step on the line and waits for an answer; at the end the counts."""
    os.environ["SALESPULSE_SETTINGS"] = settings
    began = perf_counter()
    reached: dict[str, float] = {}

    def enter(step: str) -> None:
        line.send(step)
        line.recv()
        reached[step] = perf_counter() - began
        trap.enter(step)

    trap.arm()
    with Path(os.devnull).open("w") as nowhere, watched_by(Console(file=nowhere)):
        enter("start")
        with start_run(kind, load_settings(), now=now) as run:
            enter("leftovers")
            steps.land_leftovers(run)
            if kind == "nightly":
                enter("extract")
                steps.extract_and_land(run, list(due(run)), read=side_by_side)
            enter("build")
            steps.build(run)
            enter("check")
            steps.check(run)
            enter("publish")
            steps.publish_file(run)
            enter("end")
    line.send((run.report.status, run.report.not_published, reached, perf_counter() - began, dict(trap.counts)))


def side_by_side(
    waves: Waves, prepare: Callable[[Window], Piece]
) -> Iterator[Sequence[tuple[Window, Path | BaseException]]]:
    """As tasks.extract_all, by plain threads: as many windows at a time as a source allows, then all of them landed."""

    def read(piece: Piece) -> Path | BaseException:
        try:
            return extract(piece.connector, piece.window, piece.known, piece.landing, piece.run_id)
        except Exception as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        while windows := list(waves.ready(Counter())):
            pieces = [prepare(window) for window in windows]
            yield list(zip(windows, pool.map(read, pieces), strict=True))
            for window in windows:
                waves.over(window)
