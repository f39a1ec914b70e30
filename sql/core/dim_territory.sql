-- core.dim_territory: territories that an account or a rep was ever in, and -1 for none.
-- grain: territory_id
select
    territory_id,
    case territory_id when '-1' then 'Unassigned' else territory_id end as name
from core.account_version
union
select territory_id, case territory_id when '-1' then 'Unassigned' else territory_id end
from core.dim_rep
union
select '-1', 'Unassigned'
