-- core.mailbox_copy: one row a copy of a mail in a mailbox; drafts and what was thrown away are left out.
-- grain: mailbox, provider_id
-- order: sent_at
-- scope: provider_id
-- on staging.stg_mail_message: provider_id
-- on core.map_identity: select m.provider_id from staging.stg_mail_message as m inner join changed as i on m.mailbox = i.source_user_id
-- message_key: the Message-ID, or a key of this copy where there is none
-- recipients: To, Cc and Bcc, distinct and sorted, lower case; addressed: the same in the order of the mail
select
    m.source_id,
    m.workspace_id,
    norm_email(m.mailbox) as mailbox,
    m.provider_id,
    coalesce(i.rep_id, -1) as mailbox_rep_id,
    coalesce(m.message_id, 'copy:' || m.source_id || ':' || m.mailbox || ':' || m.provider_id) as message_key,
    m.message_id is not null as has_message_id,
    'thread:' || m.source_id || ':' || norm_email(m.mailbox) || ':' || m.thread_id as thread_node,
    m.sent_at,
    norm_email(m.from_address) as from_address,
    list_sort(list_distinct(list_transform(
        flatten([coalesce(m.to_addresses, []), coalesce(m.cc_addresses, []), coalesce(m.bcc_addresses, [])]), lambda a: norm_email(a)
    ))) as recipients,
    list_transform(list_concat(m.to_addresses, m.cc_addresses, m.bcc_addresses), lambda a: norm_email(a)) as addressed,
    m.in_reply_to,
    coalesce(m.reference_ids, []) as reference_ids,
    coalesce(m.is_sent, false) as is_sent,
    m.mail_class,
    coalesce(m.is_sequence, false) as is_sequence,
    coalesce(m.failed_recipients, []) as failed_recipients,
    m.bounce_status
from staging.stg_mail_message as m
left join core.map_identity as i
    on m.source_id = i.source_id and m.workspace_id = i.workspace_id and i.id_space = 'user' and m.mailbox = i.source_user_id
where not m.is_deleted and not coalesce(m.is_draft, false) and not coalesce(m.is_trash, false) and m.sent_at is not null
