"""Fields that a source did not send before: kept in raw like everything else, written down in meta.field, and told once."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from .raw import LINES_OF_A_LANDING
from .warehouse import name, value

MOST = 200  # of a stream and run: an object whose keys are ids is no list of fields
LONGEST = 100


@dataclass(frozen=True, slots=True)
class NewFields:
    """Fields of a stream that no record had before. first: nothing was known of the stream, so there is nothing to tell."""

    source: str
    workspace: str
    stream: str
    fields: list[str]
    first: bool


def find(con: duckdb.DuckDBPyConnection) -> list[NewFields]:
    """Look at the keys of the versions that landed since the last look, two levels deep, and write down what is new in meta.field.

    input.run must be there: who saw them first, and when.
    """
    since = int(str(value(con, "select coalesce(max(value), '0') from meta.fact where name = 'new_fields_landing_no'")))
    last = int(str(value(con, "select coalesce(max(landing_no), 0) from meta.extract_window")))
    found: list[NewFields] = []
    streams = con.execute(
        """select distinct source_id, stream from meta.extract_window
           where status = 'done' and source_id <> '' and landing_no > ? and rows_new > 0 order by all""",
        [since],
    ).fetchall()
    for source, stream in streams:
        found += _of_stream(con, source, stream, since)
    con.execute("insert or replace into meta.fact values ('new_fields_landing_no', ?)", [str(last)])
    return found


def _of_stream(con: duckdb.DuckDBPyConnection, source: str, stream: str, since: int) -> list[NewFields]:
    # Records of a kind have the same few lists of keys: told apart as lists, they need no memory. A JSON pointer takes any key.
    con.execute(
        f"""create or replace temp table new_field as
            with fresh as (select workspace_id, payload from raw.{name(f"{source}_{stream}")} where _seq >= $since),
            tops as (select distinct workspace_id, json_keys(payload) as keys from fresh where json_type(payload) = 'OBJECT'),
            objects as (select distinct workspace_id, unnest(keys) as key from tops),
            insides as (
                select distinct f.workspace_id, o.key, json_keys(f.payload, '/' || replace(replace(o.key, '~', '~0'), '/', '~1')) as keys
                from fresh as f inner join objects as o on f.workspace_id = o.workspace_id
            ),
            seen as (
                select workspace_id, key as field from objects
                union
                select workspace_id, key || '.' || inner_key from (select workspace_id, key, unnest(keys) as inner_key from insides)
            )
            select s.workspace_id, left(s.field, {LONGEST}) as field
            from seen as s
            where not exists (
                select 1 from meta.field as f
                where f.source_id = $source and f.stream = $stream and f.workspace_id = s.workspace_id and f.field = left(s.field, {LONGEST})
            )
            qualify row_number() over (partition by s.workspace_id order by s.field) <= {MOST}""",
        {"source": source, "stream": stream, "since": (since + 1) * LINES_OF_A_LANDING},
    )
    rows = con.execute(
        """select n.workspace_id, list(distinct n.field order by n.field), not exists (
               select 1 from meta.field as f where f.source_id = $source and f.stream = $stream and f.workspace_id = n.workspace_id)
           from new_field as n group by n.workspace_id order by n.workspace_id""",
        {"source": source, "stream": stream},
    ).fetchall()
    con.execute(
        """insert into meta.field
           select distinct $source, n.workspace_id, $stream, n.field, p.run_id, p.now from new_field as n cross join input.run as p""",
        {"source": source, "stream": stream},
    )
    con.execute("drop table new_field")
    return [NewFields(source, workspace, stream, fields, first) for workspace, fields, first in rows]
