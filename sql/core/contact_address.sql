-- core.contact_address: which contact a mail address is; the smallest contact_key where several share it.
-- grain: address
-- scope: address
-- on core.dim_contact: select unnest(emails) from changed
select
    a.address,
    min(a.contact_key) as contact_key
from (
    select
        contact_key,
        unnest(emails) as address
    from core.dim_contact
) as a
where a.address is not null
group by all
