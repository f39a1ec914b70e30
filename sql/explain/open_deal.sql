-- explain.open_deal: deals that stood open at the end of the day, once for who sourced them and once for who owned them.
with stood as (
    select 'sourcing' as credit, sourcing_rep_id as rep_id, * from core.fct_deal_daily where getvariable('day') >= sourcing_from and getvariable('day') < sourcing_until
    union all
    select 'owner', owner_rep_id, * from core.fct_deal_daily where getvariable('day') >= owner_from and getvariable('day') < owner_until
)

select
    s.credit,
    s.rep_id,
    getvariable('day')::date as activity_date,
    s.deal_key,
    s.open_from,
    s.pipeline_id,
    s.stage_id,
    s.amount_orig,
    s.currency,
    r.rate as fx_rate,
    s.amount_orig::decimal(20, 6) * r.rate as amount,
    s.close_date,
    s.has_next_step,
    u.deal_key is not null as is_untouched
from stood as s
left join core.fx_rate as r on s.currency = r.currency and r.date = getvariable('day')
left join core.deal_untouched as u on s.deal_key = u.deal_key and getvariable('day') >= u.untouched_from and getvariable('day') < u.untouched_until
where s.rep_id in (select rep_id from core.dim_rep where is_sales_role)
