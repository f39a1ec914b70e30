"""`salespulse forget`: take a person out of everything that is kept, and prove it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

import connectors
from connectors.landing_folder import keeps_what_is_replaced
from flows.exit_codes import Exit
from flows.progress import watched_by
from flows.run import Run, start_run
from flows.settings import Settings
from flows.settings_file import load_settings
from flows.steps import build, check, publish_file
from transforms import build as models
from transforms import forget, forget_landing, forget_person, traces, unpublished
from transforms.forget_landing import StreamFacts
from transforms.forget_person import Person
from transforms.forgotten import Forgotten
from transforms.landing_scan import open_file
from transforms.warehouse import transaction, value


class StillNamedError(Exception):
    """The user's own files name the person. The message says where, and what to put there."""

    page = "forget"


class KeepsOldVersionsError(Exception):
    """The bucket of the landing files keeps what is replaced. The message says what to do."""

    page = "forget"


@dataclass(slots=True)
class Erasure:
    """What was, or would be, taken out: lines or rows by place."""

    person: Person
    places: dict[str, int] = field(default_factory=dict[str, int])


def run(console: Console, email: str, *, dry_run: bool) -> Exit:
    """Forget an address. Exit.FAILED when a trace is left; Exit.BLOCKED when an invariant keeps the new file from being published.

    Raises StillNamedError, WarehouseLocked, ValueError when the list of the forgotten cannot be read.
    """
    settings = load_settings()
    if keeps_what_is_replaced(settings.landing_dir):
        raise KeepsOldVersionsError(
            f"the bucket of {settings.landing_dir} keeps old versions of what is replaced, so nothing in it can be forgotten. Nothing was "
            "changed. Suspend its versioning, delete the old versions, and run this again."
        )
    address = email.strip().lower()
    with watched_by(console), start_run("forget", settings) as work:
        _clock_of_last_build(work)
        forgotten = Forgotten.load(settings.forgotten_file)
        person = forget_person.find(work.con, address)
        derived = forget_person.put_on_list(work.con, person, forgotten)
        _must_not_be_named(settings, person, forgotten)
        erasure = Erasure(person)
        if dry_run:
            _erase(work, erasure, forgotten, derived, write=False)
        else:
            forgotten.save(settings.forgotten_file)  # first: whatever follows can be done again
            _erase(work, erasure, forgotten, derived, write=True)
            _rebuild(work, erasure, derived)
        work.report.not_published = work.report.not_published or ("dry run" if dry_run else "")
        blocked = bool(work.report.blocking)
    _tell(console, erasure, dry_run=dry_run)
    if dry_run:
        return Exit.OK
    forget.compact(settings.warehouse_file)
    if not settings.remember_forgotten:
        settings.forgotten_file.unlink(missing_ok=True)
    left = _prove(console, settings, person)
    if blocked:
        console.print(f"Not published: {work.report.not_published}", style="red", markup=False)
        return Exit.BLOCKED
    return Exit.FAILED if left else Exit.OK


def facts() -> dict[tuple[str, str], StreamFacts]:
    """What cleaning must know of every stream of every connector."""
    return {
        (source, s.name): StreamFacts(s.key, s.volatile, s.personal)
        for source in connectors.NAMES
        for s in _class(source).streams
    }


@contextmanager
def cleaned(settings: Settings, file: Path) -> Generator[Path]:
    """A landing file from elsewhere, without those who were forgotten: a copy of its own for as long as it is needed, or the file itself."""
    forgotten = Forgotten.load(settings.forgotten_file)
    if not forgotten.tokens:
        yield file
        return
    with TemporaryDirectory(dir=settings.data_dir) as folder:
        window = open_file(file).window
        copy = Path(folder) / window.source / window.workspace / window.stream / file.name
        copy.parent.mkdir(parents=True)
        copyfile(file, copy)
        forget_landing.clean_landing(Path(folder), forgotten, facts(), {}, write=True)
        yield copy


def _class(source: str) -> Any:
    return connectors.load(source)[0]


def _clock_of_last_build(work: Run) -> None:
    """Forgetting is no new day: the tables are built as of when they were built last, so that nothing else changes."""
    if value(work.con, "select 1 from duckdb_tables() where schema_name = 'input' and table_name = 'run'"):
        last = value(work.con, "select now from input.run")
        if isinstance(last, datetime):
            work.report.now = last


def _must_not_be_named(settings: Settings, person: Person, forgotten: Forgotten) -> None:
    """The user's files are the user's: they are not edited, but must not bring the person back at every build."""
    named = [
        f"{file}:{number}"
        for file in settings.inputs.files.values()
        for number, line in enumerate(file.read_text("utf-8-sig").lower().splitlines(), start=1)
        if any(address in line for address in person.addresses)
    ]
    if not named:
        return
    forgotten.save(settings.forgotten_file)
    tokens = ", ".join(f"{a} by {forgotten.clean_text(a)}" for a in sorted(person.addresses))
    raise StillNamedError(
        f"{', '.join(named)} still names the person; nothing was erased. Replace {tokens}, the name by whatever you like, and "
        "give an end_date (or mailbox = no), so that the teams' history stays; or delete the lines, and it goes to nobody. "
        "Then run this again."
    )


def _erase(work: Run, erasure: Erasure, forgotten: Forgotten, derived: Mapping[str, str], *, write: bool) -> None:
    known = facts()
    landing = work.settings.landing_dir
    files = forget_landing.clean_landing(landing, forgotten, known, derived, write=write) if landing.exists() else {}
    by_stream = Counter[str]()
    for file, lines in files.items():
        by_stream["landing/" + file.parent.relative_to(landing).as_posix()] += lines
    erasure.places |= dict(sorted(by_stream.items()))
    with transaction(work.con):
        raw, rekeyed = forget.clean_raw(work.con, erasure.person, forgotten, known, derived, write=write)
        erasure.places |= raw | forget.clean_books(work.con, forgotten, derived, write=write)
        if write:  # rows that are deleted from a file stay in it until their place is used again
            unpublished.forget(work.con)
        if write and rekeyed:  # records with other ids: what hangs on the old ones is found by building all anew
            work.con.execute("delete from meta.fact where name like 'built_%'")


def _rebuild(work: Run, erasure: Erasure, derived: Mapping[str, str]) -> None:
    """Derived tables and the published file. Files published before are not kept: they would hold what was erased."""
    build(work)
    if traces.in_tables(work.con, erasure.person.needles):
        models.build(work.con, full=True)
    forget.drop_own_restatements(work.con, work.run_id, derived)
    check(work)
    publish_file(work, keep=0)


def _prove(console: Console, settings: Settings, person: Person) -> int:
    """Search every file, tell how many hits each has, and return how many there are in all."""
    previous = settings.published_file.parent / "previous"
    warehouse = settings.warehouse_file
    places = [settings.data_dir, settings.landing_dir, settings.published_file, previous]
    places += warehouse.parent.glob(f"{warehouse.stem}*")  # and those put aside, should they not be in data_dir
    hits = traces.in_files([p for p in places if p.exists()], person.needles)
    table = Table("file", "files", "hits", box=None, pad_edge=False, header_style="bold")
    shown = Counter[str]()
    many = Counter[str]()
    for file, count in hits.items():
        where = _place(file, settings, count)
        shown[where] += count
        many[where] += 1
    for where, count in sorted(shown.items()):
        table.add_row(where, f"{many[where]:,}", f"{count:,}", style="red" if count else None)
    console.print(table)
    left = sum(hits.values())
    if settings.published_database:
        console.print(
            f"{settings.published_database} holds no longer what it held; how long it keeps its past is its own affair."
        )
    console.print(
        f"{left:,} traces are left: remove or correct the files above, and run this again."
        if left
        else f"No trace of the person in {len(hits):,} files.",
        style="bold",
    )
    return left


def _place(file: Path, settings: Settings, count: int) -> str:
    """A file with hits by itself, clean landing files by stream."""
    if str(file).startswith(f"{settings.landing_dir}/") and not count:
        return "landing/" + file.parent.relative_to(settings.landing_dir).as_posix()
    return str(file.relative_to(settings.data_dir)) if file.is_relative_to(settings.data_dir) else str(file)


def _tell(console: Console, erasure: Erasure, *, dry_run: bool) -> None:
    person = erasure.person
    who = (
        "a rep"
        if person.is_rep
        else f"{len(person.records)} contact records"
        if person.records
        else "no record of its own"
    )
    console.print(
        f"{who}; {len(person.addresses)} addresses, {len(person.numbers)} numbers, {len(person.names)} names"
        + (f"; {len(person.shared)} addresses or numbers that others have too stay with them" if person.shared else "")
    )
    table = Table("place", "would change" if dry_run else "changed", box=None, pad_edge=False, header_style="bold")
    for place, count in erasure.places.items():
        table.add_row(place, f"{count:,}")
    console.print(table)
