-- core.fct_deal_event: what happened to deals: created (first entry into a counted pipeline), won, lost, reopened.
-- grain: deal_key, event_no
-- event_type: created, won, lost or reopened
-- rep_id: created: who sourced it; otherwise the owner at that moment
-- amount_orig: amount at the end of the event's local day; for created the first one known within the grace days where that day ends without
-- amount: amount_orig in the reporting currency at the rate of the event's date, NULL when no rate is known
with stages as (
    select
        source_id,
        workspace_id,
        pipeline_id,
        stage_id,
        any_value(is_closed order by record_id) as is_closed,
        any_value(is_won order by record_id) as is_won
    from staging.stg_crm_pipeline_stage
    group by all
),

judged as (
    select
        c.*,
        coalesce(s.is_closed, c.stage_id in ('closedwon', 'closedlost')) as is_closed,
        coalesce(s.is_won, c.stage_id = 'closedwon') as is_won,
        coalesce(c.pipeline_id in (select pipeline_id from input.excluded_pipeline), false) as is_excluded
    from core.deal_change as c
    left join stages as s
        on
            c.source_id = s.source_id and c.workspace_id = s.workspace_id and c.stage_id = s.stage_id
            and (c.pipeline_id is null or c.pipeline_id = s.pipeline_id)
),

counted as (
    select
        *,
        row_number() over of_deal as counted_no,
        lag(is_closed) over of_deal as was_closed,
        lag(is_won) over of_deal as was_won
    from judged
    where not is_excluded
    window of_deal as (partition by source_id, workspace_id, deal_id order by changed_at)
),

events as (
    select *, 'created' as event_type from counted where counted_no = 1
    union all
    select *, 'won' from counted where is_won and not coalesce(was_won, false)
    union all
    select *, 'lost' from counted where is_closed and not is_won and (not coalesce(was_closed, false) or coalesce(was_won, false))
    union all
    select *, 'reopened' from counted where not is_closed and was_closed
),

credited as (
    select
        e.*,
        d.currency as deal_currency,
        coalesce(o.rep_id, -1) as owner_rep_id,
        case
            when e.event_type <> 'created' then coalesce(o.rep_id, -1)
            else coalesce(nullif(s.rep_id, -1), case when d.created_via in ('ui', 'mobile') then nullif(b.rep_id, -1) end, o.rep_id, -1)
        end as rep_id
    from events as e
    inner join staging.stg_crm_deal as d on e.source_id = d.source_id and e.workspace_id = d.workspace_id and e.deal_id = d.deal_id
    left join core.map_identity as o
        on e.source_id = o.source_id and e.workspace_id = o.workspace_id and o.id_space = 'user' and e.owner_user_id = o.source_user_id
    left join core.map_identity as s
        on e.source_id = s.source_id and e.workspace_id = s.workspace_id and s.id_space = 'user' and d.sourcing_user_id = s.source_user_id
    left join core.map_identity as b
        on e.source_id = b.source_id and e.workspace_id = b.workspace_id and b.id_space = 'login' and d.created_by_user_id = b.source_user_id
),

dated as (
    select
        c.*,
        r.rep_version_key,
        r.team_id,
        local_date(c.changed_at, r.timezone) as activity_date,
        local_midnight(local_date(c.changed_at, r.timezone) + 1, r.timezone) as day_end
    from credited as c
    inner join core.dim_rep as r on c.rep_id = r.rep_id and c.changed_at >= r.valid_from and c.changed_at < r.valid_to
),

at_day_end as (
    select
        d.source_id,
        d.workspace_id,
        d.deal_id,
        d.event_type,
        d.changed_at,
        arg_max(h.amount, h.changed_at) filter (where h.changed_at < d.day_end and h.amount is not null) as last_amount,
        max_by(h.amount is null, h.changed_at) filter (where h.changed_at < d.day_end) as ends_without,
        arg_min(h.amount, h.changed_at) filter (
            where h.amount is not null and h.changed_at >= d.day_end and h.changed_at < d.changed_at + to_days(p.amount_grace_days::integer)
        ) as first_amount_after
    from dated as d
    cross join input.parameter as p
    inner join core.deal_change as h on d.source_id = h.source_id and d.workspace_id = h.workspace_id and d.deal_id = h.deal_id
    group by all
),

valued as (
    select
        d.*,
        case
            when not a.ends_without then a.last_amount
            when d.event_type = 'created' then a.first_amount_after
        end as amount_orig,
        coalesce(d.currency, d.deal_currency, k.currency, p.reporting_currency) as currency_code
    from dated as d
    cross join input.parameter as p
    inner join at_day_end as a
        on
            d.source_id = a.source_id and d.workspace_id = a.workspace_id and d.deal_id = a.deal_id
            and d.event_type = a.event_type and d.changed_at = a.changed_at
    left join staging.stg_crm_account as k on d.source_id = k.source_id and d.workspace_id = k.workspace_id
),

rates as (
    select
        v.currency_code,
        v.activity_date,
        arg_max(f.rate, f.date) as rate
    from (select distinct currency_code, activity_date from valued) as v
    cross join input.parameter as p
    inner join input.fx_rate as f
        on
            v.currency_code = f.currency and f.date <= v.activity_date
            and f.date >= v.activity_date - p.fx_carry_days::integer
    group by all
),

companies as (
    select
        l.source_id,
        l.workspace_id,
        l.from_id as deal_id,
        min(l.to_key) as account_key
    from core.crm_link as l
    where l.from_type = 'deal' and l.to_type = 'company'
    group by all
)

select
    v.source_id || ':' || v.workspace_id || ':' || v.deal_id as deal_key,
    row_number() over (partition by v.source_id, v.workspace_id, v.deal_id order by v.changed_at, v.event_type) as event_no,
    v.event_type,
    v.changed_at as entered_at,
    v.activity_date,
    local_date(v.changed_at, p.reporting_timezone) as activity_date_reporting,
    v.rep_id,
    v.owner_rep_id as owner_at_entry_rep_id,
    v.rep_version_key,
    v.team_id,
    v.pipeline_id,
    v.stage_id,
    c.account_key,
    coalesce(a.territory_id, '-1') as territory_id,
    coalesce(a.segment, '-1') as segment,
    v.amount_orig,
    v.currency_code as currency,
    case when v.currency_code = p.reporting_currency then 1::double else r.rate::double end as fx_rate,
    round(v.amount_orig * case when v.currency_code = p.reporting_currency then 1 else r.rate::decimal(18, 6) end, 2)::decimal(18, 2) as amount,
    not coalesce(t.is_test, false) as is_counted,
    case when t.is_test then 'test' end as exclusion_reason
from valued as v
cross join input.parameter as p
left join rates as r on v.currency_code = r.currency_code and v.activity_date = r.activity_date
left join companies as c on v.source_id = c.source_id and v.workspace_id = c.workspace_id and v.deal_id = c.deal_id
left join core.dim_account as t on c.account_key = t.account_key
left join core.account_version as a on c.account_key = a.account_key and v.changed_at >= a.valid_from and v.changed_at < a.valid_to
