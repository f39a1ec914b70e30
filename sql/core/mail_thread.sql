-- core.mail_thread: which thread a mail belongs to. Mails hang together by In-Reply-To and References over all mailboxes, and by the provider's thread.
-- grain: message_key
-- thread_key: the smallest key of the thread's parts
with recursive links as (
    select message_key, thread_node as other
    from core.mailbox_copy
    where thread_node is not null
    union
    select message_key, in_reply_to
    from core.mailbox_copy
    where in_reply_to is not null
    union
    select message_key, unnest(reference_ids)
    from core.mailbox_copy
    union
    select m.message_key, 'thread:' || c.source_id || ':' || c.workspace_id || ':' || c.thread_key
    from core.crm_email as c
    inner join core.match_email as m on c.crm_email_key = m.crm_email_key
    where c.thread_key is not null
),

edges as (
    select message_key as a, other as b from links where message_key <> other
    union
    select other, message_key from links where message_key <> other
),

label (node, thread_key) using key (node) as (
    select a, a from (select distinct a from edges)
    union
    select
        e.b,
        min(l.thread_key)
    from label as l
    inner join edges as e on l.node = e.a
    inner join recurring.label as r on e.b = r.node
    where l.thread_key < r.thread_key
    group by e.b
)

select
    m.message_key,
    coalesce(l.thread_key, m.message_key) as thread_key
from core.mail_message as m
left join label as l on m.message_key = l.node
