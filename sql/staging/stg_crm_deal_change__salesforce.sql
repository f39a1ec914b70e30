-- staging.stg_crm_deal_change: what an opportunity's stage, amount and close date became (its history, always kept), and its owner, record type
--   and currency (its field history, where the org tracks them), when, and by whom.
-- grain: source_id, workspace_id, deal_id, property, changed_at, change_no
-- change_no: order of the values that a property had from one instant on: a history row has the instant to the second
with rows_told as (
    select
        *,
        payload ->> '$.OpportunityId' as deal_id,
        read_instant(payload ->> '$.CreatedDate') as changed_at
    from raw.salesforce_crm_deal_history_latest
),

states as (
    select
        * exclude (told),
        told.property as property,
        told.value as value
    from (
        select
            *,
            unnest([
                {'property': 'stage', 'value': payload ->> '$.StageName'},
                {'property': 'amount', 'value': payload ->> '$.Amount'},
                {'property': 'close_date', 'value': payload ->> '$.CloseDate'}
            ]) as told
        from rows_told
    )
),

-- A row repeats all three, whichever changed.
moved as (
    select * from states
    window of_one as (partition by source_id, workspace_id, deal_id, property order by changed_at, record_id)
    qualify value is distinct from lag(value) over of_one or row_number() over of_one = 1
),

tracked as (
    select
        h.*,
        h.payload ->> '$.OpportunityId' as deal_id,
        read_instant(h.payload ->> '$.CreatedDate') as changed_at,
        case h.payload ->> '$.Field' when 'Owner' then 'owner' when 'RecordType' then 'pipeline' when 'CurrencyIsoCode' then 'currency' end as property,
        h.payload ->> '$.OldValue' as old_value,
        h.payload ->> '$.NewValue' as new_value
    from raw.salesforce_crm_deal_field_history_latest as h
    where
        h.payload ->> '$.Field' = 'CurrencyIsoCode'
        -- Of references there are two rows: one with names, one with ids.
        or (h.payload ->> '$.Field' = 'Owner' and coalesce(h.payload ->> '$.NewValue', h.payload ->> '$.OldValue') like '005%')
        or (h.payload ->> '$.Field' = 'RecordType' and coalesce(h.payload ->> '$.NewValue', h.payload ->> '$.OldValue') like '012%')
),

-- What it was made with is the old value of the first change.
began as (
    select
        t.source_id,
        t.workspace_id,
        t.deal_id,
        t.property,
        arg_min(coalesce(t.old_value, ''), (t.changed_at, t.record_id)) as value,
        any_value(d._extracted_at) as extracted_at,
        any_value(d.source_updated_at) as source_updated_at,
        bool_or(d.is_deleted) as is_deleted,
        any_value(read_instant(d.payload ->> '$.CreatedDate')) as changed_at,
        any_value(d.payload ->> '$.CreatedById') as changed_by_user_id,
        any_value(related(d.payload, 'CreatedBy', 'Username')) as username
    from tracked as t
    inner join raw.salesforce_crm_deal_latest as d
        on t.source_id = d.source_id and t.workspace_id = d.workspace_id and t.deal_id = d.record_id
    group by t.source_id, t.workspace_id, t.deal_id, t.property
),

every as (
    select
        source_id,
        workspace_id,
        source_updated_at,
        _extracted_at as extracted_at,
        is_deleted,
        deal_id,
        property,
        value,
        changed_at,
        record_id as row_id,
        payload ->> '$.CreatedById' as changed_by_user_id,
        related(payload, 'CreatedBy', 'Username') as username,
        payload ->> '$.CreatedDate' as told_at
    from moved
    union all
    select
        source_id,
        workspace_id,
        source_updated_at,
        _extracted_at,
        is_deleted,
        deal_id,
        property,
        new_value,
        changed_at,
        record_id,
        payload ->> '$.CreatedById',
        related(payload, 'CreatedBy', 'Username'),
        payload ->> '$.CreatedDate'
    from tracked
    union all
    select
        source_id,
        workspace_id,
        source_updated_at,
        extracted_at,
        is_deleted,
        deal_id,
        property,
        value,
        changed_at,
        null,
        changed_by_user_id,
        username,
        null
    from began
)

select
    e.source_id,
    e.workspace_id,
    e.deal_id as record_id,
    e.source_updated_at,
    e.extracted_at,
    e.is_deleted,
    e.deal_id,
    e.property,
    case when e.property = 'pipeline' then coalesce(t.payload ->> '$.DeveloperName', nullif(e.value, ''), 'default') else nullif(e.value, '') end as value,
    e.changed_at,
    row_number() over (partition by e.source_id, e.workspace_id, e.deal_id, e.property order by e.changed_at, e.row_id nulls first) as change_no,
    e.changed_by_user_id,
    person_or_machine(e.username) as via,
    unreadable('CreatedDate', e.told_at, e.changed_at) as unreadable_reason
from every as e
left join raw.salesforce_crm_pipeline_latest as t
    on e.property = 'pipeline' and e.source_id = t.source_id and e.workspace_id = t.workspace_id and e.value = t.record_id
