-- staging.stg_crm_deal_change: what a deal's stage, pipeline, amount, owner, currency and close date became, when, and by whom.
-- grain: source_id, workspace_id, deal_id, property, changed_at, change_no
-- change_no: order of the values that a property had from one instant on
-- scope: record_id
-- on raw.hubspot_crm_deal_history_latest: record_id
with properties as (
    select
        *,
        unnest(map_entries((payload -> '$.propertiesWithHistory')::map(varchar, json))) as entry
    from raw.hubspot_crm_deal_history_latest
    where not is_deleted
),

lists as (
    select
        * exclude (entry),
        entry.key as property,
        from_json(
            entry.value, '[{"value": "VARCHAR", "timestamp": "VARCHAR", "sourceType": "VARCHAR", "updatedByUserId": "VARCHAR"}]'
        ) as versions
    from properties
    where entry.key in ('dealstage', 'pipeline', 'amount', 'hubspot_owner_id', 'deal_currency_code', 'closedate')
),

-- The newest stands first.
changes as (
    select
        * exclude (versions),
        unnest(versions) as change,
        -generate_subscripts(versions, 1) as change_no
    from lists
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as deal_id,
    case property
        when 'dealstage' then 'stage' when 'hubspot_owner_id' then 'owner' when 'deal_currency_code' then 'currency'
        when 'closedate' then 'close_date' else property
    end as property,
    change.value as value,
    read_instant(change."timestamp") as changed_at,
    change_no,
    change."updatedByUserId" as changed_by_user_id,
    came_by(change."sourceType") as via,
    unreadable('timestamp', change."timestamp", read_instant(change."timestamp")) as unreadable_reason
from changes
