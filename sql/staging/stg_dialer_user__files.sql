-- staging.stg_dialer_user: who has an account in the dialer that a folder of files tells of, where it lists them.
-- grain: source_id, workspace_id, user_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    norm_email(payload ->> '$.email') as user_id,
    norm_email(payload ->> '$.email') as email,
    nullif(trim(payload ->> '$.name'), '') as full_name,
    list_filter(list_transform(string_split(coalesce(payload ->> '$.phones', ''), ';'), lambda n: digits(n)), lambda n: n is not null) as numbers,
    case when not contains(payload ->> '$.email', '@') then stood_at(payload) || 'email is no address: ' || (payload ->> '$.email') end as unreadable_reason
from raw.files_dialer_user_latest
