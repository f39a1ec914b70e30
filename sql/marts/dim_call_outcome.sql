-- marts.dim_call_outcome: what the dispositions of calls are taken to mean; one that is not listed is as none, and talk time decides.
-- grain: label
-- kind: replaced
-- label: Disposition as people pick it in the CRM or the dialer, lower case
-- outcome: One of the exclusive outcomes that calls are counted by
-- is_connected: Whether a call so disposed reached a person
-- is_negative: Whether it counts in negative_share of guard_call_quality
select
    label,
    outcome,
    is_connected,
    is_negative
from input.call_outcome
