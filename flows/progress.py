"""What a person sees while a run goes on: bars in a terminal, plain lines elsewhere, Prefect's log under a worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from prefect.logging import get_run_logger
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from connectors.stream import Window
from flows import logs
from flows.report import WindowResult


class Watcher(Protocol):
    """Told about a run as it goes."""

    def planned(self, windows: Sequence[Window]) -> None:
        """These windows are going to be read."""
        ...

    def window(self, label: str, result: WindowResult) -> None:
        """One window is over. label: the window in a reader's words."""
        ...

    def step(self, what: str) -> None:
        """A step begins."""
        ...

    def note(self, what: str) -> None:
        """Something to know has happened."""
        ...


class Lines:
    """One line a window and step."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def planned(self, windows: Sequence[Window]) -> None:
        by_source = Counter(w.source for w in windows)
        self._say("reading " + ", ".join(f"{n} windows of {source}" for source, n in by_source.items()))

    def window(self, label: str, result: WindowResult) -> None:
        if result.status == "done":
            self._say(f"{label}: {result.rows:,} records, {result.new:,} new or changed, in {result.seconds:.1f} s")
        else:
            self._say(f"{label}: NOT READ: {result.error}")

    def step(self, what: str) -> None:
        self._say(what)

    def note(self, what: str) -> None:
        self._say(what)


class Bars:
    """A bar a source; what goes wrong stays above the bars."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._records: Counter[str] = Counter()
        self._step: TaskID | None = None

    def planned(self, windows: Sequence[Window]) -> None:
        for source, n in Counter(w.source for w in windows).items():
            self._tasks[source] = self._progress.add_task(source, total=n, note="")

    def window(self, label: str, result: WindowResult) -> None:
        source = result.window.source
        self._records[source] += result.rows
        if source in self._tasks:
            self._progress.update(self._tasks[source], advance=1, note=f"{self._records[source]:,} records")
        if result.status != "done":
            self._progress.console.print(f"[yellow]{label}: not read:[/] {result.error}", highlight=False)

    def step(self, what: str) -> None:
        self.over()
        self._step = self._progress.add_task(what, total=None, note="")

    def note(self, what: str) -> None:
        self._progress.console.print(what, highlight=False, markup=False)

    def over(self) -> None:
        """The last step has ended."""
        if self._step is not None:
            self._progress.update(self._step, total=1, completed=1)


_current: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


def watcher() -> Watcher:
    """Who watches this run: what `watched_by` says, else the log of the Prefect flow run."""
    return _current.get() or Lines(get_run_logger().info)


@contextmanager
def watched_by(console: Console) -> Generator[None]:
    """Show runs on this console. Where events are logged to standard error, they say the same, and nothing is shown here."""
    if logs.wanted():
        token = _current.set(Lines(lambda _: None))
        try:
            yield
        finally:
            _current.reset(token)
        return
    if not console.is_terminal:
        token = _current.set(Lines(lambda line: console.print(line, highlight=False, markup=False, soft_wrap=True)))
        try:
            yield
        finally:
            _current.reset(token)
        return
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console) as progress:
        bars = Bars(progress)
        token = _current.set(bars)
        try:
            yield
            bars.over()
        finally:
            _current.reset(token)
