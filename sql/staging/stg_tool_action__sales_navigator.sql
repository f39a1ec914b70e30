-- staging.stg_tool_action: what was done in LinkedIn Sales Navigator, as its usage export tells: an action, or how often one was done on a day.
-- grain: source_id, workspace_id, record_id
-- scope: record_id
-- on raw.sales_navigator_tool_action_latest: record_id
-- done_on: a calendar date of the export, where it tells no time
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    norm_email(payload ->> '$.email') as user_id,
    norm_email(payload ->> '$.email') as email,
    'sales_navigator' as app_id,
    'LinkedIn Sales Navigator' as app_name,
    payload ->> '$.action' as action,
    'action' as evidence,
    read_instant(payload ->> '$.at') as done_at,
    case when payload ->> '$.at' is null then try_cast(payload ->> '$.day' as date) end as done_on,
    try_cast(payload ->> '$.count' as bigint) as n_actions,
    true as succeeded,
    unreadable('day', payload ->> '$.day', try_cast(payload ->> '$.day' as date)) as unreadable_reason
from raw.sales_navigator_tool_action_latest
