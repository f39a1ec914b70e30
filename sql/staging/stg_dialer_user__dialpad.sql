-- staging.stg_dialer_user: Dialpad users, also those that were suspended or deleted. email: the first one, which is the primary.
-- grain: source_id, workspace_id, user_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as user_id,
    norm_email(payload ->> '$.emails[0]') as email,
    coalesce(
        nullif(trim(payload ->> '$.display_name'), ''),
        nullif(trim(concat_ws(' ', payload ->> '$.first_name', payload ->> '$.last_name')), '')
    ) as full_name,
    list_sort(list_distinct(list_filter(
        list_transform(coalesce(payload ->> '$.phone_numbers[*]', []), lambda n: digits(n)),
        lambda n: n is not null
    ))) as numbers,
    null::varchar as unreadable_reason
from raw.dialpad_dialer_user_latest
