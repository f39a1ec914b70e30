-- staging.stg_crm_user_version: every version of a CRM user that was seen, for the history of teams. Who manages whom is not told.
-- grain: source_id, workspace_id, user_id, seen_from
select
    u.source_id,
    u.workspace_id,
    u.record_id,
    u.source_updated_at,
    u._extracted_at as extracted_at,
    u.is_deleted,
    u.record_id as user_id,
    norm_email(u.payload ->> '$.email') as email,
    nullif(trim(u.payload ->> '$.name'), '') as full_name,
    nullif(u.payload ->> '$.role_id', '') as team_key,
    nullif(t.payload ->> '$.name', '') as team_name,
    null::varchar as manager_user_id,
    coalesce(u.payload ->> '$.active_flag' in ('true', '1'), false) as is_active,
    coalesce(u.source_updated_at, u._extracted_at) as seen_from,
    null::varchar as unreadable_reason
from raw.pipedrive_crm_user as u
left join raw.pipedrive_crm_team_latest as t
    on u.source_id = t.source_id and u.workspace_id = t.workspace_id and u.payload ->> '$.role_id' = t.record_id
