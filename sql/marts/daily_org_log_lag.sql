-- marts.daily_org_log_lag: how long it took until what the organisation did on a day stood in the CRM; over all its activities, not an average of the reps'.
-- grain: activity_date
-- kind: merged
-- scope: activity_date
-- on core.loggable: activity_date
-- on marts.daily_log_lag: activity_date
-- activity_date: Calendar date of the activity, everybody's own
-- source_status: complete when every row beneath is, missing when none spoke, else partial
-- is_complete: True when every rep's row of that day is complete
with days as (
    select
        activity_date,
        sum(logged_items)::bigint as logged_items,
        case
            when bool_and(source_status in ('complete', 'not_applicable')) then 'complete'
            when bool_and(source_status = 'missing') then 'missing'
            else 'partial'
        end as source_status,
        coalesce(bool_and(is_complete) filter (where rep_id <> -1 and source_status <> 'not_applicable'), false) as is_complete
    from marts.daily_log_lag
    group by activity_date
),

lags as (
    select
        g.activity_date,
        quantile_cont(greatest(epoch_us(g.logged_at) - epoch_us(g.ended_at), 0) / 60e6, [0.5, 0.9]) as minutes
    from core.loggable as g
    inner join marts.daily_log_lag as r on g.rep_id = r.rep_id and g.activity_date = r.activity_date and r.logged_items is not null
    where g.logged_at is not null
    group by g.activity_date
)

select
    d.activity_date,
    d.logged_items,
    l.minutes[1]::double as log_lag_minutes_p50,
    l.minutes[2]::double as log_lag_minutes_p90,
    d.source_status,
    d.is_complete
from days as d
left join lags as l on d.activity_date = l.activity_date
