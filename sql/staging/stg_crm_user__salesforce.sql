-- staging.stg_crm_user: CRM users; their role is their team. Owners and creators share one id space. Users of machines are nobody.
-- grain: source_id, workspace_id, user_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as user_id,
    record_id as login_user_id,
    norm_email(payload ->> '$.Email') as email,
    nullif(trim(payload ->> '$.Name'), '') as full_name,
    case when listed('salesforce.integration_users', payload ->> '$.Username') then 'queue' else 'person' end as kind,
    coalesce(payload ->> '$.IsActive' = 'true', false) as is_active,
    nullif(payload ->> '$.UserRoleId', '') as team_key,
    nullif(related(payload, 'UserRole', 'Name'), '') as team_name,
    (select tz.name from pg_timezone_names() as tz where tz.name = payload ->> '$.TimeZoneSidKey') as timezone,
    read_instant(payload ->> '$.CreatedDate') as created_at,
    source_updated_at as updated_at,
    null::varchar as unreadable_reason
from raw.salesforce_crm_user_latest
