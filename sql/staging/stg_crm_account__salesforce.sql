-- staging.stg_crm_account: time zone of the org. Its currency no object tells; amounts without one are in the reporting currency.
-- grain: source_id, workspace_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    payload ->> '$.TimeZoneSidKey' as timezone,
    null::varchar as currency,
    record_id as portal_id,
    (select s.value from input.source_setting as s where s.name = 'salesforce.page_domain' limit 1) as ui_domain,
    null::varchar as unreadable_reason
from raw.salesforce_crm_account_latest
