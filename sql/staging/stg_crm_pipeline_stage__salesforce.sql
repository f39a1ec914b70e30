-- staging.stg_crm_pipeline_stage: stages, which all record types share; a pipeline is a record type, and "default" is none.
-- grain: source_id, workspace_id, pipeline_id, stage_id
with lines as (
    select distinct
        source_id,
        workspace_id,
        payload ->> '$.DeveloperName' as pipeline_id,
        payload ->> '$.Name' as pipeline_name
    from raw.salesforce_crm_pipeline_latest
    union all
    select distinct
        source_id,
        workspace_id,
        'default',
        'Opportunities'
    from raw.salesforce_crm_pipeline_stage_latest
)

select
    s.source_id,
    s.workspace_id,
    s.record_id,
    s.source_updated_at,
    s._extracted_at as extracted_at,
    s.is_deleted,
    l.pipeline_id,
    l.pipeline_name,
    s.payload ->> '$.ApiName' as stage_id,
    s.payload ->> '$.MasterLabel' as stage_name,
    try_cast(s.payload ->> '$.SortOrder' as integer) as position,
    coalesce(s.payload ->> '$.IsClosed' = 'true', false) as is_closed,
    coalesce(s.payload ->> '$.IsWon' = 'true', false) as is_won,
    null::varchar as unreadable_reason
from raw.salesforce_crm_pipeline_stage_latest as s
inner join lines as l on s.source_id = l.source_id and s.workspace_id = l.workspace_id
