-- core.contact_approach: counted calls and mails by which a contact reached out to us.
-- grain: approach_key
-- order: occurred_at
-- scope: approach_key
-- on core.fct_call: call_key
-- on core.fct_email: message_key
select
    call_key as approach_key,
    contact_key,
    occurred_at
from core.fct_call
where direction = 'inbound' and is_counted and contact_key is not null
union all
select
    message_key,
    other_contact_key,
    occurred_at
from core.fct_email
where direction = 'inbound' and is_counted
