-- core.fct_email_reply: mails from outside that answer a mail of ours: the last counted outbound mail before them in the thread gets the credit.
-- grain: reply_key
-- order: activity_date
-- scope: thread_key
-- on core.fct_email: thread_key
-- on core.dim_rep: select y.thread_key from core.fct_email_reply as y inner join changed as r on y.rep_id = r.rep_id
-- reply_kind: 'human' or 'auto_reply'
-- rep_id: who wrote the answered mail
-- activity_date: local date of receipt in that rep's zone
-- latency_s: seconds between the answered mail and the reply
with answers as (
    select
        i.message_key as reply_key,
        i.thread_key,
        i.mail_class as reply_kind,
        i.other_contact_key as contact_key,
        i.account_key,
        i.territory_id,
        i.segment,
        i.occurred_at,
        o.message_key,
        o.rep_id,
        epoch(i.occurred_at) - epoch(o.occurred_at) as latency_s
    from core.fct_email as i
    inner join core.fct_email as o
        on i.thread_key = o.thread_key and o.direction = 'outbound' and o.is_counted and o.occurred_at < i.occurred_at
    where
        i.direction = 'inbound' and not i.is_from_inside and i.mail_class in ('human', 'auto_reply')
        and coalesce(i.exclusion_reason, '') <> 'test'
    qualify row_number() over (partition by i.message_key order by o.occurred_at desc, o.message_key) = 1
)

select
    a.reply_key,
    a.thread_key,
    a.reply_kind,
    a.contact_key,
    a.account_key,
    a.territory_id,
    a.segment,
    a.message_key,
    a.rep_id,
    a.occurred_at,
    local_date(a.occurred_at, r.timezone) as activity_date,
    r.team_id,
    a.latency_s
from answers as a
inner join core.dim_rep as r on a.rep_id = r.rep_id and a.occurred_at >= r.valid_from and a.occurred_at < r.valid_to
