-- marts.weekly_org_activity: one row an ISO week for the whole organisation: the sum of the reps' days, rep -1 included; distinct counts are counted anew.
-- grain: iso_week_start
-- kind: merged
-- final: is_complete
-- scope: iso_week_start
-- on marts.daily_rep_activity: (activity_date - (isodow(activity_date) - 1)::integer)::date
-- on core.contact_touch: (activity_date - (isodow(activity_date) - 1)::integer)::date
-- on core.rep_day: (activity_date - (isodow(activity_date) - 1)::integer)::date
-- iso_week_start: Monday of the ISO week
-- iso_year: Year of the ISO week
-- iso_week: ISO week, 1 to 53
-- reps_expected: Reps with a row in the period
-- rep_days_expected: Rows of reps in the period
-- rep_days_reported: Of those, rows of which all sources were complete
-- working_fraction: Sum of working fractions: working days worked
-- distinct_contacts_touched: Distinct contacts called, written to or met; never to be added up
-- distinct_accounts_touched: Distinct accounts of those contacts; never to be added up
-- distinct_contacts_called: Distinct contacts called; never to be added up
-- distinct_contacts_emailed: Distinct external recipients of the emails sent; never to be added up
-- distinct_conversation_contacts: Distinct contacts with a conversation with anybody in this row; never to be added up
-- reporting_currency: Currency of all amounts in this row
-- source_status: complete when every row beneath is, missing when none spoke, else partial
-- is_complete: True when every row beneath is complete; today's never is, so a period under way is not
with rolled as (
    select
        (r.activity_date - (isodow(r.activity_date) - 1)::integer)::date as iso_week_start,
        count(distinct r.rep_id) filter (where r.rep_id <> -1)::bigint as reps_expected,
        count_if(r.rep_id <> -1)::bigint as rep_days_expected,
        count_if(r.rep_id <> -1 and r.is_complete)::bigint as rep_days_reported,
        coalesce(sum(r.working_fraction) filter (where r.rep_id <> -1), 0)::double as working_fraction,
        sum(columns(lambda c: not ends_with(c, '_amount') and c not in (
            'activity_date', 'rep_id', 'manager_rep_id', 'tenure_days', 'is_business_day', 'working_fraction', 'rep_name', 'team_id',
            'team_name', 'territory_id', 'segment', 'role', 'timezone', 'reporting_currency', 'crm_status', 'dialer_status',
            'email_status', 'source_status', 'is_complete', 'run_id', 'first_published_at', 'last_changed_at'
        )))::bigint,
        sum(columns(lambda c: ends_with(c, '_amount')))::decimal(18, 2),
        any_value(r.reporting_currency) as reporting_currency,
        case
            when bool_and(r.source_status in ('complete', 'not_applicable')) then 'complete'
            when bool_and(r.source_status = 'missing') then 'missing'
            else 'partial'
        end as source_status,
        coalesce(bool_and(r.is_complete) filter (where r.rep_id <> -1), false) as is_complete
    from marts.daily_rep_activity as r
    group by all
),

touched as (
    select
        (t.activity_date - (isodow(t.activity_date) - 1)::integer)::date as iso_week_start,
        count(distinct t.contact_key) filter (where t.is_touch)::bigint as distinct_contacts_touched,
        count(distinct t.account_key) filter (where t.is_touch)::bigint as distinct_accounts_touched,
        count(distinct t.contact_key) filter (where t.channel = 'call')::bigint as distinct_contacts_called,
        count(distinct t.contact_key) filter (where t.channel = 'email')::bigint as distinct_contacts_emailed,
        count(distinct t.contact_key) filter (where t.channel = 'conversation')::bigint as distinct_conversation_contacts
    from core.contact_touch as t
    inner join core.rep_day as d on t.rep_id = d.rep_id and t.activity_date = d.activity_date
    group by all
)

select
    r.iso_week_start,
    isoyear(r.iso_week_start)::integer as iso_year,
    weekofyear(r.iso_week_start)::integer as iso_week,
    r.* exclude (iso_week_start, reporting_currency, source_status, is_complete),
    case when r.calls_made is not null or r.emails_sent is not null then coalesce(t.distinct_contacts_touched, 0) end::bigint
        as distinct_contacts_touched,
    case when r.calls_made is not null or r.emails_sent is not null then coalesce(t.distinct_accounts_touched, 0) end::bigint
        as distinct_accounts_touched,
    case when r.calls_made is not null then coalesce(t.distinct_contacts_called, 0) end::bigint as distinct_contacts_called,
    case when r.emails_sent is not null then coalesce(t.distinct_contacts_emailed, 0) end::bigint as distinct_contacts_emailed,
    case when r.conversations is not null then coalesce(t.distinct_conversation_contacts, 0) end::bigint as distinct_conversation_contacts,
    r.reporting_currency,
    r.source_status,
    r.is_complete
from rolled as r
left join touched as t on r.iso_week_start = t.iso_week_start
