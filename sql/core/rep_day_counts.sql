-- core.rep_day_counts: what was seen of each rep on each local day, before anything is said about completeness. No row where nothing was seen.
-- grain: rep_id, activity_date
with calls as (
    select
        rep_id,
        activity_date,
        count_if(direction = 'outbound' and is_counted) as calls_made,
        count_if(direction = 'outbound' and exclusion_reason = 'cancelled') as calls_cancelled,
        count_if(direction = 'outbound' and is_counted and is_answered) as calls_answered,
        count_if(direction = 'outbound' and is_counted and is_connected) as calls_connected,
        count_if(direction = 'outbound' and is_counted and is_conversation) as call_conversations,
        count_if(direction = 'outbound' and is_counted and outcome = 'answered_short') as calls_answered_short,
        count_if(direction = 'outbound' and is_counted and outcome = 'no_answer') as calls_no_answer,
        count_if(direction = 'outbound' and is_counted and outcome = 'busy') as calls_busy,
        count_if(direction = 'outbound' and is_counted and outcome = 'wrong_number') as calls_wrong_number,
        count_if(direction = 'outbound' and is_counted and outcome = 'voicemail_left') as voicemails_left,
        count_if(direction = 'outbound' and is_counted and outcome = 'failed_after_ring') as calls_failed,
        count_if(direction = 'inbound' and is_counted) as calls_inbound,
        count_if(direction = 'inbound' and is_counted and outcome = 'answered') as calls_inbound_answered,
        count_if(direction = 'inbound' and is_counted and outcome = 'missed') as calls_inbound_missed
    from core.fct_call
    group by all
),

-- Talk belongs to whoever talked: legs where the dialer has them, else the log's rep.
talk as (
    select
        l.rep_id,
        local_date(c.occurred_at, r.timezone) as activity_date,
        l.call_key,
        sum(l.talk_s) as talk_s,
        bool_or(c.direction = 'outbound' or c.outcome = 'answered') as is_handled
    from core.fct_call_leg as l
    inner join core.fct_call as c on l.call_key = c.call_key
    inner join core.dim_rep as r on l.rep_id = r.rep_id and c.occurred_at >= r.valid_from and c.occurred_at < r.valid_to
    where c.is_counted
    group by all
    union all
    select
        rep_id,
        activity_date,
        call_key,
        case when outcome = 'voicemail_left' then 0 else talk_s end,
        direction = 'outbound' or outcome = 'answered'
    from core.fct_call
    where is_counted and call_origin = 'crm_only'
),

talked as (
    select
        rep_id,
        activity_date,
        round(sum(talk_s))::bigint as talk_seconds,
        count_if(is_handled) as calls_handled
    from talk
    group by all
),

cold_meetings as (
    select
        rep_id,
        activity_date,
        count(distinct meeting_key) as cold_call_meetings
    from (
        select
            rep_id,
            activity_date,
            unnest(meeting_keys) as meeting_key
        from core.cold_call
    )
    group by all
),

cold as (
    select
        rep_id,
        activity_date,
        count(*) as cold_calls_made,
        count_if(is_connected) as cold_calls_connected,
        count_if(is_conversation) as cold_call_conversations
    from core.cold_call
    group by all
),

emails as (
    select
        rep_id,
        activity_date,
        count(*) as emails_sent,
        count_if(send_kind = 'one_to_one') as emails_sent_one_to_one,
        count_if(send_kind = 'sequence') as emails_sent_sequence,
        sum(n_ext_recipients) as email_recipients,
        sum(n_ext_recipients - n_failed_recipients) as recipients_delivered,
        sum(n_failed_recipients) as recipients_bounced,
        count_if(not is_bounced) as emails_delivered,
        count_if(is_bounced) as emails_bounced
    from core.fct_email
    where direction = 'outbound' and is_counted
    group by all
),

replies as (
    select
        rep_id,
        activity_date,
        count_if(reply_kind = 'human') as replies_received,
        count_if(reply_kind = 'auto_reply') as auto_replies_received
    from core.fct_email_reply
    group by all
),

pressure as (
    select rep_id, activity_date, count(*) as mails_to_over_limit_contacts
    from core.mail_pressure
    group by all
),

conversations as (
    select
        rep_id,
        activity_date,
        count(*) as conversations,
        count_if(is_new) as conversations_new,
        count_if(has_call) as conversation_contacts_call,
        count_if(has_email) as conversation_contacts_email,
        count_if(has_meeting) as conversation_contacts_meeting
    from core.fct_conversation
    group by all
),

booked as (
    select booked_by_rep_id as rep_id, booked_date as activity_date, count(*) as meetings_booked
    from core.fct_meeting
    where is_counted
    group by all
),

met as (
    select
        host_rep_id as rep_id,
        held_date as activity_date,
        count_if(is_held) as meetings_held,
        count_if(outcome = 'no_show') as meetings_no_show,
        count_if(outcome = 'cancelled') as meetings_cancelled
    from core.fct_meeting
    where is_counted
    group by all
),

usage as (
    select
        rep_id,
        activity_date,
        count_if(write_kind = 'change') as crm_writes,
        count_if(write_kind = 'created') as crm_records_created,
        count_if(write_kind = 'logged') as crm_activities_logged
    from core.fct_crm_write
    group by all
),

logging as (
    select
        rep_id,
        activity_date,
        count(*) as loggable_activities,
        count_if(is_in_time) as logged_activities_24h
    from core.loggable
    group by all
),

tools as (
    select
        rep_id,
        activity_date,
        count(distinct tool) as tools_active,
        max((tool = 'crm')::bigint) as crm_active
    from core.fct_tool_action
    group by all
),

deals as (
    select
        rep_id,
        activity_date,
        count_if(event_type = 'created') as deals_created,
        count_if(event_type = 'created' and amount_orig is null) as deals_created_without_amount,
        sum(amount) filter (where event_type = 'created') as pipeline_created_amount,
        count_if(event_type = 'won') as deals_won_events,
        count_if(event_type = 'reopened') as deals_reopened,
        sum(amount) filter (where event_type = 'won') as won_amount,
        count_if(event_type = 'lost') as deals_lost,
        sum(amount) filter (where event_type = 'lost') as lost_amount,
        count_if(amount_orig is not null and amount is null) as deals_without_rate
    from core.fct_deal_event
    where is_counted
    group by all
)

select
    s.rep_id,
    s.activity_date,
    c.* exclude (rep_id, activity_date),
    k.* exclude (rep_id, activity_date),
    o.* exclude (rep_id, activity_date),
    om.* exclude (rep_id, activity_date),
    e.* exclude (rep_id, activity_date),
    y.* exclude (rep_id, activity_date),
    pr.* exclude (rep_id, activity_date),
    v.* exclude (rep_id, activity_date),
    b.* exclude (rep_id, activity_date),
    m.* exclude (rep_id, activity_date),
    u.* exclude (rep_id, activity_date),
    g.* exclude (rep_id, activity_date),
    t.* exclude (rep_id, activity_date),
    d.* exclude (rep_id, activity_date)
from core.rep_day as s
left join calls as c on s.rep_id = c.rep_id and s.activity_date = c.activity_date
left join talked as k on s.rep_id = k.rep_id and s.activity_date = k.activity_date
left join cold as o on s.rep_id = o.rep_id and s.activity_date = o.activity_date
left join cold_meetings as om on s.rep_id = om.rep_id and s.activity_date = om.activity_date
left join emails as e on s.rep_id = e.rep_id and s.activity_date = e.activity_date
left join replies as y on s.rep_id = y.rep_id and s.activity_date = y.activity_date
left join pressure as pr on s.rep_id = pr.rep_id and s.activity_date = pr.activity_date
left join conversations as v on s.rep_id = v.rep_id and s.activity_date = v.activity_date
left join booked as b on s.rep_id = b.rep_id and s.activity_date = b.activity_date
left join met as m on s.rep_id = m.rep_id and s.activity_date = m.activity_date
left join usage as u on s.rep_id = u.rep_id and s.activity_date = u.activity_date
left join logging as g on s.rep_id = g.rep_id and s.activity_date = g.activity_date
left join tools as t on s.rep_id = t.rep_id and s.activity_date = t.activity_date
left join deals as d on s.rep_id = d.rep_id and s.activity_date = d.activity_date
