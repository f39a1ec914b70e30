-- staging.stg_crm_company_version: where a company belonged from which instant on: one row a change of its territory or segment.
-- grain: source_id, workspace_id, company_id, valid_from
-- scope: record_id
-- on raw.hubspot_crm_company_history_latest: record_id
-- on raw.hubspot_crm_company_latest: record_id
-- valid_from: 1900-01-01 for what the company was made with, or for companies whose history was never read
with properties as (
    select
        *,
        unnest([
            {
                'property': 'territory',
                'entry': json_extract(payload, '$.propertiesWithHistory."'
                || coalesce((select s.value from input.source_setting as s where s.name = 'territory_property'), 'sales_territory') || '"')
            },
            {
                'property': 'segment',
                'entry': json_extract(payload, '$.propertiesWithHistory."'
                || coalesce((select s.value from input.source_setting as s where s.name = 'segment_property'), 'market_segment') || '"')
            }
        ]) as told
    from raw.hubspot_crm_company_history_latest
    where not is_deleted
),

changes as (
    select
        * exclude (told),
        told.property as property,
        unnest(from_json(told.entry, '[{"value": "VARCHAR", "timestamp": "VARCHAR"}]')) as change
    from properties
    where told.entry is not null
),

moments as (
    select
        source_id,
        workspace_id,
        record_id,
        any_value(source_updated_at) as source_updated_at,
        any_value(_extracted_at) as extracted_at,
        any_value(read_instant(payload ->> '$.properties.createdate')) as created_at,
        read_instant(change."timestamp") as changed_at,
        max(change.value) filter (where property = 'territory') as territory,
        max(change.value) filter (where property = 'segment') as segment,
        bool_or(property = 'territory') as has_territory,
        bool_or(property = 'segment') as has_segment
    from changes
    where read_instant(change."timestamp") is not null
    group by source_id, workspace_id, record_id, read_instant(change."timestamp")
),

known as (
    select
        *,
        last_value(case when has_territory then coalesce(territory, '') end ignore nulls) over so_far as territory_then,
        last_value(case when has_segment then coalesce(segment, '') end ignore nulls) over so_far as segment_then,
        row_number() over so_far as version_no
    from moments
    window so_far as (partition by source_id, workspace_id, record_id order by changed_at rows between unbounded preceding and current row)
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    extracted_at,
    false as is_deleted,
    record_id as company_id,
    nullif(territory_then, '') as territory,
    nullif(segment_then, '') as segment,
    -- What a company was made with has always held; what was filled in later held from then on.
    case
        when version_no = 1 and changed_at <= coalesce(created_at, changed_at) + interval 1 minute then '1900-01-01 00:00:00+00'::timestamptz
        else changed_at
    end as valid_from,
    null::varchar as unreadable_reason
from known
union all
select
    c.source_id,
    c.workspace_id,
    c.record_id,
    c.source_updated_at,
    c._extracted_at,
    c.is_deleted,
    c.record_id,
    nullif(crm_property(c.payload, 'territory_property', 'sales_territory'), ''),
    nullif(crm_property(c.payload, 'segment_property', 'market_segment'), ''),
    '1900-01-01 00:00:00+00'::timestamptz,
    null
from raw.hubspot_crm_company_latest as c
where
    (c.source_id, c.workspace_id, c.record_id) not in (select (k.source_id, k.workspace_id, k.record_id) from known as k)
