-- staging.stg_crm_user: CRM users; their role is their team. Owners and creators share one id space. Users of machines are nobody.
-- grain: source_id, workspace_id, user_id
select
    u.source_id,
    u.workspace_id,
    u.record_id,
    u.source_updated_at,
    u._extracted_at as extracted_at,
    u.is_deleted,
    u.record_id as user_id,
    u.record_id as login_user_id,
    norm_email(u.payload ->> '$.email') as email,
    nullif(trim(u.payload ->> '$.name'), '') as full_name,
    case when listed('pipedrive.integration_users', u.record_id) then 'queue' else 'person' end as kind,
    coalesce(u.payload ->> '$.active_flag' in ('true', '1'), false) as is_active,
    nullif(u.payload ->> '$.role_id', '') as team_key,
    nullif(t.payload ->> '$.name', '') as team_name,
    (select tz.name from pg_timezone_names() as tz where tz.name = u.payload ->> '$.timezone_name') as timezone,
    read_instant(u.payload ->> '$.created') as created_at,
    u.source_updated_at as updated_at,
    null::varchar as unreadable_reason
from raw.pipedrive_crm_user_latest as u
left join raw.pipedrive_crm_team_latest as t
    on u.source_id = t.source_id and u.workspace_id = t.workspace_id and u.payload ->> '$.role_id' = t.record_id
