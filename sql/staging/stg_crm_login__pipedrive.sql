-- staging.stg_crm_login: the last sign-in of a user, once for each version of the user that was read; those between two readings are not told.
-- grain: source_id, workspace_id, record_id
select
    source_id,
    workspace_id,
    record_id || '/' || (payload ->> '$.last_login') as record_id,
    any_value(source_updated_at order by _seq) as source_updated_at,
    any_value(_extracted_at order by _seq) as extracted_at,
    false as is_deleted,
    record_id as login_user_id,
    null::varchar as email,
    read_instant(payload ->> '$.last_login') as logged_in_at,
    true as succeeded,
    unreadable('last_login', payload ->> '$.last_login', read_instant(payload ->> '$.last_login')) as unreadable_reason
from raw.pipedrive_crm_user as u
where nullif(payload ->> '$.last_login', '') is not null
group by source_id, workspace_id, u.record_id, payload ->> '$.last_login'
