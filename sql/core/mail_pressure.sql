-- core.mail_pressure: counted mails of which a recipient got more than the limit, bulk mail included, in the trailing days, over all reps.
-- grain: message_key
-- scope: activity_date
-- on core.contact_mail_day: activity_date
-- on core.fct_email: activity_date
-- on core.fct_email_recipient: select e.activity_date from core.fct_email as e inner join changed as r on e.message_key = r.message_key
-- keep core.fct_email_recipient: message_key in (select message_key from core.fct_email where activity_date in (select key from dirty))
select distinct
    e.message_key,
    e.rep_id,
    e.activity_date,
    e.occurred_at,
    e.territory_id,
    e.segment
from core.fct_email as e
inner join core.fct_email_recipient as r on e.message_key = r.message_key and r.is_external
inner join core.contact_mail_day as c on r.contact_key = c.contact_key and e.activity_date = c.activity_date and c.over_limit
where e.direction = 'outbound' and e.is_counted
