-- marts.cohort_first_touch_response: of the contacts that were called or written to for the first time on a day, how many responded. By day of that first touch, so it changes until it is mature.
-- grain: first_touch_date, rep_id, channel
-- kind: merged
-- final: is_mature
-- scope: first_touch_date
-- on core.first_touch: activity_date
-- on input.run: select local_date(min(now), 'UTC') - 3 - (select reply_window_days from input.parameter)::integer + unnest(range(0, 6 + (local_date(max(now), 'UTC') - local_date(min(now), 'UTC'))::integer))::integer from changed
-- on core.rep_day: activity_date
-- on core.rep_day_status: activity_date
-- first_touch_date: Local calendar date of the first touch in the zone of the rep who made it
-- rep_id: Who touched the contact before anybody else of ours did
-- channel: What that rep did on that day to reach the contact: call, email or both
-- team_id: Team at that date; -1 for none
-- matures_on: Date on which the window of the day's last first touch ends
-- is_mature: True when that date is over, so that the numbers stand
-- source_status: How far calls and mails were read on the day of the touch
-- is_complete: True when both were read whole
with cohorts as (
    select
        f.activity_date as first_touch_date,
        f.rep_id,
        f.channel,
        count(*)::bigint as contacts_touched,
        coalesce(count_if(f.responded_at <= f.touched_at + to_days(p.reply_window_days::integer)), 0)::bigint as responded_14d
    from core.first_touch as f
    cross join input.parameter as p
    group by all
),

shown as (
    select
        c.*,
        d.team_id,
        d.timezone,
        all_of([s.call_status, s.email_status]) as source_status
    from cohorts as c
    inner join core.rep_day as d on c.rep_id = d.rep_id and c.first_touch_date = d.activity_date
    inner join core.rep_day_status as s on c.rep_id = s.rep_id and c.first_touch_date = s.activity_date
)

select
    s.first_touch_date,
    s.rep_id,
    s.channel,
    s.team_id,
    s.contacts_touched,
    s.responded_14d,
    s.first_touch_date + p.reply_window_days::integer as matures_on,
    local_date(u.now, s.timezone) > s.first_touch_date + p.reply_window_days::integer as is_mature,
    s.source_status,
    s.source_status = 'complete' as is_complete
from shown as s
cross join input.parameter as p
cross join input.run as u
where s.source_status <> 'missing'
