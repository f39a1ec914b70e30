-- core.lead_response: how soon a lead was tried and how soon it was reached (METRICS 4, speed to lead). An attempt is no contact.
-- grain: contact_key
-- scope: contact_key
-- on core.lead: contact_key
-- on core.fct_call: select l.contact_key from core.lead as l inner join changed as c on l.contact_key = c.contact_key
-- on core.fct_email_recipient: select l.contact_key from core.lead as l inner join changed as r on l.contact_key = r.contact_key
-- on core.fct_email: select l.contact_key from changed as e inner join core.fct_email_recipient as r on e.message_key = r.message_key inner join core.lead as l on r.contact_key = l.contact_key
-- on core.contact_response: select l.contact_key from core.lead as l inner join changed as r on l.contact_key = r.contact_key
-- on core.business_day: select l.contact_key from core.lead_response as l inner join changed as b on l.rep_id = b.rep_id and b.activity_date between l.activity_date and coalesce(greatest(l.attempted_date, l.contacted_date), l.activity_date)
-- on core.dim_rep: select l.contact_key from core.lead as l inner join changed as r on l.rep_id = r.rep_id
-- keep core.fct_call: contact_key in (select key from dirty)
-- keep core.fct_email_recipient: contact_key in (select key from dirty)
-- keep core.fct_email: message_key in (select r.message_key from core.fct_email_recipient as r where r.contact_key in (select key from dirty))
-- keep core.contact_response: contact_key in (select key from dirty)
-- rep_id: whose lead it is
-- attempted_at: first call, or mail by hand, to the lead by anybody of ours within reply_window_days; automation is none
-- contacted_at: first time within that window that a person answered: a call that reached them, a call or a mail of theirs
-- attempt_minutes, contact_minutes: of the business hours of rep_id
with leads as (
    select
        l.contact_key,
        l.rep_id,
        l.lead_at,
        local_date(l.lead_at, r.timezone) as activity_date,
        r.timezone,
        l.lead_at + to_days(p.reply_window_days::integer) as window_end
    from core.lead as l
    cross join input.parameter as p
    inner join core.dim_rep as r on l.rep_id = r.rep_id and l.lead_at >= r.valid_from and l.lead_at < r.valid_to
),

attempts as (
    select contact_key, occurred_at
    from core.fct_call
    where direction = 'outbound' and is_counted
    union all
    select r.contact_key, e.occurred_at
    from core.fct_email as e
    inner join core.fct_email_recipient as r on e.message_key = r.message_key and r.is_external
    where e.direction = 'outbound' and e.is_counted and e.send_kind = 'one_to_one'
),

tried as (
    select l.contact_key, min(a.occurred_at) as attempted_at
    from leads as l
    inner join attempts as a on l.contact_key = a.contact_key and a.occurred_at >= l.lead_at and a.occurred_at <= l.window_end
    group by l.contact_key
),

reached as (
    select l.contact_key, min(a.occurred_at) as contacted_at
    from leads as l
    inner join core.contact_response as a on l.contact_key = a.contact_key and a.occurred_at >= l.lead_at and a.occurred_at <= l.window_end
    group by l.contact_key
),

known as (
    select
        l.*,
        t.attempted_at,
        c.contacted_at
    from leads as l
    left join tried as t on l.contact_key = t.contact_key
    left join reached as c on l.contact_key = c.contact_key
),

waited as (
    select
        *,
        unnest(generate_series(activity_date, local_date(greatest(attempted_at, contacted_at), timezone), interval 1 day))::date as date
    from known
    where coalesce(attempted_at, contacted_at) is not null
),

minutes as (
    select
        w.contact_key,
        sum(greatest(epoch_us(least(w.attempted_at, b.closes_at)) - epoch_us(greatest(w.lead_at, b.opens_at)), 0)) / 60e6 as attempt_minutes,
        sum(greatest(epoch_us(least(w.contacted_at, b.closes_at)) - epoch_us(greatest(w.lead_at, b.opens_at)), 0)) / 60e6 as contact_minutes
    from waited as w
    inner join core.business_day as b on w.rep_id = b.rep_id and w.date = b.activity_date and b.opens_at is not null
    group by w.contact_key
)

select
    k.contact_key,
    k.rep_id,
    k.activity_date,
    k.lead_at,
    k.attempted_at,
    local_date(k.attempted_at, k.timezone) as attempted_date,
    k.contacted_at,
    local_date(k.contacted_at, k.timezone) as contacted_date,
    case when k.attempted_at is not null then coalesce(m.attempt_minutes, 0) end::double as attempt_minutes,
    case when k.contacted_at is not null then coalesce(m.contact_minutes, 0) end::double as contact_minutes
from known as k
left join minutes as m on k.contact_key = m.contact_key
