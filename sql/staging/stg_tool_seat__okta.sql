-- staging.stg_tool_seat: apps assigned to people in Okta: the assignments that stand, and those that ended, by the System Log or because they left the
--   list. Of one that the log tells to have ended without having told its beginning, the beginning is NULL: before all that is known.
-- grain: source_id, workspace_id, record_id
with events as (
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at as extracted_at,
        payload ->> '$.eventType' = 'application.user_membership.add' as is_added,
        read_instant(payload ->> '$.published') as at_instant,
        from_json(payload -> '$.target', '[{"id": "VARCHAR", "type": "VARCHAR", "displayName": "VARCHAR", "alternateId": "VARCHAR"}]') as targets
    from raw.okta_tool_action_latest
    where
        payload ->> '$.eventType' in ('application.user_membership.add', 'application.user_membership.remove')
        and coalesce(payload ->> '$.outcome.result', 'SUCCESS') not in ('FAILURE', 'DENY')
),

memberships as (
    select
        * exclude (targets),
        list_filter(targets, lambda t: t."type" = 'AppInstance')[1] as app,
        list_filter(targets, lambda t: t."type" = 'User')[1] as person
    from events
),

ended as (
    select
        *,
        lag(is_added) over one as was_added,
        lag(at_instant) over one as added_at
    from memberships
    where app."id" is not null and person."id" is not null and at_instant is not null
    window one as (partition by source_id, workspace_id, app."id", person."id" order by at_instant, is_added, record_id)
),

-- Whoever has a seat anew stands in the list since then only: earlier versions tell since when before.
given as (
    select distinct
        source_id,
        workspace_id,
        payload ->> '$.app' as app_id,
        payload ->> '$.user.id' as user_id,
        read_instant(payload ->> '$.user.created') as assigned_at
    from raw.okta_tool_app_user
),

standing as (
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at as extracted_at,
        is_deleted,
        payload ->> '$.app' as app_id,
        payload ->> '$.label' as app_name,
        payload ->> '$.user.id' as user_id,
        norm_email(coalesce(payload ->> '$.user.profile.email', payload ->> '$.user.credentials.userName')) as email,
        read_instant(payload ->> '$.user.created') as assigned_at,
        payload ->> '$.user.created' as created_text
    from raw.okta_tool_app_user_latest
)

select
    s.source_id,
    s.workspace_id,
    s.record_id,
    s.source_updated_at,
    s.extracted_at,
    false as is_deleted,
    s.user_id,
    s.email,
    s.app_id,
    s.app_name,
    s.assigned_at,
    case
        when s.is_deleted then coalesce((
            select min(e.at_instant) from ended as e
            where
                s.source_id = e.source_id and s.workspace_id = e.workspace_id and s.app_id = e.app."id" and s.user_id = e.person."id"
                and not e.is_added and e.at_instant >= s.assigned_at
        ), s.extracted_at)
    end as ended_at,
    unreadable('created', s.created_text, s.assigned_at) as unreadable_reason
from standing as s
union all by name
select
    e.source_id,
    e.workspace_id,
    e.record_id,
    e.source_updated_at,
    e.extracted_at,
    false as is_deleted,
    e.person."id" as user_id,
    norm_email(e.person."alternateId") as email,
    e.app."id" as app_id,
    e.app."displayName" as app_name,
    coalesce(e.added_at, (
        select max(g.assigned_at) from given as g
        where
            g.source_id = e.source_id and g.workspace_id = e.workspace_id and g.app_id = e.app."id" and g.user_id = e.person."id"
            and g.assigned_at <= e.at_instant
    )) as assigned_at,
    e.at_instant as ended_at,
    null as unreadable_reason
from ended as e
where not e.is_added and coalesce(e.was_added, true)  -- what is taken away twice has ended the first time
