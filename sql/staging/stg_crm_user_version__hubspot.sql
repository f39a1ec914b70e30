-- staging.stg_crm_user_version: every version of a CRM user that was seen, for the history of teams.
-- grain: source_id, workspace_id, user_id, seen_from
with versions as (
    select
        *,
        list_filter(
            from_json(coalesce(payload -> '$.teams', '[]'), '[{"id": "VARCHAR", "name": "VARCHAR", "primary": "BOOLEAN"}]'),
            lambda t: coalesce(t."primary", false)
        )[1] as team
    from raw.hubspot_crm_user
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as user_id,
    norm_email(payload ->> '$.email') as email,
    nullif(trim(concat_ws(' ', payload ->> '$.firstName', payload ->> '$.lastName')), '') as full_name,
    team.id as team_key,
    team.name as team_name,
    null::varchar as manager_user_id,
    coalesce(payload ->> '$.archived', 'false') <> 'true' as is_active,
    coalesce(source_updated_at, _extracted_at) as seen_from,
    null::varchar as unreadable_reason
from versions
