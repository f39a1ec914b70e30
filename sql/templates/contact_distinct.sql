-- core.contact_distinct_${period}: how many different contacts and accounts each rep, each team and everybody together touched in ${a_span}.
-- grain: start_date, grain, entity
-- scope: start_date
-- on core.contact_touch: ${start}
-- on core.rep_day: ${start}
-- start_date: first date of the ${period}
-- grain: rep, team or org; entity: rep_id as text, team_id (as of each day), or nothing
with of_rep as (
    select
        ${start_of_touch} as start_date,
        t.rep_id,
        d.team_id,
        t.contact_key,
        t.account_key,
        bool_or(t.is_touch) as is_touched,
        bool_or(t.channel = 'call') as is_called,
        bool_or(t.channel = 'email') as is_emailed,
        bool_or(t.channel = 'conversation') as is_spoken_to
    from core.contact_touch as t
    inner join core.rep_day as d on t.rep_id = d.rep_id and t.activity_date = d.activity_date
    where t.is_known
    group by all
),

told as (
    select
        start_date,
        'rep' as grain,
        rep_id::varchar as entity,
        contact_key,
        account_key,
        bool_or(is_touched) as is_touched,
        bool_or(is_called) as is_called,
        bool_or(is_emailed) as is_emailed,
        bool_or(is_spoken_to) as is_spoken_to
    from of_rep
    group by start_date, rep_id, contact_key, account_key
    union all
    select
        start_date, 'team', team_id, contact_key, account_key,
        bool_or(is_touched), bool_or(is_called), bool_or(is_emailed), bool_or(is_spoken_to)
    from of_rep
    group by start_date, team_id, contact_key, account_key
    union all
    select
        start_date, 'org', '', contact_key, account_key,
        bool_or(is_touched), bool_or(is_called), bool_or(is_emailed), bool_or(is_spoken_to)
    from of_rep
    group by start_date, contact_key, account_key
)

select
    start_date,
    grain,
    entity,
    count_if(is_touched)::bigint as distinct_contacts_touched,
    count(distinct account_key) filter (where is_touched)::bigint as distinct_accounts_touched,
    count_if(is_called)::bigint as distinct_contacts_called,
    count_if(is_emailed)::bigint as distinct_contacts_emailed,
    count_if(is_spoken_to)::bigint as distinct_conversation_contacts
from told
group by start_date, grain, entity
