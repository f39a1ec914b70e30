-- staging.stg_crm_write: changes in the CRM that a folder of files tells of.
-- grain: source_id, workspace_id, record_id
-- order: written_at
-- user_id: an address; "integration" stands for a machine
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    lower(payload ->> '$.object') as object_type,
    payload ->> '$.key' as object_id,
    norm_email(payload ->> '$.by') as user_id,
    read_instant(payload ->> '$.at') as written_at,
    case when norm_email(payload ->> '$.by') = 'integration' then 'integration' else lower(coalesce(payload ->> '$.via', 'ui')) end as via,
    coalesce(payload ->> '$.property', '') as property,
    case when not is_deleted then stood_at(payload) end || coalesce(
        case when read_instant(payload ->> '$.at') is null then 'at is no time: ' || coalesce(payload ->> '$.at', 'empty') end,
        case
            when coalesce(lower(payload ->> '$.object'), '') not in ('contact', 'company', 'deal', 'note')
                then 'object is not contact, company, deal or note: ' || coalesce(payload ->> '$.object', 'empty')
        end,
        case when payload ->> '$.key' is null then 'key is empty: nobody knows which record was changed' end,
        case
            when payload ->> '$.by' is not null and norm_email(payload ->> '$.by') <> 'integration' and not contains(payload ->> '$.by', '@')
                then 'by is no address: ' || (payload ->> '$.by')
        end,
        case
            when lower(coalesce(payload ->> '$.via', 'ui')) not in ('ui', 'mobile', 'import', 'api', 'automation', 'integration')
                then 'via is not ui, mobile, import, api, automation or integration: ' || (payload ->> '$.via')
        end
    ) as unreadable_reason
from raw.files_crm_write_latest
