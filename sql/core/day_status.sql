-- core.day_status: whether a stretch of time that is a local day in some zone was read from a source (METRICS 0.7).
-- grain: source_id, workspace_id, feed, partition, day_start, day_end
-- scope: utc_date
-- on core.rep_day: local_date(day_start, 'UTC')
-- on core.rep_source: select local_date(d.day_start, 'UTC') from core.rep_day as d inner join changed as r on d.rep_id = r.rep_id
-- on meta.coverage: select local_date(x.a, 'UTC') - 2 + unnest(range(0, 5 + (local_date(x.b, 'UTC') - local_date(x.a, 'UTC'))::integer))::integer from (select case when min(covered_from) = max(covered_from) and count(*) > 1 and not bool_or(is_gap) then min(covered_until) else greatest(min(covered_from), (select min(history_start)::timestamp at time zone 'UTC' from input.run)) end as a, max(covered_until) as b from changed group by source_id, workspace_id, stream, partition) as x where x.b >= x.a
-- utc_date: UTC date of the day's beginning
-- status: complete (all of it, and the source's lag after it), partial (some) or missing (none)
with wanted as (
    select distinct
        r.system,
        r.source_id,
        r.workspace_id,
        r.partition,
        d.day_start,
        d.day_end
    from core.rep_day as d
    inner join core.rep_source as r on d.rep_id = r.rep_id
),

by_stream as (
    select
        w.system,
        w.source_id,
        w.workspace_id,
        w.partition,
        w.day_start,
        w.day_end,
        f.feed,
        f.stream,
        bool_or(
            not c.is_gap and c.covered_from <= w.day_start and c.covered_until >= w.day_end + to_seconds(coalesce(s.lag_seconds, 0))
        ) as is_whole,
        bool_or(not c.is_gap and c.covered_from < w.day_end and c.covered_until > w.day_start)
        -- All that the day has lacks a field: that it was quiet before and after tells nothing.
        and not bool_or(c.is_gap and c.covered_from <= w.day_start and c.covered_until >= w.day_end) as is_touched
    from wanted as w
    inner join core.feed_stream as f on w.system = f.system
    inner join input.source as s
        on
            w.source_id = s.source_id and w.workspace_id = s.workspace_id and w.system = s.system
            -- A source is asked for what it has: a folder of meetings has no deals.
            and (len(coalesce(s.streams, [])) = 0 or list_contains(s.streams, split_part(f.stream, '.', 1)))
    left join meta.coverage as c
        on
            w.source_id = c.source_id and w.workspace_id = c.workspace_id and f.stream = c.stream
            and w.partition = lower(c.partition)
            and c.covered_from < w.day_end and c.covered_until > w.day_start
    group by all
)

select
    system,
    source_id,
    workspace_id,
    feed,
    partition,
    day_start,
    day_end,
    local_date(day_start, 'UTC') as utc_date,
    case
        when bool_and(coalesce(is_whole, false)) then 'complete'
        when bool_or(coalesce(is_touched, false)) then 'partial'
        else 'missing'
    end as status
from by_stream
group by all
