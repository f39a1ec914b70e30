-- core.contact_first_exchange: when each contact first had a two-way exchange with anybody of ours.
-- grain: contact_key
-- scope: contact_key
-- on core.conversation_event: contact_key
select
    contact_key,
    min(occurred_at) as first_at
from core.conversation_event
group by contact_key
