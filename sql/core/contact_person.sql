-- core.contact_person: contacts of several CRMs that are one person, because they share a mail address. Those of one CRM are what that CRM says.
-- grain: contact_key
-- person_key: the smallest contact_key of the person; contacts that are alone have no row here
with recursive addressed as (
    select
        contact_key,
        source_id || ':' || workspace_id as crm,
        emails,
        unnest(emails) as address
    from core.dim_contact
    -- Of one CRM nothing is read.
    cross join (select 1 from input.source where system = 'crm' having count(*) > 1)
),

several as (
    select address
    from addressed
    group by address
    having min(crm) <> max(crm)
),

-- Where several contacts of one CRM have an address, it is the one with the fewest others in every CRM.
one_each as (
    select address, crm, arg_min(contact_key, (len(emails), emails, contact_key)) as contact_key
    from addressed
    where address in (select address from several)
    group by address, crm
),

shared as (
    select address, list(contact_key) as contact_keys
    from one_each
    group by address
),

edges as (
    select unnest(contact_keys) as a, list_min(contact_keys) as b from shared
    union
    select list_min(contact_keys), unnest(contact_keys) from shared
),

label (contact_key, person_key) using key (contact_key) as (
    select a, a from (select distinct a from edges)
    union
    select
        e.b,
        min(l.person_key)
    from label as l
    inner join edges as e on l.contact_key = e.a
    inner join recurring.label as r on e.b = r.contact_key
    where l.person_key < r.person_key
    group by e.b
)

select
    contact_key,
    person_key
from label
