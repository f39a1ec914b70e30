-- staging.stg_tool_action: use of tools that a folder of files tells of.
-- grain: source_id, workspace_id, record_id
-- scope: record_id
-- on raw.files_tool_action_latest: record_id
-- n_actions: how many rows of the file were alike
with told as (
    select
        *,
        lower(coalesce(payload ->> '$.evidence', 'action')) as evidence,
        lower(coalesce(payload ->> '$.succeeded', 'true')) as succeeded_text,
        read_instant(payload ->> '$.at') as done_at
    from raw.files_tool_action_latest
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    norm_email(payload ->> '$.rep') as user_id,
    norm_email(payload ->> '$.rep') as email,
    lower(trim(payload ->> '$.tool')) as app_id,
    payload ->> '$.tool' as app_name,
    coalesce(payload ->> '$.action', '') as action,
    evidence,
    done_at,
    null::date as done_on,
    try_cast(payload ->> '$.count' as bigint) as n_actions,
    succeeded_text in ('true', '1', 'yes') as succeeded,
    case when not is_deleted then stood_at(payload) end || coalesce(
        case when not contains(coalesce(payload ->> '$.rep', ''), '@') then 'rep is no address: ' || coalesce(payload ->> '$.rep', 'empty') end,
        case when payload ->> '$.tool' is null then 'tool is empty' end,
        case when done_at is null then 'at is no time: ' || coalesce(payload ->> '$.at', 'empty') end,
        case when evidence not in ('action', 'login') then 'evidence is not action or login: ' || evidence end,
        case when succeeded_text not in ('true', '1', 'yes', 'false', '0', 'no') then 'succeeded is not true or false: ' || succeeded_text end
    ) as unreadable_reason
from told
