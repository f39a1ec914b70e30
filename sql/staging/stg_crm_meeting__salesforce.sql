-- staging.stg_crm_meeting: events without their invitees' copies, the series that occurrences come of (IsRecurrence, GroupEventType 3) and proposals (2).
--   What became of one, only a field of the org's own says (meeting_outcome_field). An event of whole days has dates, told as midnight UTC.
-- grain: source_id, workspace_id, meeting_id
-- order: start_at
-- scope: record_id
-- on raw.salesforce_crm_meeting_latest: record_id
-- on raw.salesforce_crm_meeting_relation_latest: select r.payload ->> '$.EventId' from raw.salesforce_crm_meeting_relation_latest as r inner join changed as c on r.record_id = c.record_id
with invited as (
    select
        source_id,
        workspace_id,
        payload ->> '$.EventId' as meeting_id,
        list_sort(list(distinct payload ->> '$.RelationId')) as attendee_user_ids
    from raw.salesforce_crm_meeting_relation_latest
    where not is_deleted and payload ->> '$.RelationId' like '005%'
    group by all
)

select
    m.source_id,
    m.workspace_id,
    m.record_id,
    m.source_updated_at,
    m._extracted_at as extracted_at,
    m.is_deleted,
    m.record_id as meeting_id,
    nullif(m.payload ->> '$.OwnerId', '') as owner_user_id,
    m.payload ->> '$.CreatedById' as created_by_user_id,
    person_or_machine(related(m.payload, 'CreatedBy', 'Username')) as created_via,
    case
        when m.payload ->> '$.IsAllDayEvent' = 'true' then anywhere_on(local_date(read_instant(m.payload ->> '$.StartDateTime'), 'UTC'))
        else read_instant(m.payload ->> '$.StartDateTime')
    end as start_at,
    case
        when m.payload ->> '$.IsAllDayEvent' = 'true' then anywhere_on(local_date(read_instant(m.payload ->> '$.EndDateTime'), 'UTC'))
        else read_instant(m.payload ->> '$.EndDateTime')
    end as end_at,
    read_instant(m.payload ->> '$.CreatedDate') as logged_at,
    case
        when regexp_matches(lower(own_field(m.payload, 'salesforce.meeting_outcome_field')), 'no.?show') then 'no_show'
        when regexp_matches(lower(own_field(m.payload, 'salesforce.meeting_outcome_field')), 'cancel') then 'cancelled'
        when regexp_matches(lower(own_field(m.payload, 'salesforce.meeting_outcome_field')), 're.?schedul') then 'rescheduled'
        when regexp_matches(lower(own_field(m.payload, 'salesforce.meeting_outcome_field')), '^(held|completed?|done|attended|took place)') then 'held'
        else 'scheduled'
    end as outcome,
    nullif(own_field(m.payload, 'salesforce.meeting_uid_field'), '') as ical_uid,
    coalesce(i.attendee_user_ids, []) as attendee_user_ids,
    unreadable('StartDateTime', m.payload ->> '$.StartDateTime', read_instant(m.payload ->> '$.StartDateTime')) as unreadable_reason
from raw.salesforce_crm_meeting_latest as m
left join invited as i on m.source_id = i.source_id and m.workspace_id = i.workspace_id and m.record_id = i.meeting_id
where m.payload ->> '$.IsRecurrence' is distinct from 'true' and coalesce(m.payload ->> '$.GroupEventType', '') not in ('2', '3')
