-- marts.v_daily_rep_rates: rates of a rep's day from their parts; NULL where there is nothing to divide by. For longer periods add up the parts first.
-- grain: activity_date, rep_id
-- kind: view
-- activity_date: Local calendar date in the rep's own time zone
-- rep_id: Key of the rep
-- rep_name: Name of the rep
-- team_id: Team at that date
-- connect_rate: Calls connected / calls made
-- answer_rate: Calls answered / calls made
-- call_conversation_rate: Call conversations / calls connected
-- email_bounce_rate: Emails bounced / emails sent
-- crm_logging_rate: Activities logged in time / loggable activities
-- meeting_show_rate: Meetings held / (held + no-show)
-- is_complete: True when every source that applies was read to the end of the day
select
    activity_date,
    rep_id,
    rep_name,
    team_id,
    calls_connected::double / nullif(calls_made, 0) as connect_rate,
    calls_answered::double / nullif(calls_made, 0) as answer_rate,
    call_conversations::double / nullif(calls_connected, 0) as call_conversation_rate,
    emails_bounced::double / nullif(emails_sent, 0) as email_bounce_rate,
    logged_activities_24h::double / nullif(loggable_activities, 0) as crm_logging_rate,
    meetings_held::double / nullif(meetings_held + meetings_no_show, 0) as meeting_show_rate,
    is_complete
from daily_rep_activity
