-- core.mail_thread: which thread a mail belongs to. Mails hang together by In-Reply-To and References over all mailboxes, and by the provider's thread.
-- grain: message_key
-- order: sent_at
-- thread_key: the smallest of the thread's groups
-- scope: message_key
-- on core.mail_member: message_key
-- on core.mail_group: select m.message_key from core.mail_member as m inner join changed as g on m.group_node = g.group_node
select
    m.message_key,
    min(m.sent_at) as sent_at,
    min(coalesce(g.thread_key, m.group_node)) as thread_key
from core.mail_member as m
left join core.mail_group as g on m.group_node = g.group_node
group by m.message_key
