-- core.fct_conversation: conversations: distinct rep, contact and local day with a two-way exchange.
-- grain: rep_id, contact_key, activity_date
-- order: activity_date
-- scope: contact_key
-- on core.conversation_event: contact_key
-- on core.dim_contact: contact_key
-- on core.account_version: select k.contact_key from core.dim_contact as k inner join changed as a on k.account_key = a.account_key
-- on core.dim_rep: select c.contact_key from core.fct_conversation as c inner join changed as r on c.rep_id = r.rep_id
-- is_new: the first two-way exchange ever of this contact with anybody of ours
with dated as (
    select
        e.*,
        local_date(e.occurred_at, r.timezone) as activity_date,
        r.team_id,
        row_number() over (partition by e.contact_key order by e.occurred_at, e.rep_id, e.event_key) = 1 as is_first
    from core.conversation_event as e
    inner join core.dim_rep as r on e.rep_id = r.rep_id and e.occurred_at >= r.valid_from and e.occurred_at < r.valid_to
),

daily as (
    select
        rep_id,
        contact_key,
        activity_date,
        arg_min(team_id, (occurred_at, event_key)) as team_id,
        min(occurred_at) as occurred_at,
        bool_or(channel = 'call') as has_call,
        bool_or(channel = 'email') as has_email,
        bool_or(channel = 'meeting') as has_meeting,
        bool_or(is_first) as is_new
    from dated
    group by rep_id, contact_key, activity_date
)

select
    d.rep_id,
    d.contact_key,
    d.activity_date,
    d.team_id,
    d.occurred_at,
    d.has_call,
    d.has_email,
    d.has_meeting,
    d.is_new,
    k.account_key,
    coalesce(a.territory_id, '-1') as territory_id,
    coalesce(a.segment, '-1') as segment
from daily as d
left join core.dim_contact as k on d.contact_key = k.contact_key
left join core.account_version as a
    on k.account_key = a.account_key and d.occurred_at >= a.valid_from and d.occurred_at < a.valid_to
