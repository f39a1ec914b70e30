-- marts.dim_segment: segments that an account was ever in.
-- grain: segment
-- kind: replaced
-- segment: Segment of accounts; -1 for none
select segment
from core.dim_segment
