-- core.contact_response: every sign of a person at the other end: a human mail or a call of theirs, or a call of ours that reached them.
-- grain: response_key
-- order: occurred_at
-- scope: response_key
-- on core.contact_approach: approach_key
-- on core.fct_call: call_key
select
    approach_key as response_key,
    contact_key,
    occurred_at
from core.contact_approach
union all
select
    call_key,
    contact_key,
    occurred_at
from core.fct_call
where direction = 'outbound' and is_counted and is_connected and contact_key is not null
