-- marts.daily_pipeline_owner: one row a day and owner of the deals at that moment: created, changed, qualified, won, lost, re-opened, and what stood open at its end.
-- grain: activity_date, rep_id
-- kind: merged
-- activity_date: Local calendar date in the rep's own time zone
-- rep_id: Key of the rep who owned the deals at that moment (dim_rep); -1 for nobody known
-- rep_name: Name of the rep
-- team_id: Team of the rep at that date; -1 for none
-- deals_created: Deals whose first entry into a counted pipeline fell on the day, for their owner of then; once a deal for ever, whatever becomes of it
-- deals_created_without_amount: Of the deals created, those for which no amount was known by the end of that day nor within amount_grace_days
-- pipeline_created_amount: Amount of the deals created as of the end of that day, else the first one within amount_grace_days; frozen; at that day's rate
-- pipeline_created_amount_current: The same deals at the amount that they have now, at the rate of the day of creation: the difference is edits, not exchange rates
-- pipeline_change_amount: Later edits of amounts, new less old, on the day of the edit; what is part of pipeline_created_amount already is left out
-- qualified_deals: Deals that entered a qualified stage for the first time
-- qualified_deals_without_amount: Of the qualified deals, those without a known amount, as for deals_created_without_amount
-- qualified_pipeline_amount: Amount of the qualified deals by the same rule as pipeline_created_amount, at the day of qualification
-- deals_won: Entries into a won stage; a deal won, re-opened and won again counts twice here and once in net_deals_won
-- won_amount: Amount of the deals won at the end of the day of winning, in the reporting currency
-- won_cycle_days: Days from the entry into the pipeline to the winning, summed over deals_won
-- deals_lost: Entries into a lost stage
-- lost_amount: Amount of the deals lost at the end of the day of losing, in the reporting currency
-- deals_reopened: Closed deals, won or lost, that were opened again
-- reopened_amount: Amount of the deals re-opened at the end of the day of re-opening
-- deals_reopened_won: Won deals that stopped being won: re-opened, or moved to lost at once; dated when that happened, the day of winning stays
-- reopened_won_amount: What those had counted in won_amount, to the cent
-- reopened_won_cycle_days: What those had counted in won_cycle_days
-- deals_reopened_lost: Lost deals that stopped being lost: re-opened, or moved to won at once
-- reopened_lost_amount: What those had counted in lost_amount, to the cent
-- net_deals_won: deals_won less deals_reopened_won: upper part of the win rate by count; may be below zero on a day
-- net_deals_closed: Won and lost deals less those re-opened: lower part of the win rate by count
-- net_won_amount: won_amount less reopened_won_amount: upper part of the win rate by amount
-- net_closed_amount: The same of won and lost deals: lower part of the win rate by amount
-- open_deals: Open deals at the end of the day; add over reps, never over days
-- open_pipeline_amount: Amount of the open deals at the end of the day, at that day's rate; add over reps, never over days
-- open_deals_without_amount: Of the open deals, those without an amount
-- open_deals_without_rate: Of the open deals, those whose amount is missing for want of a rate of that day
-- open_deals_past_close_date: Of the open deals, those whose close date, as it stood then, was before the day
-- open_deals_without_next_step: Of the open deals, those that have no next step now; the CRM does not tell since when. NULL where it knows of none at all
-- open_deals_untouched_14d: Of the open deals, those with whose contacts nobody had a counted call, mail or meeting in the 14 days up to the end of the day. NULL while less than 14 days had been read, or calls, mails or meetings were not
-- amounts_without_rate: Amounts of events of this day that are missing above for want of a rate within fx_carry_days
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
where c.credit = 'owner'
