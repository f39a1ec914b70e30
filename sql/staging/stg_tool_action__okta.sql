-- staging.stg_tool_action: sign-ins to tools through Okta (System Log, user.authentication.sso). What Okta says of success is its own part: whether the
--   tool let the person in, it does not know.
-- grain: source_id, workspace_id, record_id
-- scope: record_id
-- on raw.okta_tool_action_latest: record_id
with targets as (
    select
        *,
        list_filter(
            from_json(payload -> '$.target', '[{"id": "VARCHAR", "type": "VARCHAR", "displayName": "VARCHAR", "alternateId": "VARCHAR"}]'),
            lambda t: t."type" = 'AppInstance'
        )[1] as app
    from raw.okta_tool_action_latest
    where payload ->> '$.eventType' = 'user.authentication.sso'
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    payload ->> '$.actor.id' as user_id,
    norm_email(payload ->> '$.actor.alternateId') as email,
    app."id" as app_id,
    coalesce(app."displayName", app."alternateId") as app_name,
    payload ->> '$.eventType' as action,
    'login' as evidence,
    read_instant(payload ->> '$.published') as done_at,
    null::date as done_on,
    1::bigint as n_actions,
    coalesce(payload ->> '$.outcome.result', 'SUCCESS') not in ('FAILURE', 'DENY') as succeeded,
    coalesce(
        unreadable('published', coalesce(payload ->> '$.published', '(none)'), read_instant(payload ->> '$.published')),
        case when app."id" is null then 'no target of type AppInstance: which tool was signed in to is not told' end,
        case when payload ->> '$.actor.id' is null then 'no actor.id: who signed in is not told' end
    ) as unreadable_reason
from targets
