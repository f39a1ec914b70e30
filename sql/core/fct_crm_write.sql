-- core.fct_crm_write: what people did in the CRM by hand (METRICS 1a-1d); integrations, imports, APIs and automation are left out.
-- grain: write_kind, write_key
-- order: activity_date
-- record_id: the CRM's id of the record changed, created or logged; of a merged one its survivor's, whose history repeats what was done to it
-- scope: record_id
-- on staging.stg_crm_write: object_id
-- on staging.stg_crm_write: select m.survivor_id from core.map_merge as m inner join changed as c on m.loser_id = c.object_id
-- keep staging.stg_crm_write: object_id in (select key from dirty) or object_id in (select loser_id from core.map_merge where survivor_id in (select key from dirty))
-- on staging.stg_crm_contact: contact_id
-- on staging.stg_crm_company: company_id
-- on staging.stg_crm_deal: deal_id
-- on staging.stg_crm_note: note_id
-- on staging.stg_crm_call: call_id
-- on staging.stg_crm_email: email_id
-- on staging.stg_crm_meeting: meeting_id
-- on staging.stg_crm_task: task_id
-- on core.map_merge: loser_id
-- on core.map_merge: survivor_id
-- on core.dim_contact: contact_id
-- on core.dim_account: company_id
-- on core.map_identity: select w.record_id from core.fct_crm_write as w inner join changed as i on w.user_id = i.source_user_id
-- on core.dim_rep: select w.record_id from core.fct_crm_write as w inner join changed as r on w.rep_id = r.rep_id
-- write_kind: 'change' (a record changed, once a record, user and minute), 'created' (contact, company or deal) or 'logged' (an activity)
-- logged_at: when it was done; the clock of CRM usage
with records as (
    select source_id, workspace_id, 'contact' as object_type, contact_id as object_id, created_by_user_id, created_via, created_at, is_deleted
    from staging.stg_crm_contact
    union all
    select source_id, workspace_id, 'company', company_id, created_by_user_id, created_via, created_at, is_deleted
    from staging.stg_crm_company
    union all
    select source_id, workspace_id, 'deal', deal_id, created_by_user_id, created_via, created_at, is_deleted
    from staging.stg_crm_deal
),

-- What was changed in a record that is gone is not told to who begins to read today.
gone as (
    select source_id, workspace_id, object_type, object_id
    from records
    where is_deleted
    union all
    select source_id, workspace_id, 'note', note_id
    from staging.stg_crm_note
    where is_deleted
),

-- The changes of a merged record are the survivor's.
changed as (
    select
        w.source_id,
        w.workspace_id,
        w.object_type,
        coalesce(m.survivor_id, w.object_id) as object_id,
        w.user_id,
        w.written_at
    from staging.stg_crm_write as w
    left join core.map_merge as m
        on
            w.object_type = m.object_type and w.source_id = m.source_id and w.workspace_id = m.workspace_id
            and w.object_id = m.loser_id
    where w.via in ('ui', 'mobile') and w.user_id is not null and not w.is_deleted
),

changes as (
    select
        'change' as write_kind,
        concat_ws(':', w.source_id, w.workspace_id, w.object_type, w.object_id, w.user_id, epoch(date_trunc('minute', w.written_at))::bigint) as write_key,
        w.source_id,
        w.workspace_id,
        w.object_id as record_id,
        'login' as id_space,
        w.user_id,
        min(w.written_at) as logged_at
    from changed as w
    anti join gone as g
        on w.source_id = g.source_id and w.workspace_id = g.workspace_id and w.object_type = g.object_type and w.object_id = g.object_id
    group by all
),

created as (
    select
        'created' as write_kind,
        concat_ws(':', r.source_id, r.workspace_id, r.object_type, r.object_id) as write_key,
        r.source_id,
        r.workspace_id,
        r.object_id as record_id,
        'login' as id_space,
        r.created_by_user_id as user_id,
        r.created_at as logged_at
    from records as r
    left join core.map_merge as m
        on
            r.object_type = m.object_type and r.source_id = m.source_id and r.workspace_id = m.workspace_id
            and r.object_id = m.loser_id
    left join core.dim_contact as c
        on r.object_type = 'contact' and c.contact_key = concat_ws(':', r.source_id, r.workspace_id, r.object_id)
    left join core.dim_account as a
        on r.object_type = 'company' and a.account_key = concat_ws(':', r.source_id, r.workspace_id, r.object_id)
    where
        r.created_via in ('ui', 'mobile') and r.created_by_user_id is not null and not r.is_deleted and m.loser_id is null
        and not coalesce(c.is_test, false) and not coalesce(a.is_test, false)
),

activities as (
    select source_id, workspace_id, 'note:' || note_id as activity, note_id as record_id, 'login' as id_space, created_by_user_id as user_id, created_via, logged_at
    from staging.stg_crm_note
    where not is_deleted
    union all
    select source_id, workspace_id, 'call:' || call_id, call_id, 'login', created_by_user_id, created_via, logged_at
    from staging.stg_crm_call
    where not is_deleted
    union all
    select source_id, workspace_id, 'email:' || email_id, email_id, 'login', created_by_user_id, created_via, logged_at
    from staging.stg_crm_email
    where not is_deleted
    union all
    select source_id, workspace_id, 'meeting:' || meeting_id, meeting_id, 'login', created_by_user_id, created_via, logged_at
    from staging.stg_crm_meeting
    where not is_deleted
    union all
    select
        source_id,
        workspace_id,
        'task:' || task_id,
        task_id,
        case when completed_by_user_id is null then 'user' else 'login' end,
        coalesce(completed_by_user_id, owner_user_id),
        'ui',
        coalesce(completed_at, due_at)
    from staging.stg_crm_task
    where not is_deleted and status = 'completed' and coalesce(completed_at, due_at) is not null
),

logged as (
    select
        'logged' as write_kind,
        concat_ws(':', source_id, workspace_id, activity) as write_key,
        source_id,
        workspace_id,
        record_id,
        id_space,
        user_id,
        logged_at
    from activities
    where created_via in ('ui', 'mobile') and user_id is not null and logged_at is not null
),

writes as (
    select * from changes
    union all
    select * from created
    union all
    select * from logged
)

select
    w.write_kind,
    w.write_key,
    w.source_id,
    w.workspace_id,
    w.record_id,
    w.user_id,
    coalesce(i.rep_id, -1) as rep_id,
    w.logged_at,
    local_date(w.logged_at, r.timezone) as activity_date
from writes as w
left join core.map_identity as i
    on w.source_id = i.source_id and w.workspace_id = i.workspace_id and w.id_space = i.id_space and w.user_id = i.source_user_id
inner join core.dim_rep as r
    on coalesce(i.rep_id, -1) = r.rep_id and w.logged_at >= r.valid_from and w.logged_at < r.valid_to
