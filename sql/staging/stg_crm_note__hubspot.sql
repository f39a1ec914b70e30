-- staging.stg_crm_note: notes, without what they say.
-- grain: source_id, workspace_id, note_id
-- scope: record_id
-- on raw.hubspot_crm_note_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as note_id,
    nullif(payload ->> '$.properties.hubspot_owner_id', '') as owner_user_id,
    nullif(payload ->> '$.properties.hs_created_by_user_id', '') as created_by_user_id,
    came_by(payload ->> '$.properties.hs_object_source') as created_via,
    read_instant(payload ->> '$.properties.hs_timestamp') as occurred_at,
    coalesce(read_instant(payload ->> '$.properties.hs_createdate'), read_instant(payload ->> '$.createdAt')) as logged_at,
    coalesce(
        unreadable('hs_timestamp', payload ->> '$.properties.hs_timestamp', read_instant(payload ->> '$.properties.hs_timestamp'))
    ) as unreadable_reason
from raw.hubspot_crm_note_latest
