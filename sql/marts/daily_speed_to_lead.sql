-- marts.daily_speed_to_lead: leads of a day, and how soon they were tried and reached, in minutes of the owner's business hours. An attempt is no contact.
-- grain: activity_date, rep_id
-- kind: merged
-- final: is_mature
-- scope: activity_date
-- on core.lead_response: activity_date
-- on core.rep_day: activity_date
-- on core.rep_day_status: activity_date
-- on input.run: select local_date(min(now), 'UTC') - 3 - (select reply_window_days from input.parameter)::integer + unnest(range(0, 6 + (local_date(max(now), 'UTC') - local_date(min(now), 'UTC'))::integer))::integer from changed
-- activity_date: Local calendar date on which the lead came in, in the owner's time zone
-- rep_id: Owner of the contact in the CRM, whoever tried; -1 for leads that are nobody's
-- team_id: Team at that date; -1 for none
-- matures_on: Date on which the window of the day's last lead ends
-- is_mature: True when that date is over, so that the numbers stand
-- source_status: How far calls, mails and the CRM were read on that day
-- is_complete: True when all were read whole
with counted as (
    select
        rep_id,
        activity_date,
        count(*) as leads,
        count(attempted_at) as leads_attempted,
        count(*) filter (where attempt_minutes <= 5) as attempted_0_5m,
        count(*) filter (where attempt_minutes > 5 and attempt_minutes <= 15) as attempted_5_15m,
        count(*) filter (where attempt_minutes > 15 and attempt_minutes <= 60) as attempted_15_60m,
        count(*) filter (where attempt_minutes > 60) as attempted_60m_plus,
        quantile_cont(attempt_minutes, 0.5) as attempt_p50,
        quantile_cont(attempt_minutes, 0.95) as attempt_p95,
        count(contacted_at) as leads_contacted,
        count(*) filter (where contact_minutes <= 5) as contacted_0_5m,
        count(*) filter (where contact_minutes > 5 and contact_minutes <= 15) as contacted_5_15m,
        count(*) filter (where contact_minutes > 15 and contact_minutes <= 60) as contacted_15_60m,
        count(*) filter (where contact_minutes > 60) as contacted_60m_plus,
        quantile_cont(contact_minutes, 0.5) as contact_p50,
        quantile_cont(contact_minutes, 0.95) as contact_p95
    from core.lead_response
    group by all
)

select
    d.activity_date,
    d.rep_id,
    d.team_id,
    known(c.leads, s.all_status)::bigint as leads,
    known(c.leads_attempted, s.all_status)::bigint as leads_attempted,
    known(c.attempted_0_5m, s.all_status)::bigint as attempted_0_5m,
    known(c.attempted_5_15m, s.all_status)::bigint as attempted_5_15m,
    known(c.attempted_15_60m, s.all_status)::bigint as attempted_15_60m,
    known(c.attempted_60m_plus, s.all_status)::bigint as attempted_60m_plus,
    case when s.all_status <> 'missing' then c.attempt_p50 end::double as attempt_minutes_p50,
    case when s.all_status <> 'missing' then c.attempt_p95 end::double as attempt_minutes_p95,
    known(c.leads_contacted, s.all_status)::bigint as leads_contacted,
    known(c.contacted_0_5m, s.all_status)::bigint as contacted_0_5m,
    known(c.contacted_5_15m, s.all_status)::bigint as contacted_5_15m,
    known(c.contacted_15_60m, s.all_status)::bigint as contacted_15_60m,
    known(c.contacted_60m_plus, s.all_status)::bigint as contacted_60m_plus,
    case when s.all_status <> 'missing' then c.contact_p50 end::double as contact_minutes_p50,
    case when s.all_status <> 'missing' then c.contact_p95 end::double as contact_minutes_p95,
    d.activity_date + p.reply_window_days::integer as matures_on,
    local_date(u.now, d.timezone) > d.activity_date + p.reply_window_days::integer as is_mature,
    s.all_status as source_status,
    s.all_status = 'complete' as is_complete
from core.rep_day as d
cross join input.parameter as p
cross join input.run as u
inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date
left join counted as c on d.rep_id = c.rep_id and d.activity_date = c.activity_date
