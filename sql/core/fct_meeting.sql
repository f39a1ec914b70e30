-- core.fct_meeting: one meeting, however many calendars and records hold it (by iCalUID, else host, start and contacts).
-- grain: meeting_key
-- order: occurred_at
-- scope: start_at
-- on staging.stg_crm_meeting: start_at
-- on input.run: select m.start_at from staging.stg_crm_meeting as m where m.start_at > (select min(now) from changed) and m.start_at <= (select max(now) from changed)
-- on core.map_identity: select m.start_at from staging.stg_crm_meeting as m inner join changed as i on m.owner_user_id = i.source_user_id
-- on core.map_identity: select m.start_at from staging.stg_crm_meeting as m inner join changed as i on m.created_by_user_id = i.source_user_id
-- on core.crm_link: select m.start_at from staging.stg_crm_meeting as m inner join changed as l on m.meeting_id = l.from_id where l.from_type = 'meeting'
-- on core.dim_contact: select m.start_at from staging.stg_crm_meeting as m inner join core.crm_link as l on m.source_id = l.source_id and m.workspace_id = l.workspace_id and m.meeting_id = l.from_id inner join changed as c on l.to_key = c.contact_key where l.from_type = 'meeting'
-- on core.account_version: select m.occurred_at from core.fct_meeting as m inner join changed as a on m.account_key = a.account_key
-- on core.dim_rep: select m.occurred_at from core.fct_meeting as m inner join changed as r on m.host_rep_id = r.rep_id
-- on core.dim_rep: select m.occurred_at from core.fct_meeting as m inner join changed as r on m.booked_by_rep_id = r.rep_id
-- keep core.crm_link: from_type = 'meeting' and from_id in (select meeting_id from staging.stg_crm_meeting where start_at in (select key from dirty))
-- host_rep_id: whose meeting it is; booked_by_rep_id: who made it
-- held_date: local date of the start in the host's zone; booked_date: local date of the booking in the booker's zone
-- outcome: scheduled, held, no_show, cancelled, rescheduled
-- contact_keys: whom it was with, test records left out
-- exclusion_reason: 'test': all contacts are; 'internal': colleagues were invited and it is about no contact, company or deal
-- is_held: said to be held, and begun: until then it is scheduled, whatever the CRM says
with about as (
    select
        l.source_id,
        l.workspace_id,
        l.from_id as meeting_id,
        list_sort(list(distinct l.to_key) filter (where l.to_type = 'contact')) as all_contact_keys,
        list_sort(list(distinct l.to_key) filter (where l.to_type = 'contact' and not coalesce(d.is_test, false))) as contact_keys,
        arg_min(d.account_key, l.to_key) filter (where d.account_key is not null and not d.is_test) as account_key,
        bool_and(coalesce(d.is_test, false)) filter (where l.to_type = 'contact') as is_test
    from core.crm_link as l
    left join core.dim_contact as d on l.to_type = 'contact' and l.to_key = d.contact_key
    where l.from_type = 'meeting' and l.to_type in ('contact', 'company', 'deal')
    group by all
),

logged as (
    select
        m.*,
        coalesce(h.rep_id, b.rep_id, -1) as host_rep_id,
        coalesce(b.rep_id, h.rep_id, -1) as booked_by_rep_id,
        coalesce(c.all_contact_keys, []) as all_contact_keys,
        coalesce(c.contact_keys, []) as contact_keys,
        c.account_key,
        case
            when coalesce(c.is_test, false) then 'test'
            when c.meeting_id is null and len(list_filter(m.attendee_user_ids, lambda a: a <> m.owner_user_id)) > 0
                then 'internal'
        end as exclusion_reason
    from staging.stg_crm_meeting as m
    left join core.map_identity as h
        on m.source_id = h.source_id and m.workspace_id = h.workspace_id and h.id_space = 'user' and m.owner_user_id = h.source_user_id
    left join core.map_identity as b
        on m.source_id = b.source_id and m.workspace_id = b.workspace_id and b.id_space = 'login' and m.created_by_user_id = b.source_user_id
    left join about as c
        on m.source_id = c.source_id and m.workspace_id = c.workspace_id and m.meeting_id = c.meeting_id
    where not m.is_deleted and m.start_at is not null
),

one_each as (
    select
        *,
        coalesce(
            'ical:' || ical_uid || '@' || start_at::varchar, md5(concat_ws('|', host_rep_id, start_at::varchar, array_to_string(all_contact_keys, ',')))
        ) as meeting_key
    from logged
    qualify row_number() over (partition by meeting_key order by logged_at, source_id, workspace_id, meeting_id) = 1
)

select
    m.meeting_key,
    m.source_id,
    m.workspace_id,
    m.meeting_id,
    m.host_rep_id,
    m.booked_by_rep_id,
    m.contact_keys,
    m.start_at,
    m.start_at as occurred_at,
    m.end_at,
    m.logged_at,
    local_date(m.start_at, h.timezone) as held_date,
    local_date(m.logged_at, b.timezone) as booked_date,
    h.team_id,
    m.account_key,
    coalesce(a.territory_id, '-1') as territory_id,
    coalesce(a.segment, '-1') as segment,
    case when m.outcome in ('held', 'no_show') and m.start_at > u.now then 'scheduled' else m.outcome end as outcome,
    m.outcome = 'held' and m.start_at <= u.now as is_held,
    m.exclusion_reason is null as is_counted,
    m.exclusion_reason
from one_each as m
cross join input.run as u
inner join core.dim_rep as h on m.host_rep_id = h.rep_id and m.start_at >= h.valid_from and m.start_at < h.valid_to
inner join core.dim_rep as b
    on m.booked_by_rep_id = b.rep_id and coalesce(m.logged_at, m.start_at) >= b.valid_from and coalesce(m.logged_at, m.start_at) < b.valid_to
left join core.account_version as a on m.account_key = a.account_key and m.start_at >= a.valid_from and m.start_at < a.valid_to
