-- marts.guard_rep_pressure: how much of a rep's mail goes to contacts that get too much, and how much of it bounces. A contact's mails count over all
--   reps and are charged to each who wrote that day. Sends outside the contact's 8 to 18 o'clock are not here: no source tells a contact's zone.
-- grain: activity_date, rep_id
-- kind: merged
-- scope: activity_date
-- on core.contact_touch: activity_date
-- on core.contact_mail_day: activity_date
-- on input.run: select min(history_start) + unnest(range(0, case when min(history_start) = max(history_start) then 0 else (select mail_pressure_days from input.parameter)::integer + (max(history_start) - min(history_start))::integer end))::integer from changed
-- on core.rep_day: select activity_date + unnest(range(0, (select mail_pressure_days from input.parameter)::bigint))::integer from changed
-- on core.rep_day_metrics: select activity_date + unnest(range(0, (select mail_pressure_days from input.parameter)::bigint))::integer from changed
-- on core.rep_day_status: select activity_date + unnest(range(0, (select mail_pressure_days from input.parameter)::bigint))::integer from changed
-- activity_date: Local calendar date in the rep's own time zone
-- rep_id: Key of the rep (dim_rep); -1 for users that no rep could be found for
-- team_id: Team at that date; -1 for none
-- distinct_contacts_emailed: Contacts the rep wrote to that day: lower part of the share of contacts; over days the same contact counts again
-- source_status: How far the rep's mail was read that day
-- is_complete: True when every day of the trailing window was read to its end; never on the first days of this file, whose window begins before it
with charged as (
    select
        t.rep_id,
        t.activity_date,
        count(*) as contacts_emailed,
        count_if(c.over_limit) as contacts_over_mail_limit,
        count_if(c.over_limit or c.unanswered_streak >= p.mail_streak_limit or c.reps_24h >= p.mail_reps_limit) as contacts_flagged
    from core.contact_touch as t
    inner join core.contact_mail_day as c on t.contact_key = c.contact_key and t.activity_date = c.activity_date
    cross join input.parameter as p
    where t.channel = 'email'
    group by t.rep_id, t.activity_date
),

thresholds as (
    select
        p.bounce_rate_limit,
        to_days((p.mail_pressure_days - 1)::integer) as window_before,
        u.history_start + (p.mail_pressure_days - 1)::integer as first_whole
    from input.parameter as p
    cross join input.run as u
),

looked_back as (
    select
        d.rep_id,
        d.activity_date,
        d.team_id,
        m.emails_sent_one_to_one + m.emails_sent_sequence as emails_sent,
        m.mails_to_over_limit_contacts,
        sum(m.emails_sent_one_to_one + m.emails_sent_sequence) over last_days as emails_sent_7d,
        sum(m.emails_bounced) over last_days as emails_bounced_7d,
        s.email_status,
        bool_and(s.email_status = 'complete') over last_days and d.activity_date >= p.first_whole as is_complete,
        p.bounce_rate_limit
    from core.rep_day as d
    cross join thresholds as p
    inner join core.rep_day_metrics as m on d.rep_id = m.rep_id and d.activity_date = m.activity_date
    inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date
    window last_days as (
        partition by d.rep_id order by d.activity_date range between p.window_before preceding and current row
    )
)

select
    l.activity_date,
    l.rep_id,
    l.team_id,
    l.emails_sent,
    l.mails_to_over_limit_contacts,
    known(c.contacts_emailed, l.email_status)::bigint as distinct_contacts_emailed,
    known(c.contacts_over_mail_limit, l.email_status)::bigint as contacts_over_mail_limit,
    known(c.contacts_flagged, l.email_status)::bigint as contacts_flagged,
    l.emails_sent_7d::bigint as emails_sent_7d,
    l.emails_bounced_7d::bigint as emails_bounced_7d,
    l.emails_bounced_7d::double / nullif(l.emails_sent_7d, 0) as bounce_rate,
    coalesce(l.emails_bounced_7d::double / nullif(l.emails_sent_7d, 0) > l.bounce_rate_limit, false) as bounce_signal,
    l.email_status as source_status,
    l.is_complete
from looked_back as l
left join charged as c on l.rep_id = c.rep_id and l.activity_date = c.activity_date
