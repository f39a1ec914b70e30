-- staging.stg_crm_team: teams of the account and the team above each.
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
    payload ->> '$.parentTeamId' as parent_team_key,
    null::varchar as unreadable_reason
from raw.hubspot_crm_team_latest
