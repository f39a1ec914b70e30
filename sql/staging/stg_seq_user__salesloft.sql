-- staging.stg_seq_user: users of Salesloft. Whoever was deactivated keeps the last known address.
-- grain: source_id, workspace_id, user_id
-- scope: record_id
-- on raw.salesloft_seq_user_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as user_id,
    norm_email(payload ->> '$.email') as email,
    payload ->> '$.name' as full_name,
    coalesce((payload ->> '$.active')::boolean, true) as is_active,
    read_instant(payload ->> '$.created_at') as created_at,
    null::varchar as unreadable_reason
from raw.salesloft_seq_user_latest
