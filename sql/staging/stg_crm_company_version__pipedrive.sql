-- staging.stg_crm_company_version: where an organization belonged from which instant on, by the changes of the two fields. A change of a field with options
--   names them by their ids.
-- grain: source_id, workspace_id, company_id, valid_from
-- valid_from: 1900-01-01 for what the organization was made with
with watched as (
    select
        replace(replace(s.name, 'pipedrive.', ''), '_field', '') as what,
        s.value as field
    from input.source_setting as s
    where s.name in ('pipedrive.territory_field', 'pipedrive.segment_field')
),

options as (
    select
        source_id,
        workspace_id,
        record_id as field,
        unnest(from_json(coalesce(payload -> '$.options', '[]'), '[{"id": "VARCHAR", "label": "VARCHAR"}]')) as option
    from raw.pipedrive_crm_company_field_latest
),

entries as (
    select
        source_id,
        workspace_id,
        record_id as company_id,
        unnest(from_json(
            payload -> '$.changes', '[{"field_key": "VARCHAR", "time": "VARCHAR", "old_value": "VARCHAR", "new_value": "VARCHAR"}]'
        )) as entry,
        generate_subscripts(from_json(payload -> '$.changes', '["JSON"]'), 1) as entry_no
    from raw.pipedrive_crm_company_history_latest
    where not is_deleted
),

changes as (
    select
        e.source_id,
        e.workspace_id,
        e.company_id,
        w.what,
        -- The newest stands first.
        -e.entry_no as change_no,
        read_instant(e.entry."time") as changed_at,
        coalesce(b.option.label, e.entry.old_value) as old_value,
        coalesce(a.option.label, e.entry.new_value) as new_value
    from entries as e
    inner join watched as w on e.entry.field_key = w.field
    left join options as b
        on e.source_id = b.source_id and e.workspace_id = b.workspace_id and w.field = b.field and e.entry.old_value = b.option.id
    left join options as a
        on e.source_id = a.source_id and e.workspace_id = a.workspace_id and w.field = a.field and e.entry.new_value = a.option.id
    where read_instant(e.entry."time") is not null
),

told as (
    select
        o.source_id,
        o.workspace_id,
        o.record_id as company_id,
        w.what,
        case
            when count(c.what) > 0 then arg_min(coalesce(c.old_value, ''), (c.changed_at, c.change_no))
            else any_value(coalesce(own_choice(o.payload -> '$.custom_fields', 'pipedrive.' || w.what || '_field'), ''))
        end as value,
        '1900-01-01 00:00:00+00'::timestamptz as valid_from,
        -1000000 as change_no
    from raw.pipedrive_crm_company_latest as o
    -- Every organization has a row, also where no field is named.
    cross join (select unnest(['territory', 'segment']) as what) as w
    left join changes as c
        on o.source_id = c.source_id and o.workspace_id = c.workspace_id and o.record_id = c.company_id and w.what = c.what
    group by o.source_id, o.workspace_id, o.record_id, w.what
    union all
    select
        source_id,
        workspace_id,
        company_id,
        what,
        coalesce(new_value, ''),
        changed_at,
        change_no
    from changes
),

moments as (
    select
        source_id,
        workspace_id,
        company_id,
        valid_from,
        arg_max(value, change_no) filter (where what = 'territory') as territory,
        arg_max(value, change_no) filter (where what = 'segment') as segment
    from told
    group by source_id, workspace_id, company_id, valid_from
)

select
    m.source_id,
    m.workspace_id,
    m.company_id as record_id,
    o.source_updated_at,
    o._extracted_at as extracted_at,
    o.is_deleted,
    m.company_id,
    nullif(last_value(m.territory ignore nulls) over so_far, '') as territory,
    nullif(last_value(m.segment ignore nulls) over so_far, '') as segment,
    m.valid_from,
    null::varchar as unreadable_reason
from moments as m
inner join raw.pipedrive_crm_company_latest as o
    on m.source_id = o.source_id and m.workspace_id = o.workspace_id and m.company_id = o.record_id
window
    so_far as (
        partition by m.source_id, m.workspace_id, m.company_id order by m.valid_from rows between unbounded preceding and current row
    )
