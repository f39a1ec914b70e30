"""meta.coverage: which stretches of time were read from each stream, as maximal disjoint intervals.

Where a field that everything needs is gone (meta.field_gap), the stream counts as not read. Numbers that need a field of their own
have a stream of their own, "dialer_call.talk", which lacks the gaps of that field too. The gaps themselves are told as rows with is_gap.
"""

from __future__ import annotations

import duckdb

from . import fields

# A range window covers its time up to when it was read. A chain of change windows that began with a full listing covers
# everything up to its last window: the lag of a source is taken off where a day is judged (core.day_status).
REFRESH = """
create or replace table meta.coverage as
with pieces as (
    select source_id, workspace_id, stream, partition, window_start as covered_from, least(window_end, extracted_at) as covered_until
    from meta.extract_window
    where status = 'done' and kind = 'range' and least(window_end, extracted_at) > window_start
    union all
    select source_id, workspace_id, stream, partition, '1900-01-01 00:00:00+00'::timestamptz, max(coalesce(window_end, extracted_at))
    from meta.extract_window
    where status = 'done' and kind in ('full', 'changes')
    group by all
    having bool_or(kind = 'full')
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


def refresh(con: duckdb.DuckDBPyConnection) -> None:
    """Derive meta.coverage anew from meta.extract_window and meta.field_gap."""
    told = [{"source": source, "stream": stream, "part": part} for source, stream, part in fields.parts()]
    con.execute(REFRESH, {"parts": told})
