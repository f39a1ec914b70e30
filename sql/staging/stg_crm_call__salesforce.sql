-- staging.stg_crm_call: calls as logged in Salesforce: closed tasks that are calls; an open one is a call to come. When it was: what call_time_field says, else
--   the time of completion, else the task's date, never shifted (METRICS 0.1).
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
        anywhere_on(try_cast(nullif(payload ->> '$.ActivityDate', '') as date))
    ) as occurred_at,
    read_instant(payload ->> '$.CreatedDate') as logged_at,
    case lower(payload ->> '$.CallType') when 'inbound' then 'inbound' when 'internal' then 'internal' else 'outbound' end as direction,
    try_cast(nullif(payload ->> '$.CallDurationInSeconds', '') as double) as duration_s,
    nullif(payload ->> '$.CallDisposition', '') as disposition_label,
    'COMPLETED' as status,
    digits(own_field(payload, 'salesforce.call_number_field')) as counterpart_number,
    coalesce(nullif(own_field(payload, 'salesforce.call_id_field'), ''), nullif(payload ->> '$.CallObject', '')) as external_call_id,
    coalesce(
        unreadable(
            'call_time_field', own_field(payload, 'salesforce.call_time_field'), read_instant(own_field(payload, 'salesforce.call_time_field'))
        ),
        unreadable('CallDurationInSeconds', payload ->> '$.CallDurationInSeconds', try_cast(payload ->> '$.CallDurationInSeconds' as double)),
        case
            when coalesce(nullif(own_field(payload, 'salesforce.call_time_field'), ''), payload ->> '$.CompletedDateTime', payload ->> '$.ActivityDate') is null
                then 'neither CompletedDateTime nor ActivityDate says when: missing'
        end
    ) as unreadable_reason
from raw.salesforce_crm_call_latest
where payload ->> '$.IsClosed' = 'true'
