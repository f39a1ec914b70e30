-- core.dim_territory: territories that an account was ever in, and -1 for none.
-- grain: territory_id
select distinct
    territory_id,
    case territory_id when '-1' then 'unassigned' else territory_id end as name
from (
    select territory_id from core.account_version
    union all
    select '-1' as territory_id
)
