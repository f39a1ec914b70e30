-- staging.stg_crm_exchange_rate: rates to the org's corporate currency, one row a day on which one is in force. A dated rate is from StartDate to the day
--   before NextStartDate; a currency without dated ones has that of CurrencyType, from the day on which it was changed.
-- grain: source_id, workspace_id, currency, effective_at
-- rate: ConversionRate is units of the currency for one of the corporate currency (Salesforce), so it is turned round
with corporate as (
    select
        source_id,
        workspace_id,
        max(upper(payload ->> '$.IsoCode')) as currency
    from raw.salesforce_crm_currency_latest
    where not is_deleted and payload ->> '$.IsCorporate' = 'true'
    group by all
),

span as (
    select
        history_start - 40 as first_day,
        local_date(now, 'UTC') + 2 as end_day
    from input.run
),

dated as (
    select
        *,
        upper(payload ->> '$.IsoCode') as currency,
        try_cast(payload ->> '$.StartDate' as date) as begins,
        coalesce(try_cast(payload ->> '$.NextStartDate' as date), begins + 1) as ends,
        unreadable('StartDate', payload ->> '$.StartDate', begins) as unreadable_day
    from raw.salesforce_crm_exchange_rate_latest
),

undated as (
    select
        *,
        upper(payload ->> '$.IsoCode') as currency,
        case when row_number() over versions > 1 then local_date(source_updated_at, 'UTC') else date '1900-01-01' end as begins,
        coalesce(local_date(lead(source_updated_at) over versions, 'UTC'), date '9999-12-31') as ends,
        null::varchar as unreadable_day
    from raw.salesforce_crm_currency as t
    where not exists (
        select 1 from dated as d
        where d.source_id = t.source_id and d.workspace_id = t.workspace_id and d.currency = upper(t.payload ->> '$.IsoCode') and not d.is_deleted
    )
    window versions as (partition by source_id, workspace_id, record_id order by source_updated_at, _seq)
),

rates as (
    select * from dated
    union all by name
    select * from undated
),

days as (
    select
        r.*,
        -- A day that cannot be read keeps its one row, for quarantine.
        unnest(case
            when r.begins is null then [null::date]
            else generate_series(greatest(r.begins, s.first_day), least(r.ends, s.end_day) - 1, interval 1 day)::date []
        end) as day
    from rates as r
    cross join span as s
)

select
    d.source_id,
    d.workspace_id,
    d.record_id,
    d.source_updated_at,
    d._extracted_at as extracted_at,
    d.is_deleted,
    d.currency,
    coalesce(c.currency, p.reporting_currency) as to_currency,
    1 / nullif(try_cast(d.payload ->> '$.ConversionRate' as double), 0) as rate,
    (d.day::timestamp at time zone 'UTC') as effective_at,
    coalesce(
        unreadable('ConversionRate', d.payload ->> '$.ConversionRate', try_cast(d.payload ->> '$.ConversionRate' as double)), d.unreadable_day
    ) as unreadable_reason
from days as d
cross join input.parameter as p
left join corporate as c on d.source_id = c.source_id and d.workspace_id = c.workspace_id
