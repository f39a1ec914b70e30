-- marts.daily_response_time: how soon a rep answered what came in on a day: human mails and missed calls, in minutes of the rep's business hours; and what became of missed calls.
-- grain: activity_date, rep_id
-- kind: merged
-- final: is_mature
-- scope: activity_date
-- on core.response_time: activity_date
-- on input.run: select local_date(min(now), 'UTC') - 3 - (select reply_window_days from input.parameter)::integer + unnest(range(0, 6 + (local_date(max(now), 'UTC') - local_date(min(now), 'UTC'))::integer))::integer from changed
-- on core.rep_day: activity_date
-- on core.rep_day_status: activity_date
-- activity_date: Local calendar date on which the mail or call came in, in the rep's own time zone
-- rep_id: Whose answer was due (dim_rep): the mailbox's owner, with several the one who wrote last in the thread; the rep who was rung. -1 for calls that rang nobody known
-- team_id: Team at that date; -1 for none
-- matures_on: Date on which the window of the day's last item ends
-- is_mature: True when that date is over, so that the numbers stand
-- source_status: How far calls and mails were read on that day
-- is_complete: True when both were read whole
with counted as (
    select
        rep_id,
        activity_date,
        coalesce(count_if(has_rep), 0) as items,
        coalesce(count_if(has_rep and answered_at is not null), 0) as items_answered,
        coalesce(count_if(business_minutes <= 5) filter (where has_rep), 0) as answered_within_5m,
        coalesce(count_if(business_minutes <= 15) filter (where has_rep), 0) as answered_within_15m,
        coalesce(count_if(business_minutes <= 60) filter (where has_rep), 0) as answered_within_60m,
        quantile_cont(business_minutes, 0.5) filter (where has_rep) as p50,
        quantile_cont(business_minutes, 0.95) filter (where has_rep) as p95,
        coalesce(count_if(channel = 'call'), 0) as calls_inbound_missed,
        coalesce(count_if(called_back_at <= received_at + interval 60 minutes), 0) as callback_within_60m,
        coalesce(count_if(channel = 'call' and is_in_hours), 0) as calls_inbound_missed_in_hours
    from core.response_time
    group by all
),

days as (
    select
        d.rep_id,
        d.activity_date,
        d.team_id,
        d.timezone,
        s.call_status,
        all_of([s.call_status, s.email_status]) as both_status,
        case when d.rep_id <> -1 then all_of([s.call_status, s.email_status]) else 'not_applicable' end as item_status
    from core.rep_day as d
    inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date
)

select
    d.activity_date,
    d.rep_id,
    d.team_id,
    known(c.items, d.item_status)::bigint as items,
    known(c.items_answered, d.item_status)::bigint as items_answered,
    known(c.answered_within_5m, d.item_status)::bigint as answered_within_5m,
    known(c.answered_within_15m, d.item_status)::bigint as answered_within_15m,
    known(c.answered_within_60m, d.item_status)::bigint as answered_within_60m,
    case when d.item_status <> 'missing' then c.p50 end::double as first_response_minutes_p50,
    case when d.item_status <> 'missing' then c.p95 end::double as first_response_minutes_p95,
    known(c.calls_inbound_missed, d.call_status)::bigint as calls_inbound_missed,
    known(c.callback_within_60m, d.call_status)::bigint as callback_within_60m,
    known(c.calls_inbound_missed_in_hours, d.call_status)::bigint as calls_inbound_missed_in_hours,
    d.activity_date + p.reply_window_days::integer as matures_on,
    local_date(u.now, d.timezone) > d.activity_date + p.reply_window_days::integer as is_mature,
    d.both_status as source_status,
    d.both_status = 'complete' as is_complete
from days as d
cross join input.parameter as p
cross join input.run as u
left join counted as c on d.rep_id = c.rep_id and d.activity_date = c.activity_date
