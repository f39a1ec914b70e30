-- staging.stg_crm_team: roles of the company and the role above each.
-- grain: source_id, workspace_id, team_key
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as team_key,
    payload ->> '$.name' as name,
    nullif(payload ->> '$.parent_role_id', '') as parent_team_key,
    null::varchar as unreadable_reason
from raw.pipedrive_crm_team_latest
