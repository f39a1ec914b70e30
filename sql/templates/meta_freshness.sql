-- marts.meta_freshness: how old the numbers in this file are, one row a table with dates. Show it on every dashboard.
-- grain: table_name
-- kind: replaced
-- table_name: Table of this file
-- max_date: Latest date in it; of a table by week or month its first day, of a cohort the day it is named by, of a table of events the last one with any
-- max_complete_date: Latest date of which every rep's row is complete; rep and team -1, whom nobody expects, and rows that do not apply do not count
-- published_at: UTC instant of the run that made this file
-- lag_minutes: Minutes between the slowest source's watermark and that run
with tables as (
    -- A table without a row is told of too.
    select unnest([${names}]) as table_name, null::date as date, null::boolean as is_complete
    union all
    ${dates}
),

dates as (
    select table_name, date, bool_and(is_complete) as is_complete
    from tables
    group by all
),

slowest as (
    select min(watermark) as watermark from marts.meta_source_day
)

select
    d.table_name,
    max(d.date) as max_date,
    max(d.date) filter (where d.is_complete) as max_complete_date,
    (any_value(p.now) at time zone 'UTC') as published_at,
    (epoch((any_value(p.now) at time zone 'UTC') - any_value(s.watermark)) / 60)::bigint as lag_minutes
from dates as d
cross join input.run as p
cross join slowest as s
group by d.table_name
