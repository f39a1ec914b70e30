-- marts.${table}: one row a day and ${whom}: created, changed, qualified, won, lost, re-opened, and what stood open at its end.
-- grain: activity_date, rep_id
-- kind: merged
-- scope: activity_date
-- on core.pipeline_day: activity_date
-- activity_date: Local calendar date in the rep's own time zone
-- rep_id: Key of the rep ${who_did}; -1 for nobody known
-- rep_name: Name of the rep
-- team_id: Team of the rep at that date; -1 for none
-- reporting_currency: Currency of all amounts in this row
-- source_status: Deals read for this day: complete, partial, missing or not_applicable
-- is_complete: True when deals were read to the end of the day and the CRM's lag
select
    c.activity_date,
    c.rep_id,
    c.rep_name,
    c.team_id,
    known(c.deals_created, c.deal_status)::bigint as deals_created,
    known(c.deals_created_without_amount, c.deal_status)::bigint as deals_created_without_amount,
    known(c.pipeline_created_amount, c.deal_status)::decimal(18, 2) as pipeline_created_amount,
    known(c.pipeline_created_amount_current, c.deal_status)::decimal(18, 2) as pipeline_created_amount_current,
    known(c.pipeline_change_amount, c.deal_status)::decimal(18, 2) as pipeline_change_amount,
    known(c.qualified_deals, c.deal_status)::bigint as qualified_deals,
    known(c.qualified_deals_without_amount, c.deal_status)::bigint as qualified_deals_without_amount,
    known(c.qualified_pipeline_amount, c.deal_status)::decimal(18, 2) as qualified_pipeline_amount,
    known(c.deals_won, c.deal_status)::bigint as deals_won,
    known(c.won_amount, c.deal_status)::decimal(18, 2) as won_amount,
    known(c.won_cycle_days, c.deal_status)::bigint as won_cycle_days,
    known(c.deals_lost, c.deal_status)::bigint as deals_lost,
    known(c.lost_amount, c.deal_status)::decimal(18, 2) as lost_amount,
    known(c.deals_reopened, c.deal_status)::bigint as deals_reopened,
    known(c.reopened_amount, c.deal_status)::decimal(18, 2) as reopened_amount,
    known(c.deals_reopened_won, c.deal_status)::bigint as deals_reopened_won,
    known(c.reopened_won_amount, c.deal_status)::decimal(18, 2) as reopened_won_amount,
    known(c.reopened_won_cycle_days, c.deal_status)::bigint as reopened_won_cycle_days,
    known(c.deals_reopened_lost, c.deal_status)::bigint as deals_reopened_lost,
    known(c.reopened_lost_amount, c.deal_status)::decimal(18, 2) as reopened_lost_amount,
    known(
        coalesce(c.deals_won, 0) - coalesce(c.deals_reopened_won, 0), c.deal_status
    )::bigint as net_deals_won,
    known(
        coalesce(c.deals_won, 0) - coalesce(c.deals_reopened_won, 0) + coalesce(c.deals_lost, 0) - coalesce(c.deals_reopened_lost, 0), c.deal_status
    )::bigint as net_deals_closed,
    known(
        coalesce(c.won_amount, 0) - coalesce(c.reopened_won_amount, 0), c.deal_status
    )::decimal(18, 2) as net_won_amount,
    known(
        coalesce(c.won_amount, 0) - coalesce(c.reopened_won_amount, 0) + coalesce(c.lost_amount, 0) - coalesce(c.reopened_lost_amount, 0), c.deal_status
    )::decimal(18, 2) as net_closed_amount,
    known(c.open_deals, c.deal_status)::bigint as open_deals,
    known(c.open_pipeline_amount, c.deal_status)::decimal(18, 2) as open_pipeline_amount,
    known(c.open_deals_without_amount, c.deal_status)::bigint as open_deals_without_amount,
    known(c.open_deals_without_rate, c.deal_status)::bigint as open_deals_without_rate,
    known(c.open_deals_past_close_date, c.deal_status)::bigint as open_deals_past_close_date,
    known(c.open_deals_without_next_step, c.next_step_status)::bigint as open_deals_without_next_step,
    known(c.open_deals_untouched_14d, c.touch_status)::bigint as open_deals_untouched_14d,
    known(c.amounts_without_rate, c.deal_status)::bigint as amounts_without_rate,
    p.reporting_currency,
    c.deal_status as source_status,
    c.deal_status = 'complete' as is_complete
from core.pipeline_day as c
cross join input.parameter as p
where c.credit = '${credit}'
