-- core.match_email: which mail a CRM log is (METRICS 0.5): by Message-ID; without one by sender, recipients and time within 120 seconds, one to one.
-- grain: crm_email_key
-- order: occurred_at
-- rule: M1 = Message-ID, M2 = sender, recipients and time, M0 = no copy in any mailbox
-- scope: crm_email_key
-- slices: none
-- on core.crm_email: crm_email_key
-- on core.crm_email: select e.crm_email_key from core.crm_email as e inner join changed as c on e.from_address = c.from_address and e.recipients = c.recipients where e.message_id is null
-- A mail that comes, goes or moves concerns the logs near what it is now, the log that it had, and all that vie with these: of the same sender and recipients.
-- Logs vie for a mail: those of a slice alone would each get it.
-- on core.mailbox_copy, core.crm_email_taken, core.match_seq_email: with mail as (select b.from_address, b.sent_at from core.mailbox_copy as b inner join changed as c on b.message_key = c.message_key union all select s.from_address, s.sent_at from core.match_seq_email as m inner join changed as c on m.message_key = c.message_key inner join core.seq_email as s on m.seq_email_key = s.seq_email_key), near as (select e.from_address, e.recipients from core.crm_email as e inner join mail as m on e.from_address = m.from_address and e.occurred_at between m.sent_at - interval 1 hour and m.sent_at + interval 1 hour where e.message_id is null union select e.from_address, e.recipients from core.match_email as m inner join changed as c on m.message_key = c.message_key inner join core.crm_email as e on m.crm_email_key = e.crm_email_key where e.message_id is null) select e.crm_email_key from core.crm_email as e inner join near as n on e.from_address = n.from_address and e.recipients = n.recipients where e.message_id is null
-- on core.seq_email: with mail as (select s.from_address, s.sent_at from core.match_seq_email as o inner join changed as c on o.seq_email_key = c.seq_email_key inner join core.match_seq_email as m on o.message_key = m.message_key inner join core.seq_email as s on m.seq_email_key = s.seq_email_key), near as (select e.from_address, e.recipients from core.crm_email as e inner join mail as m on e.from_address = m.from_address and e.occurred_at between m.sent_at - interval 1 hour and m.sent_at + interval 1 hour where e.message_id is null union select e.from_address, e.recipients from core.match_seq_email as o inner join changed as c on o.seq_email_key = c.seq_email_key inner join core.match_email as m on o.message_key = m.message_key inner join core.crm_email as e on m.crm_email_key = e.crm_email_key where e.message_id is null) select e.crm_email_key from core.crm_email as e inner join near as n on e.from_address = n.from_address and e.recipients = n.recipients where e.message_id is null
-- keep core.crm_email: crm_email_key in (select key from dirty)
-- keep core.mailbox_copy: from_address in (select from_address from core.crm_email where message_id is null and crm_email_key in (select key from dirty))
with by_id as (
    select
        crm_email_key,
        message_id as message_key,
        'M1' as rule
    from core.crm_email
    where message_id is not null
),

nameless as (
    select * from core.crm_email where message_id is null
),

-- By sender as well, so that what a mail is does not hang on which other senders are asked for.
mails as (
    select
        message_key,
        from_address,
        min(sent_at) as sent_at,
        list_sort(list_distinct(flatten(list(recipients)))) as recipients
    from core.mailbox_copy
    where from_address in (select from_address from nameless)
    group by message_key, from_address
    union all
    -- What a sequencer has sent from servers of its own lies in no mailbox, or in the name of another address.
    select m.message_key, s.from_address, min(s.sent_at), list_sort(list_distinct(flatten(list(s.recipients))))
    from core.match_seq_email as m
    inner join core.seq_email as s on m.seq_email_key = s.seq_email_key
    where
        s.from_address in (select from_address from nameless)
        and not exists (select 1 from core.mailbox_copy as b where b.message_key = m.message_key and b.from_address = s.from_address)
    group by m.message_key, s.from_address
),

candidates as (
    select
        c.crm_email_key,
        m.message_key,
        c.from_address,
        c.recipients,
        abs(epoch(c.occurred_at) - epoch(m.sent_at)) as distance
    from nameless as c
    inner join mails as m
        on
            c.from_address = m.from_address and c.recipients = m.recipients
            and m.sent_at between c.occurred_at - to_seconds(120) and c.occurred_at + to_seconds(120)
    where not exists (select 1 from core.crm_email_taken as t where t.message_key = m.message_key)
),

weighed as (
    select list({'mails': [message_key], 'logs': [crm_email_key]} order by distance, message_key, crm_email_key) as pairs
    from candidates
    group by from_address, recipients
),

chosen as (
    select list_reduce(pairs, lambda taken, p:
        case
            when list_contains(taken.mails, p.mails[1]) or list_contains(taken.logs, p.logs[1]) then taken
            else {'mails': list_concat(taken.mails, p.mails), 'logs': list_concat(taken.logs, p.logs)}
        end) as taken
    from weighed
),

by_likeness as (
    select
        unnest(taken.logs) as crm_email_key,
        unnest(taken.mails) as message_key,
        'M2' as rule
    from chosen
),

matched as (
    select * from by_id
    union all
    select * from by_likeness
    union all
    select
        crm_email_key,
        'log:' || crm_email_key as message_key,
        'M0' as rule
    from nameless
    where crm_email_key not in (select crm_email_key from by_likeness)
)

select
    m.crm_email_key,
    e.occurred_at,
    m.message_key,
    m.rule
from matched as m
inner join core.crm_email as e on m.crm_email_key = e.crm_email_key
