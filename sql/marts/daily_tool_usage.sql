-- marts.daily_tool_usage: one row a rep, tool and day for every seat and every use: is what was bought used?
-- grain: activity_date, rep_id, tool
-- kind: merged
-- scope: activity_date
-- on core.tool_day: select activity_date + unnest(range(0, 30))::integer from changed
-- keep core.tool_day: activity_date between (select min(key) - 30 from dirty) and (select max(key) from dirty)
-- on core.rep_day: select activity_date + unnest(range(0, 30))::integer from changed
-- keep core.rep_day: activity_date between (select min(key) - 30 from dirty) and (select max(key) from dirty)
-- on core.rep_day_status: select activity_date + unnest(range(0, 30))::integer from changed
-- keep core.rep_day_status: activity_date between (select min(key) - 30 from dirty) and (select max(key) from dirty)
-- on core.rep_availability: select activity_date + unnest(range(0, 30))::integer from changed
-- on core.tool_status: select activity_date + unnest(range(0, 30))::integer from changed
-- keep core.tool_status: activity_date between (select min(key) - 30 from dirty) and (select max(key) from dirty)
-- keep core.rep_availability: activity_date between (select min(key) - 30 from dirty) and (select max(key) from dirty)
-- activity_date: Local calendar date in the rep's own time zone
-- rep_id: Key of the rep (dim_rep)
-- team_id: Team at that date; -1 for none
-- tool: Tool as seats.csv and the settings' tools name it; crm, dialer, mail and sequencer for the systems that are read
-- evidence: action, or login where nothing but a sign-in shows the use; NULL without use
-- source_status: How far the tool's source was read: complete, partial, missing, or not_applicable when nothing reads the tool
-- is_complete: True when it was read to the end of the day and its lag
with days as (
    select
        t.activity_date,
        t.rep_id,
        d.team_id,
        t.tool,
        case t.tool when 'crm' then s.crm_status when 'dialer' then s.dialer_status when 'mail' then s.mail_status else coalesce(u.status, 'not_applicable') end as status,
        t.is_active,
        t.n_actions,
        t.evidence,
        t.has_seat,
        t.assigned_from,
        t.seat_cost,
        w.working_fraction
    from core.tool_day as t
    inner join core.rep_day as d on t.rep_id = d.rep_id and t.activity_date = d.activity_date
    inner join core.rep_day_status as s on t.rep_id = s.rep_id and t.activity_date = s.activity_date
    left join core.tool_status as u on t.rep_id = u.rep_id and t.activity_date = u.activity_date and t.tool = u.tool
    inner join core.rep_availability as w on t.rep_id = w.rep_id and t.activity_date = w.activity_date
    where t.rep_id <> -1
),

looked_back as (
    select
        *,
        is_active or status in ('complete', 'partial') as is_known,
        -- A seat that is assigned anew, as by another price from a day on, is held since the first of these days at least.
        has_seat and count_if(is_active) over last_30 = 0
        and count_if(has_seat and (is_active or status = 'complete')) over last_30 >= 29
        and min(assigned_from) over last_30 <= activity_date - 29 as is_idle
    from days
    window last_30 as (partition by rep_id, tool order by activity_date range between interval 29 days preceding and current row)
)

select
    activity_date,
    rep_id,
    team_id,
    tool,
    case when is_known then is_active end as is_active,
    case when is_known then n_actions end::bigint as actions,
    evidence,
    has_seat,
    is_active and not has_seat as is_unassigned_use,
    working_fraction,
    case when is_known then (has_seat and working_fraction > 0)::integer end::bigint as assigned_seat_days,
    case when is_known then (has_seat and working_fraction > 0 and is_active)::integer end::bigint as active_seat_days,
    seat_cost::decimal(18, 4) as seat_cost_amount,
    is_idle,
    (case
        when is_idle then seat_cost
        when seat_cost is not null then 0
    end)::decimal(18, 4) as idle_cost_amount,
    status as source_status,
    status = 'complete' as is_complete
from looked_back
