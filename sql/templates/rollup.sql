-- marts.${span}_${entity}_activity: one row ${a_span} for ${whose}: the sum of the reps' days${with_unknown}; distinct counts are counted anew.
-- grain: ${grain}
-- kind: merged
${final}-- scope: ${date}
-- on marts.daily_rep_activity: ${start}
-- on core.contact_distinct_${period}: start_date
${date_comments}${key_comments}${count_comments}-- distinct_contacts_touched: Distinct contacts called, written to or met; never to be added up
-- distinct_accounts_touched: Distinct accounts of those contacts; never to be added up
-- distinct_contacts_called: Distinct contacts called; never to be added up
-- distinct_contacts_emailed: Distinct external recipients of the emails sent; never to be added up
-- distinct_conversation_contacts: Distinct contacts with a conversation with anybody in this row; never to be added up
-- reporting_currency: Currency of all amounts in this row
-- source_status: complete when every row beneath is, missing when none spoke, else partial
-- is_complete: ${complete_comment}
with rolled as (
    select
        ${start} as ${date},
${keys}${counts}        sum(columns(lambda c: (not ends_with(c, '_amount') or ends_with(c, '_without_amount')) and c not in (
            'activity_date', 'rep_id', 'manager_rep_id', 'tenure_days', 'is_business_day', 'working_fraction', 'is_expected', 'rep_name', 'team_id',
            'team_name', 'territory_id', 'segment', 'role', 'timezone', 'reporting_currency', 'crm_status', 'dialer_status',
            'email_status', 'source_status', 'is_complete', 'run_id', 'first_published_at', 'last_changed_at'
        )))::bigint,
        sum(columns(lambda c: ends_with(c, '_amount') and not ends_with(c, '_without_amount')))::decimal(18, 2),
        any_value(reporting_currency) as reporting_currency,
        case
            when bool_and(source_status in ('complete', 'not_applicable')) then 'complete'
            when bool_and(source_status = 'missing') then 'missing'
            else 'partial'
        end as source_status,
        coalesce(bool_and(is_complete)${known_reps}, false) as is_complete
    from marts.daily_rep_activity
    group by ${group}
)

select
    r.${date},
${iso}    r.* exclude (${date}, reporting_currency, source_status, is_complete),
    case when r.calls_made is not null or r.emails_sent_one_to_one is not null then coalesce(t.distinct_contacts_touched, 0) end::bigint
        as distinct_contacts_touched,
    case when r.calls_made is not null or r.emails_sent_one_to_one is not null then coalesce(t.distinct_accounts_touched, 0) end::bigint
        as distinct_accounts_touched,
    case when r.calls_made is not null then coalesce(t.distinct_contacts_called, 0) end::bigint as distinct_contacts_called,
    case when r.emails_sent_one_to_one is not null then coalesce(t.distinct_contacts_emailed, 0) end::bigint as distinct_contacts_emailed,
    case when r.conversations is not null then coalesce(t.distinct_conversation_contacts, 0) end::bigint as distinct_conversation_contacts,
    r.reporting_currency,
    r.source_status,
    r.is_complete
from rolled as r
left join core.contact_distinct_${period} as t on r.${date} = t.start_date and t.grain = '${entity}' and t.entity = ${entity_of}
