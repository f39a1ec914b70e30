-- staging.stg_crm_write: changes that were made to persons, organizations, deals and notes; what a record was made with is not among them.
-- grain: source_id, workspace_id, object_type, object_id, property, written_at
-- order: written_at
-- property: of a note only "note"
with histories as (
    select 'contact' as object_type, h.*
    from raw.pipedrive_crm_contact_history_latest as h
    union all
    select 'company', h.*
    from raw.pipedrive_crm_company_history_latest as h
    union all
    select 'deal', h.*
    from raw.pipedrive_crm_deal_history_latest as h
),

changes as (
    select
        *,
        unnest(from_json(
            payload -> '$.changes', '[{"field_key": "VARCHAR", "time": "VARCHAR", "actor_user_id": "VARCHAR", "change_source": "VARCHAR"}]'
        )) as entry
    from histories
    where not is_deleted
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    object_type,
    record_id as object_id,
    entry.actor_user_id as user_id,
    read_instant(entry."time") as written_at,
    changed_by_source(entry.change_source) as via,
    entry.field_key as property,
    unreadable('time', entry."time", read_instant(entry."time")) as unreadable_reason
from changes
where entry.field_key <> 'add_time'
qualify row_number() over (partition by source_id, workspace_id, object_type, record_id, entry.field_key, entry."time", entry.actor_user_id) = 1
union all
-- A note's last writer is all that is told: one write a version that was read.
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at,
    is_deleted,
    'note',
    record_id,
    nullif(payload ->> '$.last_update_user_id', ''),
    read_instant(payload ->> '$.update_time'),
    by_user(nullif(payload ->> '$.last_update_user_id', '')),
    'note',
    null
from raw.pipedrive_crm_note
where
    not is_deleted
    and read_instant(payload ->> '$.update_time') > read_instant(payload ->> '$.add_time') + interval 1 second
