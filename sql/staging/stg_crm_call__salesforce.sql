-- staging.stg_crm_call: calls as logged in Salesforce: tasks that are calls. Without a field that says when (call_time_field), the time of completion.
-- grain: source_id, workspace_id, call_id
-- order: occurred_at
-- scope: record_id
-- on raw.salesforce_crm_call_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as call_id,
    nullif(payload ->> '$.OwnerId', '') as owner_user_id,
    payload ->> '$.CreatedById' as created_by_user_id,
    person_or_machine(related(payload, 'CreatedBy', 'Username')) as created_via,
    coalesce(
        read_instant(own_field(payload, 'salesforce.call_time_field')), read_instant(payload ->> '$.CompletedDateTime'),
        read_instant(payload ->> '$.CreatedDate')
    ) as occurred_at,
    read_instant(payload ->> '$.CreatedDate') as logged_at,
    case lower(payload ->> '$.CallType') when 'inbound' then 'inbound' when 'internal' then 'internal' else 'outbound' end as direction,
    try_cast(nullif(payload ->> '$.CallDurationInSeconds', '') as double) as duration_s,
    nullif(payload ->> '$.CallDisposition', '') as disposition_label,
    case when coalesce(payload ->> '$.IsClosed' = 'true', false) then 'COMPLETED' else upper(payload ->> '$.Status') end as status,
    digits(own_field(payload, 'salesforce.call_number_field')) as counterpart_number,
    nullif(payload ->> '$.CallObject', '') as external_call_id,
    coalesce(
        unreadable(
            'call_time_field', own_field(payload, 'salesforce.call_time_field'), read_instant(own_field(payload, 'salesforce.call_time_field'))
        ),
        unreadable('CallDurationInSeconds', payload ->> '$.CallDurationInSeconds', try_cast(payload ->> '$.CallDurationInSeconds' as double))
    ) as unreadable_reason
from raw.salesforce_crm_call_latest
