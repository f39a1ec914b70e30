-- checks.parts_fit_in_wholes: parts are not larger than their wholes and nothing is negative, so that rates lie between 0 and 1.
-- severity: error
select
    activity_date,
    rep_id,
    calls_made,
    emails_sent
from marts.daily_rep_activity
where
    calls_connected > calls_made
    or call_conversations > calls_connected
    or cold_calls_made > calls_made
    or cold_call_conversations > cold_calls_connected
    or emails_sent <> emails_sent_one_to_one + emails_sent_sequence
    or emails_sent <> emails_delivered + emails_bounced
    or email_recipients <> recipients_delivered + recipients_bounced
    or email_recipients < emails_sent
    or calls_inbound_abandoned > calls_inbound_missed
    or conversations_new > conversations
    or conversations > conversation_contacts_call + conversation_contacts_email + conversation_contacts_meeting
    or logged_activities_24h > loggable_activities
    or deals_created_without_amount > deals_created
    or least(calls_made, talk_seconds, emails_sent, conversations, crm_writes, deals_created) < 0
