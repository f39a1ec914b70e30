-- explain.account_worked_on: accounts that were being worked on at the end of the day, by their owner and their territory of that date.
with territories as (
    select
        v.account_key,
        v.territory_id,
        case when v.valid_from < '1900-01-02 00:00:00+00'::timestamptz then date '0001-01-01' else local_date(v.valid_from, p.reporting_timezone) end
            as date_from,
        case
            when v.valid_to > '9999-12-30 00:00:00+00'::timestamptz then date '9999-12-31' else local_date(v.valid_to, p.reporting_timezone)
        end as date_until
    from core.account_version as v
    cross join input.parameter as p
)

select
    coalesce(o.rep_id, -1) as rep_id,
    coalesce(t.territory_id, '-1') as territory_id,
    getvariable('day')::date as activity_date,
    f.account_key,
    f.is_untouched,
    f.phase_from,
    a.source_id || ':' || a.workspace_id || ':' || a.company_id as company
from core.account_phase as f
inner join core.dim_account as a on f.account_key = a.account_key
inner join staging.stg_crm_company as c
    on a.source_id = c.source_id and a.workspace_id = c.workspace_id and a.company_id = c.company_id
left join core.map_identity as o
    on a.source_id = o.source_id and a.workspace_id = o.workspace_id and o.id_space = 'user' and c.owner_user_id = o.source_user_id
left join territories as t on f.account_key = t.account_key and getvariable('day') >= t.date_from and getvariable('day') < t.date_until
where getvariable('day') >= f.phase_from and getvariable('day') < f.phase_until
