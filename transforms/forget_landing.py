"""Forgetting a person in the landing files: each that names them is written anew, whole or not at all."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from connectors.landing_folder import appearing, is_remote, opened

from .forgotten import Forgotten


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What cleaning must know of a stream: see connectors.stream.Stream."""

    key: tuple[str, ...] = ("id",)
    volatile: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()


Facts = Mapping[tuple[str, str], StreamFacts]  # by source and stream


def clean_landing(
    folder: Path, forgotten: Forgotten, facts: Facts, derived: Mapping[str, str], *, write: bool
) -> dict[Path, int]:
    """Lines that named a forgotten person, by landing file; written anew, each file whole or not at all, if `write`."""
    found: dict[Path, int] = {}
    for file in sorted(f for f in folder.rglob("*") if f.is_file()):
        if file.name.endswith(".part"):  # nobody writes now: left behind by a run that was killed
            if write:
                file.unlink()
            continue
        clean = _cleaner_of(file, folder, forgotten, facts)
        lines = sum(clean(line) != line for line in _lines(file))
        if lines:
            found[file] = lines
            if write:
                _rewrite(file, clean)
        renamed = replaced(file.name, derived)
        if write and renamed != file.name:
            file.replace(file.with_name(renamed))
    return found


def _cleaner_of(file: Path, folder: Path, forgotten: Forgotten, facts: Facts) -> Callable[[bytes], bytes]:
    parts = (*file.relative_to(folder).parts, "", "", "")
    source, workspace, stream = parts[:3]
    fact = facts.get((source, stream), StreamFacts())
    return forgotten.cleaner(source, workspace, fact.key, fact.personal)


def _lines(file: Path) -> Iterator[bytes]:
    if is_remote(file):
        with opened(file) as there, gzip.open(there) if file.suffix == ".gz" else nullcontext(there) as lines:
            yield from (line.rstrip(b"\n") for line in lines)
        return
    with _open(file, "rb", zipped=file.suffix == ".gz") as own:
        for line in own:
            yield line.rstrip(b"\n")


def _rewrite(file: Path, clean: Callable[[bytes], bytes]) -> None:
    if is_remote(file):
        with (
            appearing(file) as written,
            gzip.open(written, "wb") if file.suffix == ".gz" else nullcontext(written) as lines,
        ):
            lines.writelines(clean(line) + b"\n" for line in _lines(file))
        return
    draft = file.with_name(file.name + ".part")
    before = os.umask(0o077)
    try:
        with _open(draft, "wb", zipped=file.suffix == ".gz") as written:
            written.writelines(clean(line) + b"\n" for line in _lines(file))
    finally:
        os.umask(before)
    with draft.open("rb+") as handle:
        os.fsync(handle.fileno())
    times = file.stat()
    draft.replace(file)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))  # their order is by time


def _open(file: Path, mode: str, *, zipped: bool) -> BinaryIO:
    return cast("BinaryIO", gzip.open(file, mode) if zipped else file.open(mode))


def replaced(text: str, derived: Mapping[str, str]) -> str:
    """The text with keys made from the person's address replaced by their successors."""
    for old, new in derived.items():
        text = text.replace(old, new)
    return text
