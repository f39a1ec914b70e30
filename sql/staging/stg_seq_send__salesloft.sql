-- staging.stg_seq_send: mails that Salesloft has sent, or that were sent from a mail client beside it and are tracked there.
-- grain: source_id, workspace_id, send_id
-- order: sent_at
-- scope: record_id
-- on raw.salesloft_seq_send_latest: record_id
-- on raw.salesloft_seq_reply_latest: select v.payload ->> '$.static_data.email_id' from raw.salesloft_seq_reply as v inner join changed as c on v.record_id = c.record_id
-- keep raw.salesloft_seq_reply_latest: (payload ->> '$.static_data.email_id') in (select key from dirty)
-- on raw.salesloft_seq_user_latest: select m.record_id from raw.salesloft_seq_send_latest as m inner join changed as c on m.payload ->> '$.user.id' = c.record_id
-- the sender's address is the user's, from which Salesloft sends; of further recipients in To no address is told
-- send_kind: 'sequence' if it belongs to a cadence, else 'one_to_one'
-- bounced_at: that it bounced is told, not when: the time of sending stands for it
-- replied_at: of the first answer to it among the activities
with replies as (
    select
        source_id,
        workspace_id,
        payload ->> '$.static_data.email_id' as send_id,
        min(read_instant(payload ->> '$.occurred_at')) as replied_at
    from raw.salesloft_seq_reply_latest
    where not is_deleted and payload ->> '$.static_data.email_id' is not null
    group by all
),

told as (
    select
        m.source_id,
        m.workspace_id,
        m.record_id,
        m.source_updated_at,
        m._extracted_at as extracted_at,
        m.is_deleted,
        m.payload ->> '$.user.id' as user_id,
        m.payload ->> '$.sent_at' as sent_text,
        nullif(trim(m.payload ->> '$.message_id'), '') as message_id,
        coalesce(norm_email(u.payload ->> '$.sending_email_address'), norm_email(u.payload ->> '$.email')) as from_address,
        norm_email(m.payload ->> '$.recipient_email_address') as recipient,
        addresses_in(case
            when json_type(m.payload, '$.headers.cc') = 'ARRAY' then array_to_string(from_json(m.payload -> '$.headers.cc', '["VARCHAR"]'), ', ')
            else m.payload ->> '$.headers.cc'
        end) as cc_addresses,
        addresses_in(case
            when json_type(m.payload, '$.headers.bcc') = 'ARRAY' then array_to_string(from_json(m.payload -> '$.headers.bcc', '["VARCHAR"]'), ', ')
            else m.payload ->> '$.headers.bcc'
        end) as bcc_addresses,
        coalesce(m.payload ->> '$.cadence.id', m.payload ->> '$.step.id') is not null as is_of_cadence,
        coalesce((m.payload ->> '$.bounced')::boolean, false) as has_bounced,
        r.replied_at
    from raw.salesloft_seq_send_latest as m
    left join raw.salesloft_seq_user_latest as u
        on m.source_id = u.source_id and m.workspace_id = u.workspace_id and m.payload ->> '$.user.id' = u.record_id
    left join replies as r on m.source_id = r.source_id and m.workspace_id = r.workspace_id and m.record_id = r.send_id
    where coalesce(lower(m.payload ->> '$.status'), 'sent') like 'sent%'
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    extracted_at,
    is_deleted,
    record_id as send_id,
    user_id,
    read_instant(sent_text) as sent_at,
    -- An id without a domain is the mail client's own, and no Message-ID.
    case when contains(message_id, '@') then norm_message_id(message_id) end as message_id,
    []::varchar[] as reference_ids,
    from_address,
    list_filter([recipient], lambda a: a is not null) as to_addresses,
    cc_addresses,
    bcc_addresses,
    case when is_of_cadence then 'sequence' else 'one_to_one' end as send_kind,
    case when has_bounced then read_instant(sent_text) end as bounced_at,
    replied_at,
    unreadable('sent_at', coalesce(sent_text, '(none)'), read_instant(sent_text)) as unreadable_reason
from told
