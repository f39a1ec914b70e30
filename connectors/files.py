"""A folder of CSV or Parquet files of activities, in the words of docs/world.md: for the dialer that nobody else has.

The folder is the truth: what a file no longer tells is gone, and a record that stands twice is as its last row says (files_activities.py).
Which days are complete, the folder says itself (files_days.py). What lies in it for a system that it does not feed is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock

import msgspec

from .files_activities import AT, Activities, activities, digest, during, lines_of
from .files_days import manifest, stretches
from .files_kinds import KINDS, STRETCHES, Kind, kind_of
from .files_settings import FilesSettings
from .files_table import FileRefused
from .limits import Budget, Limiter, shared
from .stream import Check, ConnectorError, Page, Price, Stream, System, Traffic, Window, within

__all__ = ["Files", "FilesSettings"]

SUFFIXES = (".csv", ".csv.gz", ".parquet")


class Files:
    """One folder. now: the run's instant; what is dated later is left for later."""

    name = "files"
    system: System = "dialer"
    systems: Sequence[System] = ("dialer",)
    streams: Sequence[Stream] = (*(kind.declared() for kind in KINDS.values()), STRETCHES)
    links: Mapping[str, str] = {}

    def __init__(
        self,
        settings: FilesSettings,
        *,
        workspace: str,
        now: datetime,
        mailboxes: Sequence[str] = (),  # noqa: ARG002  every connector is constructed alike
    ) -> None:
        self.workspace = workspace
        self.now = now
        self._settings = settings
        self.systems = tuple(dict.fromkeys(settings.systems))
        self.system = self.systems[0]
        self._limiter = shared(self.name, f"{workspace}@{settings.folder}", {"files": Budget(1_000_000, 1.0)})
        self._loaded: dict[str, Activities] = {}
        self._lock = Lock()
        # Without a list of users everybody is taken to have an account.
        listed = any(kind_of(inner) is KINDS["users"] for inner in self._files())
        kinds = [k for k in KINDS.values() if k.system in self.systems and (k.at or listed)]
        self._kinds = {kind.stream: kind for kind in kinds}
        self.streams = (*(kind.declared() for kind in kinds), STRETCHES)

    @property
    def limiter(self) -> Limiter:
        return self._limiter

    def partitions(self, stream: Stream) -> Sequence[str]:  # noqa: ARG002  none is partitioned
        return ("",)

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:  # noqa: ARG002  no requests
        """What the files hold of the window. Raises FileRefused with everything that is wrong with files of that kind."""
        if known.get(window.stream) and not self._found():
            raise FileRefused(
                f"{self._settings.folder} holds no file at all, but records were read from it before. Is it mounted? To take everything away, "
                "leave a file with nothing but its header"
            )
        if window.stream == STRETCHES.name:
            yield Page([msgspec.json.encode(one) for one in self._stretches()])
            return
        kind = self._kinds[window.stream]
        loaded = self._load(kind)
        span = within(window, self.now) if kind.at else None
        # Of what has no time that can be read nobody knows the window: it is told in each.
        table = during(loaded.table, *(span or (self.now, self.now)), undated=True) if kind.at else loaded.table
        yield Page(rejected=loaded.rejected, cursor=digest(during(table, *span)) if span else None)
        for lines in lines_of(table.drop_columns([AT])):
            yield Page(lines)

    def told_now(self, stream: Stream, start: datetime, end: datetime) -> str | None:
        """See stream.told_now; files cost nothing to look at. None where they cannot be read: what is due by itself tells why."""
        try:
            return digest(during(self._load(self._kinds[stream.name]).table, start, min(end, self.now)))
        except ConnectorError:
            return None

    def check(self) -> Iterator[Check]:
        """Are there files of every kind that is fed, and can they be read?"""
        for kind in self._kinds.values():
            try:
                loaded = self._load(kind)
                told = [s for s in self._stretches() if s["stream"] == kind.stream] if kind.at else []
                until = f", whole up to {told[-1]['until']}" if told else ", no whole day" if kind.at else ""
                detail = f"{len(loaded.files)} files of {kind.name} in {self._settings.folder}, {loaded.table.num_rows} records{until}"
                remedy = (
                    "" if loaded.files else f"Put {kind.name}.csv there, or take {kind.system} out of [files] systems."
                )
                yield Check(self.name, kind.stream, bool(loaded.files), detail, remedy)
            except ConnectorError as error:
                yield Check(self.name, kind.stream, False, str(error), "Correct the file, or [files] in the settings.")

    def count(self, window: Window) -> int | None:  # noqa: ARG002  nobody counts them
        return None

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:  # noqa: ARG002  files cost nothing
        return Price(0, {})

    def close(self) -> None:
        """Let go of what was read."""
        self._loaded.clear()

    def _files(self) -> Iterator[Path]:
        """What lies in the folder and is not passed over, relative to it, by name."""
        folder = self._settings.folder
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            inner = file.relative_to(folder)
            if not any(part.startswith((".", "_")) for part in inner.parts) and file.suffix != ".part":
                yield inner

    def _found(self) -> list[tuple[Kind, Path]]:
        """The files, in the order in which they count. Raises FileRefused for those that nobody could say what they are."""
        folder = self._settings.folder
        if not folder.is_dir():
            raise FileRefused(f"files.folder: there is no folder {folder}. Make it, or correct the settings.")
        found: list[tuple[Kind, Path]] = []
        faults: list[str] = []
        for inner in self._files():
            kind, file = kind_of(inner), folder / inner
            if not file.name.lower().endswith(SUFFIXES):
                faults += [f"{inner}: only {', '.join(SUFFIXES)} are read"] if kind else []
            elif kind is None:
                faults.append(f"{inner}: its name must begin with what it holds: {', '.join(KINDS)}")
            elif kind.system not in self.systems:
                faults.append(f"{inner} feeds {kind.system}, which is not among [files] systems")
            else:
                found.append((kind, file))
        if faults:
            raise FileRefused("; ".join(faults))
        return found

    def _load(self, kind: Kind) -> Activities:
        with self._lock:
            if kind.name not in self._loaded:
                paths = [path for one, path in self._found() if one is kind]
                self._loaded[kind.name] = activities(kind, paths, self._settings)
            return self._loaded[kind.name]

    def _stretches(self) -> list[dict[str, str]]:
        through = manifest(self._settings.folder, self._settings.timezone)
        return [
            {"stream": kind.stream, "from": start.isoformat(), "until": end.isoformat()}
            for kind in self._kinds.values()
            if kind.at
            for start, end in stretches(
                self._load(kind).files, through.get(kind.name, through.get("")), self._settings.timezone, self.now
            )
        ]
