-- core.rep_roster: who is a rep, one row a version of what is known of them. reps.csv is the roster when it is given; else every person among the CRM's users.
-- grain: email, valid_from
-- email: primary address, lower case; the natural key of a rep
-- valid_from: instant from which this version holds; 1900-01-01 for the first
-- hire_date: first day of employment, NULL when not known
-- end_date: last day of employment, NULL when employed
-- ramp_profile: share of the target by month of tenure, like 0.5;0.75; of the latest row that gives one, for it belongs to the hire date
with from_file as (
    select
        norm_email(email) as email,
        name,
        coalesce(lower(trim(role)), 'sales') as role,
        team as team_key,
        norm_email(manager) as manager_email,
        territory,
        segment,
        timezone,
        region,
        -- What the file says first has always held: what somebody did before must not fall between the versions.
        case
            when row_number() over (partition by norm_email(email) order by valid_from nulls first) = 1
                then '1900-01-01 00:00:00+00'::timestamptz
            else valid_from
        end as valid_from,
        max(hire_date) over (partition by norm_email(email)) as hire_date,
        max(end_date) over (partition by norm_email(email)) as end_date,
        arg_max(array_to_string(ramp, ';'), coalesce(valid_from, '1900-01-01 00:00:00+00'::timestamptz)) filter (where ramp is not null)
            over (partition by norm_email(email)) as ramp_profile
    from input.rep
),

-- Who is in several CRMs is as the one says in which the account is active, the first of these by name.
home as (
    select
        email,
        arg_min(source_id || ':' || workspace_id, (not is_active, source_id, workspace_id)) as crm
    from staging.stg_crm_user
    where kind = 'person' and email is not null
    group by email
),

versions_in_crm as (
    select
        v.email,
        v.team_key,
        m.email as manager_email,
        u.full_name,
        u.timezone,
        u.is_active,
        u.created_at,
        u.updated_at,
        case
            when row_number() over (partition by v.email order by v.seen_from, v.user_id) = 1 then '1900-01-01 00:00:00+00'::timestamptz
            else v.seen_from
        end as valid_from
    from staging.stg_crm_user_version as v
    inner join staging.stg_crm_user as u
        on v.source_id = u.source_id and v.workspace_id = u.workspace_id and v.user_id = u.user_id
    inner join home as h on v.email = h.email and v.source_id || ':' || v.workspace_id = h.crm
    left join staging.stg_crm_user as m
        on v.source_id = m.source_id and v.workspace_id = m.workspace_id and v.manager_user_id = m.user_id
    where u.kind = 'person' and v.email is not null
    qualify row_number() over (partition by v.email, v.seen_from order by v.user_id) = 1
),

from_crm as (
    select
        email,
        full_name as name,
        'sales' as role,
        team_key,
        manager_email,
        null::varchar as territory,
        null::varchar as segment,
        timezone,
        null::varchar as region,
        valid_from,
        min(created_at::date) over (partition by email) as hire_date,
        case when not bool_or(is_active) over (partition by email) then max(updated_at::date) over (partition by email) end as end_date,
        null::varchar as ramp_profile
    from versions_in_crm
    where not exists (select 1 from input.rep)
),

roster as (
    select * from from_file
    union all by name
    select * from from_crm
),

-- A version that changes nothing is no version.
changed as (
    select
        *,
        md5(concat_ws('|', name, role, team_key, manager_email, territory, segment, timezone, region)) as change_hash,
        lag(change_hash) over (partition by email order by valid_from) as previous_hash
    from roster
)

select
    email,
    valid_from,
    name,
    role,
    team_key,
    manager_email,
    territory,
    segment,
    timezone,
    region,
    hire_date,
    end_date,
    ramp_profile,
    change_hash
from changed
where previous_hash is distinct from change_hash
