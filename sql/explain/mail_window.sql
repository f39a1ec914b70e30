-- explain.mail_window: outbound mails of the mail_pressure_days days up to the day whose day a source told of.
select
    getvariable('day')::date as activity_date,
    e.rep_id,
    e.activity_date as sent_on,
    e.occurred_at,
    e.message_key,
    e.send_kind,
    e.is_bounced,
    e.is_counted,
    e.exclusion_reason,
    e.crm_email_key
from core.fct_email as e
inner join core.rep_day_status as s on e.rep_id = s.rep_id and e.activity_date = s.activity_date and s.email_status <> 'missing'
cross join input.parameter as p
where e.direction = 'outbound' and e.activity_date > getvariable('day') - p.mail_pressure_days and e.activity_date <= getvariable('day')
