-- staging.stg_crm_company: accounts. Territory and segment come from whichever fields the settings name. A person account is made with its contact,
--   as one record: the contact is what somebody made.
-- grain: source_id, workspace_id, company_id
-- scope: record_id
-- on raw.salesforce_crm_company_latest: record_id
-- on raw.salesforce_crm_company_latest: select v.payload ->> '$.MasterRecordId' from raw.salesforce_crm_company as v inner join changed as c on v.record_id = c.record_id
-- keep raw.salesforce_crm_company_latest: record_id in (select key from dirty) or (case when is_deleted then payload ->> '$.MasterRecordId' end) in (select key from dirty)
-- what was merged into an account is sought in all that was read, for it may have come before it
with losers as (
    select
        source_id,
        workspace_id,
        payload ->> '$.MasterRecordId' as winner_id,
        list_sort(list(record_id)) as merged_ids
    from raw.salesforce_crm_company_latest
    where is_deleted and nullif(payload ->> '$.MasterRecordId', '') is not null
    group by all
)

select
    c.source_id,
    c.workspace_id,
    c.record_id,
    c.source_updated_at,
    c._extracted_at as extracted_at,
    c.is_deleted,
    c.record_id as company_id,
    c.payload ->> '$.Name' as name,
    nullif(regexp_extract(lower(trim(c.payload ->> '$.Website')), '^(?:https?://)?(?:www\.)?([^/:?#]+)', 1), '') as domain,
    nullif(own_field(c.payload, 'salesforce.territory_field'), '') as territory,
    nullif(own_field(c.payload, 'salesforce.segment_field'), '') as segment,
    nullif(c.payload ->> '$.OwnerId', '') as owner_user_id,
    read_instant(c.payload ->> '$.CreatedDate') as created_at,
    c.payload ->> '$.CreatedById' as created_by_user_id,
    case when c.payload ->> '$.IsPersonAccount' = 'true' then 'automation' else person_or_machine(related(c.payload, 'CreatedBy', 'Username')) end
        as created_via,
    coalesce(l.merged_ids, []) as merged_ids,
    unreadable('CreatedDate', c.payload ->> '$.CreatedDate', read_instant(c.payload ->> '$.CreatedDate')) as unreadable_reason
from raw.salesforce_crm_company_latest as c
left join losers as l on c.source_id = l.source_id and c.workspace_id = l.workspace_id and c.record_id = l.winner_id
