-- explain.tool_seat: a rep's tool on the day and the 29 days before: was there a seat, and was it used?
select
    t.rep_id,
    t.tool,
    getvariable('day')::date as activity_date,
    t.activity_date as on_day,
    t.activity_date = getvariable('day') as is_day,
    case t.tool when 'crm' then s.crm_status when 'dialer' then s.dialer_status when 'mail' then s.mail_status else coalesce(u.status, 'not_applicable') end as status,
    t.is_active,
    t.evidence,
    t.n_actions,
    t.has_seat,
    getvariable('day') - coalesce(t.assigned_from, t.activity_date) as seat_age_days,
    t.seat_cost,
    w.working_fraction
from core.tool_day as t
inner join core.rep_day_status as s on t.rep_id = s.rep_id and t.activity_date = s.activity_date
left join core.tool_status as u on t.rep_id = u.rep_id and t.activity_date = u.activity_date and t.tool = u.tool
inner join core.rep_availability as w on t.rep_id = w.rep_id and t.activity_date = w.activity_date
where t.activity_date > getvariable('day') - 30 and t.activity_date <= getvariable('day')
