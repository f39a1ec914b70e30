-- core.contact_number: which contact a telephone number is; the smallest contact_key where several share it.
-- grain: number_tail, number
-- scope: number_tail
-- on core.dim_contact: select right(unnest(phones), 9) from changed
-- keep core.dim_contact: contact_key in (select contact_key from (select contact_key, right(unnest(phones), 9) as tail from core.dim_contact) where tail in (select key from dirty))
-- on core.contact_person: select right(unnest(d.phones), 9) from core.dim_contact as d inner join changed as p on d.contact_key = p.contact_key
-- number: digits as the CRM has them
-- number_tail: the last nine of them, to find numbers that lack a country code
select
    right(n.number, 9) as number_tail,
    n.number,
    min(coalesce(p.person_key, n.contact_key)) as contact_key,
    bool_and(n.is_test) as is_test
from (
    select
        contact_key,
        is_test,
        unnest(phones) as number
    from core.dim_contact
) as n
left join core.contact_person as p on n.contact_key = p.contact_key
where n.number is not null
group by all
