-- core.contact_mail_day: what a contact got from all of us together, on the days on which somebody wrote (METRICS 3, mail pressure).
-- grain: contact_key, activity_date
-- order: activity_date
-- scope: contact_key
-- on core.fct_email: select other_contact_key from changed
-- on core.fct_email: select r.contact_key from core.fct_email_recipient as r inner join changed as e on r.message_key = e.message_key
-- on core.fct_email_recipient: contact_key
-- on core.fct_call: select contact_key from changed where direction = 'inbound'
-- keep core.fct_email: other_contact_key in (select key from dirty) or message_key in (select r.message_key from core.fct_email_recipient as r where r.contact_key in (select key from dirty))
-- keep core.fct_call: direction = 'inbound' and contact_key in (select key from dirty)
-- activity_date: local date of sending in the sender's zone
-- mails: outbound mails of all kinds, bulk included, to the contact that day; mails_7d, reps_7d: in the trailing mail_pressure_days days, and by how many reps
-- reps_24h: most reps who had written within 24 hours of each other, as of any mail of that day
-- unanswered_streak: mails since the contact last wrote or called, as of the last mail of that day
with sent as (
    select distinct
        r.contact_key,
        e.message_key as event_key,
        e.rep_id,
        e.activity_date,
        e.occurred_at
    from core.fct_email as e
    inner join core.fct_email_recipient as r on e.message_key = r.message_key and r.is_external
    where e.direction = 'outbound' and (e.is_counted or e.exclusion_reason = 'bulk')
),

came as (
    select other_contact_key as contact_key, message_key as event_key, occurred_at
    from core.fct_email
    where direction = 'inbound' and is_counted
    union all
    select contact_key, call_key, occurred_at
    from core.fct_call
    where direction = 'inbound' and is_counted
),

events as (
    select *, 1 as is_sent
    from sent
    union all by name
    select *, 0 as is_sent
    from came
    where contact_key in (select s.contact_key from sent as s)
),

-- What came at the very instant of a mail is no answer to it: it stands before.
in_turn as (
    select
        *,
        sum(1 - is_sent) over (partition by contact_key order by occurred_at, is_sent, event_key rows unbounded preceding) as answers,
        count(distinct rep_id) over (
            partition by contact_key order by occurred_at range between interval 24 hours preceding and current row
        ) as reps_24h
    from events
),

counted as (
    select
        *,
        sum(is_sent) over (partition by contact_key, answers order by occurred_at, is_sent, event_key rows unbounded preceding) as streak
    from in_turn
),

by_rep as (
    select
        contact_key,
        activity_date,
        rep_id,
        count(*) as mails,
        max(reps_24h) as reps_24h,
        max({'at': occurred_at, 'event': event_key, 'streak': streak}) as latest
    from counted
    where is_sent = 1
    group by contact_key, activity_date, rep_id
),

thresholds as (
    select mail_pressure_limit, to_days((mail_pressure_days - 1)::integer) as window_before
    from input.parameter
),

trailing_days as (
    select
        b.*,
        p.mail_pressure_limit,
        sum(b.mails) over last_days as mails_7d,
        count(distinct b.rep_id) over last_days as reps_7d
    from by_rep as b
    cross join thresholds as p
    window last_days as (
        partition by b.contact_key order by b.activity_date range between p.window_before preceding and current row
    )
)

select
    contact_key,
    activity_date,
    sum(mails)::bigint as mails,
    max(mails_7d)::bigint as mails_7d,
    max(reps_7d)::bigint as reps_7d,
    max(reps_24h)::bigint as reps_24h,
    max(latest).streak::bigint as unanswered_streak,
    bool_or(mails_7d > mail_pressure_limit) as over_limit
from trailing_days
group by contact_key, activity_date
