-- marts.dim_territory: territories that an account or a rep was ever in.
-- grain: territory_id
-- kind: replaced
-- territory_id: Territory of accounts or reps; -1 for none
-- name: Name of the territory; unassigned for none
-- parent: The territory above; NULL, for no source that is read tells of one
select
    territory_id,
    name,
    null::varchar as parent
from core.dim_territory
union
select
    territory_id,
    territory_id,
    null
from core.dim_rep
where territory_id <> '-1'
