-- core.dim_deal: deals of the CRM as they are now, deleted ones included, merged losers not.
-- grain: deal_key
-- sourcing_rep_id: who sourced it: the sourcing property, else the person who made it if in a sales role then, else the owner at its entry into a counted pipeline
-- owner_rep_id: the owner of now
-- first_entered_at: entry into a counted pipeline, else into any; the creation of a deleted deal
-- amount, currency: of now; the amount keeps the CRM's decimals
-- exclusion_reason: deleted, or test: its company is a test record, or it has no company and all its contacts are test records
with standing as (
    select d.*
    from staging.stg_crm_deal as d
    left join core.map_merge as m
        on
            m.object_type = 'deal' and d.source_id = m.source_id and d.workspace_id = m.workspace_id
            and d.deal_id = m.loser_id
    where m.loser_id is null and d.created_at is not null
),

history as (
    select
        source_id,
        workspace_id,
        deal_id,
        min_by(struct_pack(at := changed_at, owner := owner_user_id), (is_excluded, changed_at)) as entry,
        max_by(struct_pack(amount := amount, currency := currency, owner := owner_user_id), changed_at) as latest
    from core.deal_change
    group by all
),

parties as (
    select
        l.source_id,
        l.workspace_id,
        l.from_id as deal_id,
        min(l.to_key) filter (where l.to_type = 'company') as account_key,
        bool_and(coalesce(c.is_test, false)) filter (where l.to_type = 'contact') as are_contacts_test
    from core.crm_link as l
    left join core.dim_contact as c on l.to_type = 'contact' and l.to_key = c.contact_key
    where l.from_type = 'deal' and l.to_type in ('company', 'contact')
    group by all
),

joined as (
    select
        d.*,
        coalesce(h.entry.at, d.created_at) as first_entered_at,
        case when h.deal_id is null then d.owner_user_id else h.entry.owner end as entry_owner_user_id,
        case when h.deal_id is null then d.owner_user_id else h.latest.owner end as latest_owner_user_id,
        case when h.deal_id is null then d.amount else h.latest.amount end::decimal(20, 6) as latest_amount,
        coalesce(h.latest.currency, d.currency) as latest_currency,
        p.account_key,
        case when p.account_key is null then p.are_contacts_test else a.is_test end as is_test,
        a.territory_id,
        a.segment
    from standing as d
    left join history as h on d.source_id = h.source_id and d.workspace_id = h.workspace_id and d.deal_id = h.deal_id
    left join parties as p on d.source_id = p.source_id and d.workspace_id = p.workspace_id and d.deal_id = p.deal_id
    left join core.dim_account as a on p.account_key = a.account_key
)

select
    d.source_id || ':' || d.workspace_id || ':' || d.deal_id as deal_key,
    d.source_id,
    d.workspace_id,
    d.deal_id,
    coalesce(
        nullif(s.rep_id, -1), case when d.created_via in ('ui', 'mobile') and c.is_sales_role then nullif(b.rep_id, -1) end, e.rep_id, -1
    ) as sourcing_rep_id,
    coalesce(o.rep_id, -1) as owner_rep_id,
    d.first_entered_at,
    d.pipeline_id,
    d.stage_id,
    d.latest_amount as amount,
    d.latest_currency as currency,
    d.close_date,
    d.has_next_step,
    d.account_key,
    coalesce(d.territory_id, '-1') as territory_id,
    coalesce(d.segment, '-1') as segment,
    d.is_deleted,
    coalesce(d.source_updated_at, d.extracted_at) as source_updated_at,
    case when d.is_deleted then 'deleted' when d.is_test then 'test' end as exclusion_reason
from joined as d
left join core.map_identity as s
    on d.source_id = s.source_id and d.workspace_id = s.workspace_id and s.id_space = 'user' and d.sourcing_user_id = s.source_user_id
left join core.map_identity as b
    on d.source_id = b.source_id and d.workspace_id = b.workspace_id and b.id_space = 'login' and d.created_by_user_id = b.source_user_id
left join core.dim_rep as c on b.rep_id = c.rep_id and d.created_at >= c.valid_from and d.created_at < c.valid_to
left join core.map_identity as e
    on d.source_id = e.source_id and d.workspace_id = e.workspace_id and e.id_space = 'user' and d.entry_owner_user_id = e.source_user_id
left join core.map_identity as o
    on d.source_id = o.source_id and d.workspace_id = o.workspace_id and o.id_space = 'user' and d.latest_owner_user_id = o.source_user_id
