-- core.fct_deal_daily: open deals at the ends of days, as intervals: the deal stood so at the end of every local day from the first date on, until
--   before the last. Unfolding them to deals x dates is never needed: what begins and what ends adds up to what is open.
-- grain: deal_key, open_from
-- open_from, open_until: instants between which nothing of it changed
-- owner_from, owner_until: dates of the owner's zone, half-open; sourcing_from, sourcing_until: of the sourcing rep's
with states as (
    select
        *,
        lead(changed_at) over (partition by source_id, workspace_id, deal_id order by changed_at) as open_until
    from core.deal_change
),

open as (
    select
        d.deal_key,
        s.changed_at as open_from,
        s.open_until,
        coalesce(o.rep_id, -1) as owner_rep_id,
        d.sourcing_rep_id,
        s.pipeline_id,
        s.stage_id,
        s.stage_key,
        s.amount,
        s.currency,
        s.close_date,
        d.has_next_step,
        d.account_key,
        d.territory_id,
        d.segment
    from states as s
    inner join core.dim_deal as d
        on s.source_id = d.source_id and s.workspace_id = d.workspace_id and s.deal_id = d.deal_id
    left join core.map_identity as o
        on s.source_id = o.source_id and s.workspace_id = o.workspace_id and o.id_space = 'user' and s.owner_user_id = o.source_user_id
    where not s.is_closed and not s.is_excluded and d.exclusion_reason is null
)

select
    d.deal_key,
    d.open_from,
    d.open_until,
    d.owner_rep_id,
    local_date(d.open_from, f.timezone) as owner_from,
    coalesce(local_date(d.open_until, u.timezone), date '9999-12-31') as owner_until,
    d.sourcing_rep_id,
    local_date(d.open_from, sf.timezone) as sourcing_from,
    coalesce(local_date(d.open_until, su.timezone), date '9999-12-31') as sourcing_until,
    d.pipeline_id,
    d.stage_id,
    d.stage_key,
    d.amount as amount_orig,
    d.currency,
    d.close_date,
    d.has_next_step,
    d.account_key,
    d.territory_id,
    d.segment
from open as d
inner join core.dim_rep as f
    on d.owner_rep_id = f.rep_id and d.open_from >= f.valid_from and d.open_from < f.valid_to
inner join core.dim_rep as sf
    on d.sourcing_rep_id = sf.rep_id and d.open_from >= sf.valid_from and d.open_from < sf.valid_to
left join core.dim_rep as u
    on d.owner_rep_id = u.rep_id and d.open_until >= u.valid_from and d.open_until < u.valid_to
left join core.dim_rep as su
    on d.sourcing_rep_id = su.rep_id and d.open_until >= su.valid_from and d.open_until < su.valid_to
