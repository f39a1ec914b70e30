-- core.fct_conversation: conversations: distinct rep, contact and local day with a two-way exchange.
-- grain: rep_id, contact_key, activity_date
-- is_new: the first two-way exchange ever of this contact with anybody of ours
with dated as (
    select
        e.*,
        local_date(e.occurred_at, r.timezone) as activity_date,
        r.team_id,
        row_number() over (partition by e.contact_key order by e.occurred_at, e.rep_id, e.event_key) = 1 as is_first
    from core.conversation_event as e
    inner join core.dim_rep as r on e.rep_id = r.rep_id and e.occurred_at >= r.valid_from and e.occurred_at < r.valid_to
)

select
    rep_id,
    contact_key,
    activity_date,
    arg_min(team_id, occurred_at) as team_id,
    min(occurred_at) as occurred_at,
    bool_or(channel = 'call') as has_call,
    bool_or(channel = 'email') as has_email,
    bool_or(channel = 'meeting') as has_meeting,
    bool_or(is_first) as is_new
from dated
group by rep_id, contact_key, activity_date
