-- staging.stg_crm_user: CRM users. An owner that was deactivated keeps its last known name; its zone comes from the users object.
-- grain: source_id, workspace_id, user_id
with named as (
    select
        source_id,
        workspace_id,
        record_id,
        arg_max(
            trim(concat_ws(' ', payload ->> '$.firstName', payload ->> '$.lastName')), (source_updated_at, _extracted_at, _seq)
        ) filter (
            where trim(concat_ws(' ', payload ->> '$.firstName', payload ->> '$.lastName')) <> ''
        ) as full_name
    from raw.hubspot_crm_user
    group by all
),

zones as (
    select
        source_id,
        workspace_id,
        payload ->> '$.properties.hs_internal_user_id' as login_user_id,
        any_value(nullif(payload ->> '$.properties.hs_standard_time_zone', '') order by record_id) as timezone
    from raw.hubspot_crm_user_profile_latest
    group by all
),

users as (
    select
        u.*,
        coalesce(u.payload ->> '$.userIdIncludingInactive', u.payload ->> '$.userId') as login_user_id,
        list_filter(
            from_json(coalesce(u.payload -> '$.teams', '[]'), '[{"id": "VARCHAR", "name": "VARCHAR", "primary": "BOOLEAN"}]'),
            lambda t: coalesce(t."primary", false)
        )[1] as team
    from raw.hubspot_crm_user_latest as u
)

select
    u.source_id,
    u.workspace_id,
    u.record_id,
    u.source_updated_at,
    u._extracted_at as extracted_at,
    u.is_deleted,
    u.record_id as user_id,
    u.login_user_id,
    norm_email(u.payload ->> '$.email') as email,
    n.full_name,
    lower(coalesce(u.payload ->> '$.type', 'person')) as kind,
    coalesce(u.payload ->> '$.archived', 'false') <> 'true' as is_active,
    u.team.id as team_key,
    u.team.name as team_name,
    (select tz.name from pg_timezone_names() as tz where tz.name = replace(z.timezone, ' ', '_')) as timezone,
    read_instant(u.payload ->> '$.createdAt') as created_at,
    u.source_updated_at as updated_at,
    null::varchar as unreadable_reason
from users as u
left join named as n on u.source_id = n.source_id and u.workspace_id = n.workspace_id and u.record_id = n.record_id
left join zones as z on u.source_id = z.source_id and u.workspace_id = z.workspace_id and u.login_user_id = z.login_user_id
