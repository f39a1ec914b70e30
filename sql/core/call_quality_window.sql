-- core.call_quality_window: how far back the windows of marts.guard_call_quality reach that end on a date, so that a night need not go through all days.
-- grain: activity_date
-- window_from: first date of the longest of them: over the reps' own working days or the organisation's. Users whom nobody knows (-1) have
--   none, as in the guard: a holiday on which one of them called would make the windows reach less far back
with of_rep as (
    select
        activity_date,
        lag(activity_date, coaching_days - 1, date '0001-01-01') over (partition by rep_id order by activity_date) as window_from
    from core.rep_availability
    cross join input.parameter
    where working_fraction > 0 and rep_id <> -1
),

of_org as (
    select
        activity_date,
        lag(activity_date, message_recent_days + message_baseline_days - 1, date '0001-01-01') over (order by activity_date) as window_from
    from (select distinct activity_date from core.rep_availability where working_fraction > 0 and rep_id <> -1)
    cross join input.parameter
)

select activity_date, min(window_from) as window_from
from (
    select activity_date, window_from from of_rep
    union all
    select activity_date, window_from from of_org
)
group by activity_date
