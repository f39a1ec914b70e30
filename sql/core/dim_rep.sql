-- core.dim_rep: people who sell, one row a version (slowly changing, half-open validity).
-- grain: rep_id, valid_from
-- rep_version_key: key of this version of the rep
-- rep_id: key of the rep, the same for the same address for ever; -1 stands for users that no rep could be found for
-- is_sales_role: whether the rep has rows in the daily tables
-- timezone: IANA zone in which this rep's days begin and end
-- valid_from: instant from which this version holds
-- valid_to: instant at which it ends, 9999-12-31 while current
with versions as (
    select
        r.*,
        stable_id('rep:' || r.email) as rep_id,
        coalesce(lead(r.valid_from) over (partition by r.email order by r.valid_from), '9999-12-31 00:00:00+00'::timestamptz) as valid_to
    from core.rep_roster as r
),

zones_in_crm as (
    select
        email,
        min(timezone) as timezone
    from staging.stg_crm_user
    where timezone is not null
    group by all
)

select
    stable_id('rep:' || v.email || '@' || v.valid_from::varchar) as rep_version_key,
    v.rep_id,
    v.name,
    v.email,
    v.role,
    coalesce(v.team_key, '-1') as team_id,
    case when v.manager_email is not null then stable_id('rep:' || v.manager_email) end as manager_rep_id,
    coalesce(v.territory, '-1') as territory_id,
    coalesce(v.segment, '-1') as segment,
    coalesce(v.timezone, z.timezone, p.reporting_timezone) as timezone,
    coalesce(v.region, '') as region,
    v.hire_date,
    v.end_date,
    v.ramp_profile,
    v.role like '%sales%' or v.role in (
        'sdr', 'bdr', 'adr', 'ldr', 'ae', 'am', 'rep', 'account executive', 'account manager', 'business development', 'closer'
    ) as is_sales_role,
    v.valid_from,
    v.valid_to,
    v.valid_to > u.now and v.valid_from <= u.now as is_current,
    v.change_hash
from versions as v
cross join input.parameter as p
cross join input.run as u
left join zones_in_crm as z on v.email = z.email
union all
select
    -1, -1, 'Unknown', null, 'sales', '-1', null, '-1', '-1', p.reporting_timezone, '', null, null, null, true,
    '1900-01-01 00:00:00+00'::timestamptz, '9999-12-31 00:00:00+00'::timestamptz, true, ''
from input.parameter as p
