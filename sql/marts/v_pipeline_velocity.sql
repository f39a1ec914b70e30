-- marts.v_pipeline_velocity: how much the organisation's pipeline yields a day: open deals x win rate x average amount won / average days to win, over the 90 days up to each date.
-- grain: activity_date
-- kind: view
-- activity_date: Last date of the 90 days
-- open_deals: Open deals at the end of activity_date
-- reporting_currency: Currency of the amounts
-- is_complete: True when all reps' deals of all those dates were read
with days as (
    select
        activity_date,
        sum(open_deals)::bigint as open_deals,
        sum(net_deals_won)::bigint as net_deals_won,
        sum(net_deals_closed)::bigint as net_deals_closed,
        sum(net_won_amount)::decimal(18, 2) as net_won_amount,
        sum(won_cycle_days - reopened_won_cycle_days)::bigint as net_won_cycle_days,
        any_value(reporting_currency) as reporting_currency,
        bool_and(source_status in ('complete', 'not_applicable')) as is_complete
    from daily_pipeline
    group by activity_date
),

windows as (
    select
        activity_date,
        count(*) over last_90 as days_read,
        open_deals,
        (sum(net_deals_won) over last_90)::bigint as net_deals_won,
        (sum(net_deals_closed) over last_90)::bigint as net_deals_closed,
        (sum(net_won_amount) over last_90)::decimal(18, 2) as net_won_amount,
        (sum(net_won_cycle_days) over last_90)::bigint as net_won_cycle_days,
        reporting_currency,
        bool_and(is_complete) over last_90 as is_complete
    from days
    window last_90 as (order by activity_date range between interval 89 days preceding and current row)
)

select
    activity_date,
    days_read,
    open_deals,
    net_deals_won,
    net_deals_closed,
    net_won_amount,
    net_won_cycle_days,
    net_deals_won::double / nullif(net_deals_closed, 0) as win_rate,
    net_won_amount::double / nullif(net_deals_won, 0) as avg_won_amount,
    net_won_cycle_days::double / nullif(net_deals_won, 0) as avg_cycle_days,
    -- open x (won / closed) x (amount / won) / (days / won), with won cancelled once
    case
        when net_deals_won <> 0
            then open_deals * (net_deals_won::double / nullif(net_deals_closed, 0)) * net_won_amount::double / nullif(net_won_cycle_days, 0)
    end as velocity_amount,
    reporting_currency,
    is_complete
from windows
