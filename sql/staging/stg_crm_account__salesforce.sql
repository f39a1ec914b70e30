-- staging.stg_crm_account: time zone of the org, and its own currency: the corporate one of several, else what the settings say, for no object tells it.
-- grain: source_id, workspace_id
with corporate as (
    select
        source_id,
        workspace_id,
        max(upper(payload ->> '$.IsoCode')) as currency
    from raw.salesforce_crm_currency_latest
    where not is_deleted and payload ->> '$.IsCorporate' = 'true'
    group by all
)

select
    a.source_id,
    a.workspace_id,
    a.record_id,
    a.source_updated_at,
    a._extracted_at as extracted_at,
    a.is_deleted,
    a.payload ->> '$.TimeZoneSidKey' as timezone,
    coalesce(c.currency, (select upper(s.value) from input.source_setting as s where s.name = a.source_id || ':' || a.workspace_id || '.currency')) as currency,
    a.record_id as portal_id,
    (select s.value from input.source_setting as s where s.name = a.source_id || ':' || a.workspace_id || '.page_domain') as ui_domain,
    null::varchar as unreadable_reason
from raw.salesforce_crm_account_latest as a
left join corporate as c on a.source_id = c.source_id and a.workspace_id = c.workspace_id
