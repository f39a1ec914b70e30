-- marts.meta_freshness: how old the numbers in this file are. Show it on every dashboard.
-- grain: table_name
-- kind: replaced
-- table_name: Table of this file
-- max_date: Latest date in it
-- max_complete_date: Latest date on which every rep's row is complete
-- published_at: UTC instant of the run that made this file
-- lag_minutes: Minutes between the slowest source's watermark and that run
with tables as (
    select 'daily_rep_activity' as table_name, activity_date, is_complete from marts.daily_rep_activity where rep_id <> -1
    union all
    select 'daily_team_activity', activity_date, is_complete from marts.daily_team_activity where team_id <> '-1'
    union all
    select 'daily_org_activity', activity_date, is_complete from marts.daily_org_activity
),

dates as (
    select table_name, activity_date, bool_and(is_complete) as is_complete
    from tables
    group by all
),

slowest as (
    select min(watermark) as watermark from marts.meta_source_day
)

select
    d.table_name,
    max(d.activity_date) as max_date,
    max(d.activity_date) filter (where d.is_complete) as max_complete_date,
    (any_value(p.now) at time zone 'UTC') as published_at,
    (epoch((any_value(p.now) at time zone 'UTC') - any_value(s.watermark)) / 60)::bigint as lag_minutes
from dates as d
cross join input.run as p
cross join slowest as s
group by d.table_name
