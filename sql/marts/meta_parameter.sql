-- marts.meta_parameter: the thresholds by which the numbers in this file were made.
-- grain: name
-- kind: replaced
-- name: Name of the parameter
-- value: Its value
select
    name,
    value
from (
    unpivot (
        select columns(* exclude (run_id, now))::varchar from input.parameter
    )
    on columns(*)
    into name name value value
)
