-- marts.guard_email_pressure: contacts and the mail they get from all of us together, one row a contact and day on which somebody wrote to it.
-- grain: activity_date, contact_key
-- kind: merged
-- scope: activity_date
-- on core.contact_mail_day: activity_date
-- on core.rep_day_status: select activity_date + unnest(range(0, (select mail_pressure_days from input.parameter)::bigint))::integer from changed
-- on input.run: select min(history_start) + unnest(range(0, case when min(history_start) = max(history_start) then 0 else (select mail_pressure_days from input.parameter)::integer + (max(history_start) - min(history_start))::integer end))::integer from changed
-- on core.dim_contact: select d.activity_date from core.contact_mail_day as d inner join changed as c on d.contact_key = c.contact_key
-- activity_date: Local date of sending
-- contact_key: The contact, as a keyed hash: the same for the same contact in every table of this file
-- crm_record_id: Id of the contact's record in the CRM; NULL when it has none
-- source_status: How far the reps' mail was read that day: complete, partial or missing
-- is_complete: True when every day of the trailing window was read to its end; never on the first days of this file, whose window begins before it
with mail_days as (
    select
        activity_date,
        case
            when bool_and(email_status in ('complete', 'not_applicable')) then 'complete'
            when bool_and(email_status in ('missing', 'not_applicable')) then 'missing'
            else 'partial'
        end as source_status
    from core.rep_day_status
    where rep_id <> -1
    group by activity_date
),

thresholds as (
    select to_days((p.mail_pressure_days - 1)::integer) as window_before, u.history_start + (p.mail_pressure_days - 1)::integer as first_whole
    from input.parameter as p
    cross join input.run as u
),

windows as (
    select
        d.activity_date,
        d.source_status,
        bool_and(d.source_status = 'complete') over (
            order by d.activity_date range between p.window_before preceding and current row
        ) and d.activity_date >= p.first_whole as is_complete
    from mail_days as d
    cross join thresholds as p
),

judged as (
    select
        c.*,
        k.contact_id as crm_record_id,
        c.unanswered_streak >= p.mail_streak_limit as streak_over_limit,
        c.reps_24h >= p.mail_reps_limit as several_reps_24h
    from core.contact_mail_day as c
    cross join input.parameter as p
    left join core.dim_contact as k on c.contact_key = k.contact_key
)

select
    j.activity_date,
    published_key(j.contact_key) as contact_key,
    j.crm_record_id,
    j.mails,
    j.mails_7d,
    j.reps_7d,
    j.reps_24h,
    j.unanswered_streak,
    j.over_limit,
    j.streak_over_limit,
    j.several_reps_24h,
    j.over_limit or j.streak_over_limit or j.several_reps_24h as is_flagged,
    w.source_status,
    w.is_complete
from judged as j
inner join windows as w on j.activity_date = w.activity_date
