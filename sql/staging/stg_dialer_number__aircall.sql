-- staging.stg_dialer_number: the company's own lines in Aircall.
-- grain: source_id, workspace_id, record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    digits(payload ->> '$.digits') as number,
    case
        when trim(payload ->> '$.digits') <> '' and digits(payload ->> '$.digits') is null then 'digits holds no digits'
    end as unreadable_reason
from raw.aircall_dialer_number_latest
