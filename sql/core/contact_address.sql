-- core.contact_address: which contact a mail address is; the smallest contact_key where several share it, over all CRMs.
-- grain: address
-- scope: address
-- on core.dim_contact: select unnest(emails) from changed
-- keep core.dim_contact: contact_key in (select contact_key from (select contact_key, unnest(emails) as address from core.dim_contact) where address in (select key from dirty))
-- on core.contact_person: select unnest(d.emails) from core.dim_contact as d inner join changed as p on d.contact_key = p.contact_key
select
    a.address,
    min(coalesce(p.person_key, a.contact_key)) as contact_key
from (
    select
        contact_key,
        unnest(emails) as address
    from core.dim_contact
) as a
left join core.contact_person as p on a.contact_key = p.contact_key
where a.address is not null
group by all
