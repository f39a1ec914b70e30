-- staging.stg_crm_login: sign-ins, successful or not.
-- grain: source_id, workspace_id, record_id
-- scope: record_id
-- on raw.hubspot_crm_login_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    payload ->> '$.userId' as login_user_id,
    norm_email(payload ->> '$.email') as email,
    read_instant(payload ->> '$.loginAt') as logged_in_at,
    coalesce(payload ->> '$.loginSucceeded' = 'true', false) as succeeded,
    unreadable('loginAt', payload ->> '$.loginAt', read_instant(payload ->> '$.loginAt')) as unreadable_reason
from raw.hubspot_crm_login_latest
