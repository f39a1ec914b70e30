-- marts.daily_log_lag: how long it took until what a rep did on a day stood in the CRM. By day of the activity, so it changes while logs come in.
-- grain: activity_date, rep_id
-- kind: merged
-- scope: activity_date
-- on core.loggable: activity_date
-- on core.rep_day: activity_date
-- on core.rep_day_status: activity_date
-- activity_date: Local calendar date of the activity in the rep's own time zone
-- rep_id: Key of the rep (dim_rep); -1 for users that no rep could be found for
-- team_id: Team at that date; -1 for none
-- source_status: How far calls, mails and meetings were read on that day
-- is_complete: True when all were read whole
with lags as (
    select
        rep_id,
        activity_date,
        count(*) as logged_items,
        quantile_cont(greatest(epoch_us(logged_at) - epoch_us(ended_at), 0) / 60e6, [0.5, 0.9]) as minutes
    from core.loggable
    where logged_at is not null
    group by all
)

select
    d.activity_date,
    d.rep_id,
    d.team_id,
    known(l.logged_items, s.conversation_status)::bigint as logged_items,
    case when s.conversation_status <> 'missing' then l.minutes[1] end::double as log_lag_minutes_p50,
    case when s.conversation_status <> 'missing' then l.minutes[2] end::double as log_lag_minutes_p90,
    s.conversation_status as source_status,
    s.conversation_status = 'complete' as is_complete
from core.rep_day as d
inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date
left join lags as l on d.rep_id = l.rep_id and d.activity_date = l.activity_date
