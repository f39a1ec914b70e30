-- marts.daily_rep_contact_distincts: how many different contacts and accounts a rep touched on a day. Never to be added up over reps or days.
-- grain: activity_date, rep_id
-- kind: merged
-- scope: activity_date
-- on core.contact_distinct_day: start_date
-- on marts.daily_rep_activity: activity_date
-- activity_date: Local calendar date in the rep's own time zone
-- rep_id: Key of the rep (dim_rep); -1 for users that no rep could be found for
-- team_id: Team at that date; -1 for none
-- distinct_contacts_touched: Distinct contacts called, written to or met; never to be added up
-- distinct_accounts_touched: Distinct accounts of those contacts; never to be added up
-- distinct_contacts_called: Distinct contacts called; never to be added up
-- distinct_contacts_emailed: Distinct external recipients of the emails sent; never to be added up
-- distinct_conversation_contacts: Distinct contacts with a conversation with anybody in this row; never to be added up
-- source_status: As in daily_rep_activity
-- is_complete: As in daily_rep_activity
select
    r.activity_date,
    r.rep_id,
    r.team_id,
    case when r.calls_made is not null or r.emails_sent_one_to_one is not null then coalesce(t.distinct_contacts_touched, 0) end::bigint
        as distinct_contacts_touched,
    case when r.calls_made is not null or r.emails_sent_one_to_one is not null then coalesce(t.distinct_accounts_touched, 0) end::bigint
        as distinct_accounts_touched,
    case when r.calls_made is not null then coalesce(t.distinct_contacts_called, 0) end::bigint as distinct_contacts_called,
    case when r.emails_sent_one_to_one is not null then coalesce(t.distinct_contacts_emailed, 0) end::bigint as distinct_contacts_emailed,
    case when r.conversations is not null then coalesce(t.distinct_conversation_contacts, 0) end::bigint as distinct_conversation_contacts,
    r.source_status,
    r.is_complete
from marts.daily_rep_activity as r
left join core.contact_distinct_day as t on r.activity_date = t.start_date and t.grain = 'rep' and t.entity = r.rep_id::varchar
