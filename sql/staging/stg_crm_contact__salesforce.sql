-- staging.stg_crm_contact: contacts, and leads as contacts of their own until they are converted. A merged one is in the recycle bin and names its master.
-- lead_at: when a lead of a form of ours came in (lead_sources of the settings)
-- grain: source_id, workspace_id, contact_id
-- scope: record_id
-- on raw.salesforce_crm_contact_latest: record_id
-- on raw.salesforce_crm_contact_latest: select unnest([v.payload ->> '$.MasterRecordId', v.payload ->> '$.ConvertedContactId']) from raw.salesforce_crm_contact as v inner join changed as c on v.record_id = c.record_id
-- keep raw.salesforce_crm_contact_latest: record_id in (select key from dirty) or (case when is_deleted then payload ->> '$.MasterRecordId' end) in (select key from dirty)
-- on raw.salesforce_crm_lead_latest: record_id
-- on raw.salesforce_crm_lead_latest: select unnest([v.payload ->> '$.MasterRecordId', v.payload ->> '$.ConvertedContactId']) from raw.salesforce_crm_lead as v inner join changed as c on v.record_id = c.record_id
-- keep raw.salesforce_crm_lead_latest: record_id in (select key from dirty) or (case when is_deleted then payload ->> '$.MasterRecordId' end) in (select key from dirty) or (payload ->> '$.ConvertedContactId') in (select key from dirty)
-- who was merged into a contact is sought in all that was read, for it may have come before it
with people as (
    select
        *,
        false as is_lead
    from raw.salesforce_crm_contact_latest
    union all
    select
        *,
        true as is_lead
    from raw.salesforce_crm_lead_latest
),

merged as (
    select
        source_id,
        workspace_id,
        payload ->> '$.MasterRecordId' as winner_id,
        record_id as loser_id
    from people
    where is_deleted and nullif(payload ->> '$.MasterRecordId', '') is not null
    union all
    select
        source_id,
        workspace_id,
        payload ->> '$.ConvertedContactId',
        record_id
    from people
    where is_lead and nullif(payload ->> '$.ConvertedContactId', '') is not null
),

losers as (
    select
        source_id,
        workspace_id,
        winner_id,
        list_sort(list(distinct loser_id)) as merged_ids
    from merged
    group by all
)

select
    p.source_id,
    p.workspace_id,
    p.record_id,
    p.source_updated_at,
    p._extracted_at as extracted_at,
    p.is_deleted,
    p.record_id as contact_id,
    addresses_in(p.payload ->> '$.Email') as emails,
    list_distinct(list_filter(
        [
            digits(p.payload ->> '$.Phone'), digits(p.payload ->> '$.MobilePhone'), digits(p.payload ->> '$.OtherPhone'),
            digits(p.payload ->> '$.HomePhone')
        ],
        lambda n: n is not null
    )) as phones,
    nullif(p.payload ->> '$.AccountId', '') as company_id,
    nullif(p.payload ->> '$.OwnerId', '') as owner_user_id,
    read_instant(p.payload ->> '$.CreatedDate') as created_at,
    p.payload ->> '$.CreatedById' as created_by_user_id,
    person_or_machine(related(p.payload, 'CreatedBy', 'Username')) as created_via,
    case when p.is_lead and listed('salesforce.lead_sources', p.payload ->> '$.LeadSource') then read_instant(p.payload ->> '$.CreatedDate') end as lead_at,
    coalesce(l.merged_ids, []) as merged_ids,
    unreadable('CreatedDate', p.payload ->> '$.CreatedDate', read_instant(p.payload ->> '$.CreatedDate')) as unreadable_reason
from people as p
left join losers as l on p.source_id = l.source_id and p.workspace_id = l.workspace_id and p.record_id = l.winner_id
