-- marts.daily_untouched_account: accounts that are being worked on and that nobody touched for 14 days. A day, owner and territory without an account that is worked on has no row.
-- grain: activity_date, rep_id, territory_id
-- kind: merged
-- scope: activity_date
-- slices: none
-- on core.account_phase: select unnest(range(greatest(f.since, p.history_start), least(f.until, local_date(p.now, 'UTC') + 2), interval 1 day))::date from (select case when count(*) = 2 and count(distinct is_untouched) = 1 then min(phase_until) else phase_from end as since, max(phase_until) as until from changed group by account_key, phase_from) as f cross join input.run as p
-- keep core.account_phase: phase_from <= (select max(key) from dirty) and phase_until >= (select min(key) from dirty)
-- on core.account_version: select unnest(range(greatest(f.phase_from, p.history_start), least(f.phase_until, local_date(p.now, 'UTC') + 2), interval 1 day))::date from core.account_phase as f inner join changed as a on f.account_key = a.account_key cross join input.run as p
-- on core.dim_account: select unnest(range(greatest(f.phase_from, p.history_start), least(f.phase_until, local_date(p.now, 'UTC') + 2), interval 1 day))::date from core.account_phase as f inner join changed as a on f.account_key = a.account_key cross join input.run as p
-- on staging.stg_crm_company: select unnest(range(greatest(f.phase_from, p.history_start), least(f.phase_until, local_date(p.now, 'UTC') + 2), interval 1 day))::date from changed as c inner join core.dim_account as a on c.source_id = a.source_id and c.workspace_id = a.workspace_id and c.company_id = a.company_id inner join core.account_phase as f on a.account_key = f.account_key cross join input.run as p
-- on core.rep_day_status: activity_date
-- on input.run: select local_date(min(now), 'UTC') - 2 + unnest(range(0, 5 + (local_date(max(now), 'UTC') - local_date(min(now), 'UTC'))::integer))::integer from changed
-- on input.run: select min(history_start) + unnest(range(0, case when min(history_start) = max(history_start) then 0 else 14 + (max(history_start) - min(history_start))::integer end))::integer from changed
-- activity_date: Calendar date; touches on the rep's own local day, deals by their owner's; all numbers are as of its end
-- rep_id: Key of the rep who owns the account now, as the CRM does not tell since when (dim_rep); -1 for nobody known
-- territory_id: Territory of the account at that date; -1 for none
-- source_status: How far deals, calls, mails and meetings of all reps were read on that day: complete, partial, or missing when none was and for the first 13 days of this file
-- is_complete: True when all were read whole
with owners as (
    select
        a.account_key,
        coalesce(o.rep_id, -1) as rep_id
    from core.dim_account as a
    inner join staging.stg_crm_company as c
        on a.source_id = c.source_id and a.workspace_id = c.workspace_id and a.company_id = c.company_id
    left join core.map_identity as o
        on a.source_id = o.source_id and a.workspace_id = o.workspace_id and o.id_space = 'user' and c.owner_user_id = o.source_user_id
),

dated as (
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
),

-- Before the first that is known it had none: else a phase would begin with its territory or before it, depending on how long it lasts.
territories as (
    select account_key, territory_id, date_from, date_until from dated
    union all
    select account_key, '-1', date '0001-01-01', min(date_from)
    from dated
    group by account_key
    having min(date_from) > date '0001-01-01'
),

phases as (
    select
        o.rep_id,
        coalesce(t.territory_id, '-1') as territory_id,
        f.is_untouched::integer as untouched,
        greatest(f.phase_from, t.date_from, p.history_start) as date_from,
        least(f.phase_until, t.date_until) as date_until
    from core.account_phase as f
    cross join input.run as p
    inner join owners as o on f.account_key = o.account_key
    left join territories as t
        on f.account_key = t.account_key and f.phase_from < t.date_until and t.date_from < f.phase_until
),

steps as (
    select rep_id, territory_id, date, sum(step) as step, sum(untouched_step) as untouched_step
    from (
        select rep_id, territory_id, date_from as date, 1 as step, untouched as untouched_step from phases where date_from < date_until
        union all
        select rep_id, territory_id, date_until, -1, -untouched from phases where date_from < date_until
    )
    group by all
),

levels as (
    select
        rep_id,
        territory_id,
        date,
        lead(date) over (partition by rep_id, territory_id order by date) as next_date,
        sum(step) over so_far as accounts,
        sum(untouched_step) over so_far as untouched
    from steps
    window so_far as (partition by rep_id, territory_id order by date rows between unbounded preceding and current row)
),

standing as (
    select
        l.rep_id,
        l.territory_id,
        l.accounts,
        l.untouched,
        unnest(generate_series(
            l.date,
            least(local_date(u.now, p.reporting_timezone), l.next_date - 1),
            interval 1 day
        ))::date as activity_date
    from levels as l
    cross join input.parameter as p
    cross join input.run as u
    where l.accounts > 0
),

date_status as (
    select
        d.activity_date,
        case
            when d.activity_date < any_value(u.history_start) + 13 then 'missing'
            when bool_and(s.status in ('complete', 'not_applicable')) then 'complete'
            when bool_and(s.status in ('missing', 'not_applicable')) then 'missing'
            else 'partial'
        end as status
    from core.rep_day_status as d
    cross join input.run as u
    cross join lateral (select all_of([d.touch_status, d.deal_status]) as status) as s
    group by d.activity_date
)

select
    s.activity_date,
    s.rep_id,
    s.territory_id,
    known(s.accounts, coalesce(d.status, 'missing'))::bigint as accounts_worked_on,
    known(s.untouched, coalesce(d.status, 'missing'))::bigint as accounts_untouched_14d,
    coalesce(d.status, 'missing') as source_status,
    coalesce(d.status = 'complete', false) as is_complete
from standing as s
left join date_status as d on s.activity_date = d.activity_date
