-- staging.stg_crm_contact: persons with every address and number of theirs. Who made one, and how, only its changes say. A person that was merged into
--   another one is in no list: it is deleted, its addresses and numbers are the other's. What came in by a form is not told (leads are not read).
-- grain: source_id, workspace_id, contact_id
-- scope: record_id
-- on raw.pipedrive_crm_contact_latest: record_id
-- on raw.pipedrive_crm_contact_history_latest: record_id
with made as (
    select
        *,
        list_filter(from_json(payload -> '$.changes', '[{"field_key": "VARCHAR", "actor_user_id": "VARCHAR", "change_source": "VARCHAR"}]'),
            lambda c: c.field_key = 'add_time')[1] as entry
    from raw.pipedrive_crm_contact_history_latest
)

select
    p.source_id,
    p.workspace_id,
    p.record_id,
    p.source_updated_at,
    p._extracted_at as extracted_at,
    p.is_deleted,
    p.record_id as contact_id,
    list_distinct(list_filter(
        list_transform(from_json(coalesce(p.payload -> '$.emails', '[]'), '[{"value": "VARCHAR"}]'), lambda e: addresses_in(e."value")[1]),
        lambda e: e is not null
    )) as emails,
    list_distinct(list_filter(
        list_transform(from_json(coalesce(p.payload -> '$.phones', '[]'), '[{"value": "VARCHAR"}]'), lambda n: digits(n."value")),
        lambda n: n is not null
    )) as phones,
    nullif(p.payload ->> '$.org_id', '') as company_id,
    nullif(p.payload ->> '$.owner_id', '') as owner_user_id,
    read_instant(p.payload ->> '$.add_time') as created_at,
    m.entry.actor_user_id as created_by_user_id,
    changed_by_source(m.entry.change_source) as created_via,
    null::timestamptz as lead_at,
    []::varchar [] as merged_ids,
    unreadable('add_time', p.payload ->> '$.add_time', read_instant(p.payload ->> '$.add_time')) as unreadable_reason
from raw.pipedrive_crm_contact_latest as p
left join made as m on p.source_id = m.source_id and p.workspace_id = m.workspace_id and p.record_id = m.record_id
