-- core.mail_pressure: counted mails of which a recipient got more than the limit in the trailing days, over all reps.
-- grain: message_key
-- scope: activity_date
-- on core.fct_email: select activity_date + unnest(range(0, (select mail_pressure_days from input.parameter)::bigint))::integer from changed
-- on core.fct_email_recipient: select e.activity_date + unnest(range(0, (select mail_pressure_days from input.parameter)::bigint))::integer from core.fct_email as e inner join changed as r on e.message_key = r.message_key
-- keep core.fct_email: direction = 'outbound' and activity_date between (select min(key) - (select mail_pressure_days from input.parameter)::integer from dirty) and (select max(key) from dirty)
with touches as (
    select distinct
        r.contact_key,
        e.message_key,
        e.rep_id,
        e.activity_date,
        e.occurred_at,
        e.territory_id,
        e.segment
    from core.fct_email as e
    inner join core.fct_email_recipient as r on e.message_key = r.message_key and r.is_external
    where e.direction = 'outbound' and e.is_counted
),

per_day as (
    select contact_key, activity_date, count(*) as n
    from touches
    group by all
),

rolling as (
    select
        d.contact_key,
        d.activity_date,
        sum(w.n) as mails
    from per_day as d
    cross join input.parameter as p
    inner join per_day as w
        on
            d.contact_key = w.contact_key
            and w.activity_date between d.activity_date - (p.mail_pressure_days - 1)::integer and d.activity_date
    group by all
)

select distinct
    t.message_key,
    t.rep_id,
    t.activity_date,
    t.occurred_at,
    t.territory_id,
    t.segment
from touches as t
cross join input.parameter as p
inner join rolling as r on t.contact_key = r.contact_key and t.activity_date = r.activity_date
where r.mails > p.mail_pressure_limit
