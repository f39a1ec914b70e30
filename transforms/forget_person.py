"""Who a person is that is to be forgotten: the addresses, numbers, names and records by which the warehouse knows them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import duckdb

from .forgotten import ADDRESS, Forgotten, digits
from .raw import raw_table, stream_of
from .warehouse import name, tables


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
    if not person.is_rep:
        _find_prospects(con, person)
    if person.is_rep:  # the company's own lines are not the person's
        return person
    for source, workspace, record_id in sorted(person.records):
        for stream in ("crm_contact", "crm_contact_history", "crm_lead"):
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


def _find_contacts(con: duckdb.DuckDBPyConnection, person: Person, address: str) -> None:
    for table in (t for t in tables(con, "raw") if t.endswith(("_crm_contact", "_crm_lead"))):
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


def _find_prospects(con: duckdb.DuckDBPyConnection, person: Person) -> None:
    """A sequencer tells with each mail all addresses of the one person to whom it went."""
    for table in (t for t in tables(con, "raw") if t.endswith("_seq_send")):
        found = con.execute(
            f"""with told as (
                    select distinct lower(json_extract(payload, '$.prospect_emails')::varchar)::json::varchar[] as addresses
                    from raw.{name(table)}
                )
                select distinct unnest(addresses) from told where list_has_any(addresses, $known)""",
            {"known": sorted(person.addresses)},
        ).fetchall()
        person.addresses |= {address for (address,) in found}


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


def _rows(
    con: duckdb.DuckDBPyConnection, table: str, query: str, parameters: Sequence[object] = ()
) -> list[tuple[Any, ...]]:
    """Rows of a query; none where nothing has been built yet."""
    try:
        return con.execute(query, list(parameters)).fetchall()
    except duckdb.CatalogException:
        del table
        return []
