-- core.crm_link: associations of CRM records with contacts and deals, merged records replaced by their survivors.
-- grain: source_id, workspace_id, from_type, from_id, to_type, to_id
-- scope: from_id
-- on staging.stg_crm_association: from_id
-- on core.map_merge: select a.from_id from staging.stg_crm_association as a inner join changed as m on a.to_id = m.loser_id
-- on core.contact_address: select a.from_id from staging.stg_crm_association as a inner join changed as c on a.to_id = c.address
-- on core.contact_person: select a.from_id from staging.stg_crm_association as a inner join changed as p on a.source_id || ':' || a.workspace_id || ':' || a.to_id = p.contact_key
-- on core.contact_person: select a.from_id from staging.stg_crm_association as a inner join core.map_merge as m on a.to_id = m.loser_id inner join changed as p on m.source_id || ':' || m.workspace_id || ':' || m.survivor_id = p.contact_key
-- on core.account_company: select a.from_id from staging.stg_crm_association as a inner join changed as p on a.source_id || ':' || a.workspace_id || ':' || a.to_id = p.account_key
-- on core.account_company: select a.from_id from staging.stg_crm_association as a inner join core.map_merge as m on a.to_id = m.loser_id inner join changed as p on m.source_id || ':' || m.workspace_id || ':' || m.survivor_id = p.account_key
-- to_key: of a company that several CRMs have, the account that stands for all (core.account_company); of a contact that several CRMs have, the person's (core.contact_person); of one that the source knows by its address alone, who has that address, else the address (METRICS 4d)
select distinct
    a.source_id,
    a.workspace_id,
    a.from_type,
    a.from_id,
    a.to_type,
    coalesce(m.survivor_id, a.to_id) as to_id,
    case
        when a.to_type = 'contact' and contains(a.to_id, '@') then coalesce(c.contact_key, 'mail:' || a.to_id)
        else coalesce(p.person_key, k.company_key, a.source_id || ':' || a.workspace_id || ':' || coalesce(m.survivor_id, a.to_id))
    end as to_key
from staging.stg_crm_association as a
left join core.map_merge as m
    on
        a.to_type = m.object_type and a.source_id = m.source_id and a.workspace_id = m.workspace_id
        and a.to_id = m.loser_id
left join core.contact_person as p
    on a.to_type = 'contact' and a.source_id || ':' || a.workspace_id || ':' || coalesce(m.survivor_id, a.to_id) = p.contact_key
left join core.account_company as k
    on a.to_type = 'company' and a.source_id || ':' || a.workspace_id || ':' || coalesce(m.survivor_id, a.to_id) = k.account_key
left join core.contact_address as c on a.to_type = 'contact' and a.to_id = c.address
where not a.is_deleted
