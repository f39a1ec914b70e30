-- staging.stg_crm_exchange_rate: rates that the CRM keeps. conversionRate is "the exchange rate from the additional currency to your company
--   currency" (HubSpot, currencies API): units of to_currency for one of currency.
-- grain: source_id, workspace_id, record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    upper(payload ->> '$.fromCurrencyCode') as currency,
    upper(payload ->> '$.toCurrencyCode') as to_currency,
    try_cast(payload ->> '$.conversionRate' as double) as rate,
    read_instant(payload ->> '$.effectiveAt') as effective_at,
    coalesce(
        unreadable('conversionRate', payload ->> '$.conversionRate', try_cast(payload ->> '$.conversionRate' as double)),
        unreadable('effectiveAt', payload ->> '$.effectiveAt', read_instant(payload ->> '$.effectiveAt'))
    ) as unreadable_reason
from raw.hubspot_crm_exchange_rate_latest
