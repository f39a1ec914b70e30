"""Proof that somebody was forgotten: every file below a folder is searched, byte by byte and, where it is a database, row by row.

DuckDB packs strings, so a database whose bytes do not show an address may still hold it: its tables are asked as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb

from .warehouse import name

CHUNK = 8 * 2**20


def in_files(folders: Iterable[Path], needles: Sequence[str]) -> dict[Path, int]:
    """Hits by file, 0 where there is none. needles: addresses and numbers, lower case; found in any case and JSON-escaped."""
    found: dict[Path, int] = {}
    for file in sorted({f for folder in folders for f in _files(folder)}, key=str):
        found[file] = _in_bytes(file, [form for needle in needles for form in _forms(needle)])
        if _is_database(file):
            with duckdb.connect(str(file), read_only=True) as con:
                found[file] += sum(in_tables(con, needles).values())
    return found


def in_tables(con: duckdb.DuckDBPyConnection, needles: Sequence[str]) -> dict[str, int]:
    """Rows that hold a needle, by table; only tables with hits."""
    tables = con.execute(
        """select schema_name, table_name, list(column_name) from duckdb_columns()
           where not internal and database_name = current_database()
               and (data_type like '%VARCHAR%' or data_type like '%JSON%')
               and (schema_name, table_name) in (select (schema_name, table_name) from duckdb_tables())
           group by all order by all"""
    ).fetchall()
    found: dict[str, int] = {}
    for schema, table, columns in tables:
        text = f"lower(concat_ws(' ', {', '.join(f'{name(c)}::varchar' for c in columns)}))"
        row = con.execute(
            f"""select count(*) from (select {text} as told from {name(schema)}.{name(table)})
                where len(list_filter($needles, lambda n: contains(told, n))) > 0""",
            {"needles": [form for needle in needles for form in _forms(needle)]},
        ).fetchone()
        if row and row[0]:
            found[f"{schema}.{table}"] = row[0]
    return found


def _files(folder: Path) -> Iterator[Path]:
    yield from [folder] if folder.is_file() else (f for f in folder.rglob("*") if f.is_file())


def _forms(needle: str) -> list[str]:
    return list({needle, needle.replace("@", "\\u0040"), needle.replace("@", "%40")})


def _in_bytes(file: Path, forms: Sequence[str]) -> int:
    wanted = [form.encode() for form in forms]
    overlap = max((len(w) for w in wanted), default=1) - 1
    hits, kept = 0, b""
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            text = kept + chunk.lower()
            kept = text[-overlap:] if overlap else b""
            # What lies whole in the part kept is found again with the next chunk: counted there.
            hits += sum(text.count(w) - kept.count(w) for w in wanted)
    return hits + sum(kept.count(w) for w in wanted)


def _is_database(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(12)[8:12] == b"DUCK"
