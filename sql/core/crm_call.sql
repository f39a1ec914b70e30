-- core.crm_call: calls as the CRM has them logged, with the rep, the contact and the numbers that the other side may have.
-- grain: crm_call_key
-- order: occurred_at
-- scope: call_id
-- on staging.stg_crm_call: call_id
-- on core.map_identity: select c.call_id from staging.stg_crm_call as c inner join changed as i on c.owner_user_id = i.source_user_id
-- on core.map_identity: select c.call_id from staging.stg_crm_call as c inner join changed as i on c.created_by_user_id = i.source_user_id
-- on core.crm_link: select from_id from changed where from_type = 'call'
-- on core.dim_contact: select l.from_id from core.crm_link as l inner join changed as c on l.to_key = c.contact_key where l.from_type = 'call'
-- keep core.crm_link: from_id in (select key from dirty)
-- numbers: the logged number, or else every number of the contacts that the log is associated with
with contacts as (
    select
        l.source_id,
        l.workspace_id,
        l.from_id as call_id,
        min(l.to_key) as contact_key,
        list_sort(list_distinct(flatten(list(d.phones)))) as phones
    from core.crm_link as l
    inner join core.dim_contact as d on l.to_key = d.contact_key
    where l.from_type = 'call' and l.to_type = 'contact'
    group by all
)

select
    c.source_id || ':' || c.workspace_id || ':' || c.call_id as crm_call_key,
    c.source_id,
    c.workspace_id,
    c.call_id,
    coalesce(o.rep_id, b.rep_id, -1) as rep_id,
    c.direction,
    c.occurred_at,
    c.logged_at,
    c.duration_s,
    lower(trim(c.disposition_label)) as disposition,
    c.status,
    c.external_call_id,
    coalesce(c.counterpart_number, k.phones[1]) as counterpart_number,
    right(coalesce(c.counterpart_number, k.phones[1]), 9) as number_tail,
    case when c.counterpart_number is not null then [c.counterpart_number] else coalesce(k.phones, []) end as numbers,
    k.contact_key
from staging.stg_crm_call as c
left join core.map_identity as o
    on c.source_id = o.source_id and c.workspace_id = o.workspace_id and o.id_space = 'user' and c.owner_user_id = o.source_user_id
left join core.map_identity as b
    on c.source_id = b.source_id and c.workspace_id = b.workspace_id and b.id_space = 'login' and c.created_by_user_id = b.source_user_id
left join contacts as k
    on c.source_id = k.source_id and c.workspace_id = k.workspace_id and c.call_id = k.call_id
where not c.is_deleted and c.occurred_at is not null
