-- core.crm_email_taken: mails whose Message-ID a CRM log carries.
-- grain: message_key
-- scope: message_key
-- on core.crm_email: message_id
select distinct message_id as message_key
from core.crm_email
where message_id is not null
