-- core.crm_link: associations of CRM records with contacts and deals, merged records replaced by their survivors.
-- grain: source_id, workspace_id, from_type, from_id, to_type, to_id
-- scope: from_id
-- on staging.stg_crm_association: from_id
-- on core.map_merge: select a.from_id from staging.stg_crm_association as a inner join changed as m on a.to_id = m.loser_id
select distinct
    a.source_id,
    a.workspace_id,
    a.from_type,
    a.from_id,
    a.to_type,
    coalesce(m.survivor_id, a.to_id) as to_id,
    a.source_id || ':' || a.workspace_id || ':' || coalesce(m.survivor_id, a.to_id) as to_key
from staging.stg_crm_association as a
left join core.map_merge as m
    on
        a.to_type = m.object_type and a.source_id = m.source_id and a.workspace_id = m.workspace_id
        and a.to_id = m.loser_id
where not a.is_deleted
