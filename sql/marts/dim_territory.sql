-- marts.dim_territory: territorys that an account was ever in.
-- grain: territory_id
-- kind: replaced
-- territory_id: Territory of accounts; -1 for none
-- name: Name of the territory
select
    territory_id,
    name
from core.dim_territory
