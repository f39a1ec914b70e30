-- marts.dim_rep: reps, one row a version: who was in which team, territory and time zone from when to when.
-- grain: rep_id, valid_from
-- kind: replaced
-- rep_version_key: Key of this version of the rep
-- rep_id: Key of the rep, the same in every table and for ever; -1 stands for users that no rep could be found for
-- name: Name of the rep
-- email: Primary mail address, lower case
-- role: Role of the rep, as reps.csv says
-- team_id: Team in this version; -1 for none
-- manager_rep_id: Manager in this version, as rep_id
-- territory_id: Territory of the rep in this version; -1 for none
-- segment: Segment of the rep in this version; -1 for none
-- timezone: IANA zone in which this rep's days begin and end
-- region: Region whose public holidays apply; empty for none
-- hire_date: First day of employment; NULL when not known
-- end_date: Last day of employment; NULL while employed
-- ramp_profile: Shares of the target in the first months of tenure, like 0.5;0.75; afterwards 1; NULL for none
-- is_sales_role: Whether the rep has rows in the daily tables
-- valid_from: UTC instant from which this version holds; 1900-01-01 for the first
-- valid_to: UTC instant at which it ends, exclusive; 9999-12-31 while current
-- is_current: Whether this is the version that holds now
-- change_hash: Changes when, and only when, something in the version differs
select
    rep_version_key,
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
    is_sales_role,
    (valid_from at time zone 'UTC') as valid_from,
    (valid_to at time zone 'UTC') as valid_to,
    is_current,
    change_hash
from core.dim_rep
