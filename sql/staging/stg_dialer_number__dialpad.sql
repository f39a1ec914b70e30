-- staging.stg_dialer_number: the company's own numbers in Dialpad, whoever has them. One that was ported out stays the company's.
-- grain: source_id, workspace_id, record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    digits(payload ->> '$.number') as number,
    case
        when trim(payload ->> '$.number') <> '' and digits(payload ->> '$.number') is null then 'number holds no digits'
    end as unreadable_reason
from raw.dialpad_dialer_number_latest
