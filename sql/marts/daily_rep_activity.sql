-- marts.daily_rep_activity: one row a rep and local day, everything that adds up: counts, seconds, amounts and the parts of rates.
-- grain: activity_date, rep_id
-- kind: merged
-- activity_date: Local calendar date in the rep's own time zone
-- rep_id: Key of the rep (dim_rep); -1 for users that no rep could be found for
-- rep_name: Name of the rep
-- team_id: Team at that date; -1 for none
-- team_name: Name of that team
-- manager_rep_id: Manager at that date, as rep_id
-- territory_id: Territory of the rep at that date; -1 for none
-- segment: Segment of the rep at that date; -1 for none
-- role: Role at that date
-- timezone: IANA zone in which the day was cut
-- tenure_days: Days since the hire date; NULL when that is not known
-- is_business_day: Whether it was a working day for the rep: weekday and no public holiday in the region
-- working_fraction: Share of a working day that the rep was there: 0, 0.5 or 1 and so on; working day less leave
-- calls_made: Calls made: distinct outbound external dials that reached the network, whatever came of them
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
-- crm_active: 1 when the rep wrote to the CRM by hand or signed in that day, else 0
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
-- reporting_currency: Currency of all amounts in this row
-- crm_status: CRM read for this day: complete, partial, missing or not_applicable
-- dialer_status: Dialer read for this day: complete, partial, missing or not_applicable
-- email_status: Mailbox read for this day: complete, partial, missing or not_applicable
-- source_status: The worst of the three
-- is_complete: True when every source that applies was read to the end of the day and its lag
with seats as (
    select
        d.rep_id,
        d.activity_date,
        count(distinct s.tool) as tools_assigned
    from core.rep_day as d
    inner join core.map_rep_address as a on d.rep_id = a.rep_id
    inner join input.seat as s
        on
            a.address = norm_email(s.email) and d.activity_date >= coalesce(s.valid_from, d.activity_date)
            and d.activity_date <= coalesce(s.valid_to, d.activity_date)
    group by all
),

-- Without a list of seats, an account in a system is a seat for it.
accounts as (
    select
        rep_id,
        count(distinct system) as tools_assigned
    from core.rep_source
    group by all
),

working as (
    select
        d.rep_id,
        d.activity_date,
        case
            when w.working_days is not null
                then list_contains(weekdays_of(w.working_days), isodow(d.activity_date)) and c.holiday_name is null
            else coalesce(c.is_business_day, isodow(d.activity_date) <= 5)
        end as is_business_day,
        v.working_fraction
    from core.rep_day as d
    left join input.calendar as c on d.region = c.region and d.activity_date = c.date
    left join (
        select stable_id('rep:' || norm_email(email)) as rep_id, max(working_days) as working_days from input.rep group by all
    ) as w on d.rep_id = w.rep_id
    left join (
        select a.rep_id, i.date, min(i.working_fraction) as working_fraction
        from input.availability as i
        inner join core.map_rep_address as a on norm_email(i.email) = a.address
        group by all
    ) as v on d.rep_id = v.rep_id and d.activity_date = v.date
)

select
    d.activity_date,
    d.rep_id,
    d.rep_name,
    d.team_id,
    coalesce(t.name, d.team_id) as team_name,
    d.manager_rep_id,
    d.territory_id,
    d.segment,
    d.role,
    d.timezone,
    (d.activity_date - d.hire_date)::integer as tenure_days,
    w.is_business_day,
    (case when w.is_business_day then coalesce(w.working_fraction, 1) else 0 end)::double as working_fraction,
    known(c.calls_made, s.call_status)::bigint as calls_made,
    known(c.calls_cancelled, s.call_status)::bigint as calls_cancelled,
    known(c.calls_answered, s.call_status)::bigint as calls_answered,
    known(c.calls_connected, s.call_status)::bigint as calls_connected,
    known(c.call_conversations, s.call_status)::bigint as call_conversations,
    known(c.calls_answered_short, s.call_status)::bigint as calls_answered_short,
    known(c.calls_no_answer, s.call_status)::bigint as calls_no_answer,
    known(c.calls_busy, s.call_status)::bigint as calls_busy,
    known(c.calls_wrong_number, s.call_status)::bigint as calls_wrong_number,
    known(c.voicemails_left, s.call_status)::bigint as voicemails_left,
    known(c.calls_failed, s.call_status)::bigint as calls_failed,
    known(c.talk_seconds, s.call_status)::bigint as talk_seconds,
    known(c.calls_inbound, s.call_status)::bigint as calls_inbound,
    known(c.calls_inbound_answered, s.call_status)::bigint as calls_inbound_answered,
    known(c.calls_inbound_missed, s.call_status)::bigint as calls_inbound_missed,
    known(c.calls_handled, s.call_status)::bigint as calls_handled,
    known(c.cold_calls_made, s.call_status)::bigint as cold_calls_made,
    known(c.cold_calls_connected, s.call_status)::bigint as cold_calls_connected,
    known(c.cold_call_conversations, s.call_status)::bigint as cold_call_conversations,
    known(c.cold_call_meetings, s.call_status)::bigint as cold_call_meetings,
    known(c.emails_sent, s.email_status)::bigint as emails_sent,
    known(c.emails_sent_one_to_one, s.email_status)::bigint as emails_sent_one_to_one,
    known(c.emails_sent_sequence, s.email_status)::bigint as emails_sent_sequence,
    known(c.email_recipients, s.email_status)::bigint as email_recipients,
    known(c.recipients_delivered, s.email_status)::bigint as recipients_delivered,
    known(c.recipients_bounced, s.email_status)::bigint as recipients_bounced,
    known(c.emails_delivered, s.email_status)::bigint as emails_delivered,
    known(c.emails_bounced, s.email_status)::bigint as emails_bounced,
    known(c.replies_received, s.email_status)::bigint as replies_received,
    known(c.auto_replies_received, s.email_status)::bigint as auto_replies_received,
    known(c.mails_to_over_limit_contacts, s.email_status)::bigint as mails_to_over_limit_contacts,
    known(c.conversations, s.conversation_status)::bigint as conversations,
    known(c.conversations_new, s.conversation_status)::bigint as conversations_new,
    known(c.conversation_contacts_call, s.conversation_status)::bigint as conversation_contacts_call,
    known(c.conversation_contacts_email, s.conversation_status)::bigint as conversation_contacts_email,
    known(c.conversation_contacts_meeting, s.conversation_status)::bigint as conversation_contacts_meeting,
    known(c.meetings_booked, s.meeting_status)::bigint as meetings_booked,
    known(c.meetings_held, s.meeting_status)::bigint as meetings_held,
    known(c.meetings_no_show, s.meeting_status)::bigint as meetings_no_show,
    known(c.meetings_cancelled, s.meeting_status)::bigint as meetings_cancelled,
    known(c.crm_writes, s.crm_status)::bigint as crm_writes,
    known(c.crm_records_created, s.crm_status)::bigint as crm_records_created,
    known(c.crm_activities_logged, s.crm_status)::bigint as crm_activities_logged,
    known(c.crm_active, s.crm_status)::bigint as crm_active,
    known(c.loggable_activities, s.conversation_status)::bigint as loggable_activities,
    known(c.logged_activities_24h, s.conversation_status)::bigint as logged_activities_24h,
    known(c.tools_active, s.all_status)::bigint as tools_active,
    (case when exists (select 1 from input.seat) then coalesce(e.tools_assigned, 0) else coalesce(k.tools_assigned, 0) end)::bigint as tools_assigned,
    known(c.deals_created, s.deal_status)::bigint as deals_created,
    known(c.deals_created_without_amount, s.deal_status)::bigint as deals_created_without_amount,
    known(c.pipeline_created_amount, s.deal_status)::decimal(18, 2) as pipeline_created_amount,
    known(c.deals_won_events, s.deal_status)::bigint as deals_won_events,
    known(c.deals_reopened, s.deal_status)::bigint as deals_reopened,
    known(c.won_amount, s.deal_status)::decimal(18, 2) as won_amount,
    known(c.deals_lost, s.deal_status)::bigint as deals_lost,
    known(c.lost_amount, s.deal_status)::decimal(18, 2) as lost_amount,
    p.reporting_currency,
    s.crm_status,
    s.dialer_status,
    s.mail_status as email_status,
    s.all_status as source_status,
    s.all_status = 'complete' as is_complete
from core.rep_day as d
cross join input.parameter as p
inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date
inner join core.rep_day_counts as c on d.rep_id = c.rep_id and d.activity_date = c.activity_date
inner join working as w on d.rep_id = w.rep_id and d.activity_date = w.activity_date
left join core.dim_team as t on d.team_id = t.team_id
left join seats as e on d.rep_id = e.rep_id and d.activity_date = e.activity_date
left join accounts as k on d.rep_id = k.rep_id
