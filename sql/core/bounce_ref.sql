-- core.bounce_ref: what a notice of failed delivery points to: mails by their Message-ID; if it names none, its thread and the addresses that failed.
-- grain: bounce_key, ref_kind, ref
-- ref_kind: mail, thread or address
-- scope: bounce_key
-- on core.mailbox_copy: message_key
-- keep core.mailbox_copy: mail_class = 'bounce' and message_key in (select key from dirty)
with bounces as (
    select
        message_key as bounce_key,
        mailbox,
        thread_node,
        sent_at,
        list_transform(failed_recipients, lambda f: norm_email(f)) as failed_recipients,
        list_filter(list_distinct(list_append(reference_ids, in_reply_to)), lambda n: n is not null) as names
    from core.mailbox_copy
    where mail_class = 'bounce' and not is_sent
),

refs as (
    select bounce_key, mailbox, sent_at, failed_recipients, 'mail' as ref_kind, unnest(names) as ref from bounces
    union all
    select bounce_key, mailbox, sent_at, failed_recipients, 'thread', thread_node from bounces where len(names) = 0
    union all
    select bounce_key, mailbox, sent_at, failed_recipients, 'address', unnest(failed_recipients) from bounces where len(names) = 0
)

select distinct * from refs where ref is not null
