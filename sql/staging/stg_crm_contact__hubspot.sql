-- staging.stg_crm_contact: contacts with every address and number of theirs.
-- lead_at: first form of ours that the contact filled in (HubSpot's First Conversion Date)
-- grain: source_id, workspace_id, contact_id
-- scope: record_id
-- on raw.hubspot_crm_contact_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as contact_id,
    addresses_in(concat_ws(',', payload ->> '$.properties.email', payload ->> '$.properties.hs_additional_emails')) as emails,
    list_distinct(list_filter(
        [digits(payload ->> '$.properties.phone'), digits(payload ->> '$.properties.mobilephone'), digits(payload ->> '$.properties.hs_whatsapp_phone_number')], lambda n: n is not null
    )) as phones,
    nullif(payload ->> '$.properties.associatedcompanyid', '') as company_id,
    nullif(payload ->> '$.properties.hubspot_owner_id', '') as owner_user_id,
    read_instant(payload ->> '$.properties.createdate') as created_at,
    nullif(payload ->> '$.properties.hs_created_by_user_id', '') as created_by_user_id,
    came_by(payload ->> '$.properties.hs_object_source') as created_via,
    read_instant(payload ->> '$.properties.first_conversion_date') as lead_at,
    regexp_extract_all(coalesce(payload ->> '$.properties.hs_merged_object_ids', ''), '[0-9]+') as merged_ids,
    coalesce(
        unreadable('createdate', payload ->> '$.properties.createdate', read_instant(payload ->> '$.properties.createdate'))
    ) as unreadable_reason
from raw.hubspot_crm_contact_latest
