-- core.seq_email: mails as a sequencer has sent them, with the rep.
-- grain: seq_email_key
-- order: sent_at
-- scope: send_id
-- on staging.stg_seq_send: send_id
-- on core.map_identity: select e.send_id from staging.stg_seq_send as e inner join changed as i on e.user_id = i.source_user_id
-- recipients: To, Cc and Bcc, distinct and sorted, lower case; addressed: the same in the order of the mail
-- first_address: the prospect's, of whom the sequencer says that the mail bounced or was answered
select
    e.source_id || ':' || e.workspace_id || ':' || e.send_id as seq_email_key,
    e.source_id,
    e.workspace_id,
    e.send_id,
    coalesce(i.rep_id, -1) as rep_id,
    e.sent_at,
    e.message_id,
    e.reference_ids,
    coalesce(e.from_address, i.email) as from_address,
    list_sort(list_distinct(list_filter(list_concat(e.to_addresses, e.cc_addresses, e.bcc_addresses), lambda a: a is not null))) as recipients,
    list_filter(list_concat(e.to_addresses, e.cc_addresses, e.bcc_addresses), lambda a: a is not null) as addressed,
    coalesce(e.to_addresses[1], e.cc_addresses[1], e.bcc_addresses[1]) as first_address,
    e.send_kind,
    e.bounced_at is not null as is_bounced,
    e.replied_at
from staging.stg_seq_send as e
left join core.map_identity as i
    on e.source_id = i.source_id and e.workspace_id = i.workspace_id and i.id_space = 'user' and e.user_id = i.source_user_id
where not e.is_deleted and e.sent_at is not null
