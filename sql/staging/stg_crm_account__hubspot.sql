-- staging.stg_crm_account: time zone and currency of the account.
-- grain: source_id, workspace_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    payload ->> '$.timeZone' as timezone,
    payload ->> '$.companyCurrency' as currency,
    payload ->> '$.portalId' as portal_id,
    coalesce(payload ->> '$.uiDomain', 'app.hubspot.com') as ui_domain,
    null::varchar as unreadable_reason
from raw.hubspot_crm_account_latest
