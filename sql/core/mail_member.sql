-- core.mail_member: which ids a mail is known by or refers to, and the group of mails in which it lies: the provider's thread in one mailbox, or the CRM's.
-- grain: message_key, group_node, id
-- order: sent_at
-- scope: message_key
-- on core.mailbox_copy: message_key
-- on core.match_email: message_key
-- on core.crm_email: select m.message_key from core.match_email as m inner join changed as c on m.crm_email_key = c.crm_email_key
-- keep core.crm_email: crm_email_key in (select crm_email_key from core.match_email where message_key in (select key from dirty))
-- on core.match_seq_email: message_key
-- on core.seq_email: select m.message_key from core.match_seq_email as m inner join changed as s on m.seq_email_key = s.seq_email_key
-- keep core.seq_email: seq_email_key in (select seq_email_key from core.match_seq_email where message_key in (select key from dirty))
-- on core.seq_reply: reply_key
-- keep core.seq_reply: reply_key in (select key from dirty)
with grouped as (
    select
        message_key,
        sent_at,
        coalesce(thread_node, message_key) as group_node,
        list_append(list_append(reference_ids, in_reply_to), message_key) as ids
    from core.mailbox_copy
    union all
    select
        m.message_key,
        c.occurred_at,
        coalesce('thread:' || c.source_id || ':' || c.workspace_id || ':' || c.thread_key, m.message_key),
        [m.message_key]
    from core.match_email as m
    inner join core.crm_email as c on m.crm_email_key = c.crm_email_key
    -- A mail that lies in a mailbox is in its thread there; only what the CRM adds to that is news.
    where c.thread_key is not null or m.message_key not in (select b.message_key from core.mailbox_copy as b)
    union all
    select
        m.message_key,
        s.sent_at,
        m.message_key,
        list_append(coalesce(s.reference_ids, []), m.message_key)
    from core.match_seq_email as m
    inner join core.seq_email as s on m.seq_email_key = s.seq_email_key
    where m.message_key not in (select b.message_key from core.mailbox_copy as b)
    union all
    select
        reply_key,
        sent_at,
        reply_key,
        [reply_key, message_key]
    from core.seq_reply
)

select
    g.message_key,
    min(g.sent_at) as sent_at,
    g.group_node,
    g.id
from (
    select
        message_key,
        sent_at,
        group_node,
        unnest(ids) as id
    from grouped
) as g
where g.id is not null
group by all
