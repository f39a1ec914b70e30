-- explain.stage_entry: deals that entered a stage for the first time, beside each later stage of the pipeline: did they get there?
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
)

select
    e.deal_key,
    e.rep_id,
    e.entry_date,
    e.first_at,
    f.stage_key as from_stage_key,
    t.stage_key as to_stage_key,
    (
        select min(r.entered_at) from core.fct_deal_event as r
        where
            r.deal_key = e.deal_key and r.event_type = 'entered_stage' and r.is_counted and r.stage_key = t.stage_key
            and r.entered_at > e.first_at
    ) as reached_at
from entries as e
inner join core.pipeline_stage as f on e.stage_key = f.stage_key and not f.is_closed and not f.is_excluded
inner join core.pipeline_stage as t
    on f.source_id = t.source_id and f.workspace_id = t.workspace_id and f.pipeline_id = t.pipeline_id and f.stage_no < t.stage_no
