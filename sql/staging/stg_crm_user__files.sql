-- staging.stg_crm_user: people whom a folder of files names in meetings and CRM writes, by their addresses. Owners and creators share one id space.
-- grain: source_id, workspace_id, user_id
with named as (
    select
        source_id,
        workspace_id,
        _extracted_at,
        unnest([payload ->> '$.rep', payload ->> '$.host', payload ->> '$.booked_by']) as address
    from raw.files_crm_meeting_latest
    union all
    select source_id, workspace_id, _extracted_at, payload ->> '$.by'
    from raw.files_crm_write_latest
)

select
    source_id,
    workspace_id,
    norm_email(address) as record_id,
    null::timestamptz as source_updated_at,
    min(_extracted_at) as extracted_at,
    false as is_deleted,
    norm_email(address) as user_id,
    norm_email(address) as login_user_id,
    norm_email(address) as email,
    null::varchar as full_name,
    'person' as kind,
    true as is_active,
    null::varchar as team_key,
    null::varchar as team_name,
    null::varchar as timezone,
    null::timestamptz as created_at,
    null::timestamptz as updated_at,
    null::varchar as unreadable_reason
from named
where contains(address, '@')
group by source_id, workspace_id, norm_email(address)
