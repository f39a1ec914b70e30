-- core.dim_team: teams, from teams.csv, else from the CRM; every team that a rep was ever in has a row. Where there is a teams.csv, the CRM's
--   other teams are none of ours.
-- grain: team_id
-- path: names from the top down, joined by " / "
with recursive named as (
    select team as team_id, name, nullif(parent, '') as parent_team_id, 1 as preference from input.team
    union all
    select team_key, name, parent_team_key, 2 from staging.stg_crm_team where not is_deleted
    union all
    select team_key, min(team_name), null, 3 from staging.stg_crm_user where team_key is not null group by team_key
    union all
    select distinct team_id, null, null, 4 from core.dim_rep where team_id <> '-1'
    union all
    select '-1', 'Unassigned', null, 0
),

teams as (
    select
        team_id,
        coalesce(arg_min(name, preference) filter (where name is not null), team_id) as name,
        arg_min(parent_team_id, preference) filter (where parent_team_id is not null) as parent_team_id
    from named
    where
        team_id is not null
        and (
            preference in (0, 1, 4) or not exists (select 1 from input.team)
            or team_id in (select r.team_id from core.dim_rep as r)
        )
    group by team_id
),

tree as (
    select team_id, name, parent_team_id, name as path, 1 as level
    from teams
    where parent_team_id is null or parent_team_id not in (select team_id from teams)
    union all
    select t.team_id, t.name, t.parent_team_id, p.path || ' / ' || t.name, p.level + 1
    from teams as t
    inner join tree as p on t.parent_team_id = p.team_id
    where p.level < 20
)

select team_id, name, parent_team_id, path, level
from tree
