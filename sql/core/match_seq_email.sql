-- core.match_seq_email: which mail a sequencer's mail is (METRICS 0.5): by Message-ID; without one by sender, recipients and time within 120 seconds.
-- grain: seq_email_key
-- rule: M1 = Message-ID, M2 = sender, recipients and time, M0 = it lies nowhere else
-- scope: seq_email_key
-- on core.seq_email: seq_email_key
-- A mail that comes, goes or moves concerns what a sequencer sent near it now, what it was taken for, and all that vie with these: of the same sender and recipients.
-- on core.mailbox_copy: with mail as (select b.from_address, b.sent_at from core.mailbox_copy as b inner join changed as c on b.message_key = c.message_key union all select s.from_address, s.occurred_at as sent_at from core.crm_email as s inner join changed as c on s.message_id = c.message_key), near as (select e.from_address, e.recipients from core.seq_email as e inner join mail as m on e.from_address = m.from_address and e.sent_at between m.sent_at - interval 1 hour and m.sent_at + interval 1 hour where e.message_id is null union select e.from_address, e.recipients from core.match_seq_email as m inner join changed as c on m.message_key = c.message_key inner join core.seq_email as e on m.seq_email_key = e.seq_email_key where e.message_id is null) select e.seq_email_key from core.seq_email as e inner join near as n on e.from_address = n.from_address and e.recipients = n.recipients where e.message_id is null
-- on core.crm_email, core.seq_email: with mail as (select b.from_address, b.sent_at from core.mailbox_copy as b inner join changed as c on b.message_key = c.message_id union all select s.from_address, s.occurred_at as sent_at from core.crm_email as s inner join changed as c on s.message_id = c.message_id), near as (select e.from_address, e.recipients from core.seq_email as e inner join mail as m on e.from_address = m.from_address and e.sent_at between m.sent_at - interval 1 hour and m.sent_at + interval 1 hour where e.message_id is null union select e.from_address, e.recipients from core.match_seq_email as m inner join changed as c on m.message_key = c.message_id inner join core.seq_email as e on m.seq_email_key = e.seq_email_key where e.message_id is null) select e.seq_email_key from core.seq_email as e inner join near as n on e.from_address = n.from_address and e.recipients = n.recipients where e.message_id is null
-- on core.seq_email: select e.seq_email_key from core.seq_email as e inner join changed as c on e.from_address = c.from_address where e.message_id is null
with nameless as (
    select * from core.seq_email where message_id is null
),

-- Wherever else it may lie: in mailboxes, or logged in the CRM under a Message-ID that no mailbox has. By sender as well, as in core.match_email.
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
    select e.message_id, e.from_address, min(e.occurred_at), list_sort(list_distinct(flatten(list(e.recipients))))
    from core.crm_email as e
    where
        e.direction = 'outbound' and e.message_id is not null and e.from_address in (select from_address from nameless)
        and not exists (select 1 from core.mailbox_copy as b where b.message_key = e.message_id and b.from_address = e.from_address)
    group by e.message_id, e.from_address
),

weighed as (
    select
        list({'left': m.message_key, 'right': n.seq_email_key} order by abs(epoch(n.sent_at) - epoch(m.sent_at)), m.message_key, n.seq_email_key)
            as pairs
    from nameless as n
    inner join mails as m
        on
            n.from_address = m.from_address and n.recipients = m.recipients
            and m.sent_at between n.sent_at - to_seconds(120) and n.sent_at + to_seconds(120)
    where m.message_key not in (select e.message_id from core.seq_email as e where e.message_id is not null)
    group by n.from_address, n.recipients
),

by_likeness as (
    select
        pair."right" as seq_email_key,
        pair."left" as message_key
    from (select unnest(one_to_one(pairs)) as pair from weighed)
)

select
    e.seq_email_key,
    coalesce(e.message_id, l.message_key, 'sent:' || e.seq_email_key) as message_key,
    case when e.message_id is not null then 'M1' when l.message_key is not null then 'M2' else 'M0' end as rule
from core.seq_email as e
left join by_likeness as l on e.seq_email_key = l.seq_email_key
