-- checks.pipeline_adds_up: pipeline tables have one row a key, parts fit in wholes, and both ways of crediting tell of the same events.
-- severity: error
with rows_of as (
    select 'daily_pipeline' as table_name, * from marts.daily_pipeline
    union all
    select 'daily_pipeline_owner', * from marts.daily_pipeline_owner
)

select
    table_name,
    activity_date,
    rep_id::varchar as entity
from rows_of
group by all
having count(*) > 1
union all
select
    table_name,
    activity_date,
    rep_id::varchar
from rows_of
where
    deals_created_without_amount > deals_created
    or greatest(open_deals_without_amount + open_deals_without_rate, open_deals_past_close_date, open_deals_untouched_14d) > open_deals
    or least(
        deals_created, qualified_deals, deals_won, deals_lost, deals_reopened, open_deals, open_deals_without_amount,
        open_deals_past_close_date, open_deals_untouched_14d, open_deals_without_next_step
    ) < 0
union all
select
    'cohort_stage_conversion',
    entry_date,
    from_stage_key
from marts.cohort_stage_conversion
where deals_reached > deals_reached_ever or deals_reached_ever > deals_entered
