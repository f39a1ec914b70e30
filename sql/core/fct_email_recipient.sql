-- core.fct_email_recipient: who a mail went to, one row an address.
-- grain: message_key, address
-- order: sent_at
-- contact_key: the CRM contact with this address, else the address itself
-- position: place in the mail's To, Cc, Bcc
-- is_external: neither a colleague nor a test record
-- is_failed: delivery to this address failed for good
-- scope: message_key
-- on core.mail_message: message_key
-- on core.mail_bounce: message_key
-- on core.contact_address: select r.message_key from core.fct_email_recipient as r inner join changed as a on r.address = a.address
-- on core.dim_contact: select r.message_key from core.fct_email_recipient as r inner join changed as c on r.contact_key = c.contact_key
-- on core.map_rep_address: select r.message_key from core.fct_email_recipient as r inner join changed as a on r.address = a.address
with outbound as (
    select
        message_key,
        sent_at,
        is_bounced_in_crm,
        refused_address,
        addressed,
        unnest(recipients) as address
    from core.mail_message
    where direction = 'outbound'
),

-- Judged once a domain, which are far fewer than mails.
domains as (
    select
        m.domain,
        exists (select 1 from core.internal_domain as d where m.domain = d.domain or m.domain like '%.' || d.domain) as is_internal,
        exists (select 1 from input.test_domain as t where m.domain = t.domain or m.domain like '%.' || t.domain) as is_test
    from (select distinct domain_of(address) as domain from outbound) as m
),

known as (
    select
        o.*,
        coalesce(c.contact_key, 'mail:' || o.address) as contact_key,
        k.account_key,
        a.rep_id is not null or coalesce(m.is_internal, false) as is_internal,
        coalesce(k.is_test, false) or coalesce(m.is_test, false) as is_test
    from outbound as o
    left join domains as m on domain_of(o.address) = m.domain
    left join core.contact_address as c on o.address = c.address
    left join core.dim_contact as k on c.contact_key = k.contact_key
    left join core.map_rep_address as a on o.address = a.address
    where o.address is not null
),

failed as (
    select distinct
        message_key,
        unnest(failed_recipients) as address
    from core.mail_bounce
),

bounced as (
    select distinct message_key from core.mail_bounce
),

alone as (
    select message_key
    from known
    where not is_internal and not is_test and message_key in (select message_key from bounced)
    group by message_key
    having count(*) = 1
)

select
    k.message_key,
    k.sent_at,
    k.address,
    k.contact_key,
    k.account_key,
    coalesce(list_position(k.addressed, k.address), 10000)::integer as position,
    k.is_internal,
    k.is_test,
    not k.is_internal and not k.is_test as is_external,
    coalesce(
        f.address is not null
        or k.is_bounced_in_crm
        or k.address = k.refused_address
        or (not k.is_internal and l.message_key is not null and b.message_key is not null),
        false
    ) as is_failed
from known as k
left join failed as f on k.message_key = f.message_key and k.address = f.address
left join alone as l on k.message_key = l.message_key
left join bounced as b on k.message_key = b.message_key
