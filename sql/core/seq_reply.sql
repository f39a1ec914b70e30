-- core.seq_reply: answers that only a sequencer tells of: to reps whose mailbox is not read, and not logged in the CRM either.
-- grain: reply_key
-- order: sent_at
-- message_key: of the mail that was answered
-- It tells the first answer alone, and of whom: the prospect.
select
    'reply:' || e.seq_email_key as reply_key,
    m.message_key,
    e.rep_id,
    e.replied_at as sent_at,
    e.first_address as from_address,
    e.from_address as to_address
from core.seq_email as e
inner join core.match_seq_email as m on e.seq_email_key = m.seq_email_key
where
    e.replied_at is not null and e.first_address is not null and e.rep_id <> -1
    and e.rep_id not in (select r.rep_id from core.rep_source as r where r.system = 'mail')
    and not exists (
        select 1
        from core.crm_email as c
        where
            c.direction = 'inbound' and c.from_address = e.first_address
            and c.occurred_at between e.sent_at and e.replied_at + interval 1 day
    )
