-- marts.daily_team_activity: one row a team and day: the sum of its reps' rows; a rep's day belongs whole to the team of that date.
-- grain: activity_date, team_id
-- kind: merged
-- activity_date: Calendar date, everybody's own
-- team_id: Team (dim_team); -1 for reps without one
-- team_name: Name of the team
-- reps_expected: Reps with a row in daily_rep_activity that day
-- reps_working: Of those, reps with a working_fraction above 0
-- reps_reported: Of those expected, reps whose sources were all complete
-- crm_active_reps: Reps who used the CRM that day
-- working_fraction: Sum of the reps' working fractions: working days worked that day
-- calls_made: Calls made: distinct outbound external dials that reached the network, whatever came of them; summed over the reps whose sources spoke
-- calls_cancelled: Outbound calls given up before it rang; not part of calls_made
-- calls_answered: Calls made that somebody or something answered, machines included
-- calls_connected: Calls made that reached a person: so disposed, or undisposed with at least connect_min_talk_seconds of talk
-- call_conversations: Connected calls with at least conversation_min_talk_seconds of talk
-- calls_answered_short: Calls made that were answered, left undisposed and ended before connect_min_talk_seconds
-- calls_no_answer: Calls made that nobody answered
-- calls_busy: Calls made to a busy line
-- calls_wrong_number: Calls made that turned out to be a wrong number
-- voicemails_left: Calls made that a machine answered
-- calls_failed: Calls made that failed after it rang
-- talk_seconds: Seconds of talk with people, inbound and outbound, own legs only, on the day the call began
-- calls_inbound: Inbound external calls
-- calls_inbound_answered: Inbound calls that a person answered
-- calls_inbound_missed: Inbound calls that nobody answered
-- calls_handled: Calls made and inbound calls answered in which the rep had a part: a transferred call counts for each participant
-- cold_calls_made: Calls made to contacts without an earlier two-way exchange, an open deal or an approach of theirs in 90 days
-- cold_calls_connected: Cold calls that reached a person
-- cold_call_conversations: Cold calls that became a conversation
-- cold_call_meetings: Meetings booked with the contact on the day of a connected cold call
-- emails_sent: Emails sent: distinct messages with at least one external recipient, one-to-one and sequence; bulk mail never
-- emails_sent_one_to_one: Emails sent by hand
-- emails_sent_sequence: Emails sent by a sequence
-- email_recipients: External recipients of the emails sent, summed
-- recipients_delivered: External recipients whose delivery did not fail
-- recipients_bounced: External recipients whose delivery failed for good
-- emails_delivered: Emails sent less those of which every external recipient failed
-- emails_bounced: Emails sent of which every external recipient failed
-- replies_received: Human replies by day of receipt; never to be divided by the same day's sends
-- auto_replies_received: Automatic replies (out of office and the like) by day of receipt
-- mails_to_over_limit_contacts: Emails sent to a contact that had more than mail_pressure_limit mails in mail_pressure_days days
-- conversations: Conversations: distinct contacts with a two-way exchange by call, mail or meeting that day
-- conversations_new: Conversations that are the contact's first ever with anybody of ours
-- conversation_contacts_call: Contacts with a conversation by call; channels overlap, never add them up
-- conversation_contacts_email: Contacts with a two-way exchange by mail; channels overlap, never add them up
-- conversation_contacts_meeting: Contacts met in a held meeting; channels overlap, never add them up
-- meetings_booked: Meetings booked, by day and person of the booking
-- meetings_held: Meetings held, by day of their start, for the host
-- meetings_no_show: Meetings to which the contact did not come, by day of their start
-- meetings_cancelled: Meetings cancelled, by day of their planned start
-- crm_writes: Changes made in the CRM by hand, distinct record and minute
-- crm_records_created: Contacts, companies and deals created by hand
-- crm_activities_logged: Notes, calls, mails, meetings and completed tasks logged by hand, by day of logging
-- loggable_activities: Connected dialer calls, held meetings and one-to-one mails: what belongs into the CRM
-- logged_activities_24h: Of the loggable activities, those in the CRM within crm_logging_limit_hours
-- tools_active: Distinct tools used with at least one qualifying action that day
-- tools_assigned: Distinct tools the rep had a seat for that day
-- deals_created: Deals whose first entry into a counted pipeline fell on the day, for who sourced them
-- deals_created_without_amount: Of the deals created, those for which no amount is known yet
-- pipeline_created_amount: Amount of the deals created as of the end of that day, frozen, in the reporting currency
-- deals_won_events: Deals that entered a won stage, for the owner of that moment
-- deals_reopened: Closed deals that were opened again
-- won_amount: Amount of the deals won at the end of that day, in the reporting currency
-- deals_lost: Deals that entered a lost stage, for the owner of that moment
-- lost_amount: Amount of the deals lost at the end of that day, in the reporting currency
-- distinct_contacts_emailed: Distinct external recipients of the emails sent; never to be added up
-- distinct_conversation_contacts: Distinct contacts with a conversation with anybody in this row; never to be added up
-- reporting_currency: Currency of all amounts in this row
-- source_status: complete when every rep's row is, missing when none spoke, else partial
-- is_complete: True when every expected rep's row is complete
with rolled as (
    select
        activity_date,
        team_id,
        team_name,
        count_if(rep_id <> -1)::bigint as reps_expected,
        count_if(rep_id <> -1 and working_fraction > 0)::bigint as reps_working,
        count_if(rep_id <> -1 and is_complete)::bigint as reps_reported,
        sum(crm_active)::bigint as crm_active_reps,
        sum(working_fraction) filter (where rep_id <> -1)::double as working_fraction,
        sum(calls_made)::bigint as calls_made,
        sum(calls_cancelled)::bigint as calls_cancelled,
        sum(calls_answered)::bigint as calls_answered,
        sum(calls_connected)::bigint as calls_connected,
        sum(call_conversations)::bigint as call_conversations,
        sum(calls_answered_short)::bigint as calls_answered_short,
        sum(calls_no_answer)::bigint as calls_no_answer,
        sum(calls_busy)::bigint as calls_busy,
        sum(calls_wrong_number)::bigint as calls_wrong_number,
        sum(voicemails_left)::bigint as voicemails_left,
        sum(calls_failed)::bigint as calls_failed,
        sum(talk_seconds)::bigint as talk_seconds,
        sum(calls_inbound)::bigint as calls_inbound,
        sum(calls_inbound_answered)::bigint as calls_inbound_answered,
        sum(calls_inbound_missed)::bigint as calls_inbound_missed,
        sum(calls_handled)::bigint as calls_handled,
        sum(cold_calls_made)::bigint as cold_calls_made,
        sum(cold_calls_connected)::bigint as cold_calls_connected,
        sum(cold_call_conversations)::bigint as cold_call_conversations,
        sum(cold_call_meetings)::bigint as cold_call_meetings,
        sum(emails_sent)::bigint as emails_sent,
        sum(emails_sent_one_to_one)::bigint as emails_sent_one_to_one,
        sum(emails_sent_sequence)::bigint as emails_sent_sequence,
        sum(email_recipients)::bigint as email_recipients,
        sum(recipients_delivered)::bigint as recipients_delivered,
        sum(recipients_bounced)::bigint as recipients_bounced,
        sum(emails_delivered)::bigint as emails_delivered,
        sum(emails_bounced)::bigint as emails_bounced,
        sum(replies_received)::bigint as replies_received,
        sum(auto_replies_received)::bigint as auto_replies_received,
        sum(mails_to_over_limit_contacts)::bigint as mails_to_over_limit_contacts,
        sum(conversations)::bigint as conversations,
        sum(conversations_new)::bigint as conversations_new,
        sum(conversation_contacts_call)::bigint as conversation_contacts_call,
        sum(conversation_contacts_email)::bigint as conversation_contacts_email,
        sum(conversation_contacts_meeting)::bigint as conversation_contacts_meeting,
        sum(meetings_booked)::bigint as meetings_booked,
        sum(meetings_held)::bigint as meetings_held,
        sum(meetings_no_show)::bigint as meetings_no_show,
        sum(meetings_cancelled)::bigint as meetings_cancelled,
        sum(crm_writes)::bigint as crm_writes,
        sum(crm_records_created)::bigint as crm_records_created,
        sum(crm_activities_logged)::bigint as crm_activities_logged,
        sum(loggable_activities)::bigint as loggable_activities,
        sum(logged_activities_24h)::bigint as logged_activities_24h,
        sum(tools_active)::bigint as tools_active,
        sum(tools_assigned)::bigint as tools_assigned,
        sum(deals_created)::bigint as deals_created,
        sum(deals_created_without_amount)::bigint as deals_created_without_amount,
        sum(pipeline_created_amount)::decimal(18, 2) as pipeline_created_amount,
        sum(deals_won_events)::bigint as deals_won_events,
        sum(deals_reopened)::bigint as deals_reopened,
        sum(won_amount)::decimal(18, 2) as won_amount,
        sum(deals_lost)::bigint as deals_lost,
        sum(lost_amount)::decimal(18, 2) as lost_amount,
        any_value(reporting_currency) as reporting_currency,
        case
            when bool_and(source_status in ('complete', 'not_applicable')) then 'complete'
            when bool_and(source_status = 'missing') then 'missing'
            else 'partial'
        end as source_status,
        coalesce(bool_and(is_complete) filter (where rep_id <> -1), false) as is_complete
    from marts.daily_rep_activity
    group by activity_date, team_id, team_name
),

emailed as (
    select
        d.activity_date,
        d.team_id,
        count(distinct r.contact_key)::bigint as distinct_contacts_emailed
    from core.fct_email as e
    inner join core.fct_email_recipient as r on e.message_key = r.message_key and r.is_external
    inner join core.rep_day as d on e.rep_id = d.rep_id and e.activity_date = d.activity_date
    where e.direction = 'outbound' and e.is_counted
    group by all
),

talked as (
    select
        d.activity_date,
        d.team_id,
        count(distinct c.contact_key)::bigint as distinct_conversation_contacts
    from core.fct_conversation as c
    inner join core.rep_day as d on c.rep_id = d.rep_id and c.activity_date = d.activity_date
    group by all
)

select
    r.* exclude (reporting_currency, source_status, is_complete),
    case when r.emails_sent is not null then coalesce(e.distinct_contacts_emailed, 0) end::bigint as distinct_contacts_emailed,
    case when r.conversations is not null then coalesce(t.distinct_conversation_contacts, 0) end::bigint as distinct_conversation_contacts,
    r.reporting_currency,
    r.source_status,
    r.is_complete
from rolled as r
left join emailed as e on r.activity_date = e.activity_date and r.team_id = e.team_id
left join talked as t on r.activity_date = t.activity_date and r.team_id = t.team_id
