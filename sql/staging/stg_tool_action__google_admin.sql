-- staging.stg_tool_action: sign-ins through Google: to a tool (saml), a tool let in to the account (token), to Google itself (login, app "google").
-- grain: source_id, workspace_id, record_id
-- scope: record_id
-- on raw.google_admin_tool_action_latest: record_id
with events as (
    select
        *,
        from_json(payload -> '$.events', '[{"name": "VARCHAR", "parameters": [{"name": "VARCHAR", "value": "VARCHAR"}]}]') as told
    from raw.google_admin_tool_action_latest
),

-- An activity may have other events beside the one that was asked for.
asked as (
    select
        *,
        payload ->> '$.id.applicationName' as application,
        coalesce(list_filter(told, lambda e: e."name" in ('login_success', 'authorize'))[1], told[1]) as event
    from events
),

named as (
    select
        *,
        event."name" as event_name,
        case application
            when 'saml' then header(event.parameters, 'application_name')
            when 'token' then header(event.parameters, 'client_id')
            else 'google'
        end as app_id,
        case application when 'saml' then header(event.parameters, 'application_name') when 'token' then header(event.parameters, 'app_name') else 'Google' end as app_name
    from asked
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    coalesce(payload ->> '$.actor.profileId', norm_email(payload ->> '$.actor.email')) as user_id,
    norm_email(payload ->> '$.actor.email') as email,
    app_id,
    app_name,
    application || '.' || event_name as action,
    'login' as evidence,
    read_instant(payload ->> '$.id.time') as done_at,
    null::date as done_on,
    1::bigint as n_actions,
    event_name in ('login_success', 'authorize') as succeeded,
    coalesce(
        unreadable('id.time', payload ->> '$.id.time', read_instant(payload ->> '$.id.time')),
        case when event_name is null then 'no event' end,
        case when app_id is null then 'which tool was signed in to is not told' end
    ) as unreadable_reason
from named
