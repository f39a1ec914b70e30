-- marts.meta_metric: the dictionary: what every number in this file means.
-- grain: metric_name
-- kind: replaced
-- metric_name: Column of the daily tables, or rate of v_daily_rep_rates
-- label: How to call it on a dashboard
-- family: Which of the headline metrics it belongs to
-- definition: What is counted
-- formula_sql: How a rate is made for any period; NULL for what is stored
-- numerator: Upper part of a rate
-- denominator: Lower part of a rate
-- unit: What it is counted in
-- grain: Finest rows it exists for
-- additivity: Whether and how it may be added up
-- clock: Which time decides the day
-- null_rule: When it is NULL
-- owner: Who answers for the definition
-- since_version: Contract version that brought it
-- peers_note: How others count, for a reader who compares; NULL where nothing is to be said
select  -- noqa: disable=LT05
    metric_name,
    label,
    family,
    definition,
    formula_sql,
    numerator,
    denominator,
    unit,
    grain,
    additivity,
    clock,
    case
        when formula_sql is null then 'NULL when the source was not read for the day or the rep has no account in it; 0 when it was and nothing happened'
        else 'NULL when the denominator is 0 or not known'
    end as null_rule,
    'RevOps' as owner,
    '1.0.0' as since_version,
    case
        when metric_name = 'calls_answered' then 'Aircall calls this "connected": the recipient or its voicemail answered'
        when metric_name = 'calls_connected' then 'Others count voicemail as connected (Convoso) or go by the disposition alone (Glencoco)'
        when metric_name = 'call_conversations' then 'The threshold is policy: revenue.io uses 90 seconds or the disposition'
        when metric_name = 'talk_seconds' then 'Dialpad counts from connect to end, hold included'
        when metric_name = 'emails_sent' then 'HubSpot reports count a mail once for each associated contact; here one message is one mail'
        when metric_name = 'replies_received' then 'Tools that count automatic replies show several times more'
        when metric_name = 'meetings_held' then 'Atrium takes whatever stays in the calendar as held; here the outcome must say so'
        when metric_name = 'connect_rate' then 'Convoso''s contact rate is per lead list, not per dial'
    end as peers_note
from (
    values
    ('calls_made', 'calls made', 'calls', 'Calls made: distinct outbound external dials that reached the network, whatever came of them', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('calls_cancelled', 'calls cancelled', 'calls', 'Outbound calls given up before it rang; not part of calls_made', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('calls_answered', 'calls answered', 'calls', 'Calls made that somebody or something answered, machines included', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('calls_connected', 'calls connected', 'calls', 'Calls made that reached a person: so disposed, or undisposed with at least connect_min_talk_seconds of talk', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('call_conversations', 'call conversations', 'calls', 'Connected calls with at least conversation_min_talk_seconds of talk', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('calls_answered_short', 'calls answered short', 'calls', 'Calls made that were answered, left undisposed and ended before connect_min_talk_seconds', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('calls_no_answer', 'calls no answer', 'calls', 'Calls made that nobody answered', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('calls_busy', 'calls busy', 'calls', 'Calls made to a busy line', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('calls_wrong_number', 'calls wrong number', 'calls', 'Calls made that turned out to be a wrong number', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('voicemails_left', 'voicemails left', 'calls', 'Calls made that a machine answered', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('calls_failed', 'calls failed', 'calls', 'Calls made that failed after it rang', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('talk_seconds', 'talk seconds', 'calls', 'Seconds of talk with people, inbound and outbound, own legs only, on the day the call began', null, null, null, 'seconds', 'activity_date, rep_id', 'additive', 'activity time'),
    ('calls_inbound', 'calls inbound', 'calls', 'Inbound external calls', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('calls_inbound_answered', 'calls inbound answered', 'calls', 'Inbound calls that a person answered', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('calls_inbound_missed', 'calls inbound missed', 'calls', 'Inbound calls that nobody answered', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('calls_handled', 'calls handled', 'calls', 'Calls made and inbound calls answered in which the rep had a part: a transferred call counts for each participant', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('cold_calls_made', 'cold calls made', 'calls', 'Calls made to contacts without an earlier two-way exchange, an open deal or an approach of theirs in 90 days', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('cold_calls_connected', 'cold calls connected', 'calls', 'Cold calls that reached a person', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('cold_call_conversations', 'cold call conversations', 'calls', 'Cold calls that became a conversation', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('cold_call_meetings', 'cold call meetings', 'calls', 'Meetings booked with the contact on the day of a connected cold call', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('emails_sent', 'emails sent', 'emails', 'Emails sent: distinct messages with at least one external recipient, one-to-one and sequence; bulk mail never', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('emails_sent_one_to_one', 'emails sent one to one', 'emails', 'Emails sent by hand', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('emails_sent_sequence', 'emails sent sequence', 'emails', 'Emails sent by a sequence', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('email_recipients', 'email recipients', 'emails', 'External recipients of the emails sent, summed', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('recipients_delivered', 'recipients delivered', 'emails', 'External recipients whose delivery did not fail', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('recipients_bounced', 'recipients bounced', 'emails', 'External recipients whose delivery failed for good', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('emails_delivered', 'emails delivered', 'emails', 'Emails sent less those of which every external recipient failed', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('emails_bounced', 'emails bounced', 'emails', 'Emails sent of which every external recipient failed', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('replies_received', 'replies received', 'emails', 'Human replies by day of receipt; never to be divided by the same day''s sends', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('auto_replies_received', 'auto replies received', 'emails', 'Automatic replies (out of office and the like) by day of receipt', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('mails_to_over_limit_contacts', 'mails to over limit contacts', 'emails', 'Emails sent to a contact that had more than mail_pressure_limit mails in mail_pressure_days days', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('conversations', 'conversations', 'conversations', 'Conversations: distinct contacts with a two-way exchange by call, mail or meeting that day', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('conversations_new', 'conversations new', 'conversations', 'Conversations that are the contact''s first ever with anybody of ours', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('conversation_contacts_call', 'conversation contacts call', 'conversations', 'Contacts with a conversation by call; channels overlap, never add them up', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('conversation_contacts_email', 'conversation contacts email', 'conversations', 'Contacts with a two-way exchange by mail; channels overlap, never add them up', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('conversation_contacts_meeting', 'conversation contacts meeting', 'conversations', 'Contacts met in a held meeting; channels overlap, never add them up', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('meetings_booked', 'meetings booked', 'meetings', 'Meetings booked, by day and person of the booking', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('meetings_held', 'meetings held', 'meetings', 'Meetings held, by day of their start, for the host', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('meetings_no_show', 'meetings no show', 'meetings', 'Meetings to which the contact did not come, by day of their start', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('meetings_cancelled', 'meetings cancelled', 'meetings', 'Meetings cancelled, by day of their planned start', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('crm_writes', 'CRM writes', 'crm_usage', 'Changes made in the CRM by hand, distinct record and minute', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'log time'),
    ('crm_records_created', 'CRM records created', 'crm_usage', 'Contacts, companies and deals created by hand', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'log time'),
    ('crm_activities_logged', 'CRM activities logged', 'crm_usage', 'Notes, calls, mails, meetings and completed tasks logged by hand, by day of logging', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'log time'),
    ('crm_active', 'CRM active', 'crm_usage', '1 when the rep wrote to the CRM by hand or signed in that day, else 0', null, null, null, 'count', 'activity_date, rep_id', 'additive over reps; over days it counts rep-days', 'log time'),
    ('loggable_activities', 'loggable activities', 'crm_usage', 'Connected dialer calls, held meetings and one-to-one mails: what belongs into the CRM', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('logged_activities_24h', 'logged activities within 24 h', 'crm_usage', 'Of the loggable activities, those in the CRM within crm_logging_limit_hours', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'activity time'),
    ('tools_active', 'tools active', 'tools', 'Distinct tools used with at least one qualifying action that day', null, null, null, 'count', 'activity_date, rep_id', 'additive over reps; over days it counts rep-days', 'activity time'),
    ('tools_assigned', 'tools assigned', 'tools', 'Distinct tools the rep had a seat for that day', null, null, null, 'count', 'activity_date, rep_id', 'additive over reps; over days it counts rep-days', 'activity time'),
    ('deals_created', 'deals created', 'deals', 'Deals whose first entry into a counted pipeline fell on the day, for who sourced them', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'entry time'),
    ('deals_created_without_amount', 'deals created without amount', 'deals', 'Of the deals created, those for which no amount is known yet', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'entry time'),
    ('pipeline_created_amount', 'pipeline created amount', 'deals', 'Amount of the deals created as of the end of that day, frozen, in the reporting currency', null, null, null, 'reporting currency', 'activity_date, rep_id', 'additive', 'entry time'),
    ('deals_won_events', 'deals won events', 'deals', 'Deals that entered a won stage, for the owner of that moment', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'entry time'),
    ('deals_reopened', 'deals reopened', 'deals', 'Closed deals that were opened again', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'entry time'),
    ('won_amount', 'won amount', 'deals', 'Amount of the deals won at the end of that day, in the reporting currency', null, null, null, 'reporting currency', 'activity_date, rep_id', 'additive', 'entry time'),
    ('deals_lost', 'deals lost', 'deals', 'Deals that entered a lost stage, for the owner of that moment', null, null, null, 'count', 'activity_date, rep_id', 'additive', 'entry time'),
    ('lost_amount', 'lost amount', 'deals', 'Amount of the deals lost at the end of that day, in the reporting currency', null, null, null, 'reporting currency', 'activity_date, rep_id', 'additive', 'entry time'),
    ('connect_rate', 'connect rate', 'calls', 'Share of the calls made that reached a person', 'sum(calls_connected) / nullif(sum(calls_made), 0)', 'calls_connected', 'calls_made', 'share 0..1', 'activity_date, rep_id', 'ratio: add up the parts, then divide', 'activity time'),
    ('answer_rate', 'answer rate', 'calls', 'Share of the calls made that were answered, machines included', 'sum(calls_answered) / nullif(sum(calls_made), 0)', 'calls_answered', 'calls_made', 'share 0..1', 'activity_date, rep_id', 'ratio: add up the parts, then divide', 'activity time'),
    ('call_conversation_rate', 'call conversation rate', 'calls', 'Share of the connected calls that became a conversation', 'sum(call_conversations) / nullif(sum(calls_connected), 0)', 'call_conversations', 'calls_connected', 'share 0..1', 'activity_date, rep_id', 'ratio: add up the parts, then divide', 'activity time'),
    ('email_bounce_rate', 'email bounce rate', 'emails', 'Share of the emails sent of which every recipient failed', 'sum(emails_bounced) / nullif(sum(emails_sent), 0)', 'emails_bounced', 'emails_sent', 'share 0..1', 'activity_date, rep_id', 'ratio: add up the parts, then divide', 'activity time'),
    ('crm_logging_rate', 'CRM logging rate', 'crm_usage', 'Share of what belongs into the CRM that got there in time', 'sum(logged_activities_24h) / nullif(sum(loggable_activities), 0)', 'logged_activities_24h', 'loggable_activities', 'share 0..1', 'activity_date, rep_id', 'ratio: add up the parts, then divide', 'activity time'),
    ('meeting_show_rate', 'meeting show rate', 'meetings', 'Share of the meetings neither cancelled nor moved to which the contact came', 'sum(meetings_held) / nullif(sum(meetings_held + meetings_no_show), 0)', 'meetings_held', 'meetings_held + meetings_no_show', 'share 0..1', 'activity_date, rep_id', 'ratio: add up the parts, then divide', 'activity time')
) as m (metric_name, label, family, definition, formula_sql, numerator, denominator, unit, grain, additivity, clock)
