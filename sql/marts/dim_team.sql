-- marts.dim_team: teams and how they hang together.
-- grain: team_id
-- kind: replaced
-- team_id: Key of the team; -1 for reps without one
-- name: Name of the team
-- parent_team_id: The team above; NULL at the top
-- path: Names from the top down, joined by " / "
-- level: Depth: 1 at the top
-- reps_current: Reps in this team now: hired by today and not gone before it
select
    t.team_id,
    t.name,
    t.parent_team_id,
    t.path,
    t.level::integer as level,
    (
        select count(*)
        from core.dim_rep as r
        cross join input.run as u
        where
            r.team_id = t.team_id and r.is_current and r.is_sales_role and r.rep_id <> -1
            and local_date(u.now, r.timezone) between coalesce(r.hire_date, '0001-01-01') and coalesce(r.end_date, '9999-12-31')
    )::bigint as reps_current
from core.dim_team as t
