-- checks.facts_are_counted_once: every counted call in the published period stands in exactly one rep's row.
-- severity: error
with facts as (
    select c.activity_date, count(*) as n
    from core.fct_call as c
    cross join input.run as u
    where
        c.direction = 'outbound' and c.is_counted
        and c.activity_date >= u.history_start and c.activity_date <= local_date(u.now + interval 14 hours, 'UTC')
        and c.rep_id in (select rep_id from core.dim_rep where is_sales_role)
    group by c.activity_date
),

shown as (
    select activity_date, sum(calls_made) as n, bool_and(calls_made is not null) as is_known
    from marts.daily_rep_activity
    group by activity_date
)

select
    f.activity_date,
    f.n as calls,
    s.n as calls_shown
from facts as f
inner join shown as s on f.activity_date = s.activity_date
where s.is_known and f.n <> s.n
