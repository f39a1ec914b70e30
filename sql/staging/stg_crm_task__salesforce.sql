-- staging.stg_crm_task: tasks that are neither calls nor mails. ActivityDate is the due date and no activity; but of a closed task without a time of
--   completion it says the day, which is never shifted (METRICS 0.1).
-- grain: source_id, workspace_id, task_id
-- scope: record_id
-- on raw.salesforce_crm_task_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as task_id,
    nullif(payload ->> '$.OwnerId', '') as owner_user_id,
    payload ->> '$.CreatedById' as created_by_user_id,
    person_or_machine(related(payload, 'CreatedBy', 'Username')) as created_via,
    lower(coalesce(nullif(payload ->> '$.Type', ''), payload ->> '$.TaskSubtype')) as type,
    case when coalesce(payload ->> '$.IsClosed' = 'true', false) then 'completed' else lower(payload ->> '$.Status') end as status,
    null::timestamptz as due_at,
    read_instant(payload ->> '$.CreatedDate') as created_at,
    coalesce(
        read_instant(payload ->> '$.CompletedDateTime'),
        case when payload ->> '$.IsClosed' = 'true' then anywhere_on(try_cast(nullif(payload ->> '$.ActivityDate', '') as date)) end
    ) as completed_at,
    case
        when person_or_machine(related(payload, 'LastModifiedBy', 'Username')) = 'ui' then payload ->> '$.LastModifiedById' else payload ->> '$.OwnerId'
    end as completed_by_user_id,
    unreadable('CompletedDateTime', payload ->> '$.CompletedDateTime', read_instant(payload ->> '$.CompletedDateTime')) as unreadable_reason
from raw.salesforce_crm_task_latest
