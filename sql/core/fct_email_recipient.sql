-- core.fct_email_recipient: who a mail went to, one row an address.
-- grain: message_key, address
-- contact_key: the CRM contact with this address, else the address itself
-- is_external: neither a colleague nor a test record
-- is_failed: delivery to this address failed for good
with outbound as (
    select
        message_key,
        sent_at,
        sender_rep_id,
        is_bounced_in_crm,
        unnest(recipients) as address
    from core.mail_message
    where direction = 'outbound'
),

known as (
    select
        o.*,
        coalesce(c.contact_key, 'mail:' || o.address) as contact_key,
        k.account_key,
        a.rep_id is not null
        or exists (select 1 from core.internal_domain as d where domain_of(o.address) = d.domain or domain_of(o.address) like '%.' || d.domain)
            as is_internal,
        coalesce(k.is_test, false)
        or exists (select 1 from input.test_domain as t where domain_of(o.address) = t.domain or domain_of(o.address) like '%.' || t.domain)
            as is_test
    from outbound as o
    left join core.contact_address as c on o.address = c.address
    left join core.dim_contact as k on c.contact_key = k.contact_key
    left join core.map_rep_address as a on o.address = a.address
    where o.address is not null
),

-- A bounce names the mail that failed by its Message-ID; a mail that it names and that we do not have is none of ours to blame.
-- One that names none lies in the provider's thread of it, or names a recipient: then the last mail to that recipient
-- in the five days before is meant.
bounces as (
    select
        message_key as bounce_key,
        mailbox,
        thread_node,
        sent_at,
        list_transform(failed_recipients, lambda f: norm_email(f)) as failed_recipients,
        list_filter(list_distinct(list_append(reference_ids, in_reply_to)), lambda n: n is not null) as names
    from core.mailbox_copy
    where mail_class = 'bounce' and not is_sent
),

named as (
    select
        b.bounce_key,
        o.message_key,
        1 as preference,
        o.sent_at
    from (
        select
            bounce_key,
            sent_at,
            unnest(names) as name
        from bounces
    ) as b
    inner join core.mail_message as o on b.name = o.message_key and o.direction = 'outbound'
    union all
    select
        b.bounce_key,
        o.message_key,
        2,
        o.sent_at
    from bounces as b
    inner join core.mailbox_copy as o on b.thread_node = o.thread_node and o.is_sent and o.sent_at <= b.sent_at
    where len(b.names) = 0
    union all
    select
        b.bounce_key,
        k.message_key,
        3,
        k.sent_at
    from bounces as b
    inner join known as k on list_contains(b.failed_recipients, k.address) and k.sent_at between b.sent_at - to_days(5) and b.sent_at
    inner join core.mailbox_copy as o on k.message_key = o.message_key and o.is_sent and b.mailbox = o.mailbox
    where len(b.names) = 0
),

meant as (
    select
        bounce_key,
        arg_min(message_key, (preference, -epoch(sent_at), message_key)) as message_key
    from named
    group by bounce_key
),

failed as (
    select distinct
        m.message_key,
        unnest(b.failed_recipients) as address
    from meant as m
    inner join bounces as b on m.bounce_key = b.bounce_key
),

alone as (
    select message_key
    from known
    where not is_internal and not is_test
    group by message_key
    having count(*) = 1
)

select
    k.message_key,
    k.address,
    k.contact_key,
    k.account_key,
    k.is_internal,
    k.is_test,
    not k.is_internal and not k.is_test as is_external,
    coalesce(
        f.address is not null
        or k.is_bounced_in_crm
        or (not k.is_internal and k.message_key in (select message_key from alone) and k.message_key in (select message_key from meant)),
        false
    ) as is_failed
from known as k
left join failed as f on k.message_key = f.message_key and k.address = f.address
