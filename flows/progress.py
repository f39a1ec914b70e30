"""What a person sees while a run goes on: bars in a terminal, plain lines elsewhere, Prefect's log under a worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Protocol

from prefect.logging import get_run_logger
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from connectors.limits import Limiter
from connectors.stream import Window
from flows import logs
from flows.pace import Pace, left_in_words
from flows.report import WindowResult
from flows.words import duration

Limiters = Mapping[str, Limiter]


class Watcher(Protocol):
    """Told about a run as it goes."""

    def planned(self, windows: Sequence[Window], limiters: Limiters) -> None:
        """These windows are going to be read, under these limits of their sources."""
        ...

    def begun(self, window: Window) -> None:
        """A window is being read from now on."""
        ...

    def page(self, source: str, records: int) -> None:
        """So many records came, of a window that is not over. Called by any thread."""
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

    def over(self) -> None:
        """The last step has ended."""
        ...


class Lines:
    """One line a window and step."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._paces: dict[str, Pace] = {}
        self._limiters: Limiters = {}

    def planned(self, windows: Sequence[Window], limiters: Limiters) -> None:
        self._limiters = limiters
        by_source = Counter(w.source for w in windows)
        for source in by_source:
            self._paces.setdefault(source, Pace()).planned(w for w in windows if w.source == source)
        self._say("reading " + ", ".join(f"{n} windows of {source}" for source, n in by_source.items()))

    def begun(self, window: Window) -> None:
        if window.source in self._paces:
            self._paces[window.source].begun(window)

    def page(self, source: str, records: int) -> None:
        pass

    def window(self, label: str, result: WindowResult) -> None:
        if result.status == "done":
            told = f"{result.rows:,} records, {result.new:,} new or changed, in {result.seconds:.1f} s"
        else:
            told = f"NOT READ: {result.error}"
        self._say(f"{label}: {told}{self._of_all(result)}")

    def step(self, what: str) -> None:
        self._say(what)

    def note(self, what: str) -> None:
        self._say(what)

    def over(self) -> None:
        pass

    def _of_all(self, result: WindowResult) -> str:
        """ "; 12 of 104 windows of cloudtalk, about 20 min left"."""
        pace = self._paces.get(result.window.source)
        if pace is None:
            return ""
        pace.window(result)
        done, every = pace.windows
        left = pace.seconds_left(self._limiters.get(result.window.source))
        return f"; {done} of {every} windows of {result.window.source}" + (
            "" if left is None else f", about {duration(left)} left"
        )


class Outlook:
    """What stands behind a source's bar: records and their rate, what is left under the limits, how long it still takes."""

    def __init__(self, limiter: Limiter | None) -> None:
        self.pace = Pace()
        self._limiter = limiter
        self._told = ""
        self._until = 0.0

    def words(self) -> str:
        """Made anew once a second: a terminal is drawn ten times as often."""
        if monotonic() >= self._until:
            self._told, self._until = self._made(), monotonic() + 1.0
        return self._told

    def over(self) -> str:
        """When all is read, only that."""
        return f"{self.pace.records:,} records"

    def _made(self) -> str:
        left = self.pace.seconds_left(self._limiter)
        parts = (
            [] if left is None else [f"about {duration(left)} left"]
        )  # first: the end is cut off where there is no room
        parts.append(f"{self.pace.records:,} records, {self.pace.rate():,.0f}/s")
        if self._limiter and (free := left_in_words(self._limiter.remaining())):
            parts.append(f"free: {free}")
        return " · ".join(parts)


class OutlookColumn(ProgressColumn):
    """The outlook of a task that has one."""

    def render(self, task: Task) -> Text:
        outlook: Outlook | None = task.fields["outlook"]
        if outlook is None:
            return Text()
        return Text(outlook.over() if task.finished else outlook.words(), no_wrap=True, overflow="ellipsis")


class Bars:
    """A bar a source; what goes wrong stays above the bars."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._outlooks: dict[str, Outlook] = {}
        self._step: TaskID | None = None

    def planned(self, windows: Sequence[Window], limiters: Limiters) -> None:
        self.over()
        for source in dict.fromkeys(w.source for w in windows):
            if source not in self._tasks:
                self._outlooks[source] = Outlook(limiters.get(source))
                self._tasks[source] = self._progress.add_task(source, total=0, outlook=self._outlooks[source])
            pace = self._outlooks[source].pace
            pace.planned(w for w in windows if w.source == source)
            self._progress.update(self._tasks[source], total=pace.windows[1])

    def begun(self, window: Window) -> None:
        if window.source in self._outlooks:
            self._outlooks[window.source].pace.begun(window)

    def page(self, source: str, records: int) -> None:
        if source in self._outlooks:
            self._outlooks[source].pace.page(records)

    def window(self, label: str, result: WindowResult) -> None:
        source = result.window.source
        if source in self._tasks:
            self._outlooks[source].pace.window(result)
            self._progress.update(self._tasks[source], advance=1)
        if result.status != "done":
            self._progress.console.print(f"[yellow]{label}: not read:[/] {result.error}", highlight=False)

    def step(self, what: str) -> None:
        self.over()
        self._step = self._progress.add_task(what, total=None, outlook=None)

    def note(self, what: str) -> None:
        self._progress.console.print(what, highlight=False, markup=False)

    def over(self) -> None:
        if self._step is not None:
            self._progress.update(self._step, total=1, completed=1)
            self._step = None


_current: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


def watcher() -> Watcher:
    """Who watches this run: what `watched_by` says, else the log of the Prefect flow run."""
    return _current.get() or Lines(get_run_logger().info)


@contextmanager
def watched() -> Generator[None]:
    """Let one watcher see all of a run: that of `watched_by`, else one that writes to the log of the Prefect flow run."""
    token = _current.set(watcher())
    try:
        yield
    finally:
        _current.reset(token)


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
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        OutlookColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bars = Bars(progress)
        token = _current.set(bars)
        try:
            yield
            bars.over()
        finally:
            _current.reset(token)
