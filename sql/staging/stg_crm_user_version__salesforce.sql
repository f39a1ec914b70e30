-- staging.stg_crm_user_version: every version of a CRM user that was seen, for the history of teams and managers.
-- grain: source_id, workspace_id, user_id, seen_from
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as user_id,
    norm_email(payload ->> '$.Email') as email,
    nullif(trim(payload ->> '$.Name'), '') as full_name,
    nullif(payload ->> '$.UserRoleId', '') as team_key,
    nullif(related(payload, 'UserRole', 'Name'), '') as team_name,
    nullif(payload ->> '$.ManagerId', '') as manager_user_id,
    coalesce(payload ->> '$.IsActive' = 'true', false) as is_active,
    coalesce(source_updated_at, _extracted_at) as seen_from,
    null::varchar as unreadable_reason
from raw.salesforce_crm_user
