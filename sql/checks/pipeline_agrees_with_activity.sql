-- checks.pipeline_agrees_with_activity: the pipeline tables and the activity table tell the same of a rep's day.
-- severity: error
select
    a.activity_date,
    a.rep_id,
    a.deals_created,
    s.deals_created as in_pipeline,
    a.deals_won_events,
    o.deals_won as won_in_pipeline
from marts.daily_rep_activity as a
left join marts.daily_pipeline as s on a.activity_date = s.activity_date and a.rep_id = s.rep_id
left join marts.daily_pipeline_owner as o on a.activity_date = o.activity_date and a.rep_id = o.rep_id
where
    (a.deals_created, a.deals_created_without_amount, a.pipeline_created_amount)
    is distinct from (s.deals_created, s.deals_created_without_amount, s.pipeline_created_amount)
    or (a.deals_won_events, a.won_amount, a.deals_lost, a.lost_amount, a.deals_reopened)
    is distinct from (o.deals_won, o.won_amount, o.deals_lost, o.lost_amount, o.deals_reopened)
