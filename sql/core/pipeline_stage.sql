-- core.pipeline_stage: stages of the deal pipelines and what they mean.
-- grain: source_id, workspace_id, pipeline_id, stage_id
-- is_qualified: one of the settings' qualified_stages by id or name; without any, every stage with "qualified" in its id or name
--   but not "unqualified", "disqualified" or "not qualified", and no closed one
-- is_excluded: deals in this pipeline are not new business: one of the settings' excluded_pipelines by id or name; without any, every pipeline with
--   "renewal" in its id or name
with stages as (
    select
        source_id,
        workspace_id,
        pipeline_id,
        stage_id,
        any_value(pipeline_name order by record_id) as pipeline_name,
        any_value(stage_name order by record_id) as stage_name,
        any_value(position order by record_id) as position,
        any_value(is_closed order by record_id) as is_closed,
        any_value(is_won order by record_id) as is_won
    from staging.stg_crm_pipeline_stage
    group by all
)

select
    source_id || ':' || workspace_id || ':' || pipeline_id || ':' || stage_id as stage_key,
    source_id,
    workspace_id,
    pipeline_id,
    pipeline_name,
    stage_id,
    stage_name,
    row_number() over (partition by source_id, workspace_id, pipeline_id order by position, stage_id) as stage_no,
    is_closed,
    is_won,
    case
        when exists (select 1 from input.qualified_stage)
            then
                lower(stage_id) in (select lower(trim(stage_id)) from input.qualified_stage)
                or coalesce(lower(stage_name) in (select lower(trim(stage_id)) from input.qualified_stage), false)
        else
            not is_closed and regexp_matches(lower(concat_ws(' ', stage_id, stage_name)), 'qualified')
            and not regexp_matches(lower(concat_ws(' ', stage_id, stage_name)), '(un|dis|not[ _-]*)qualified')
    end as is_qualified,
    case
        when exists (select 1 from input.excluded_pipeline)
            then
                lower(pipeline_id) in (select lower(trim(pipeline_id)) from input.excluded_pipeline)
                or coalesce(lower(pipeline_name) in (select lower(trim(pipeline_id)) from input.excluded_pipeline), false)
        else contains(lower(concat_ws(' ', pipeline_id, pipeline_name)), 'renewal')
    end as is_excluded
from stages
