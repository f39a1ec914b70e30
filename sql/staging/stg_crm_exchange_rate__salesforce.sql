-- staging.stg_crm_exchange_rate: dated rates. ConversionRate is units of the currency for one of the org's own (Salesforce, DatedConversionRate),
--   so it is turned round; the org's own is taken to be the reporting currency, as no object tells it.
-- grain: source_id, workspace_id, record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    upper(payload ->> '$.IsoCode') as currency,
    (select p.reporting_currency from input.parameter as p) as to_currency,
    1 / nullif(try_cast(payload ->> '$.ConversionRate' as double), 0) as rate,
    read_instant(payload ->> '$.StartDate') as effective_at,
    coalesce(
        unreadable('ConversionRate', payload ->> '$.ConversionRate', try_cast(payload ->> '$.ConversionRate' as double)),
        unreadable('StartDate', payload ->> '$.StartDate', read_instant(payload ->> '$.StartDate'))
    ) as unreadable_reason
from raw.salesforce_crm_exchange_rate_latest
