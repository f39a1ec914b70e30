"""meta.coverage: which stretches of time were read from each stream, as maximal disjoint intervals.

Where a field that everything needs is gone (meta.field_gap), the stream counts as not read. Numbers that need a field of their own
have a stream of their own, "dialer_call.talk", which lacks the gaps of that field too. The gaps themselves are told as rows with is_gap.
"""

from __future__ import annotations

import duckdb

from . import fields
from .raw import latest_view, stream_of

# A range window covers its time up to when it was read, as far back as the source keeps records.
# A chain of change windows that began with a full listing covers
# everything up to its last window: the lag of a source is taken off where a day is judged (core.day_status).
REFRESH = """
create or replace table meta.coverage as
with ranges as (
    select
        w.source_id,
        w.workspace_id,
        w.stream,
        w.partition,
        greatest(w.window_start, w.extracted_at - to_seconds(k.kept_seconds)) as covered_from,
        least(w.window_end, w.extracted_at) as covered_until
    from meta.extract_window as w
    left join (select source_id, workspace_id, min(kept_seconds) as kept_seconds from input.source group by all) as k
        on w.source_id = k.source_id and w.workspace_id = k.workspace_id
    where w.status = 'done' and w.kind = 'range'
        and least(w.window_end, w.extracted_at) > greatest(w.window_start, w.extracted_at - to_seconds(k.kept_seconds))
),
pieces as (
    select * from ranges where not list_contains($of_themselves::varchar[], source_id)
    -- Days that a source names of itself, where it is no listing of a time that was asked for.
    {told_days}
    union all
    select source_id, workspace_id, stream, partition, '1900-01-01 00:00:00+00'::timestamptz, max(coalesce(window_end, extracted_at))
    from meta.extract_window
    where status = 'done' and kind in ('full', 'changes')
    group by all
    having bool_or(kind = 'full')
    union all
    -- Each window by ids goes on from the last one of its part of the stream: so far as the part that is furthest behind.
    select source_id, workspace_id, stream, '', '1900-01-01 00:00:00+00'::timestamptz, min(until)
    from (
        select source_id, workspace_id, stream, partition, max(window_end) filter (where status = 'done') as until
        from meta.extract_window
        where kind = 'ids'
        group by all
    )
    group by all
    having count(until) = count(*)
    union all
    -- Without the permission for these less is told, as the source's page has it: that is no day that is still to be read.
    select source_id, workspace_id, stream, '', '1900-01-01 00:00:00+00'::timestamptz, max(window_end)
    from meta.extract_window
    where stream in ('crm_deal_field_history', 'crm_company_history', 'crm_contact_history', 'crm_lead_history')
    group by all
    having arg_max(status, landing_no) = 'forbidden'
),
islands as (
    select
        *,
        covered_from > max(covered_until) over (
            partition by source_id, workspace_id, stream, partition order by covered_from, covered_until
            rows between unbounded preceding and 1 preceding
        ) as is_gap
    from pieces
),
numbered as (
    select *, count_if(coalesce(is_gap, false)) over (
        partition by source_id, workspace_id, stream, partition order by covered_from, covered_until
    ) as island
    from islands
),
read as (
    select source_id, workspace_id, stream, partition, min(covered_from) as covered_from, max(covered_until) as covered_until
    from numbered
    group by source_id, workspace_id, stream, partition, island
),
parted as (
    select *, '' as part, stream as told_as from read
    union all
    select r.*, p.part, r.stream || '.' || p.part
    from read as r inner join (select unnest($parts, recursive := true)) as p on r.source_id = p.source and r.stream = p.stream
),
-- A piece begins where the stretch does or where a gap ends, and lasts until the next gap; gaps that overlap leave nothing between them.
starts as (
    select *, covered_from as piece_from from parted
    union all
    select c.*, g.gap_until
    from parted as c
    inner join meta.field_gap as g
        on c.source_id = g.source_id and c.workspace_id = g.workspace_id and c.stream = g.stream and g.part in ('', c.part)
    where g.gap_until > c.covered_from and g.gap_until < c.covered_until
),
cut as (
    select
        s.source_id,
        s.workspace_id,
        s.told_as as stream,
        s.partition,
        s.piece_from as covered_from,
        least(s.covered_until, coalesce(min(g.gap_from), 'infinity'::timestamptz)) as covered_until
    from (select distinct * from starts) as s
    left join meta.field_gap as g
        on s.source_id = g.source_id and s.workspace_id = g.workspace_id and s.stream = g.stream and g.part in ('', s.part)
            and g.gap_until > s.piece_from
    group by s.source_id, s.workspace_id, s.told_as, s.partition, s.piece_from, s.covered_until
)
select *, false as is_gap from cut where covered_from < covered_until
union all
-- From the last record that had the field to the next one: a day that lies in between, and in which records lack it, has nothing at all.
select
    c.source_id,
    c.workspace_id,
    c.told_as,
    c.partition,
    greatest(c.covered_from, g.last_good_at),
    least(c.covered_until, g.next_good_at),
    true
from parted as c
inner join meta.field_gap as g
    on c.source_id = g.source_id and c.workspace_id = g.workspace_id and c.stream = g.stream and g.part in ('', c.part)
        and g.next_good_at > c.covered_from and g.last_good_at < c.covered_until
order by all
"""

# A stream told_stretch says which stretches of time a source has told whole of which of its streams: reading them proves nothing beside it,
# but what has not been read yet is not complete either.
TOLD_STRETCHES = """
    union all
    select r.source_id, r.workspace_id, r.stream, '', greatest(r.covered_from, t.told_from), least(r.covered_until, t.told_until)
    from ranges as r
    inner join (
        select
            source_id, workspace_id, payload ->> '$.stream' as stream, try_cast(payload ->> '$.from' as timestamptz) as told_from,
            try_cast(payload ->> '$.until' as timestamptz) as told_until
        from {view}
        where not is_deleted
    ) as t on r.source_id = t.source_id and r.workspace_id = t.workspace_id and r.stream = t.stream
    where r.covered_from < t.told_until and t.told_from < r.covered_until
"""
# A stream tool_day lists the UTC days of which the source has told all that its stream tool_action holds; a record of mail_count is a day.
TOLD_DAYS = """
    union all
    select source_id, workspace_id, '{stream}', '', happened_at, happened_at + interval 1 day
    from {view}
    where not is_deleted and happened_at is not null
"""
LISTED_IN = {"tool_day": "tool_action", "mail_count": "mail_count"}


def refresh(con: duckdb.DuckDBPyConnection) -> None:
    """Derive meta.coverage anew from meta.extract_window and meta.field_gap."""
    parts = [{"source": source, "stream": stream, "part": part} for source, stream, part in fields.parts()]
    tables = con.execute(
        """select table_name from duckdb_tables()
           where schema_name = 'raw' and database_name = current_database()
               and regexp_matches(table_name, '_(tool_day|mail_count|told_stretch)$') order by 1"""
    ).fetchall()
    of_themselves: list[str] = []
    pieces: list[str] = []
    for (table,) in tables:
        source, stream = stream_of(table)
        text = TOLD_DAYS if stream in LISTED_IN else TOLD_STRETCHES
        pieces.append(text.format(view=latest_view(source, stream), stream=LISTED_IN.get(stream)))
        of_themselves += [source] if stream == "told_stretch" else []
    con.execute(REFRESH.replace("{told_days}", "".join(pieces)), {"parts": parts, "of_themselves": of_themselves})
