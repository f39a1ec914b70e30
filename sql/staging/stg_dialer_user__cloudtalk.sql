-- staging.stg_dialer_user: CloudTalk agents. An agent that left the list keeps the last known name.
-- grain: source_id, workspace_id, user_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as user_id,
    norm_email(payload ->> '$.Agent.email') as email,
    coalesce(
        nullif(trim(payload ->> '$.Agent.fullname'), ''),
        nullif(trim(concat_ws(' ', payload ->> '$.Agent.firstname', payload ->> '$.Agent.lastname')), '')
    ) as full_name,
    list_sort(list_distinct(list_filter(
        list_transform(
            list_append(coalesce(payload ->> '$.Agent.associated_numbers[*]', []), payload ->> '$.Agent.default_number'),
            lambda n: digits(n)
        ),
        lambda n: n is not null
    ))) as numbers,
    null::varchar as unreadable_reason
from raw.cloudtalk_dialer_user_latest
