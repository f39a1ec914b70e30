-- staging.stg_dialer_user: Aircall users. A user that left the list keeps the last known name.
-- grain: source_id, workspace_id, user_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as user_id,
    norm_email(payload ->> '$.email') as email,
    nullif(trim(payload ->> '$.name'), '') as full_name,
    []::varchar[] as numbers,
    null::varchar as unreadable_reason
from raw.aircall_dialer_user_latest
