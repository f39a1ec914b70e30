-- marts.dim_pipeline_stage: stages of the CRM's deal pipelines and what they count as.
-- grain: stage_key
-- kind: replaced
-- stage_key: Key of the stage: source, workspace, pipeline and stage
-- source_id: CRM that has the stage
-- workspace_id: Account of that CRM
-- pipeline_id: Pipeline, as the CRM calls it
-- pipeline_name: Name of the pipeline
-- stage_id: Stage, as the CRM calls it
-- stage_name: Name of the stage
-- stage_no: Place of the stage in its pipeline, from 1
-- stage_outcome: open, won or lost
-- is_closed: Whether a deal in this stage is closed
-- is_won: Whether a deal in this stage is won
-- is_qualified: Whether entering this stage makes a deal qualified (setting qualified_stages)
-- is_counted: Whether deals in this pipeline are new business (setting excluded_pipelines; if not given, all but renewals)
select
    stage_key,
    source_id,
    workspace_id,
    pipeline_id,
    pipeline_name,
    stage_id,
    stage_name,
    stage_no::integer as stage_no,
    case when is_won then 'won' when is_closed then 'lost' else 'open' end as stage_outcome,
    is_closed,
    is_won,
    is_qualified,
    not is_excluded as is_counted
from core.pipeline_stage
