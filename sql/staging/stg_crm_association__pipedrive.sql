-- staging.stg_crm_association: which records belong together, one row a pair: persons of activities, notes, mails and deals, organizations of persons and deals.
-- grain: source_id, workspace_id, from_type, from_id, to_type, to_id
with activities as (
    select
        *,
        case
            when listed('pipedrive.call_types', payload ->> '$.type') or listed('pipedrive.inbound_call_types', payload ->> '$.type') then 'call'
            when
                listed('pipedrive.meeting_types', payload ->> '$.type') or listed('pipedrive.no_show_types', payload ->> '$.type')
                or listed('pipedrive.cancelled_types', payload ->> '$.type')
                then 'meeting'
            else 'task'
        end as from_type
    from raw.pipedrive_crm_activity_latest
),

records as (
    select
        * exclude (from_type),
        from_type,
        list_concat(
            list_transform(
                list_concat(
                    from_json(coalesce(payload -> '$.participants', '[]'), '[{"person_id": "VARCHAR"}]'),
                    from_json(coalesce(payload -> '$.attendees', '[]'), '[{"person_id": "VARCHAR"}]')
                ),
                lambda p: {'to_type': 'contact', 'to_id': p.person_id}
            ),
            [
                {'to_type': 'contact', 'to_id': payload ->> '$.person_id'}, {'to_type': 'deal', 'to_id': payload ->> '$.deal_id'},
                {'to_type': 'company', 'to_id': payload ->> '$.org_id'}
            ]
        ) as links
    from activities
    union all by name
    select
        *,
        'note' as from_type,
        [
            {'to_type': 'contact', 'to_id': payload ->> '$.person_id'}, {'to_type': 'deal', 'to_id': payload ->> '$.deal_id'},
            {'to_type': 'company', 'to_id': payload ->> '$.org_id'}
        ] as links
    from raw.pipedrive_crm_note_latest
    union all by name
    select
        *,
        'deal' as from_type,
        [{'to_type': 'contact', 'to_id': payload ->> '$.person_id'}, {'to_type': 'company', 'to_id': payload ->> '$.org_id'}] as links
    from raw.pipedrive_crm_deal_latest
    union all by name
    select
        *,
        'contact' as from_type,
        [{'to_type': 'company', 'to_id': payload ->> '$.org_id'}] as links
    from raw.pipedrive_crm_contact_latest
    union all by name
    -- Whom a mail is linked to, else whose address is on it.
    select
        *,
        'email' as from_type,
        list_transform(
            list_concat(
                from_json(coalesce(payload -> '$.from', '[]'), '[{"email_address": "VARCHAR", "linked_person_id": "VARCHAR"}]'),
                from_json(coalesce(payload -> '$.to', '[]'), '[{"email_address": "VARCHAR", "linked_person_id": "VARCHAR"}]'),
                from_json(coalesce(payload -> '$.cc', '[]'), '[{"email_address": "VARCHAR", "linked_person_id": "VARCHAR"}]'),
                from_json(coalesce(payload -> '$.bcc', '[]'), '[{"email_address": "VARCHAR", "linked_person_id": "VARCHAR"}]')
            ),
            lambda p: {'to_type': 'contact', 'to_id': coalesce(p.linked_person_id, addresses_in(p.email_address)[1])}
        ) as links
    from raw.pipedrive_crm_mail_latest
),

pairs as (
    select distinct
        * exclude (links, payload),
        unnest(links) as link
    from records
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    from_type,
    record_id as from_id,
    link.to_type as to_type,
    link.to_id as to_id,
    null::varchar as unreadable_reason
from pairs
where nullif(link.to_id, '') is not null
