-- marts.meta_parameter: the thresholds by which the numbers in this file were made.
-- grain: name
-- kind: replaced
-- name: Name of the parameter
-- value: Its value
-- default_value: Its value when the settings say nothing
-- changed_at: UTC instant of the run that first used this value
select
    name,
    value,
    default_value,
    (changed_at at time zone 'UTC') as changed_at
from meta.parameter
