-- core.tool_day: tools that a rep had a seat for or used on a day.
-- grain: rep_id, activity_date, tool
-- order: activity_date
-- scope: activity_date
-- on core.rep_day: activity_date
-- on core.fx_rate: date
-- on core.fct_tool_action: activity_date
-- is_active: at least one qualifying action, or a sign-in where nothing else shows the use
-- evidence: 'action', or 'login' where nothing but a sign-in shows the use; NULL without use
-- n_actions: actions; sign-ins only where there is nothing else
-- has_seat: a seat was assigned that day: by seats.csv, by the source that the tool's seats name, or without either an account in the system; NULL while
--   that source has told of no seats
-- assigned_from: since when; where that is not told, since before all that is known; NULL without a seat
-- seat_cost: cost of the seat that day in the reporting currency: the month's cost over the days of the month; NULL where no price or no exchange rate
--   is known
with assigned as (
    select
        d.rep_id,
        d.activity_date,
        lower(trim(s.tool)) as tool,
        coalesce(s.valid_from, date '1900-01-01') as assigned_from,
        s.monthly_cost
    from core.rep_day as d
    inner join core.map_rep_address as a on d.rep_id = a.rep_id
    inner join input.seat as s
        on
            a.address = norm_email(s.email) and d.activity_date >= coalesce(s.valid_from, d.activity_date)
            and d.activity_date <= coalesce(s.valid_to, d.activity_date)
    union all
    select d.rep_id, d.activity_date, t.tool, coalesce(local_date(t.assigned_at, d.timezone), date '1900-01-01'), null
    from core.rep_day as d
    inner join core.tool_seat as t
        on d.rep_id = t.rep_id and d.day_end > coalesce(t.assigned_at, d.day_start) and d.day_start < coalesce(t.ended_at, d.day_end)
    union all
    select distinct d.rep_id, d.activity_date, coalesce(k.tool, if(r.system = 'mail_counts', 'mail', r.system)), date '1900-01-01', null::decimal(18, 2)
    from core.rep_day as d
    inner join core.rep_source as r on d.rep_id = r.rep_id
    left join core.tool_rule as k on r.system = 'sequencer' and r.source_id = k.source_id and k.app is null and k.action is null
    where
        not exists (select 1 from input.seat) and d.rep_id <> -1 and r.system <> 'tools'
        and coalesce(k.tool, if(r.system = 'mail_counts', 'mail', r.system)) not in (select s.tool from input.tool_seat as s where s.tool is not null)
),

seats as (
    select rep_id, activity_date, tool, min(assigned_from) as assigned_from, max(monthly_cost) as monthly_cost
    from assigned
    group by all
),

used as (
    select
        rep_id,
        activity_date,
        tool,
        min(evidence) as evidence,
        coalesce(sum(n_actions) filter (where evidence = 'action'), sum(n_actions))::bigint as n_actions
    from core.fct_tool_action
    group by all
),

days as (
    select
        coalesce(s.rep_id, u.rep_id) as rep_id,
        coalesce(s.activity_date, u.activity_date) as activity_date,
        coalesce(s.tool, u.tool) as tool,
        u.tool is not null as is_active,
        u.evidence,
        coalesce(u.n_actions, 0) as n_actions,
        case when s.tool is not null then true when coalesce(k.is_told, true) then false end as has_seat,
        s.assigned_from,
        s.monthly_cost
    from seats as s
    full join used as u on s.rep_id = u.rep_id and s.activity_date = u.activity_date and s.tool = u.tool
    left join core.tool_seat_told as k on u.tool = k.tool
)

select
    d.* exclude (monthly_cost),
    (coalesce(
        d.monthly_cost,
        case
            when d.has_seat is distinct from true then null
            when coalesce(t.currency, p.reporting_currency) = p.reporting_currency then t.price_per_seat
            else t.price_per_seat * f.rate
        end
    ) / day(last_day(d.activity_date)))::decimal(18, 4) as seat_cost
from days as d
cross join input.parameter as p
left join input.tool as t on d.tool = t.tool
left join core.fx_rate as f on t.currency = f.currency and d.activity_date = f.date
