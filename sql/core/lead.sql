-- core.lead: contacts that came in by themselves, and whose they are: who owns the contact, else -1.
-- grain: contact_key
-- lead_at: first form of ours that the contact, or one merged into it, filled in
select
    coalesce(p.person_key, d.contact_key) as contact_key,
    min(c.lead_at) as lead_at,
    -- Of several owners the first CRM's, then the smallest id's: the order of rows must not decide.
    coalesce(arg_min(i.rep_id, (c.contact_id <> d.contact_id, d.contact_key, c.contact_id)) filter (where i.rep_id is not null), -1) as rep_id
from staging.stg_crm_contact as c
left join core.map_merge as m
    on
        m.object_type = 'contact' and c.source_id = m.source_id and c.workspace_id = m.workspace_id
        and c.contact_id = m.loser_id
inner join core.dim_contact as d
    on c.source_id = d.source_id and c.workspace_id = d.workspace_id and coalesce(m.survivor_id, c.contact_id) = d.contact_id
left join core.map_identity as i
    on c.source_id = i.source_id and c.workspace_id = i.workspace_id and i.id_space = 'user' and c.owner_user_id = i.source_user_id
left join core.contact_person as p on d.contact_key = p.contact_key
where not d.is_test
group by coalesce(p.person_key, d.contact_key)
having min(c.lead_at) is not null
