-- core.target_day: what was expected of a rep on a day: per_working_day x working_fraction x ramp_pct (METRICS 0.8).
-- grain: rep_id, activity_date, metric
-- scope: activity_date
-- on core.rep_day: activity_date
-- on core.rep_availability: activity_date
-- target: in the metric's own unit; 0 on days off
-- ramp_pct: share of the target by full months of tenure; 1 when the list has ended, or where there is none
with persons as (
    select
        a.rep_id,
        t.metric,
        t.per_working_day,
        coalesce(t.valid_from, '1900-01-01'::date) as valid_from
    from input.target as t
    inner join core.map_rep_address as a on norm_email(t.email) = a.address
    where t.email is not null
    -- One target under two addresses of a person: the greater one, so that the order of the file decides nothing.
    qualify row_number() over (partition by a.rep_id, t.metric, t.valid_from order by t.per_working_day desc) = 1
),

of_person as (
    select
        *,
        lead(valid_from, 1, '9999-12-31'::date) over (partition by rep_id, metric order by valid_from) as valid_to
    from persons
),

of_team as (
    select
        team as team_id,
        metric,
        per_working_day,
        coalesce(valid_from, '1900-01-01'::date) as valid_from,
        lead(valid_from, 1, '9999-12-31'::date) over (partition by team, metric order by valid_from nulls first) as valid_to
    from input.target
    where team is not null
),

days as (
    select
        d.rep_id,
        d.activity_date,
        d.team_id,
        w.working_fraction,
        case
            when r.ramp is not null and d.hire_date is not null
                then coalesce(r.ramp[greatest(datesub('month', d.hire_date, d.activity_date), 0) + 1], 1)
            else 1
        end::double as ramp_pct
    from core.rep_day as d
    inner join core.rep_availability as w on d.rep_id = w.rep_id and d.activity_date = w.activity_date
    inner join (
        select rep_version_key, string_split(ramp_profile, ';')::double[] as ramp from core.dim_rep
    ) as r on d.rep_version_key = r.rep_version_key
    where d.rep_id <> -1
),

asked as (
    select d.*, t.metric, t.per_working_day, 1 as preference
    from days as d
    inner join of_person as t on d.rep_id = t.rep_id and d.activity_date >= t.valid_from and d.activity_date < t.valid_to
    union all
    select d.*, t.metric, t.per_working_day, 2
    from days as d
    inner join of_team as t on d.team_id = t.team_id and d.activity_date >= t.valid_from and d.activity_date < t.valid_to
)

select
    rep_id,
    activity_date,
    metric,
    arg_min(per_working_day, preference) * any_value(working_fraction) * any_value(ramp_pct) as target,
    arg_min(per_working_day, preference) as per_working_day,
    any_value(working_fraction) as working_fraction,
    any_value(ramp_pct) as ramp_pct
from asked
group by rep_id, activity_date, metric
