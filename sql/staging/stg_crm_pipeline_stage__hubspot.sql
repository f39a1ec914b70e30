-- staging.stg_crm_pipeline_stage: stages of the deal pipelines; closed and won by the stage's metadata.
-- grain: source_id, workspace_id, pipeline_id, stage_id
with stages as (
    select
        *,
        unnest(from_json(
            payload -> '$.stages',
            '[{"id": "VARCHAR", "label": "VARCHAR", "displayOrder": "INTEGER", "metadata": {"isClosed": "VARCHAR", "probability": "VARCHAR"}}]'
        )) as stage
    from raw.hubspot_crm_pipeline_stage_latest
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as pipeline_id,
    payload ->> '$.label' as pipeline_name,
    stage.id as stage_id,
    stage.label as stage_name,
    stage."displayOrder" as position,
    coalesce(stage.metadata."isClosed" = 'true', false) as is_closed,
    coalesce(stage.metadata."isClosed" = 'true' and try_cast(stage.metadata.probability as double) = 1, false) as is_won,
    null::varchar as unreadable_reason
from stages
