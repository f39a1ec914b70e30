-- marts.dim_segment: segments that an account or a rep was ever in.
-- grain: segment
-- kind: replaced
-- segment: Segment of accounts or reps; -1 for none
-- name: Name of the segment; unassigned for none
-- parent: The segment above; NULL, for no source that is read tells of one
select
    segment,
    name,
    null::varchar as parent
from core.dim_segment
union
select
    segment,
    segment,
    null
from core.dim_rep
where segment <> '-1'
