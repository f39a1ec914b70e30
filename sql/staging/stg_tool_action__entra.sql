-- staging.stg_tool_action: sign-ins to tools through Entra; errorCode 0 is a success.
-- grain: source_id, workspace_id, record_id
-- scope: record_id
-- on raw.entra_tool_action_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    payload ->> '$.userId' as user_id,
    norm_email(payload ->> '$.userPrincipalName') as email,
    payload ->> '$.appId' as app_id,
    payload ->> '$.appDisplayName' as app_name,
    'signIn' as action,
    'login' as evidence,
    read_instant(payload ->> '$.createdDateTime') as done_at,
    null::date as done_on,
    1::bigint as n_actions,
    coalesce(try_cast(payload ->> '$.status.errorCode' as integer) = 0, false) as succeeded,
    coalesce(
        unreadable('createdDateTime', coalesce(payload ->> '$.createdDateTime', '(none)'), read_instant(payload ->> '$.createdDateTime')),
        case when payload ->> '$.userId' is null then 'no userId: who signed in is not told' end,
        case when payload ->> '$.status.errorCode' is null then 'no status.errorCode: whether the sign-in succeeded is not told' end
    ) as unreadable_reason
from raw.entra_tool_action_latest
