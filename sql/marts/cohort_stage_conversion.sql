-- marts.cohort_stage_conversion: of the deals that entered a stage on a day, how many went on to enter a later one, and how soon.
-- grain: entry_date, rep_id, from_stage_key, to_stage_key
-- kind: merged
-- final: is_mature
-- entry_date: Local date, in the rep's zone, of the first entry into from_stage; once a deal and stage
-- rep_id: Key of the rep who owned the deal at that moment (dim_rep); -1 for nobody known
-- from_stage_key: Stage entered (dim_pipeline_stage)
-- to_stage_key: A later stage of the same pipeline, won and lost among them
-- pipeline_id: Pipeline of both
-- from_stage_name: Name of from_stage
-- to_stage_name: Name of to_stage
-- matures_on: Last date on which a deal of this row can still be in time; from then on deals_reached stays
-- is_mature: True when that date is over for the rep
-- source_status: Deals read for the day of entry: complete, partial or missing
-- is_complete: True when deals were read to the end of the day of entry
with entries as (
    select
        deal_key,
        stage_key,
        min(entered_at) as first_at,
        arg_min(owner_at_entry_rep_id, entered_at) as rep_id,
        arg_min(owner_date, entered_at) as entry_date
    from core.fct_deal_event
    where event_type = 'entered_stage' and is_counted
    group by all
),

pairs as (
    select
        f.stage_key as from_stage_key,
        t.stage_key as to_stage_key,
        f.pipeline_id,
        f.stage_name as from_stage_name,
        t.stage_name as to_stage_name
    from core.pipeline_stage as f
    inner join core.pipeline_stage as t
        on f.source_id = t.source_id and f.workspace_id = t.workspace_id and f.pipeline_id = t.pipeline_id and f.stage_no < t.stage_no
    where not f.is_closed and not f.is_excluded
),

-- The first time after: a deal may have been in the later stage before, and come back to it.
reached as (
    select
        e.deal_key,
        e.stage_key as from_stage_key,
        r.stage_key as to_stage_key,
        min(r.entered_at) as reached_at
    from entries as e
    inner join core.fct_deal_event as r
        on e.deal_key = r.deal_key and r.event_type = 'entered_stage' and r.is_counted and r.entered_at > e.first_at
    group by all
)

select
    e.entry_date,
    e.rep_id,
    p.from_stage_key,
    p.to_stage_key,
    any_value(p.pipeline_id) as pipeline_id,
    any_value(p.from_stage_name) as from_stage_name,
    any_value(p.to_stage_name) as to_stage_name,
    count(*)::bigint as deals_entered,
    count(*) filter (where r.reached_at <= e.first_at + to_days(n.stage_conversion_days::integer))::bigint as deals_reached,
    count(r.reached_at)::bigint as deals_reached_ever,
    e.entry_date + any_value(n.stage_conversion_days)::integer as matures_on,
    e.entry_date + any_value(n.stage_conversion_days)::integer < any_value(local_date(u.now, d.timezone)) as is_mature,
    any_value(d.deal_status) as source_status,
    any_value(d.deal_status) = 'complete' as is_complete
from entries as e
cross join input.parameter as n
cross join input.run as u
inner join pairs as p on e.stage_key = p.from_stage_key
inner join core.pipeline_day as d on e.rep_id = d.rep_id and e.entry_date = d.activity_date and d.credit = 'owner'
left join reached as r on e.deal_key = r.deal_key and p.from_stage_key = r.from_stage_key and p.to_stage_key = r.to_stage_key
group by e.entry_date, e.rep_id, p.from_stage_key, p.to_stage_key
