-- staging.stg_crm_task: tasks. hs_timestamp is the due date, never activity (METRICS 0.1).
-- grain: source_id, workspace_id, task_id
-- scope: record_id
-- on raw.hubspot_crm_task_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as task_id,
    nullif(payload ->> '$.properties.hubspot_owner_id', '') as owner_user_id,
    nullif(payload ->> '$.properties.hs_created_by_user_id', '') as created_by_user_id,
    came_by(payload ->> '$.properties.hs_object_source') as created_via,
    lower(payload ->> '$.properties.hs_task_type') as type,
    lower(payload ->> '$.properties.hs_task_status') as status,
    read_instant(payload ->> '$.properties.hs_timestamp') as due_at,
    coalesce(read_instant(payload ->> '$.properties.hs_createdate'), read_instant(payload ->> '$.createdAt')) as created_at,
    read_instant(payload ->> '$.properties.hs_task_completion_date') as completed_at,
    nullif(payload ->> '$.properties.hs_updated_by_user_id', '') as completed_by_user_id,
    coalesce(
        unreadable('hs_timestamp', payload ->> '$.properties.hs_timestamp', read_instant(payload ->> '$.properties.hs_timestamp')),
        unreadable('hs_task_completion_date', payload ->> '$.properties.hs_task_completion_date', read_instant(payload ->> '$.properties.hs_task_completion_date'))
    ) as unreadable_reason
from raw.hubspot_crm_task_latest
