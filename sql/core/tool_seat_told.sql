-- core.tool_seat_told: tools of which sources assign the seats, and whether all of these have told theirs: else nobody is known to have none.
-- grain: tool
with read as (
    select distinct source_id
    from meta.extract_window
    where status = 'done' and stream in ('tool_app_user', 'seq_user')
)

select
    t.tool,
    bool_and(r.source_id is not null) as is_told
from input.tool_seat as t
left join read as r on t.source_id = r.source_id
group by t.tool
