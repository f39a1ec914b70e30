-- core.tool_rule: which records of which source show that a tool is used: the settings' rules; and all that is done in a sequencer, which is a tool of
--   that name where no tool of the settings takes the whole of it.
-- grain: tool, source_id, app, action
-- takes_sign_ins: whoever shows what is done shows use by that; sign-ins there count where a rule names them (METRICS 5a)
with sequencers as (
    select distinct source_id from input.source where system = 'sequencer'
)

select distinct
    e.tool,
    e.source_id,
    e.app,
    e.action,
    e.action is not null or e.source_id not in (select s.source_id from sequencers as s) as takes_sign_ins
from input.tool_evidence as e
union all
select
    'sequencer' as tool,
    s.source_id,
    null as app,
    null as action,
    false as takes_sign_ins
from sequencers as s
where not exists (select 1 from input.tool_evidence as e where e.source_id = s.source_id and e.app is null and e.action is null)
