-- core.email_cohort: contacts that a rep wrote to in a thread on a day, and when the first human reply of theirs came (METRICS 2, reply_rate).
-- grain: rep_id, activity_date, send_kind, thread_key, contact_key
-- order: activity_date
-- scope: activity_date
-- on core.fct_email: activity_date
-- on core.fct_email: select e.activity_date from core.fct_email as e inner join changed as c on e.thread_key = c.thread_key where e.direction = 'outbound'
-- on core.fct_email_recipient: select e.activity_date from core.fct_email as e inner join changed as r on e.message_key = r.message_key
-- keep core.fct_email: thread_key in (select thread_key from core.fct_email where direction = 'outbound' and activity_date in (select key from dirty))
-- keep core.fct_email_recipient: message_key in (select message_key from core.fct_email where direction = 'outbound' and activity_date in (select key from dirty))
-- sent_at: first mail of that day that reached the contact
-- replied_at: first human mail of that contact in the thread after it; NULL while there is none
with sent as (
    select
        e.rep_id,
        e.activity_date,
        e.send_kind,
        e.thread_key,
        r.contact_key,
        min(e.occurred_at) as sent_at
    from core.fct_email as e
    inner join core.fct_email_recipient as r on e.message_key = r.message_key and r.is_external and not r.is_failed
    where e.direction = 'outbound' and e.is_counted
    group by all
),

human as (
    select distinct thread_key, other_contact_key as contact_key, occurred_at
    from core.fct_email
    where direction = 'inbound' and is_counted
)

select
    s.rep_id,
    s.activity_date,
    s.send_kind,
    s.thread_key,
    s.contact_key,
    s.sent_at,
    h.occurred_at as replied_at
from sent as s
asof left join human as h
    on s.thread_key = h.thread_key and s.contact_key = h.contact_key and s.sent_at < h.occurred_at
