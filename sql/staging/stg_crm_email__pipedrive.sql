-- staging.stg_crm_email: mails that were logged in Pipedrive: sent from it, taken over from a mailbox, or handed over by a copy to its own address. By hand are
--   the first and the last.
-- grain: source_id, workspace_id, email_id
-- order: occurred_at
-- scope: record_id
-- on raw.pipedrive_crm_mail_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as email_id,
    nullif(payload ->> '$.user_id', '') as owner_user_id,
    nullif(payload ->> '$.user_id', '') as created_by_user_id,
    case
        when payload ->> '$.sent_from_pipedrive_flag' in ('1', 'true') or payload ->> '$.smart_bcc_flag' in ('1', 'true')
            then by_user(nullif(payload ->> '$.user_id', ''))
        else 'integration'
    end as created_via,
    read_instant(payload ->> '$.message_time') as occurred_at,
    read_instant(payload ->> '$.add_time') as logged_at,
    case when payload ->> '$.sent_flag' in ('1', 'true') then 'outbound' else 'inbound' end as direction,
    case when payload ->> '$.draft_flag' in ('1', 'true') then 'draft' else 'sent' end as status,
    norm_message_id(payload ->> '$.mua_message_id') as message_id,
    list_filter(list_transform(
        from_json(coalesce(payload -> '$.from', '[]'), '[{"email_address": "VARCHAR"}]'), lambda p: addresses_in(p.email_address)[1]
    ), lambda a: a is not null)[1] as from_address,
    list_filter(list_transform(
        from_json(coalesce(payload -> '$.to', '[]'), '[{"email_address": "VARCHAR"}]'), lambda p: addresses_in(p.email_address)[1]
    ), lambda a: a is not null) as to_addresses,
    list_filter(list_transform(
        from_json(coalesce(payload -> '$.cc', '[]'), '[{"email_address": "VARCHAR"}]'), lambda p: addresses_in(p.email_address)[1]
    ), lambda a: a is not null) as cc_addresses,
    list_filter(list_transform(
        from_json(coalesce(payload -> '$.bcc', '[]'), '[{"email_address": "VARCHAR"}]'), lambda p: addresses_in(p.email_address)[1]
    ), lambda a: a is not null) as bcc_addresses,
    nullif(payload ->> '$.mail_thread_id', '') as thread_key,
    false as is_sequence,
    unreadable('message_time', payload ->> '$.message_time', read_instant(payload ->> '$.message_time')) as unreadable_reason
from raw.pipedrive_crm_mail_latest
