-- explain.done: calls, mails and meetings of a rep's day, against the rep's business hours and own segment.
with told as (
    select
        rep_id, activity_date, call_key as done_key, direction || ' call' as kind, occurred_at, segment,
        is_counted and (direction = 'outbound' or outcome = 'answered') as is_in_person,
        is_counted and direction = 'outbound' as is_touch,
        call_key, null as message_key, null as meeting, exclusion_reason
    from core.fct_call
    union all
    select
        rep_id, activity_date, message_key, send_kind || ' mail', occurred_at, segment, is_counted and send_kind = 'one_to_one', is_counted,
        null, message_key, null, exclusion_reason
    from core.fct_email
    where direction = 'outbound'
    union all
    select
        host_rep_id, held_date, meeting_key, 'meeting', occurred_at, segment, is_counted and is_held, is_counted and is_held,
        null, null, source_id || ':' || workspace_id || ':' || meeting_id, exclusion_reason
    from core.fct_meeting
)

select
    t.*,
    b.segment as own_segment,
    not coalesce(t.occurred_at >= b.opens_at and t.occurred_at < b.closes_at, false) as is_off_hours,
    b.opens_at is null as is_off_day
from told as t
inner join core.business_day as b on t.rep_id = b.rep_id and t.activity_date = b.activity_date
