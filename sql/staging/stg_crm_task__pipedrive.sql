-- staging.stg_crm_task: activities that are neither calls nor meetings. The due date is no activity; but of a task that is done and has no time of completion it
--   says the day, which is never shifted (METRICS 0.1). Who completed it is not told: its owner.
-- grain: source_id, workspace_id, task_id
-- scope: record_id
-- on raw.pipedrive_crm_activity_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as task_id,
    nullif(payload ->> '$.owner_id', '') as owner_user_id,
    nullif(payload ->> '$.creator_user_id', '') as created_by_user_id,
    by_user(nullif(payload ->> '$.creator_user_id', '')) as created_via,
    lower(payload ->> '$.type') as type,
    case when payload ->> '$.done' = 'true' then 'completed' else 'not_started' end as status,
    due_instant(payload) as due_at,
    read_instant(payload ->> '$.add_time') as created_at,
    case
        when payload ->> '$.done' = 'true'
            then coalesce(read_instant(payload ->> '$.marked_as_done_time'), anywhere_on(try_cast(nullif(payload ->> '$.due_date', '') as date)))
    end as completed_at,
    nullif(payload ->> '$.owner_id', '') as completed_by_user_id,
    unreadable('marked_as_done_time', payload ->> '$.marked_as_done_time', read_instant(payload ->> '$.marked_as_done_time')) as unreadable_reason
from raw.pipedrive_crm_activity_latest
where
    not listed('pipedrive.call_types', payload ->> '$.type') and not listed('pipedrive.inbound_call_types', payload ->> '$.type')
    and not listed('pipedrive.meeting_types', payload ->> '$.type') and not listed('pipedrive.no_show_types', payload ->> '$.type')
    and not listed('pipedrive.cancelled_types', payload ->> '$.type')
