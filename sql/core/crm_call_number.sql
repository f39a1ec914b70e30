-- core.crm_call_number: numbers that the other side of a logged call may have, one row a number.
-- grain: crm_call_key, number
-- order: occurred_at
-- scope: crm_call_key
-- on core.crm_call: crm_call_key
select distinct
    n.crm_call_key,
    n.rep_id,
    n.occurred_at,
    n.number,
    right(n.number, 9) as number_tail
from (
    select
        crm_call_key,
        rep_id,
        occurred_at,
        unnest(numbers) as number
    from core.crm_call
) as n
