-- staging.stg_crm_email: mails as logged in Salesforce (Enhanced Email). Whose they are, the task beside each says; a step of a cadence is a sequence.
-- grain: source_id, workspace_id, email_id
-- order: occurred_at
-- scope: record_id
-- on raw.salesforce_crm_email_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as email_id,
    coalesce(nullif(related(payload, 'Activity', 'OwnerId'), ''), payload ->> '$.CreatedById') as owner_user_id,
    payload ->> '$.CreatedById' as created_by_user_id,
    person_or_machine(related(payload, 'CreatedBy', 'Username')) as created_via,
    read_instant(payload ->> '$.MessageDate') as occurred_at,
    read_instant(payload ->> '$.CreatedDate') as logged_at,
    case when coalesce(payload ->> '$.Incoming' = 'true', false) then 'inbound' else 'outbound' end as direction,
    case when payload ->> '$.Status' = '5' then 'draft' when payload ->> '$.IsBounced' = 'true' then 'bounced' else 'sent' end as status,
    norm_message_id(payload ->> '$.MessageIdentifier') as message_id,
    addresses_in(payload ->> '$.FromAddress')[1] as from_address,
    addresses_in(payload ->> '$.ToAddress') as to_addresses,
    addresses_in(payload ->> '$.CcAddress') as cc_addresses,
    addresses_in(payload ->> '$.BccAddress') as bcc_addresses,
    nullif(payload ->> '$.ThreadIdentifier', '') as thread_key,
    nullif(payload ->> '$.ActionCadenceStepTrackerId', '') is not null as is_sequence,
    unreadable('MessageDate', payload ->> '$.MessageDate', read_instant(payload ->> '$.MessageDate')) as unreadable_reason
from raw.salesforce_crm_email_latest
