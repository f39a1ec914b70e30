-- core.crm_email: mails as the CRM has them logged. Scheduled, failed and forwarded ones are no mails that were sent.
-- grain: crm_email_key
-- order: occurred_at
-- scope: email_id
-- on staging.stg_crm_email: email_id
-- on core.map_identity: select e.email_id from staging.stg_crm_email as e inner join changed as i on e.owner_user_id = i.source_user_id
-- on core.map_identity: select e.email_id from staging.stg_crm_email as e inner join changed as i on e.created_by_user_id = i.source_user_id
-- recipients: To, Cc and Bcc, distinct and sorted, lower case; addressed: the same in the order of the mail
select
    e.source_id || ':' || e.workspace_id || ':' || e.email_id as crm_email_key,
    e.source_id,
    e.workspace_id,
    e.email_id,
    coalesce(o.rep_id, b.rep_id, -1) as rep_id,
    e.direction,
    e.occurred_at,
    e.logged_at,
    lower(e.status) as status,
    e.message_id,
    coalesce(norm_email(e.from_address), case when e.direction = 'outbound' then o.email end) as from_address,
    list_sort(list_distinct(list_transform(
        flatten([coalesce(e.to_addresses, []), coalesce(e.cc_addresses, []), coalesce(e.bcc_addresses, [])]), lambda a: norm_email(a)
    ))) as recipients,
    list_transform(list_concat(e.to_addresses, e.cc_addresses, e.bcc_addresses), lambda a: norm_email(a)) as addressed,
    e.thread_key,
    coalesce(e.is_sequence, false) as is_sequence
from staging.stg_crm_email as e
left join core.map_identity as o
    on e.source_id = o.source_id and e.workspace_id = o.workspace_id and o.id_space = 'user' and e.owner_user_id = o.source_user_id
left join core.map_identity as b
    on e.source_id = b.source_id and e.workspace_id = b.workspace_id and b.id_space = 'login' and e.created_by_user_id = b.source_user_id
where
    not e.is_deleted and e.occurred_at is not null
    and e.direction in ('outbound', 'inbound')
    and (e.direction = 'inbound' or coalesce(lower(e.status), 'sent') in ('sent', 'bounced'))
