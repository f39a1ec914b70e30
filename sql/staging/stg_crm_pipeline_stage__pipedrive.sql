-- staging.stg_crm_pipeline_stage: stages of the pipelines. Won and lost are a status of the deal: here the last two stages of each pipeline.
-- grain: source_id, workspace_id, pipeline_id, stage_id
with stages as (
    select
        *,
        payload ->> '$.pipeline_id' as pipeline_id,
        record_id as stage_id,
        payload ->> '$.name' as stage_name,
        try_cast(payload ->> '$.order_nr' as integer) as position,
        false as is_closed,
        false as is_won
    from raw.pipedrive_crm_pipeline_stage_latest
    union all by name
    select
        p.* exclude (record_id),
        s.stage_id as record_id,
        p.record_id as pipeline_id,
        s.stage_id,
        s.stage_name,
        s.position,
        true as is_closed,
        s.is_won
    from raw.pipedrive_crm_pipeline_latest as p
    cross join (values ('won', 'Won', 10001, true), ('lost', 'Lost', 10002, false)) as s (stage_id, stage_name, position, is_won)
)

select
    s.source_id,
    s.workspace_id,
    s.record_id,
    s.source_updated_at,
    s._extracted_at as extracted_at,
    s.is_deleted,
    s.pipeline_id,
    p.payload ->> '$.name' as pipeline_name,
    s.stage_id,
    s.stage_name,
    s.position,
    s.is_closed,
    s.is_won,
    null::varchar as unreadable_reason
from stages as s
left join raw.pipedrive_crm_pipeline_latest as p
    on s.source_id = p.source_id and s.workspace_id = p.workspace_id and s.pipeline_id = p.record_id
