-- checks.teams_add_up_to_org: team rows add up to the organisation's row.
-- severity: error
with teams as (
    select
        activity_date,
        sum(calls_made) as calls_made,
        sum(emails_sent) as emails_sent,
        sum(conversations) as conversations,
        sum(crm_writes) as crm_writes,
        sum(deals_created) as deals_created,
        sum(pipeline_created_amount) as pipeline_created_amount
    from marts.daily_team_activity
    group by activity_date
)

select
    o.activity_date,
    o.calls_made,
    t.calls_made as calls_made_in_teams
from marts.daily_org_activity as o
full join teams as t on o.activity_date = t.activity_date
where
    (o.calls_made, o.emails_sent, o.conversations, o.crm_writes, o.deals_created, o.pipeline_created_amount)
    is distinct from
    (t.calls_made, t.emails_sent, t.conversations, t.crm_writes, t.deals_created, t.pipeline_created_amount)
