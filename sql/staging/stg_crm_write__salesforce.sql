-- staging.stg_crm_write: changes that were made to contacts, leads, accounts, opportunities and notes, as far as the org tracks the fields.
-- grain: source_id, workspace_id, object_type, object_id, property, written_at
-- order: written_at
-- property: of a note only "note"
with histories as (
    select 'contact' as object_type, payload ->> '$.ContactId' as object_id, h.*
    from raw.salesforce_crm_contact_history_latest as h
    union all
    select 'contact', payload ->> '$.LeadId', h.*
    from raw.salesforce_crm_lead_history_latest as h
    union all
    select 'company', payload ->> '$.AccountId', h.*
    from raw.salesforce_crm_company_history_latest as h
    union all
    select 'deal', payload ->> '$.OpportunityId', h.*
    from raw.salesforce_crm_deal_field_history_latest as h
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    object_type,
    object_id,
    payload ->> '$.CreatedById' as user_id,
    read_instant(payload ->> '$.CreatedDate') as written_at,
    person_or_machine(related(payload, 'CreatedBy', 'Username')) as via,
    payload ->> '$.Field' as property,
    unreadable('CreatedDate', payload ->> '$.CreatedDate', read_instant(payload ->> '$.CreatedDate')) as unreadable_reason
from histories
where
    -- Made, converted and merged are no edits; of references there are two rows, one with names and one with ids.
    not regexp_matches(payload ->> '$.Field', '(?i)(^created$|createdfromlead|merged$|converted$|^feedevent$|^locked$|^unlocked$)')
qualify row_number() over (
    partition by source_id, workspace_id, object_type, object_id, payload ->> '$.Field', payload ->> '$.CreatedDate' order by record_id
) = 1
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
    payload ->> '$.LastModifiedById',
    read_instant(payload ->> '$.LastModifiedDate'),
    person_or_machine(related(payload, 'LastModifiedBy', 'Username')),
    'note',
    null
from raw.salesforce_crm_note
where
    not is_deleted
    and read_instant(payload ->> '$.LastModifiedDate') > read_instant(payload ->> '$.CreatedDate') + interval 1 second
