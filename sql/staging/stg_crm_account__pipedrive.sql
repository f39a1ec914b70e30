-- staging.stg_crm_account: the company, as the token's user tells it: its address, that user's time zone, and what the settings say of the currency.
-- grain: source_id, workspace_id
select
    a.source_id,
    a.workspace_id,
    a.record_id,
    a.source_updated_at,
    a._extracted_at as extracted_at,
    a.is_deleted,
    a.payload ->> '$.timezone_name' as timezone,
    coalesce(
        (select upper(s.value) from input.source_setting as s where s.name = a.source_id || ':' || a.workspace_id || '.currency'),
        upper(nullif(a.payload ->> '$.default_currency', ''))
    ) as currency,
    a.record_id as portal_id,
    nullif(a.payload ->> '$.company_domain', '') || '.pipedrive.com' as ui_domain,
    null::varchar as unreadable_reason
from raw.pipedrive_crm_account_latest as a
