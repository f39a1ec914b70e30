-- explain.contact_mail: mails to the contacts that somebody wrote to on the day: of the trailing days, and since the contact last spoke.
with written_to as (
    select r.contact_key, max({'at': e.occurred_at, 'key': e.message_key}) as last_mail
    from core.fct_email as e
    inner join core.fct_email_recipient as r on e.message_key = r.message_key and r.is_external
    where e.direction = 'outbound' and (e.is_counted or e.exclusion_reason = 'bulk') and e.activity_date = getvariable('day')
    group by r.contact_key
),

sent as (
    select distinct
        r.contact_key,
        e.message_key,
        e.rep_id,
        e.activity_date as sent_on,
        e.occurred_at,
        coalesce(e.send_kind, e.exclusion_reason) as kind
    from core.fct_email as e
    inner join core.fct_email_recipient as r on e.message_key = r.message_key and r.is_external
    where e.direction = 'outbound' and (e.is_counted or e.exclusion_reason = 'bulk') and r.contact_key in (select w.contact_key from written_to as w)
),

came as (
    select other_contact_key as contact_key, occurred_at from core.fct_email where direction = 'inbound' and is_counted
    union all
    select contact_key, occurred_at from core.fct_call where direction = 'inbound' and is_counted
),

-- What came at the very instant of a mail is no answer to it: it stands before.
spoke as (
    select w.contact_key, max(c.occurred_at) as spoke_at
    from written_to as w
    inner join came as c on w.contact_key = c.contact_key and c.occurred_at <= w.last_mail.at
    group by w.contact_key
),

judged as (
    select
        s.*,
        count(distinct s.rep_id) over (
            partition by s.contact_key order by s.occurred_at range between interval 24 hours preceding and current row
        ) as reps_24h,
        s.sent_on > getvariable('day') - p.mail_pressure_days and s.sent_on <= getvariable('day') as is_of_window,
        (s.occurred_at, s.message_key) <= (w.last_mail.at, w.last_mail.key) and (a.spoke_at is null or s.occurred_at >= a.spoke_at) as is_unanswered
    from sent as s
    inner join written_to as w on s.contact_key = w.contact_key
    left join spoke as a on s.contact_key = a.contact_key
    cross join input.parameter as p
)

select
    published_key(contact_key) as contact_key,
    getvariable('day')::date as activity_date,
    message_key,
    rep_id,
    sent_on,
    sent_on = getvariable('day') as is_day,
    occurred_at,
    kind,
    reps_24h,
    is_of_window,
    is_unanswered
from judged
where is_of_window or is_unanswered
