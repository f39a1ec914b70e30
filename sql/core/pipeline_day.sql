-- core.pipeline_day: everything about deals on a rep's day, once by who sourced them and once by who owned them at that moment.
-- grain: credit, rep_id, activity_date
-- order: activity_date
-- scope: activity_date
-- on input.run: select local_date(min(now), 'UTC') - 2 + unnest(range(0, 5 + (local_date(max(now), 'UTC') - local_date(min(now), 'UTC'))::integer))::integer from changed
-- on input.run: select min(history_start) + unnest(range(0, case when min(history_start) = max(history_start) then 0 else 14 + (max(history_start) - min(history_start))::integer end))::integer from changed
-- on core.rep_day: activity_date
-- on core.rep_day_status: activity_date
-- on core.fx_rate: date
-- on core.fct_deal_event: sourcing_date
-- on core.fct_deal_event: owner_date
-- on core.fct_deal_daily: select unnest(range(greatest(least(sourcing_from, owner_from), p.history_start), least(greatest(sourcing_until, owner_until), local_date(p.now, 'UTC') + 2), interval 1 day))::date from changed cross join input.run as p
-- keep core.fct_deal_daily: least(sourcing_from, owner_from) <= (select max(key) from dirty) and greatest(sourcing_until, owner_until) >= (select min(key) from dirty)
-- on core.deal_untouched: select unnest(range(greatest(untouched_from, p.history_start), least(untouched_until, local_date(p.now, 'UTC') + 2), interval 1 day))::date from changed cross join input.run as p
-- on core.dim_deal: select d.activity_date from core.rep_day as d where exists (select 1 from changed where has_next_step is not null) and not exists (select 1 from core.dim_deal as k where k.has_next_step is not null and k.deal_key not in (select deal_key from changed))
-- on core.dim_deal: select d.activity_date from core.pipeline_day as d where exists (select 1 from changed where has_next_step is not null) and not exists (select 1 from core.dim_deal as k where k.has_next_step is not null and k.deal_key not in (select deal_key from changed))
-- slices: none
-- credit: sourcing or owner
-- Rows: the spine, and any other day of a rep (or of -1) with a deal that was open or to which something happened, so that nothing open is lost
-- because its owner left.
with told as (
    select 'sourcing' as credit, sourcing_rep_id as credited_rep_id, sourcing_date as date, * from core.fct_deal_event where is_counted
    union all
    select 'owner', owner_at_entry_rep_id, owner_date, * from core.fct_deal_event where is_counted
),

happened as (
    select
        credit,
        credited_rep_id as rep_id,
        date as activity_date,
        count_if(event_type = 'created') as deals_created,
        count_if(event_type = 'created' and amount is null) as deals_created_without_amount,
        sum(amount) filter (where event_type = 'created') as pipeline_created_amount,
        sum(amount_now) filter (where event_type = 'created') as pipeline_created_amount_current,
        sum(amount_change) filter (where is_after_freeze) as pipeline_change_amount,
        count_if(event_type = 'qualified') as qualified_deals,
        count_if(event_type = 'qualified' and amount is null) as qualified_deals_without_amount,
        sum(amount) filter (where event_type = 'qualified') as qualified_pipeline_amount,
        count_if(event_type = 'won') as deals_won,
        sum(amount) filter (where event_type = 'won') as won_amount,
        sum(cycle_days) filter (where event_type = 'won') as won_cycle_days,
        count_if(event_type = 'lost') as deals_lost,
        sum(amount) filter (where event_type = 'lost') as lost_amount,
        count_if(event_type = 'reopened') as deals_reopened,
        sum(amount) filter (where event_type = 'reopened') as reopened_amount,
        count_if(closed_as_before = 'won') as deals_reopened_won,
        sum(undone_amount) filter (where closed_as_before = 'won') as reopened_won_amount,
        sum(undone_cycle_days) filter (where closed_as_before = 'won') as reopened_won_cycle_days,
        count_if(closed_as_before = 'lost') as deals_reopened_lost,
        sum(undone_amount) filter (where closed_as_before = 'lost') as reopened_lost_amount,
        count_if(
            (event_type in ('created', 'qualified', 'won', 'lost', 'reopened') and amount_orig is not null and amount is null)
            or (is_after_freeze and amount_change is null)
        ) as amounts_without_rate
    from told
    group by all
),

stood as (
    select 'sourcing' as credit, sourcing_rep_id as rep_id, sourcing_from as date_from, sourcing_until as date_until, * from core.fct_deal_daily
    union all
    select 'owner', owner_rep_id, owner_from, owner_until, * from core.fct_deal_daily
),

-- What is true of an open deal over which of its dates.
phases as (
    select
        credit,
        rep_id,
        currency,
        date_from,
        date_until,
        1 as open_deals,
        coalesce(amount_orig, 0) as amount,
        (amount_orig is not null)::integer as with_amount,
        coalesce(not has_next_step, false)::integer as without_next_step,
        0 as past_close_date,
        0 as untouched
    from stood
    union all
    select credit, rep_id, currency, greatest(date_from, close_date + 1), date_until, 0, 0, 0, 0, 1, 0
    from stood
    where close_date is not null
    union all
    select s.credit, s.rep_id, s.currency, greatest(s.date_from, u.untouched_from), least(s.date_until, u.untouched_until), 0, 0, 0, 0, 0, 1
    from stood as s
    inner join core.deal_untouched as u
        on s.deal_key = u.deal_key and s.date_from < u.untouched_until and u.untouched_from < s.date_until
),

turns as (
    select
        credit, rep_id, currency, greatest(date_from, p.history_start) as date,
        open_deals, amount, with_amount, without_next_step, past_close_date, untouched
    from phases
    cross join input.run as p
    where date_from < date_until and date_until > p.history_start
    union all
    select
        credit, rep_id, currency, date_until,
        -open_deals, -amount, -with_amount, -without_next_step, -past_close_date, -untouched
    from phases
    cross join input.run as p
    where date_from < date_until and date_until > p.history_start
),

steps as (
    select
        credit,
        rep_id,
        currency,
        date,
        sum(open_deals) as open_deals,
        sum(amount) as amount,
        sum(with_amount) as with_amount,
        sum(without_next_step) as without_next_step,
        sum(past_close_date) as past_close_date,
        sum(untouched) as untouched
    from turns
    group by all
),

sellers as (
    select
        r.rep_id,
        coalesce(arg_max(r.timezone, r.valid_from) filter (where r.valid_from <= p.now), arg_max(r.timezone, r.valid_from)) as timezone,
        bool_or(r.is_sales_role) as is_sales_role
    from core.dim_rep as r
    cross join input.run as p
    group by r.rep_id
),

-- What stood open after each date on which anything changed, until the next such date.
levels as (
    select
        credit,
        rep_id,
        currency,
        date,
        lead(date) over of_rep as next_date,
        sum(open_deals) over so_far as open_deals,
        sum(amount) over so_far as amount,
        sum(with_amount) over so_far as with_amount,
        sum(without_next_step) over so_far as without_next_step,
        sum(past_close_date) over so_far as past_close_date,
        sum(untouched) over so_far as untouched
    from steps
    window
        of_rep as (partition by credit, rep_id, currency order by date),
        so_far as (partition by credit, rep_id, currency order by date rows between unbounded preceding and current row)
),

standing as (
    select
        l.* exclude (date, next_date),
        unnest(generate_series(
            l.date,
            least(local_date(p.now, s.timezone), coalesce(l.next_date - 1, local_date(p.now, s.timezone))),
            interval 1 day
        ))::date as date
    from levels as l
    cross join input.run as p
    inner join sellers as s on l.rep_id = s.rep_id and s.is_sales_role
    where l.open_deals > 0
),

snapshot as (
    select
        s.credit,
        s.rep_id,
        s.date as activity_date,
        sum(s.open_deals) as open_deals,
        round(sum(s.amount::decimal(20, 6) * r.rate), 2) as open_pipeline_amount,
        sum(s.open_deals - s.with_amount) as open_deals_without_amount,
        sum(case when r.rate is null then s.with_amount else 0 end) as open_deals_without_rate,
        sum(s.without_next_step) as open_deals_without_next_step,
        sum(s.past_close_date) as open_deals_past_close_date,
        sum(s.untouched) as open_deals_untouched_14d
    from standing as s
    left join core.fx_rate as r on s.currency = r.currency and s.date = r.date
    group by all
),

spine as (
    select c.credit, d.rep_id, d.activity_date, d.rep_name, d.team_id, d.timezone
    from core.rep_day as d
    cross join (select unnest(['sourcing', 'owner']) as credit) as c
),

beside_spine as (
    select s.credit, s.rep_id, s.activity_date
    from snapshot as s
    anti join core.rep_day as d on s.rep_id = d.rep_id and s.activity_date = d.activity_date
    union
    select h.credit, h.rep_id, h.activity_date
    from happened as h
    cross join input.run as p
    inner join sellers as s on h.rep_id = s.rep_id and s.is_sales_role
    anti join core.rep_day as d on h.rep_id = d.rep_id and h.activity_date = d.activity_date
    where h.activity_date >= p.history_start
),

days as (
    select * from spine
    union all
    (
        select b.credit, b.rep_id, b.activity_date, r.name, r.team_id, r.timezone
        from beside_spine as b
        inner join core.dim_rep as r
            on
                b.rep_id = r.rep_id
                and ((b.activity_date::timestamp + interval 12 hours) at time zone r.timezone) >= r.valid_from
                and ((b.activity_date::timestamp + interval 12 hours) at time zone r.timezone) < r.valid_to
        qualify row_number() over (partition by b.credit, b.rep_id, b.activity_date order by r.valid_from desc) = 1
    )
),

-- Days outside the spine have no status of their own: the worst of anybody's on that date holds for them.
date_status as (
    select
        activity_date,
        all_of(list(distinct deal_status)) as deal_status,
        all_of(list(distinct touch_status)) as touch_status
    from core.rep_day_status
    group by activity_date
)

select
    d.credit,
    d.rep_id,
    d.activity_date,
    d.rep_name,
    d.timezone,
    d.team_id,
    h.* exclude (credit, rep_id, activity_date),
    s.* exclude (credit, rep_id, activity_date),
    coalesce(t.deal_status, a.deal_status, 'missing') as deal_status,
    -- Who touched the deals' contacts is known when calls, mails and meetings were read for the 14 days before, too.
    case
        when d.activity_date < p.history_start + 13 then 'missing'
        else all_of([
            coalesce(t.deal_status, a.deal_status, 'missing'), coalesce(t.touch_status, a.touch_status, 'missing')
        ])
    end as touch_status,
    case when n.is_known then coalesce(t.deal_status, a.deal_status, 'missing') else 'missing' end as next_step_status
from days as d
cross join input.run as p
cross join (select coalesce(bool_or(has_next_step is not null), false) as is_known from core.dim_deal) as n
left join happened as h on d.credit = h.credit and d.rep_id = h.rep_id and d.activity_date = h.activity_date
left join snapshot as s on d.credit = s.credit and d.rep_id = s.rep_id and d.activity_date = s.activity_date
left join core.rep_day_status as t on d.rep_id = t.rep_id and d.activity_date = t.activity_date
left join date_status as a on d.activity_date = a.activity_date
