-- explain.emailed_contact: contacts that a rep wrote to on a day, with what they get from all of us.
select
    t.rep_id,
    t.activity_date,
    t.contact_key,
    c.mails,
    c.mails_7d,
    c.reps_24h,
    c.unanswered_streak,
    c.over_limit
from core.contact_touch as t
inner join core.contact_mail_day as c on t.contact_key = c.contact_key and t.activity_date = c.activity_date
where t.channel = 'email'
