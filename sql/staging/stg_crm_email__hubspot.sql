-- staging.stg_crm_email: mails as logged in HubSpot, or sent by its sequences. Addresses from hs_email_headers, else from the address properties.
-- grain: source_id, workspace_id, email_id
-- order: occurred_at
-- scope: record_id
-- on raw.hubspot_crm_email_latest: record_id
with mails as (
    select
        *,
        case
            when json_valid(payload ->> '$.properties.hs_email_headers') then (payload ->> '$.properties.hs_email_headers')::json
        end as headers
    from raw.hubspot_crm_email_latest
),

addressed as (
    select
        *,
        addresses_in(coalesce(headers ->> '$.from.email', payload ->> '$.properties.hs_email_from_email')) as from_addresses,
        addresses_in(coalesce(array_to_string(json_extract_string(headers, '$.to[*].email'), ','), payload ->> '$.properties.hs_email_to_email')) as to_addresses,
        addresses_in(coalesce(array_to_string(json_extract_string(headers, '$.cc[*].email'), ','), payload ->> '$.properties.hs_email_cc_email')) as cc_addresses,
        addresses_in(coalesce(array_to_string(json_extract_string(headers, '$.bcc[*].email'), ','), payload ->> '$.properties.hs_email_bcc_email')) as bcc_addresses
    from mails
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as email_id,
    nullif(payload ->> '$.properties.hubspot_owner_id', '') as owner_user_id,
    nullif(payload ->> '$.properties.hs_created_by_user_id', '') as created_by_user_id,
    came_by(payload ->> '$.properties.hs_object_source') as created_via,
    read_instant(payload ->> '$.properties.hs_timestamp') as occurred_at,
    coalesce(read_instant(payload ->> '$.properties.hs_createdate'), read_instant(payload ->> '$.createdAt')) as logged_at,
    case upper(payload ->> '$.properties.hs_email_direction')
        when 'INCOMING_EMAIL' then 'inbound' when 'FORWARDED_EMAIL' then 'forwarded' else 'outbound'
    end as direction,
    lower(payload ->> '$.properties.hs_email_status') as status,
    norm_message_id(payload ->> '$.properties.hs_email_message_id') as message_id,
    from_addresses[1] as from_address,
    to_addresses,
    cc_addresses,
    bcc_addresses,
    nullif(payload ->> '$.properties.hs_email_thread_id', '') as thread_key,
    nullif(payload ->> '$.properties.hs_sequence_id', '') is not null as is_sequence,
    coalesce(
        unreadable('hs_timestamp', payload ->> '$.properties.hs_timestamp', read_instant(payload ->> '$.properties.hs_timestamp'))
    ) as unreadable_reason
from addressed
