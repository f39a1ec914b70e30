-- core.dim_contact: contacts of the CRM as they are now, merged ones folded into their survivors together with their addresses and numbers.
-- grain: contact_key
-- scope: contact_id
-- on staging.stg_crm_contact: contact_id
-- on staging.stg_crm_contact: select m.survivor_id from core.map_merge as m inner join changed as c on m.loser_id = c.contact_id where m.object_type = 'contact'
-- on core.map_merge: survivor_id
-- on core.map_merge: loser_id
-- on core.map_merge: select coalesce(s.survivor_id, c.contact_id) from staging.stg_crm_contact as c inner join changed as m on c.company_id = m.loser_id left join core.map_merge as s on s.object_type = 'contact' and c.source_id = s.source_id and c.workspace_id = s.workspace_id and c.contact_id = s.loser_id where m.object_type = 'company'
-- on core.account_company: select coalesce(s.survivor_id, c.contact_id) from staging.stg_crm_contact as c inner join changed as a on c.source_id || ':' || c.workspace_id || ':' || c.company_id = a.account_key left join core.map_merge as s on s.object_type = 'contact' and c.source_id = s.source_id and c.workspace_id = s.workspace_id and c.contact_id = s.loser_id
-- on core.account_company: select coalesce(s.survivor_id, c.contact_id) from staging.stg_crm_contact as c inner join core.map_merge as m on c.company_id = m.loser_id inner join changed as a on m.source_id || ':' || m.workspace_id || ':' || m.survivor_id = a.account_key left join core.map_merge as s on s.object_type = 'contact' and c.source_id = s.source_id and c.workspace_id = s.workspace_id and c.contact_id = s.loser_id where m.object_type = 'company'
-- keep staging.stg_crm_contact: contact_id in (select key from dirty) or contact_id in (select loser_id from core.map_merge where object_type = 'contact' and survivor_id in (select key from dirty))
-- contact_key: source:workspace:id of the surviving record
-- account_key: its company; of one that several CRMs have, the account that stands for all (core.account_company)
-- emails: every address of the record and of those merged into it, lower case
-- phones: every number likewise, as digits
-- is_test: an address at a test domain
with folded as (
    select
        c.*,
        coalesce(m.survivor_id, c.contact_id) as survivor_id
    from staging.stg_crm_contact as c
    left join core.map_merge as m
        on
            m.object_type = 'contact' and c.source_id = m.source_id and c.workspace_id = m.workspace_id
            and c.contact_id = m.loser_id
    where not c.is_deleted or m.loser_id is not null
),

survivors as (
    select
        source_id,
        workspace_id,
        survivor_id as contact_id,
        -- Of several that were merged into it the smallest id's: the order of rows must not decide.
        arg_min(company_id, (contact_id <> survivor_id, contact_id)) filter (where company_id is not null) as company_id,
        list_distinct(list_transform(flatten(list(coalesce(emails, []))), lambda e: norm_email(e))) as emails,
        list_distinct(flatten(list(coalesce(phones, [])))) as phones
    from folded
    group by all
    having bool_or(contact_id = survivor_id and not is_deleted)
)

select
    s.source_id || ':' || s.workspace_id || ':' || s.contact_id as contact_key,
    s.source_id,
    s.workspace_id,
    s.contact_id,
    coalesce(a.company_key, s.source_id || ':' || s.workspace_id || ':' || coalesce(m.survivor_id, s.company_id)) as account_key,
    list_sort(s.emails) as emails,
    list_sort(s.phones) as phones,
    exists (
        select 1
        from input.test_domain as t, unnest(s.emails) as e (email)
        where domain_of(e.email) = t.domain or domain_of(e.email) like '%.' || t.domain
    ) as is_test
from survivors as s
left join core.map_merge as m
    on
        m.object_type = 'company' and s.source_id = m.source_id and s.workspace_id = m.workspace_id
        and s.company_id = m.loser_id
left join core.account_company as a
    on s.source_id || ':' || s.workspace_id || ':' || coalesce(m.survivor_id, s.company_id) = a.account_key
