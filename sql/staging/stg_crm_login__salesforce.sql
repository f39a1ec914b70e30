-- staging.stg_crm_login: sign-ins of people. Those of programs (API, data loaders, OAuth apps but for Salesforce's own) are left out.
-- grain: source_id, workspace_id, record_id
-- scope: record_id
-- on raw.salesforce_crm_login_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    payload ->> '$.UserId' as login_user_id,
    null::varchar as email,
    read_instant(payload ->> '$.LoginTime') as logged_in_at,
    coalesce(payload ->> '$.Status' = 'Success', false) as succeeded,
    unreadable('LoginTime', payload ->> '$.LoginTime', read_instant(payload ->> '$.LoginTime')) as unreadable_reason
from raw.salesforce_crm_login_latest
where
    not regexp_matches(coalesce(payload ->> '$.LoginType', ''), '(API|Remote Access|Partner Product|Data Loader|Client Credentials)')
    or regexp_matches(coalesce(payload ->> '$.Application', ''), '^Salesforce (for|Mobile|Inbox)')
