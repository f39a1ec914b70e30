-- marts.dim_rep_current: reps as they are now, one row a rep: what to join on rep_id where no date is at hand.
-- grain: rep_id
-- kind: replaced
-- rep_id: Key of the rep; -1 stands for users that no rep could be found for
-- name: Name of the rep
-- email: Primary mail address, lower case
-- role: Role of the rep, as reps.csv says
-- team_id: Team of now; -1 for none
-- manager_rep_id: Manager of now, as rep_id
-- territory_id: Territory of the rep now; -1 for none
-- segment: Segment of the rep now; -1 for none
-- timezone: IANA zone in which this rep's days begin and end
-- region: Region whose public holidays apply; empty for none
-- hire_date: First day of employment; NULL when not known
-- end_date: Last day of employment; NULL while employed
-- ramp_profile: Shares of the target in the first months of tenure, like 0.5;0.75; afterwards 1; NULL for none
-- is_sales_role: Whether the rep has rows in the daily tables
select
    rep_id,
    name,
    email,
    role,
    team_id,
    manager_rep_id,
    territory_id,
    segment,
    timezone,
    region,
    hire_date,
    end_date,
    ramp_profile,
    is_sales_role
from core.dim_rep
where is_current
