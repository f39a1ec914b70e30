-- core.fx_rate: the rate of every currency to the reporting currency on every date; the single place where rates are looked up.
-- grain: date, currency
-- rate: units of the reporting currency for one unit of the currency; no row where none is known
-- source: 'same' (it is the reporting currency), 'file' (fx.csv) or 'crm'; where both know one, even a carried one, the file wins
-- quoted_on: the date that the rate is of: the last one known is carried for fx_carry_days
with crm as (
    -- The CRM's rates lead to the company's currency there; where that is another than ours, by way of its own rate to ours.
    select
        r.effective_at,
        r.currency,
        case
            when r.to_currency = p.reporting_currency then r.rate
            else r.rate / nullif((
                select arg_max(x.rate, x.effective_at) from staging.stg_crm_exchange_rate as x
                where x.currency = p.reporting_currency and x.to_currency = r.to_currency and x.effective_at <= r.effective_at
            ), 0)
        end as rate
    from staging.stg_crm_exchange_rate as r
    cross join input.parameter as p
    where not r.is_deleted
    union all
    -- Of the company's currency there it tells no rate: it is the way back from ours.
    select
        r.effective_at,
        r.to_currency,
        1 / nullif(r.rate, 0)
    from staging.stg_crm_exchange_rate as r
    inner join input.parameter as p on r.currency = p.reporting_currency and r.to_currency <> p.reporting_currency
    where not r.is_deleted
),

-- Of several rates of a day the last one.
offered as (
    select date, upper(currency) as currency, max(rate) as rate, 'file' as source from input.fx_rate where rate > 0 group by all
    union all
    select local_date(effective_at, 'UTC'), upper(currency), arg_max(rate, (effective_at, rate)), 'crm' from crm where rate > 0 group by all
),

-- A rate holds until the next one of its source, or until it is too old.
held as (
    select
        o.*,
        least(
            coalesce(lead(o.date) over (partition by o.currency, o.source order by o.date), date '9999-12-31'),
            o.date + p.fx_carry_days::integer + 1
        ) as held_until
    from offered as o
    cross join input.parameter as p
    where o.currency <> p.reporting_currency
),

spread as (
    select
        unnest(generate_series(date, held_until - 1, interval 1 day))::date as date,
        currency,
        rate,
        source,
        date as quoted_on
    from held
),

own_days as (
    select unnest(generate_series(
        least((select local_date(min(created_at), 'UTC') - 1 from staging.stg_crm_deal), history_start),
        local_date(now + interval 14 hours, 'UTC'),
        interval 1 day
    ))::date as date
    from input.run
)

select
    date,
    currency,
    rate::decimal(18, 10) as rate,
    source,
    quoted_on
from spread
qualify row_number() over (partition by date, currency order by source desc) = 1
union all
select
    d.date,
    p.reporting_currency,
    1::decimal(18, 10),
    'same',
    d.date
from own_days as d
cross join input.parameter as p
