-- marts.v_activity_ratios: what it takes: dials for each connect, conversation, meeting and deal of the organisation, by month. Both parts are of the same month, not of a cohort: a deal may come of last month's dials.
-- grain: month_start
-- kind: view
-- month_start: First day of the month
-- source_status: As in monthly_org_activity
-- is_complete: As in monthly_org_activity
with months as (
    select
        *,
        -- What the company has no system for is no part of it; where one was never read, what is left would look like a drop.
        coalesce(
            calls_made + emails_sent + meetings_held,
            case when source_status <> 'missing' then list_sum([calls_made, emails_sent, meetings_held]) end
        )::bigint as activities
    from monthly_org_activity
)

select
    month_start,
    calls_made,
    calls_connected,
    call_conversations,
    meetings_booked,
    deals_created,
    activities,
    calls_made::double / nullif(calls_connected, 0) as dials_per_connect,
    calls_made::double / nullif(call_conversations, 0) as dials_per_conversation,
    calls_made::double / nullif(meetings_booked, 0) as dials_per_meeting,
    calls_made::double / nullif(deals_created, 0) as dials_per_deal,
    activities::double / nullif(deals_created, 0) as activities_per_deal,
    source_status,
    is_complete
from months
