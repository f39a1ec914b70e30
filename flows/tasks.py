"""The Prefect tasks: the only place where retries, concurrency and artifacts are said.

A task is a (stream, window), never a page: Prefect spends some 25 ms on each. It only reads from a source and writes a landing
file; the warehouse has one writer, the flow's own thread. Requests are retried by the HTTP client, which knows what each
vendor's errors mean; a task that fails has spent that patience, so Prefect does not try it again: its window stays due and
the next run reads it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from connectors.landing_file import extract
from connectors.stream import Connector, Page, Window, account_of

Known = Mapping[str, Sequence[str]]


class Piece:
    """A window with all that reading it needs. Not a dataclass: Prefect would walk through the known ids in search of futures."""

    def __init__(
        self,
        connector: Connector,
        window: Window,
        known: Known,
        landing: Path,
        run_id: str,
        clean: Callable[[bytes], bytes] | None = None,
        on_page: Callable[[Page], None] | None = None,
    ) -> None:
        self.connector = connector
        self.window = window
        self.known = known
        self.landing = landing
        self.run_id = run_id
        self.clean = clean
        self.on_page = on_page


@task(name="extract", task_run_name="{label}", retries=0, cache_policy=NO_CACHE, persist_result=False)
def extract_window(piece: Piece, label: str) -> Path:  # noqa: ARG001  the label names the task run
    """Read one window of one stream into a landing file. Raises ConnectorError, PermissionMissing."""
    return extract(
        piece.connector,
        piece.window,
        piece.known,
        piece.landing,
        piece.run_id,
        on_page=piece.on_page,
        clean=piece.clean,
    )


class Reading(Protocol):
    """A window that is being read: a Prefect future, or what stands for one."""

    def add_done_callback(self, fn: Callable[[Any], None], /) -> None: ...

    def result(self, *, raise_on_failure: bool = True) -> Any:
        """The landing file, or with raise_on_failure=False the error."""
        ...


def in_threads(piece: Piece, label: str) -> Reading:
    """Begin to read a window in a thread of this process."""
    return extract_window.submit(piece, label)


def extract_all(
    waves: Waves,
    prepare: Callable[[Window], Piece],
    begin_reading: Callable[[Piece, str], Reading] = in_threads,
) -> Iterator[Sequence[tuple[Window, Path | BaseException]]]:
    """Read windows side by side, as many as the waves let begin; gives those that are done, each with its file or its error.

    The caller lands them before it asks for more, so that streams read by ids see what their parents landed. Meanwhile the next
    windows are read; all that are done by then come together.
    """
    finished: SimpleQueue[tuple[Window, Reading]] = SimpleQueue()
    running: Counter[str] = Counter()

    def begin() -> None:
        for window in waves.ready(running):
            running[window.source] += 1
            future = begin_reading(prepare(window), label_of(window))
            future.add_done_callback(lambda done, window=window: finished.put((window, done)))

    while True:
        begin()
        if not running.total():
            return
        done = [finished.get()]
        while not finished.empty():
            done.append(finished.get())
        running.subtract(window.source for window, _ in done)
        begin()
        yield [(window, future.result(raise_on_failure=False)) for window, future in done]
        for window, _ in done:
            waves.over(window)


class Waves:
    """The windows of a run that are still to be read, by source, in order.

    Those read by ids wait for the windows of the streams that `waits_for` names; of a partition (a mailbox), one window is
    read at a time, so that the next one need not read again what the last one landed. As soon as `stop` says so, no window
    begins any more. at_once: of how many windows of a source this one may be the last that is being read.
    """

    def __init__(
        self,
        windows: Sequence[Window],
        waits_for: Callable[[Window], Sequence[str]],
        at_once: Callable[[Window], int],
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._waits_for = waits_for
        self._at_once = at_once
        self._stop = stop
        self._open = Counter(_stream(w, w.stream) for w in windows)
        self._next: dict[str, list[tuple[int, Window]]] = {}  # heaps by place: of a partition, its first
        self._behind: dict[tuple[str, str, str, str], deque[tuple[int, Window]]] = {}
        for place, window in enumerate(windows):
            if window.partition and (behind := self._behind.get(_partition(window))) is not None:
                behind.append((place, window))
                continue
            self._behind[_partition(window)] = deque()
            self._next.setdefault(window.source, []).append((place, window))

    def ready(self, running: Counter[str]) -> Iterator[Window]:
        """The windows to begin now; one that must wait keeps its place."""
        if self._stop():
            return
        for source, first in self._next.items():
            waiting: list[tuple[int, Window]] = []
            while first and running[source] < self._at_once(first[0][1]):
                place, window = heappop(first)
                if any(self._open[_stream(window, parent)] for parent in self._waits_for(window)):
                    waiting.append((place, window))
                else:
                    yield window
            for one in waiting:
                heappush(first, one)

    def over(self, window: Window) -> None:
        """A window has been read and landed, or has failed."""
        self._open[_stream(window, window.stream)] -= 1
        if behind := self._behind[_partition(window)]:
            heappush(self._next[window.source], behind.popleft())


def _stream(window: Window, stream: str) -> tuple[str, str, str]:
    return window.source, window.workspace, stream


def _partition(window: Window) -> tuple[str, str, str, str]:
    return (*_stream(window, window.stream), window.partition)


def label_of(window: Window) -> str:
    """A window in a reader's words: "hubspot crm_call 2026-03-01 to 2026-03-08"."""
    name = f"{account_of(window.source, window.workspace)} {window.stream}"
    if window.partition:
        name += f" of {window.partition}"
    match window.kind, window.start, window.end:
        case "range", start, end if start and end:
            return f"{name}, {start:%Y-%m-%d} to {end:%Y-%m-%d}"
        case "changes", start, _ if start:
            return f"{name}, changes since {start:%Y-%m-%d %H:%M}"
        case "full", _, _:
            return f"{name}, all"
        case _:
            return name


def publish_artifact(kind: str, markdown: str) -> None:
    """The run report, as the newest version of the artifact `<kind>-run` in Prefect."""
    create_markdown_artifact(markdown, key=f"{kind}-run", description=f"What the last {kind} run did")
