-- staging.stg_seq_user: users of Outreach. Whoever is locked keeps the last known address.
-- grain: source_id, workspace_id, user_id
-- scope: record_id
-- on raw.outreach_seq_user_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as user_id,
    norm_email(payload ->> '$.attributes.email') as email,
    payload ->> '$.attributes.name' as full_name,
    not coalesce((payload ->> '$.attributes.locked')::boolean, false) as is_active,
    read_instant(payload ->> '$.attributes.createdAt') as created_at,
    null::varchar as unreadable_reason
from raw.outreach_seq_user_latest
