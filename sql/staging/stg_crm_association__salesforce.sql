-- staging.stg_crm_association: which records belong together, one row a pair: by the references of a record, and by the relations beside them.
-- grain: source_id, workspace_id, from_type, from_id, to_type, to_id
-- scope: record_id
-- on raw.salesforce_crm_call_latest: record_id
-- on raw.salesforce_crm_contact_latest: record_id
-- on raw.salesforce_crm_deal_latest: record_id
-- on raw.salesforce_crm_deal_contact_latest: record_id
-- on raw.salesforce_crm_email_latest: record_id
-- on raw.salesforce_crm_email_relation_latest: record_id
-- on raw.salesforce_crm_meeting_latest: record_id
-- on raw.salesforce_crm_meeting_relation_latest: record_id
-- on raw.salesforce_crm_task_latest: record_id
-- on raw.salesforce_crm_task_relation_latest: record_id
with pairs as (
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'call' as from_type,
        record_id as from_id,
        'contact' as to_type,
        payload ->> '$.WhoId' as to_id
    from raw.salesforce_crm_call_latest
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'call' as from_type,
        record_id as from_id,
        'deal' as to_type,
        payload ->> '$.WhatId' as to_id
    from raw.salesforce_crm_call_latest
    where payload ->> '$.WhatId' like '006%'
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'call' as from_type,
        record_id as from_id,
        'company' as to_type,
        payload ->> '$.WhatId' as to_id
    from raw.salesforce_crm_call_latest
    where payload ->> '$.WhatId' like '001%'
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'call' as from_type,
        record_id as from_id,
        'company' as to_type,
        payload ->> '$.AccountId' as to_id
    from raw.salesforce_crm_call_latest
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'task' as from_type,
        record_id as from_id,
        'contact' as to_type,
        payload ->> '$.WhoId' as to_id
    from raw.salesforce_crm_task_latest
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'task' as from_type,
        record_id as from_id,
        'deal' as to_type,
        payload ->> '$.WhatId' as to_id
    from raw.salesforce_crm_task_latest
    where payload ->> '$.WhatId' like '006%'
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'task' as from_type,
        record_id as from_id,
        'company' as to_type,
        payload ->> '$.WhatId' as to_id
    from raw.salesforce_crm_task_latest
    where payload ->> '$.WhatId' like '001%'
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'task' as from_type,
        record_id as from_id,
        'company' as to_type,
        payload ->> '$.AccountId' as to_id
    from raw.salesforce_crm_task_latest
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'meeting' as from_type,
        record_id as from_id,
        'contact' as to_type,
        payload ->> '$.WhoId' as to_id
    from raw.salesforce_crm_meeting_latest
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'meeting' as from_type,
        record_id as from_id,
        'deal' as to_type,
        payload ->> '$.WhatId' as to_id
    from raw.salesforce_crm_meeting_latest
    where payload ->> '$.WhatId' like '006%'
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'meeting' as from_type,
        record_id as from_id,
        'company' as to_type,
        payload ->> '$.WhatId' as to_id
    from raw.salesforce_crm_meeting_latest
    where payload ->> '$.WhatId' like '001%'
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'meeting' as from_type,
        record_id as from_id,
        'company' as to_type,
        payload ->> '$.AccountId' as to_id
    from raw.salesforce_crm_meeting_latest
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'call' as from_type,
        payload ->> '$.TaskId' as from_id,
        'contact' as to_type,
        payload ->> '$.RelationId' as to_id
    from raw.salesforce_crm_task_relation_latest
    where payload ->> '$.RelationId' like '003%' or payload ->> '$.RelationId' like '00Q%'
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'task' as from_type,
        payload ->> '$.TaskId' as from_id,
        'contact' as to_type,
        payload ->> '$.RelationId' as to_id
    from raw.salesforce_crm_task_relation_latest
    where payload ->> '$.RelationId' like '003%' or payload ->> '$.RelationId' like '00Q%'
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'meeting' as from_type,
        payload ->> '$.EventId' as from_id,
        'contact' as to_type,
        payload ->> '$.RelationId' as to_id
    from raw.salesforce_crm_meeting_relation_latest
    where payload ->> '$.RelationId' like '003%' or payload ->> '$.RelationId' like '00Q%'
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'email' as from_type,
        payload ->> '$.EmailMessageId' as from_id,
        'contact' as to_type,
        payload ->> '$.RelationId' as to_id
    from raw.salesforce_crm_email_relation_latest
    where payload ->> '$.RelationId' like '003%' or payload ->> '$.RelationId' like '00Q%'
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'email' as from_type,
        record_id as from_id,
        'deal' as to_type,
        payload ->> '$.RelatedToId' as to_id
    from raw.salesforce_crm_email_latest
    where payload ->> '$.RelatedToId' like '006%'
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'email' as from_type,
        record_id as from_id,
        'company' as to_type,
        payload ->> '$.RelatedToId' as to_id
    from raw.salesforce_crm_email_latest
    where payload ->> '$.RelatedToId' like '001%'
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'contact' as from_type,
        record_id as from_id,
        'company' as to_type,
        payload ->> '$.AccountId' as to_id
    from raw.salesforce_crm_contact_latest
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'deal' as from_type,
        record_id as from_id,
        'company' as to_type,
        payload ->> '$.AccountId' as to_id
    from raw.salesforce_crm_deal_latest
    union all
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        'deal' as from_type,
        payload ->> '$.OpportunityId' as from_id,
        'contact' as to_type,
        payload ->> '$.ContactId' as to_id
    from raw.salesforce_crm_deal_contact_latest
)

-- A call's first contact is told by its task and by a relation.
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    from_type,
    from_id,
    to_type,
    to_id,
    null::varchar as unreadable_reason
from pairs
where nullif(to_id, '') is not null
