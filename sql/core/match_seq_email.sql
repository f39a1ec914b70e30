-- core.match_seq_email: which mail a sequencer's mail is (METRICS 0.5): by Message-ID; without one by sender, recipients and time within 120 seconds.
-- grain: seq_email_key
-- rule: M1 = Message-ID, M2 = sender, recipients and time, M0 = it lies nowhere else
-- scope: seq_email_key
-- on core.seq_email: seq_email_key
-- on core.mailbox_copy: with near as (select e.from_address, e.recipients from core.seq_email as e inner join changed as c on e.from_address = c.from_address and e.sent_at between c.sent_at - interval 1 hour and c.sent_at + interval 1 hour where e.message_id is null) select e.seq_email_key from core.seq_email as e inner join near as n on e.from_address = n.from_address and e.recipients = n.recipients where e.message_id is null
-- on core.crm_email: select e.seq_email_key from core.seq_email as e inner join changed as c on e.from_address = c.from_address and e.sent_at between c.occurred_at - interval 1 hour and c.occurred_at + interval 1 hour where e.message_id is null
-- on core.seq_email: select e.seq_email_key from core.seq_email as e inner join changed as c on e.from_address = c.from_address where e.message_id is null
with nameless as (
    select * from core.seq_email where message_id is null
),

-- Wherever else it may lie: in mailboxes, or logged in the CRM under a Message-ID that no mailbox has.
mails as (
    select
        message_key,
        min(sent_at) as sent_at,
        any_value(from_address order by mailbox) as from_address,
        list_sort(list_distinct(flatten(list(recipients)))) as recipients
    from core.mailbox_copy
    where from_address in (select from_address from nameless)
    group by message_key
    union all
    select message_id, min(occurred_at), any_value(from_address order by crm_email_key), list_sort(list_distinct(flatten(list(recipients))))
    from core.crm_email
    where
        direction = 'outbound' and message_id is not null and from_address in (select from_address from nameless)
        and message_id not in (select b.message_key from core.mailbox_copy as b)
    group by message_id
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
