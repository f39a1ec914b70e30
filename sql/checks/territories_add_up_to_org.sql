-- checks.territories_add_up_to_org: rows of territories, and rows of segments, add up to the organisation's row.
-- severity: error
with places as (
    select 'territory' as place, * exclude (territory_id, territory_name)
    from marts.daily_territory_activity
    union all by name
    select 'segment' as place, * exclude (segment)
    from marts.daily_segment_activity
),

added as (
    select
        place,
        activity_date,
        sum(calls_made) as calls_made,
        sum(calls_connected) as calls_connected,
        sum(emails_sent) as emails_sent,
        sum(conversations) as conversations,
        sum(meetings_held) as meetings_held,
        sum(deals_created) as deals_created,
        sum(pipeline_created_amount) as pipeline_created_amount
    from places
    group by place, activity_date
)

select
    a.place,
    o.activity_date,
    o.calls_made,
    a.calls_made as calls_made_in_places
from marts.daily_org_activity as o
left join added as a on o.activity_date = a.activity_date
where
    (o.calls_made, o.calls_connected, o.emails_sent, o.conversations, o.meetings_held, o.deals_created, o.pipeline_created_amount)
    is distinct from
    (a.calls_made, a.calls_connected, a.emails_sent, a.conversations, a.meetings_held, a.deals_created, a.pipeline_created_amount)
