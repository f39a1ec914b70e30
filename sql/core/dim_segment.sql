-- core.dim_segment: segments that an account was ever in, and -1 for none.
-- grain: segment
select distinct
    segment,
    case segment when '-1' then 'unassigned' else segment end as name
from (
    select segment from core.account_version
    union all
    select '-1' as segment
)
