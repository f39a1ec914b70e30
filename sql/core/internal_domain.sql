-- core.internal_domain: domains whose addresses are colleagues. From the settings; when none are set, the reps' own domains except public mail providers.
-- grain: domain
select distinct lower(trim(domain)) as domain
from input.internal_domain
union
select distinct domain_of(address) as domain
from core.map_rep_address
where
    not exists (select 1 from input.internal_domain)
    and domain_of(address) not in (
        '', 'gmail.com', 'googlemail.com', 'outlook.com', 'hotmail.com', 'live.com', 'msn.com', 'yahoo.com', 'icloud.com', 'me.com',
        'aol.com', 'gmx.de', 'gmx.net', 'web.de', 'proton.me', 'protonmail.com', 'mail.com', 'yandex.com', 'qq.com', '163.com'
    )
