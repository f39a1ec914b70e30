"""Forgetting a person: in the landing files, in raw and in the bookkeeping. What is derived is then built anew (docs/security.md).

Addresses and numbers become tokens that lead back to nobody, names go; records stay, so that the company's counts stay.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import duckdb
import pandas as pd

from connectors.landing_folder import appearing, is_remote, opened

from .forgotten import ADDRESS, Forgotten, digits
from .raw import LINES_OF_A_LANDING, raw_table, stream_of, superseded_table, version_hash
from .warehouse import name, value

BATCH = 10_000
BOOKS = ("meta", "built")  # schemas whose rows no build makes anew


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What cleaning must know of a stream: see connectors.stream.Stream."""

    key: tuple[str, ...] = ("id",)
    volatile: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()


Facts = Mapping[tuple[str, str], StreamFacts]  # by source and stream


@dataclass(slots=True)
class Person:
    """Everything by which a person is known. records: (source, workspace, record id) of contacts, merged ones too."""

    addresses: set[str] = field(default_factory=set[str])
    numbers: set[str] = field(default_factory=set[str])
    names: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    records: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])
    shared: set[str] = field(default_factory=set[str])  # left alone, because other contacts have them too
    is_rep: bool = False

    @property
    def needles(self) -> list[str]:
        """What must not be found anywhere afterwards."""
        return sorted(self.addresses) + sorted(n for n in self.numbers if len(n) >= 9)


def find(con: duckdb.DuckDBPyConnection, address: str) -> Person:
    """Who an address is: its contacts in every version ever read and those merged with them, or the rep whose it is.

    Only reads. The person's other addresses, numbers and names are those in the records about them; a number or address that
    another contact has too is `shared`.
    """
    person = Person(addresses={address})
    rep = _rows(
        con,
        "core.map_rep_address",
        "select address from core.map_rep_address where rep_id in (select rep_id from core.map_rep_address where address = ?)",
        [address],
    )
    person.addresses |= {row[0] for row in rep}
    person.is_rep = bool(rep)
    _find_contacts(con, person, address)
    if person.is_rep:  # the company's own lines are not the person's
        return person
    for source, workspace, record_id in sorted(person.records):
        for stream in ("crm_contact", "crm_contact_history"):
            _read_about(con, person, source, stream, workspace, record_id)
    _leave_shared(con, person, address)
    return person


def put_on_list(con: duckdb.DuckDBPyConnection, person: Person, forgotten: Forgotten) -> dict[str, str]:
    """Put the person on the list. Returns what else must be replaced in the books: keys made from the address, by their successors."""
    domains = [row[0] for row in _rows(con, "core.internal_domain", "select domain from core.internal_domain")]
    domains += [row[0] for row in _rows(con, "input.test_domain", "select domain from input.test_domain")]
    derived: dict[str, str] = {}
    for address in sorted(person.addresses):
        token = forgotten.add_address(address, domains)
        derived |= _derived(con, address, token)
    for number in sorted(person.numbers):
        forgotten.add_number(number)
    for first, last in sorted(person.names):
        forgotten.add_name(first, last)
    for record in sorted(person.records):
        forgotten.add_record(*record)
    return derived


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
        renamed = _replaced(file.name, derived)
        if write and renamed != file.name:
            file.replace(file.with_name(renamed))
    return found


def clean_raw(
    con: duckdb.DuckDBPyConnection,
    person: Person,
    forgotten: Forgotten,
    facts: Facts,
    derived: Mapping[str, str],
    *,
    write: bool,
) -> tuple[dict[str, int], bool]:
    """Versions that named the person, by raw table, and whether the id of a record changed (a mailbox's: then all is built anew).

    The cleaned versions get new running numbers, so that the next build makes anew what hangs on them, and only that.
    """
    number = int(str(value(con, "select coalesce(max(landing_no), 0) + 1 from meta.extract_window")))
    found: dict[str, int] = {}
    rekeyed = False
    for table in _tables(con, "raw"):
        columns = {row[0] for row in con.execute(f"describe raw.{name(table)}").fetchall()}
        if "payload" not in columns:
            continue
        source, stream = stream_of(table)
        fact = facts.get((source, stream), StreamFacts())
        rows = list(_cleaned_rows(con, table, person, forgotten, source, fact, derived))
        if rows:
            found[f"raw.{table}"] = len(rows)
            rekeyed = rekeyed or any(row["was"] != row["record_id"] for row in rows)
            if write:
                _replace_rows(con, source, stream, rows, fact, number * LINES_OF_A_LANDING + sum(found.values()))
    if write and found:
        con.execute(
            """insert into meta.extract_window by name
               select 'forget.' || $number as window_id, 'forget' as run_id, '' as source_id, '' as workspace_id, 'forget' as stream,
                   '' as partition, 'forget' as kind, 'done' as status, $at::timestamptz as extracted_at,
                   $at::timestamptz as landed_at, $number::bigint as landing_no""",
            {"number": number, "at": datetime.now(UTC)},
        )
    return found, rekeyed


def clean_books(
    con: duckdb.DuckDBPyConnection, forgotten: Forgotten, derived: Mapping[str, str], *, write: bool
) -> dict[str, int]:
    """Rows of the bookkeeping that named the person, by table: quarantined payloads, keys of restatements, names of windows."""
    found: dict[str, int] = {}
    for schema in BOOKS:
        for table in _tables(con, schema):
            qualified = f"{schema}.{name(table)}"
            texts = [row[0] for row in con.execute(f"describe {qualified}").fetchall() if row[1] in ("VARCHAR", "JSON")]
            changed = 0
            for column in texts:
                changed += _clean_column(con, qualified, name(column), forgotten, derived, write=write)
            if changed:
                found[f"{schema}.{table}"] = changed
    return found


def drop_own_restatements(con: duckdb.DuckDBPyConnection, run_id: str, derived: Mapping[str, str]) -> None:
    """Lines that the build after forgetting has written about keys that are no more: they would name them."""
    for old in derived:
        con.execute("delete from meta.restatement where run_id = ? and contains(key, ?)", [run_id, old])


def compact(path: Path, con: duckdb.DuckDBPyConnection | None = None) -> None:
    """Write the warehouse anew into a file of its own and swap it in: DuckDB leaves the bytes of deleted rows in free blocks.

    The file must not be open. con: for tests.
    """
    draft = path.with_name(path.name + ".compact")
    for leftover in (draft, draft.with_name(draft.name + ".wal")):
        leftover.unlink(missing_ok=True)
    before = os.umask(0o077)
    try:
        with con or duckdb.connect() as own:
            own.execute("set TimeZone = 'UTC'")
            own.execute(f"attach {_quoted(path)} as old (read_only)")
            own.execute(f"attach {_quoted(draft)} as fresh")
            own.execute("copy from database old to fresh")
            own.execute("checkpoint fresh")
            own.execute("detach fresh")
            own.execute("detach old")
    finally:
        os.umask(before)
    draft.chmod(0o600)
    with draft.open("rb+") as handle:
        os.fsync(handle.fileno())
    draft.replace(path)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)


def _find_contacts(con: duckdb.DuckDBPyConnection, person: Person, address: str) -> None:
    for table in (t for t in _tables(con, "raw") if t.endswith("_crm_contact")):
        source, _ = stream_of(table)
        rows = con.execute(
            f"""select distinct workspace_id, record_id, payload::varchar from raw.{name(table)}
                where contains(lower(payload::varchar), $a) or contains(payload::varchar, '\\u')""",
            {"a": address},
        ).fetchall()
        for workspace, record_id, payload in rows:
            if address in {a.lower() for a in _texts_with_addresses(json.loads(payload))}:
                person.records.add((source, workspace, record_id))
    merged = _rows(
        con,
        "core.map_merge",
        "select source_id, workspace_id, loser_id, survivor_id from core.map_merge where object_type = 'contact'",
    )
    more = True
    while more:
        before = len(person.records)
        for source, workspace, loser, survivor in merged:
            pair = {(source, workspace, loser), (source, workspace, survivor)}
            if pair & person.records:
                person.records |= pair
        more = len(person.records) > before


def _read_about(
    con: duckdb.DuckDBPyConnection, person: Person, source: str, stream: str, workspace: str, record_id: str
) -> None:
    """Addresses, numbers and names in every version of a record about the person."""
    rows = _rows(
        con,
        raw_table(source, stream),
        f"select payload::varchar from {raw_table(source, stream)} where workspace_id = ? and record_id = ?",
        [workspace, record_id],
    )
    first: set[str] = set()
    last: set[str] = set()
    for (payload,) in rows:
        for key, text in _told(json.loads(payload)):
            known = key.lower()
            person.addresses |= {a.lower() for a in ADDRESS.findall(text)} if "mail" in known else set()
            if "phone" in known and len(digits(text)) >= 7:
                person.numbers.add(digits(text))
            if known in ("firstname", "first_name") and text.strip():
                first.add(text.strip())
            if known in ("lastname", "last_name") and text.strip():
                last.add(text.strip())
    person.names |= {(f, s) for f in first for s in last}


def _leave_shared(con: duckdb.DuckDBPyConnection, person: Person, address: str) -> None:
    ids = [record_id for _, _, record_id in person.records]
    for mine, column in ((person.addresses, "emails"), (person.numbers, "phones")):
        taken = _rows(
            con,
            "core.dim_contact",
            f"""select distinct lower(v) from (select contact_id, unnest({column}) as v from core.dim_contact)
                where not list_contains(?, contact_id) and list_contains(?, lower(v))""",
            [ids, sorted(mine)],
        )
        others = {row[0] for row in taken} - {address}
        colleagues = _rows(con, "core.map_rep_address", "select address from core.map_rep_address")
        others |= mine & ({row[0] for row in colleagues} - {address})
        person.shared |= others
        mine.difference_update(others)


def _derived(con: duckdb.DuckDBPyConnection, address: str, token: str) -> dict[str, str]:
    """Keys that were made from an address: of its rows in guard tables, of a rep, of a mailbox's windows."""
    row = con.execute(
        """select stable_id('rep:' || $a)::varchar, stable_id('rep:' || $t)::varchar, published_key('mail:' || $a),
               published_key('mail:' || $t)""",
        {"a": address, "t": token},
    ).fetchone()
    assert row
    found = {row[0]: row[1], _digest(address): _digest(token)}
    return found | ({row[2]: row[3]} if row[2] else {})


def _digest(partition: str) -> str:
    """How a partition stands in a window's id (connectors.stream.Window)."""
    return hashlib.sha256(partition.encode()).hexdigest()[:12]


def _cleaned_rows(
    con: duckdb.DuckDBPyConnection,
    table: str,
    person: Person,
    forgotten: Forgotten,
    source: str,
    fact: StreamFacts,
    derived: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    """The versions that change, as columns of their replacement; `was` and `seq` are of the old one."""
    needles = [*person.addresses, *(n[-9:] for n in person.numbers), *(last.lower() for _, last in person.names)]
    cursor = con.cursor()
    cursor.execute(
        f"""select _seq, record_id, workspace_id, payload::varchar, _partition, _landing_id
            from (select *, lower(payload::varchar) as told, regexp_replace(payload::varchar, '[^0-9"]', '', 'g') as figures
                  from raw.{name(table)})
            where len(list_filter($needles, lambda n: contains(told, n) or contains(figures, n))) > 0
                or contains(told, '\\u') or list_contains($ids, record_id) or list_contains($needles, lower(_partition))""",
        {"needles": needles, "ids": [record_id for _, _, record_id in person.records]},
    )
    while rows := cursor.fetchmany(BATCH):
        for seq, record_id, workspace, payload, partition, landing_id in rows:
            cleaned = forgotten.clean_line(
                payload.encode(), source=source, workspace=workspace, key=fact.key, personal=fact.personal
            ).decode()
            fresh = {
                "record_id": forgotten.clean_text(record_id or ""),
                "partition": forgotten.clean_text(partition or ""),
                "landing_id": _replaced(landing_id or "", derived),
            }
            if cleaned != payload or fresh != {
                "record_id": record_id,
                "partition": partition,
                "landing_id": landing_id,
            }:
                yield {"seq": seq, "was": record_id, "payload": cleaned, **fresh}
    cursor.close()


def _replace_rows(
    con: duckdb.DuckDBPyConnection,
    source: str,
    stream: str,
    rows: Sequence[Mapping[str, Any]],
    fact: StreamFacts,
    start: int,
) -> None:
    frame = pd.DataFrame(rows).astype({"payload": object, "record_id": object})
    frame["fresh_seq"] = range(start, start + len(frame))
    hashed = version_hash("payload", fact.volatile)
    con.register("cleaned_frame", frame)
    table = raw_table(source, stream)
    con.execute(f"create or replace temp table cleaned as select *, {hashed} as hash from cleaned_frame")
    con.unregister("cleaned_frame")
    con.execute(
        f"""update {table} as r set payload = c.payload::json, payload_hash = c.hash, record_id = c.record_id,
                _partition = c.partition, _landing_id = c.landing_id, _seq = c.fresh_seq
            from cleaned as c where r._seq = c.seq"""
    )
    con.execute(
        f"update {superseded_table(source, stream)} as o set _seq = c.fresh_seq from cleaned as c where o._seq = c.seq"
    )
    con.execute("drop table cleaned")


def _clean_column(
    con: duckdb.DuckDBPyConnection,
    table: str,
    column: str,
    forgotten: Forgotten,
    derived: Mapping[str, str],
    *,
    write: bool,
) -> int:
    """Rows whose text changed. Columns of keys are dealt with like any other: the books are small."""
    texts = [
        row[0]
        for row in con.execute(f"select distinct {column}::varchar from {table} where {column} is not null").fetchall()
    ]
    fresh = {text: _replaced(forgotten.clean_text(text), derived) for text in texts}
    changes = {old: new for old, new in fresh.items() if old != new}
    rows = 0
    for old, new in changes.items():
        if write:
            done = con.execute(f"update {table} set {column} = ? where {column}::varchar = ?", [new, old]).fetchone()
        else:
            done = con.execute(f"select count(*) from {table} where {column}::varchar = ?", [old]).fetchone()
        rows += int(done[0]) if done else 0
    return rows


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


def _replaced(text: str, derived: Mapping[str, str]) -> str:
    for old, new in derived.items():
        text = text.replace(old, new)
    return text


def _told(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a record with the key it stands under; of a list of versions, the key of the list."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _told(item, key)
    elif isinstance(value, dict):
        for own, item in cast("dict[str, Any]", value).items():
            yield from _told(item, key if own == "value" else own)


def _texts_with_addresses(value: Any) -> Iterable[str]:
    return (a for _, text in _told(value) for a in ADDRESS.findall(text))


def _tables(con: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    rows = con.execute(
        "select table_name from duckdb_tables() where schema_name = ? and database_name = current_database() order by 1",
        [schema],
    ).fetchall()
    return [row[0] for row in rows]


def _rows(
    con: duckdb.DuckDBPyConnection, table: str, query: str, parameters: Sequence[object] = ()
) -> list[tuple[Any, ...]]:
    """Rows of a query; none where nothing has been built yet."""
    try:
        return con.execute(query, list(parameters)).fetchall()
    except duckdb.CatalogException:
        del table
        return []


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
