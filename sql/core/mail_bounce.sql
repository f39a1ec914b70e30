-- core.mail_bounce: which mail of ours a notice of failed delivery is about.
-- grain: bounce_key
-- scope: bounce_key
-- on core.bounce_ref: bounce_key
-- on core.mail_message: select b.bounce_key from core.bounce_ref as b inner join changed as m on b.ref = m.message_key
-- on core.mailbox_copy: select b.bounce_key from core.bounce_ref as b inner join changed as c on b.ref = c.thread_node
-- on core.mailbox_copy: select b.bounce_key from core.bounce_ref as b inner join (select unnest(recipients) as address from changed) as c on b.ref = c.address
-- keep core.mail_message: message_key in (select ref from core.bounce_ref where bounce_key in (select key from dirty))
-- keep core.mailbox_copy: is_sent and mailbox in (select mailbox from core.bounce_ref where ref_kind <> 'mail' and bounce_key in (select key from dirty))
-- A bounce names the mail that failed by its Message-ID; a mail that it names and that we do not have is none of ours to blame.
-- One that names none lies in the provider's thread of it, or names a recipient: then the last mail to that recipient
-- in the five days before is meant.
with named as (
    select b.bounce_key, o.message_key, 1 as preference, o.sent_at
    from core.bounce_ref as b
    inner join core.mail_message as o on b.ref = o.message_key and o.direction = 'outbound'
    where b.ref_kind = 'mail'
    union all
    select b.bounce_key, o.message_key, 2, o.sent_at
    from core.bounce_ref as b
    inner join core.mailbox_copy as o on b.ref = o.thread_node and o.is_sent and o.sent_at <= b.sent_at
    where b.ref_kind = 'thread'
    union all
    select b.bounce_key, o.message_key, 3, o.sent_at
    from (
        select *, unnest(range(0, 6)) as days_before from core.bounce_ref where ref_kind = 'address'
    ) as b
    inner join core.mailbox_copy as o
        on
            b.mailbox = o.mailbox and o.is_sent
            and local_date(b.sent_at, 'UTC') - b.days_before::integer = local_date(o.sent_at, 'UTC')
            and o.sent_at between b.sent_at - to_days(5) and b.sent_at and list_contains(o.recipients, b.ref)
),

meant as (
    select
        bounce_key,
        arg_min(message_key, (preference, -epoch(sent_at), message_key)) as message_key
    from named
    group by bounce_key
)

select
    m.bounce_key,
    m.message_key,
    -- Of a notice with several copies what each of them says, whichever comes first.
    list_sort(list_distinct(flatten(list(b.failed_recipients)))) as failed_recipients
from meant as m
inner join core.bounce_ref as b on m.bounce_key = b.bounce_key
group by m.bounce_key, m.message_key
