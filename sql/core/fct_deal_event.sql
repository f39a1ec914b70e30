-- core.fct_deal_event: what happened to deals.
-- grain: deal_key, event_no
-- event_type: created (first entry into a counted pipeline), entered_stage, qualified (first entry into a qualified stage), amount_changed,
--   owner_changed, won, lost, reopened, deleted
-- rep_id: created and qualified: who sourced it; otherwise the owner at that moment
-- owner_at_entry_rep_id: the owner at that moment; sourcing_rep_id: who sourced the deal; previous_owner_rep_id: of owner_changed, the one before
-- activity_date: in the zone of rep_id; owner_date and sourcing_date: in the zones of those two
-- amount_orig: created, qualified, won, lost, reopened: at the end of activity_date, for the first two else the first one known within the grace days;
--   otherwise as of the event
-- amount: amount_orig in the reporting currency at the rate of the event's date, NULL when no rate is known
-- amount_change: of amount_changed: new less old, both at the rate of the event's date
-- is_after_freeze: of amount_changed: not already part of the amount that the deal was created with
-- amount_now: of created and qualified: the deal's present amount at the rate of the event's date
-- closed_as_before: won or lost where the event undoes such an outcome: reopened, or closed the other way at once
-- undone_amount, undone_cycle_days: the amount and the days of the outcome that is undone
-- cycle_days: of won: days since the entry into the pipeline
with states as (
    select
        *,
        row_number() over of_deal as state_no,
        first_value(changed_at) over of_deal as pipeline_entered_at,
        lag(is_closed) over of_deal as was_closed,
        lag(is_won) over of_deal as was_won,
        lag(stage_key) over of_deal as old_stage_key,
        lag(owner_user_id) over of_deal as old_owner_user_id,
        lag(amount) over of_deal as old_amount,
        lag(currency) over of_deal as old_currency,
        row_number() over (
            partition by source_id, workspace_id, deal_id, is_excluded, is_qualified order by changed_at
        ) as state_of_kind_no
    from core.deal_change
    -- What happens in pipelines that do not count is a story of its own.
    window of_deal as (partition by source_id, workspace_id, deal_id, is_excluded order by changed_at)
),

events as (
    select *, 1 as step, 'created' as event_type from states where state_no = 1
    union all
    select *, 2, 'owner_changed' from states where state_no > 1 and owner_user_id is distinct from old_owner_user_id
    union all
    select *, 3, 'amount_changed' from states
    where
        state_no > 1
        and (amount is distinct from old_amount or (amount is not null and currency is distinct from old_currency))
    union all
    select *, 4, 'entered_stage' from states where stage_id is not null and stage_key is distinct from old_stage_key
    union all
    select *, 5, 'qualified' from states where is_qualified and state_of_kind_no = 1
    union all
    select *, 6, 'reopened' from states where not is_closed and was_closed
    union all
    select *, 7, 'won' from states where is_won and not coalesce(was_won, false)
    union all
    select *, 7, 'lost' from states where is_closed and not is_won and (not coalesce(was_closed, false) or coalesce(was_won, false))
),

dated as (
    select
        e.*,
        d.deal_key,
        d.sourcing_rep_id,
        coalesce(o.rep_id, -1) as owner_rep_id,
        case when e.event_type = 'owner_changed' then coalesce(b.rep_id, -1) end as previous_owner_rep_id,
        d.account_key,
        coalesce(v.territory_id, '-1') as territory_id,
        coalesce(v.segment, '-1') as segment,
        d.amount as present_amount,
        d.currency as present_currency,
        coalesce(d.exclusion_reason, case when e.is_excluded then 'excluded_pipeline' end) as exclusion_reason,
        local_date(e.changed_at, ro.timezone) as owner_date,
        local_date(e.changed_at, rs.timezone) as sourcing_date,
        case when e.event_type in ('created', 'qualified') then rs.rep_id else ro.rep_id end as rep_id,
        case when e.event_type in ('created', 'qualified') then rs.rep_version_key else ro.rep_version_key end as rep_version_key,
        case when e.event_type in ('created', 'qualified') then rs.team_id else ro.team_id end as team_id,
        case when e.event_type in ('created', 'qualified') then rs.timezone else ro.timezone end as timezone
    from events as e
    inner join core.dim_deal as d
        on e.source_id = d.source_id and e.workspace_id = d.workspace_id and e.deal_id = d.deal_id
    left join core.map_identity as o
        on e.source_id = o.source_id and e.workspace_id = o.workspace_id and o.id_space = 'user' and e.owner_user_id = o.source_user_id
    left join core.map_identity as b
        on e.source_id = b.source_id and e.workspace_id = b.workspace_id and b.id_space = 'user' and e.old_owner_user_id = b.source_user_id
    inner join core.dim_rep as ro
        on coalesce(o.rep_id, -1) = ro.rep_id and e.changed_at >= ro.valid_from and e.changed_at < ro.valid_to
    inner join core.dim_rep as rs
        on d.sourcing_rep_id = rs.rep_id and e.changed_at >= rs.valid_from and e.changed_at < rs.valid_to
    left join core.account_version as v
        on d.account_key = v.account_key and e.changed_at >= v.valid_from and e.changed_at < v.valid_to
),

days as (
    select
        *,
        local_date(changed_at, timezone) as activity_date,
        local_midnight(local_date(changed_at, timezone) + 1, timezone) as day_end,
        local_date(changed_at, timezone) - local_date(pipeline_entered_at, timezone) as days_since_entry
    from dated
),

first_amounts as (
    select source_id, workspace_id, deal_id, changed_at, amount, currency from core.deal_change where amount is not null
),

frozen as (
    select
        d.*,
        h.amount as day_end_amount,
        h.currency as day_end_currency,
        f.amount as late_amount,
        f.currency as late_currency,
        f.changed_at as late_at
    from days as d
    asof left join core.deal_change as h
        on d.source_id = h.source_id and d.workspace_id = h.workspace_id and d.deal_id = h.deal_id and d.day_end > h.changed_at
    asof left join first_amounts as f
        on d.source_id = f.source_id and d.workspace_id = f.workspace_id and d.deal_id = f.deal_id and d.day_end <= f.changed_at
),

chosen as (
    select
        f.* exclude (amount, currency, late_at),
        f.amount as moment_amount,
        f.currency as moment_currency,
        case
            when f.event_type in ('won', 'lost', 'reopened') then f.day_end_amount
            when f.event_type not in ('created', 'qualified') then f.amount
            when f.day_end_amount is not null then f.day_end_amount
            when f.late_at <= f.changed_at + to_days(p.amount_grace_days::integer) then f.late_amount
        end as amount_orig,
        case
            when f.event_type not in ('created', 'qualified', 'won', 'lost', 'reopened') then f.currency
            when f.event_type in ('created', 'qualified') and f.day_end_amount is null and f.late_at <= f.changed_at + to_days(p.amount_grace_days::integer)
                then f.late_currency
            else f.day_end_currency
        end as currency,
        case
            when f.event_type = 'created' and f.day_end_amount is null and f.late_at <= f.changed_at + to_days(p.amount_grace_days::integer)
                then f.late_at
        end as late_at,
        case when f.event_type = 'created' then f.day_end end as created_day_end
    from frozen as f
    cross join input.parameter as p
),

valued as (
    select
        c.*,
        r.rate,
        round(c.amount_orig * r.rate, 2)::decimal(18, 2) as amount,
        case
            when c.event_type = 'amount_changed'
                then
                    round(
                        case when c.moment_amount is null then 0 else c.moment_amount * r.rate end
                        - case when c.old_amount is null then 0 else c.old_amount * o.rate end,
                        2
                    )::decimal(18, 2)
        end as amount_change,
        case when c.event_type in ('created', 'qualified') then round(c.present_amount * n.rate, 2)::decimal(18, 2) end as amount_now,
        c.event_type = 'amount_changed'
        and c.changed_at >= first_value(c.created_day_end) over of_deal
        and coalesce(c.changed_at <> first_value(c.late_at) over of_deal, true) as is_after_freeze
    from chosen as c
    left join core.fx_rate as r on c.currency = r.currency and c.activity_date = r.date
    left join core.fx_rate as o on c.old_currency = o.currency and c.activity_date = o.date
    left join core.fx_rate as n on c.present_currency = n.currency and c.activity_date = n.date
    window of_deal as (partition by c.deal_key, c.is_excluded order by c.changed_at, c.step rows between unbounded preceding and current row)
),

-- Before an outcome is undone there is that outcome: the last of the events that open or close.
undone as (
    select
        *,
        case
            when event_type in ('reopened', 'lost') and was_won then 'won'
            when event_type in ('reopened', 'won') and was_closed then 'lost'
        end as closed_as_before,
        lag(amount) over of_turns as last_amount,
        lag(days_since_entry) over of_turns as last_cycle_days
    from valued
    window of_turns as (
        partition by deal_key, is_excluded, event_type in ('won', 'lost', 'reopened') order by changed_at
    )
),

gone as (
    select
        d.*,
        greatest(d.source_updated_at, d.first_entered_at) as deleted_at
    from core.dim_deal as d
    where d.is_deleted
),

told as (
    select
        deal_key, step, event_type, changed_at as entered_at, activity_date, owner_date, sourcing_date, rep_id,
        owner_rep_id, sourcing_rep_id, previous_owner_rep_id, rep_version_key, team_id, pipeline_id, stage_id, stage_key,
        account_key, territory_id, segment, amount_orig, currency, rate as fx_rate, amount, amount_change, is_after_freeze, amount_now,
        closed_as_before,
        case when closed_as_before is not null then last_amount end as undone_amount,
        case when closed_as_before is not null then last_cycle_days end as undone_cycle_days,
        case when event_type = 'won' then days_since_entry end as cycle_days,
        exclusion_reason
    from undone
    union all
    select
        g.deal_key, 9, 'deleted', g.deleted_at, local_date(g.deleted_at, r.timezone), local_date(g.deleted_at, r.timezone),
        local_date(g.deleted_at, s.timezone), g.owner_rep_id,
        g.owner_rep_id, g.sourcing_rep_id, null, r.rep_version_key, r.team_id, g.pipeline_id, g.stage_id, null,
        g.account_key, g.territory_id, g.segment, g.amount, g.currency, f.rate, round(g.amount * f.rate, 2)::decimal(18, 2), null, false, null,
        null, null, null, null, g.exclusion_reason
    from gone as g
    inner join core.dim_rep as r on g.owner_rep_id = r.rep_id and g.deleted_at >= r.valid_from and g.deleted_at < r.valid_to
    inner join core.dim_rep as s on g.sourcing_rep_id = s.rep_id and g.deleted_at >= s.valid_from and g.deleted_at < s.valid_to
    left join core.fx_rate as f on g.currency = f.currency and local_date(g.deleted_at, r.timezone) = f.date
)

select
    t.deal_key,
    row_number() over (partition by t.deal_key order by t.entered_at, t.step, t.event_type) as event_no,
    t.event_type,
    t.entered_at,
    t.activity_date,
    local_date(t.entered_at, p.reporting_timezone) as activity_date_reporting,
    t.owner_date,
    t.sourcing_date,
    t.rep_id,
    t.owner_rep_id as owner_at_entry_rep_id,
    t.sourcing_rep_id,
    t.previous_owner_rep_id,
    t.rep_version_key,
    t.team_id,
    t.pipeline_id,
    t.stage_id,
    t.stage_key,
    t.account_key,
    t.territory_id,
    t.segment,
    t.amount_orig,
    t.currency,
    t.fx_rate,
    t.amount,
    t.amount_change,
    t.is_after_freeze,
    t.amount_now,
    t.closed_as_before,
    t.undone_amount,
    t.undone_cycle_days,
    t.cycle_days,
    t.exclusion_reason is null as is_counted,
    t.exclusion_reason
from told as t
cross join input.parameter as p
