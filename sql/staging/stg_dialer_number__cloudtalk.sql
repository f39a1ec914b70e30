-- staging.stg_dialer_number: the company's own lines in CloudTalk.
-- grain: source_id, workspace_id, record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    digits(payload ->> '$.CallNumber.caller_id_e164') as number,
    case
        when trim(payload ->> '$.CallNumber.caller_id_e164') <> '' and digits(payload ->> '$.CallNumber.caller_id_e164') is null
            then 'CallNumber.caller_id_e164 holds no digits'
    end as unreadable_reason
from raw.cloudtalk_dialer_number_latest
