"""Fields that are gone or have changed their form: found by counting, hour by hour, how many records a field could be read from.

A stretch of hours without a single such record, in which there would certainly have been one by what the stream is otherwise like, is
a gap of the field: the numbers that need it are NULL there, as if the source had not been read (docs/drift.md). Everything follows from
the latest versions in raw, so that neither the order of landing nor that of reading has a say, and a gap closes when its records
are read again whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import duckdb

from . import fields
from .difference import few_rows
from .fields import Field
from .raw import LINES_OF_A_LANDING, latest_view, raw_table, superseded_table
from .warehouse import made, value

CHANCE = 1e-12  # that a stretch lacks the field by accident, below which it is no accident
ENOUGH = 20  # records from which it is known what a stream is otherwise like

READS = {
    "instant": "read_instant({0}) is not null",
    "number": "isfinite(try_cast({0} as double))",
    "text": "nullif(trim({0}), '') is not null and left({0}, 1) not in ('{{', '[')",
    "list": "left({0}, 1) = '['",
}
KIND = {"instant": "time", "number": "number", "text": "text", "list": "list"}

# Records without a time of their own may be of any hour of their window: they weigh in each with the share that falls to it.
HOURS = """case
    when coalesce(source_updated_at, happened_at) is not null then [date_trunc('hour', coalesce(happened_at, source_updated_at))]
    when _window_start < least(_window_end, _extracted_at)
        then range(date_trunc('hour', _window_start), least(_window_end, _extracted_at), interval 1 hour)
    else [date_trunc('hour', _extracted_at)]
end"""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time in which no record has a field as staging reads it. reason: a sentence for people."""

    source: str
    workspace: str
    stream: str
    field: str
    records: int
    reason: str


def find(con: duckdb.DuckDBPyConnection) -> list[Gap]:
    """Bring meta.field_hour and meta.field_gap up to date with raw. Returns the gaps that were not known before."""
    wanted = hashlib.sha256(repr((fields.load(), READS, HOURS, "superseded by")).encode()).hexdigest()
    known = dict(con.execute("select name, value from meta.fact where name like 'drift_%'").fetchall())
    if known.get("drift_fields") != wanted:
        con.execute("delete from meta.field_hour")
        known["drift_landing_no"] = "0"
    last = str(value(con, "select coalesce(max(landing_no), 0) from meta.extract_window"))
    if last != known["drift_landing_no"]:
        there = {
            row[0] for row in con.execute("select table_name from duckdb_tables() where schema_name = 'raw'").fetchall()
        }
        for (source, stream), own in groupby(fields.load(), key=lambda f: (f.source, f.stream)):
            if f"{source}_{stream}" in there:
                _count(con, source, stream, tuple(own), since=int(known["drift_landing_no"]))
        con.executemany(
            "insert or replace into meta.fact values (?, ?)", [["drift_fields", wanted], ["drift_landing_no", last]]
        )
    return _gaps(con)


def _count(con: duckdb.DuckDBPyConnection, source: str, stream: str, own: Sequence[Field], *, since: int) -> None:
    """Count anew the dates on which a version that landed after landing `since` lies, and those of its earlier versions."""
    table = raw_table(source, stream)
    first = (since + 1) * LINES_OF_A_LANDING
    new = f"from {table} where _seq >= {first}"
    if not value(con, f"select count(*) from (select 1 {new} limit 1)"):
        return
    replaced = f"select _seq from {superseded_table(source, stream)} where _by >= {first}"
    # A record that said the same before, as far as it is counted, changes no count: most of what a night finds edited.
    dates = made(
        con,
        f"""create or replace temp table drift_date as
            with version as (
                select
                    workspace_id, record_id, {HOURS} as hours, _seq < {first} as was_there,
                    (coalesce(happened_at, source_updated_at), is_deleted, json_extract_string(payload, [{_asked(_paths(own))}])) as told
                from {table}
                where {few_rows(table, f"_seq >= {first}", f"_seq in ({replaced})")}
            ),
            counted_anew as (
                select workspace_id, record_id from version
                group by all having not bool_or(was_there) or count(distinct (hours, told)) > 1
            )
            select distinct workspace_id, unnest(list_distinct([local_date(h, 'UTC') for h in hours])) as utc_date
            from version semi join counted_anew using (workspace_id, record_id)""",
    )
    if not dates:
        return
    con.execute(
        """delete from meta.field_hour as f
           where f.source_id = ? and f.stream = ? and (f.workspace_id, local_date(f.utc_hour, 'UTC')) in (from drift_date)""",
        [source, stream],
    )
    begin, end = con.execute(
        """select (min(utc_date)::timestamp at time zone 'UTC')::varchar, ((max(utc_date) + 1)::timestamp at time zone 'UTC')::varchar
           from drift_date"""
    ).fetchall()[0]
    con.execute(f"insert into meta.field_hour by name {_counts(source, stream, own, begin, end)}")
    con.execute("drop table drift_date")


def _counts(source: str, stream: str, own: Sequence[Field], begin: str, end: str) -> str:
    """SELECT of the rows of meta.field_hour on the dates of drift_date, which lie from begin to end. Its texts are those of sql/fields.toml."""
    measures = {
        "present": "sum(weight) filter (where {v} <> '')",
        "readable": "sum(weight) filter (where {ok})",
        "first_readable_at": "min(instant) filter (where {ok})",
        "last_readable_at": "max(instant) filter (where {ok})",
        "first_unreadable_at": "min(instant) filter (where not ({ok}))",
        "last_unreadable_at": "max(instant) filter (where not ({ok}))",
    }
    columns: list[str] = []
    packs: list[str] = []
    paths = _paths(own)
    for number, one in enumerate(own):
        v = f"coalesce(told[{number + 1}], '')"
        ok = f"coalesce({READS[one.kind].format(v)}, false)"
        if one.otherwise:
            ok = f"({ok} or {v} = '' and coalesce(told[{paths.index(one.otherwise) + 1}], '') <> '')"
        columns += [f"{sql.format(v=v, ok=ok)} as {name}_{number}" for name, sql in measures.items()]
        packed = ", ".join(f"{name} := {name}_{number}" for name in measures)
        packs.append(f"struct_pack(field := '{one.path}', {packed})")
    return f"""
        with record as (
            select
                workspace_id,
                {HOURS} as hours,
                coalesce(happened_at, source_updated_at) as instant,
                json_extract_string(payload, [{_asked(paths)}]) as told
            from (
                -- One by one, so that of each what lies apart in time is skipped.
                from {latest_view(source, stream)} where happened_at >= '{begin}' and happened_at < '{end}'
                union all
                from {latest_view(source, stream)} where happened_at is null and source_updated_at >= '{begin}' and source_updated_at < '{end}'
                union all
                from {latest_view(source, stream)} where happened_at is null and source_updated_at is null
            )
            where not is_deleted
        ),
        placed as (select * exclude (hours), unnest(hours) as utc_hour, 1.0 / len(hours) as weight from record),
        counted as (
            select workspace_id, utc_hour, sum(weight) as records, {", ".join(columns)}
            from placed
            where (workspace_id, local_date(utc_hour, 'UTC')) in (from drift_date)
            group by all
        ),
        told as (select workspace_id, utc_hour, records, unnest([{", ".join(packs)}]) as f from counted)
        select
            '{source}' as source_id, workspace_id, '{stream}' as stream, f.field, utc_hour, records,
            coalesce(f.present, 0) as present, coalesce(f.readable, 0) as readable, f.first_readable_at, f.last_readable_at,
            f.first_unreadable_at, f.last_unreadable_at
        from told"""


def _paths(own: Sequence[Field]) -> list[str]:
    return [one.path for one in own] + [one.otherwise for one in own if one.otherwise]


def _asked(paths: Sequence[str]) -> str:
    return ", ".join(f"'{fields.json_path(path)}'" for path in paths)


GAPS = f"""
create or replace temp table drift_gap as
with hours as (
    select *, readable > 0 as is_good, count_if(readable > 0) over stretch as goods
    from meta.field_hour
    window stretch as (partition by source_id, workspace_id, stream, field order by utc_hour)
),
usual as (
    select source_id, workspace_id, stream, field, sum(records) as records, sum(readable) as readable
    from meta.field_hour group by all
),
-- Hours without a readable record follow the good hour whose number they carry. Of that hour, what came after its last readable record
-- belongs to them, and of the next good one what came before its first.
stretch as (
    select
        source_id, workspace_id, stream, field, goods,
        sum(records) filter (where not is_good) as records,
        sum(present) filter (where not is_good) as present,
        min(utc_hour) filter (where not is_good) as first_hour,
        max(utc_hour) filter (where not is_good) as last_hour,
        any_value(last_readable_at) filter (where is_good) as last_good_at,
        any_value(case when last_unreadable_at > last_readable_at then last_readable_at end) filter (where is_good) as broke_at
    from hours group by all
    having count_if(not is_good) > 0
),
next_good as (
    select
        source_id, workspace_id, stream, field, goods - 1 as goods,
        first_readable_at as next_good_at,
        case when first_unreadable_at < first_readable_at then first_readable_at end as gap_until
    from hours where is_good
)
select
    s.source_id,
    s.workspace_id,
    s.stream,
    -- A record with a field in another form is in quarantine: everything lacks it, not only the numbers that need the field.
    case when s.present > 0 then '' else f.part end as part,
    s.field,
    coalesce(s.broke_at, s.first_hour) as gap_from,
    case
        when n.next_good_at is null then 'infinity'::timestamptz
        else coalesce(n.gap_until, s.last_hour + interval 1 hour)
    end as gap_until,
    coalesce(s.last_good_at, '1900-01-01 00:00:00+00'::timestamptz) as last_good_at,
    coalesce(n.next_good_at, 'infinity'::timestamptz) as next_good_at,
    round(s.records)::bigint as records,
    s.field || case when s.present > s.records / 2 then ' is no ' || f.kind else ' is missing' end
        || ' in all ' || round(s.records)::bigint || ' records from '
        || strftime(coalesce(s.broke_at, s.first_hour) at time zone 'UTC', '%Y-%m-%d %H:%M')
        || case
            when n.next_good_at is null then ' on'
            else ' to ' || strftime(coalesce(n.gap_until, s.last_hour + interval 1 hour) at time zone 'UTC', '%Y-%m-%d %H:%M')
        end || ' UTC; elsewhere '
        || floor(100 * u.readable / (u.records - s.records))::integer || ' % have it' as reason
from stretch as s
inner join usual as u using (source_id, workspace_id, stream, field)
inner join (select unnest($fields, recursive := true)) as f on s.source_id = f.source and s.stream = f.stream and s.field = f.path
left join next_good as n using (source_id, workspace_id, stream, field, goods)
-- How likely so many records would lack the field by accident, by the share of the others that have it.
where u.records - s.records >= {ENOUGH} and s.records * ln(1 - least(u.readable / (u.records - s.records + 1), 0.9999)) < ln({CHANCE})
"""  # fmt: skip


def _gaps(con: duckdb.DuckDBPyConnection) -> list[Gap]:
    told = [
        {"source": f.source, "stream": f.stream, "path": f.path, "kind": KIND[f.kind], "part": f.part}
        for f in fields.load()
    ]
    con.execute(GAPS, {"fields": told})
    rows = con.execute(
        """select source_id, workspace_id, stream, field, records, reason from drift_gap as d
           where not exists (
               select 1 from meta.field_gap as g
               where g.source_id = d.source_id and g.workspace_id = d.workspace_id and g.stream = d.stream and g.field = d.field
                   and g.gap_from < d.gap_until and d.gap_from < g.gap_until)
           order by all"""
    ).fetchall()
    con.execute("delete from meta.field_gap")
    con.execute("insert into meta.field_gap by name from drift_gap")
    con.execute("drop table drift_gap")
    return [Gap(*row) for row in rows]
