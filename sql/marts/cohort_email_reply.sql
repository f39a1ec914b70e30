-- marts.cohort_email_reply: of the contacts written to on a day, how many answered within 1, 3, 7 and 14 days. By day of sending, so it changes until it is mature.
-- grain: send_date, rep_id, send_kind
-- kind: merged
-- final: is_mature
-- scope: send_date
-- on core.email_cohort: activity_date
-- on input.run: select local_date(min(now), 'UTC') - 3 - (select reply_window_days from input.parameter)::integer + unnest(range(0, 6 + (local_date(max(now), 'UTC') - local_date(min(now), 'UTC'))::integer))::integer from changed
-- on core.rep_day: activity_date
-- on core.rep_day_status: activity_date
-- send_date: Local calendar date of the mails in the rep's own time zone
-- rep_id: Who wrote
-- send_kind: one_to_one or sequence
-- team_id: Team at that date; -1 for none
-- matures_on: Date on which the window of the day's last mail ends
-- is_mature: True when that date is over, so that the numbers stand
-- source_status: How far the mailbox was read on the day of sending
-- is_complete: True when it was read whole
with cohorts as (
    select
        c.activity_date as send_date,
        c.rep_id,
        c.send_kind,
        count(*)::bigint as delivered_threads,
        coalesce(count_if(c.replied_at <= c.sent_at + interval 1 day), 0)::bigint as replied_1d,
        coalesce(count_if(c.replied_at <= c.sent_at + interval 3 days), 0)::bigint as replied_3d,
        coalesce(count_if(c.replied_at <= c.sent_at + interval 7 days), 0)::bigint as replied_7d,
        coalesce(count_if(c.replied_at <= c.sent_at + to_days(p.reply_window_days::integer)), 0)::bigint as replied_14d
    from core.email_cohort as c
    cross join input.parameter as p
    group by all
)

select
    c.send_date,
    c.rep_id,
    c.send_kind,
    d.team_id,
    c.delivered_threads,
    c.replied_1d,
    c.replied_3d,
    c.replied_7d,
    c.replied_14d,
    c.send_date + p.reply_window_days::integer as matures_on,
    local_date(u.now, d.timezone) > c.send_date + p.reply_window_days::integer as is_mature,
    s.email_status as source_status,
    s.email_status = 'complete' as is_complete
from cohorts as c
cross join input.parameter as p
cross join input.run as u
inner join core.rep_day as d on c.rep_id = d.rep_id and c.send_date = d.activity_date
inner join core.rep_day_status as s on c.rep_id = s.rep_id and c.send_date = s.activity_date
where s.email_status <> 'missing'
