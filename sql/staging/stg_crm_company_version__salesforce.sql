-- staging.stg_crm_company_version: where an account belonged from which instant on, by the history of the two fields, where the org tracks it.
-- grain: source_id, workspace_id, company_id, valid_from
-- scope: record_id
-- on raw.salesforce_crm_company_latest: record_id
-- on raw.salesforce_crm_company_history_latest: select v.payload ->> '$.AccountId' from raw.salesforce_crm_company_history as v inner join changed as c on v.record_id = c.record_id
-- keep raw.salesforce_crm_company_history_latest: (payload ->> '$.AccountId') in (select key from dirty)
-- valid_from: 1900-01-01 for what the account was made with
with watched as (
    select
        substr(s.name, 12, length(s.name) - 17) as what,
        s.value as field
    from input.source_setting as s
    where s.name in ('salesforce.territory_field', 'salesforce.segment_field')
),

-- Every account has a row, also where no field is named.
either as (
    select
        what,
        field
    from watched
    union all
    select
        'territory' as what,
        '-' as field
    where not exists (select 1 from watched)
),

changes as (
    select
        h.source_id,
        h.workspace_id,
        h.payload ->> '$.AccountId' as company_id,
        w.what,
        h.payload ->> '$.OldValue' as old_value,
        h.payload ->> '$.NewValue' as new_value,
        read_instant(h.payload ->> '$.CreatedDate') as changed_at
    from raw.salesforce_crm_company_history_latest as h
    inner join watched as w on h.payload ->> '$.Field' = w.field
    where not h.is_deleted
),

told as (
    select
        a.source_id,
        a.workspace_id,
        a.record_id as company_id,
        w.what,
        case
            when count(c.what) > 0 then arg_min(coalesce(c.old_value, ''), c.changed_at)
            else any_value(coalesce(json_extract_string(a.payload, '$."' || w.field || '"'), ''))
        end as value,
        '1900-01-01 00:00:00+00'::timestamptz as valid_from
    from raw.salesforce_crm_company_latest as a
    cross join either as w
    left join changes as c
        on a.source_id = c.source_id and a.workspace_id = c.workspace_id and a.record_id = c.company_id and w.what = c.what
    group by all
    union all
    select
        source_id,
        workspace_id,
        company_id,
        what,
        coalesce(new_value, ''),
        changed_at
    from changes
    where changed_at is not null
),

moments as (
    select
        source_id,
        workspace_id,
        company_id,
        valid_from,
        max(value) filter (where what = 'territory') as territory,
        max(value) filter (where what = 'segment') as segment
    from told
    group by all
)

select
    m.source_id,
    m.workspace_id,
    m.company_id as record_id,
    a.source_updated_at,
    a._extracted_at as extracted_at,
    a.is_deleted,
    m.company_id,
    nullif(last_value(m.territory ignore nulls) over so_far, '') as territory,
    nullif(last_value(m.segment ignore nulls) over so_far, '') as segment,
    m.valid_from,
    null::varchar as unreadable_reason
from moments as m
inner join raw.salesforce_crm_company_latest as a
    on m.source_id = a.source_id and m.workspace_id = a.workspace_id and m.company_id = a.record_id
window
    so_far as (
        partition by m.source_id, m.workspace_id, m.company_id order by m.valid_from rows between unbounded preceding and current row
    )
