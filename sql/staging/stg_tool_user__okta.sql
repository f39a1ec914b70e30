-- staging.stg_tool_user: people who sign in through Okta. Whoever was deactivated leaves Okta's list and keeps the last known addresses.
-- grain: source_id, workspace_id, user_id
-- scope: record_id
-- on raw.okta_tool_user_latest: record_id
-- login: by which they sign in, mostly an address
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as user_id,
    norm_email(payload ->> '$.profile.email') as email,
    norm_email(payload ->> '$.profile.login') as login,
    null::varchar as unreadable_reason
from raw.okta_tool_user_latest
