-- staging.stg_dialer_call: Dialpad calls, one row a leg of somebody who took part, or one for a call that nobody took.
-- grain: source_id, workspace_id, call_id
-- order: started_at
-- scope: record_id
-- on raw.dialpad_dialer_call_latest: select l.record_id from raw.dialpad_dialer_call as v inner join changed as c on v.record_id = c.record_id inner join raw.dialpad_dialer_call_latest as l on coalesce(nullif(l.payload ->> '$.master_call_id', '0'), nullif(l.payload ->> '$.entry_point_call_id', '0'), l.record_id) = coalesce(nullif(v.payload ->> '$.master_call_id', '0'), nullif(v.payload ->> '$.entry_point_call_id', '0'), v.record_id)
-- keep raw.dialpad_dialer_call_latest: coalesce(nullif(payload ->> '$.master_call_id', '0'), nullif(payload ->> '$.entry_point_call_id', '0'), record_id) in (select coalesce(nullif(payload ->> '$.master_call_id', '0'), nullif(payload ->> '$.entry_point_call_id', '0'), record_id) from raw.dialpad_dialer_call_latest where record_id in (select key from dirty))
-- a leg is asked for with all of its call, also where another dialer's call of the same id has changed
-- call_id: of the first leg the id that all legs of the call name, which is that of the group that was called, or of the call before it was passed
--   on; CRMs know the call by it. Of the others their own. The group's own record is a row only if nobody is known to have taken the call:
--   such a call is missed by nobody in particular, whoever was rung.
-- started_at: of the first leg when the call began, be it at the group
-- talk_s: talk_time, which is without ring, queue and hold, where the call has it; else how long it was connected
-- result: Dialpad does not say why nobody answered an outbound call, nor that a machine did; the account's call labels (Busy, Failed,
--   Cancelled, No answer, Voicemail) do. An inbound call that left a voicemail was missed.
-- disposition_label: the first other label that the settings know as a call outcome
with text as (
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at as extracted_at,
        is_deleted,
        coalesce(nullif(payload ->> '$.master_call_id', '0'), nullif(payload ->> '$.entry_point_call_id', '0'), record_id) as root_id,
        lower(trim(payload ->> '$.direction')) as direction_text,
        coalesce((payload ->> '$.is_internal')::boolean, lower(payload ->> '$.contact.type') = 'user', false) as is_internal,
        -- A group has no e-mail, and a target may be empty.
        case when coalesce(lower(payload ->> '$.target.type'), 'user') = 'user' then nullif(trim(payload ->> '$.target.id'), '') end as user_id,
        norm_email(payload ->> '$.target.email') as user_email,
        digits(payload ->> '$.external_number') as counterpart_number,
        digits(payload ->> '$.internal_number') as internal_number,
        digits(payload ->> '$.proxy_target.phone') as shown_number,
        coalesce((payload ->> '$.has_voicemail')::boolean, false) as has_voicemail,
        nullif(trim(payload ->> '$.date_started'), '') as started_text,
        nullif(nullif(trim(payload ->> '$.date_connected'), ''), '0') as answered_text,
        nullif(nullif(trim(payload ->> '$.date_ended'), ''), '0') as ended_text,
        coalesce(nullif(trim(payload ->> '$.talk_time'), ''), nullif(trim(payload ->> '$.duration'), '')) as talk_text,
        list_transform(coalesce(payload ->> '$.labels[*]', []), lambda t: lower(trim(t))) as labels
    from raw.dialpad_dialer_call_latest
    where
        not is_deleted
        -- The list shows calls that have ended; should one be there that has not, it is left out until it has.
        and not (
            payload ->> '$.date_ended' is null
            and coalesce(payload ->> '$.state', '') in ('calling', 'ringing', 'queued', 'connected', 'hold', 'parked', 'preanswer')
        )
),

read_legs as (
    select
        *,
        case when direction_text in ('outbound', 'inbound') then case when is_internal then 'internal' else direction_text end end as direction,
        read_instant(started_text) as started_at,
        read_instant(answered_text) as answered_at,
        read_instant(ended_text) as ended_at,
        -- 'nan' casts too, and would make every sum that it enters one.
        list_filter([try_cast(talk_text as double)], lambda ms: isfinite(ms) and ms >= 0)[1] / 1000 as told_talk_s,
        list_has_any(labels, ['voicemail', 'answering machine']) as is_labelled_machine
    from text
),

told as (
    select
        *,
        case
            when direction = 'inbound' then case when answered_at is not null and not has_voicemail then 'answered' else 'missed' end
            when is_labelled_machine then 'voicemail'
            when answered_at is not null then 'answered'
            when list_contains(labels, 'busy') then 'busy'
            when list_contains(labels, 'failed') then 'failed'
            when list_has_any(labels, ['cancelled', 'canceled']) then 'cancelled'
            else 'no_answer'
        end as result,
        case
            when direction is null then 'direction is not outbound or inbound: ' || coalesce(direction_text, 'missing')
            when started_at is null then 'date_started is no time: ' || coalesce(started_text, 'missing')
            when answered_text is not null and answered_at is null then 'date_connected is no time: ' || answered_text
            when ended_text is not null and ended_at is null then 'date_ended is no time: ' || ended_text
            when talk_text is not null and told_talk_s is null then 'talk_time or duration is no number: ' || talk_text
        end as unreadable_reason
    from read_legs
),

legs as (
    select
        *,
        user_id is not null and (direction_text = 'outbound' or result = 'answered') as took_part
    from told
),

-- What cannot be read stands apart: it goes to quarantine, and decides nothing.
numbered as (
    select
        *,
        bool_or(took_part) over call as is_taken,
        min(started_at) over call as call_started_at,
        row_number() over (
            partition by source_id, workspace_id, root_id, unreadable_reason is null
            order by took_part desc, user_id is not null, started_at, record_id
        ) as leg_no
    from legs
    window call as (partition by source_id, workspace_id, root_id, unreadable_reason is null)
),

outcome_labels as (
    select coalesce(list(lower(label)), []) as labels from input.call_outcome
)

select
    c.source_id,
    c.workspace_id,
    c.record_id,
    c.source_updated_at,
    c.extracted_at,
    c.is_deleted,
    case when c.leg_no = 1 and c.unreadable_reason is null then c.root_id else c.record_id end as call_id,
    case when c.leg_no > 1 and c.unreadable_reason is null then c.root_id end as transferred_from,
    c.user_id,
    case when c.user_id is not null then c.user_email end as user_email,
    c.direction,
    c.counterpart_number,
    case when c.direction_text = 'outbound' then coalesce(c.shown_number, c.internal_number) else c.internal_number end as own_number,
    case when c.leg_no = 1 then c.call_started_at else c.started_at end as started_at,
    c.answered_at,
    c.ended_at,
    case
        when c.answered_at is null then 0
        else coalesce(c.told_talk_s, greatest(epoch(c.ended_at) - epoch(c.answered_at), 0))
    end::double as talk_s,
    c.result,
    c.direction_text = 'outbound' and c.is_labelled_machine as is_machine,
    list_extract(
        list_filter(
            c.labels,
            lambda t: list_contains(o.labels, t)
                and t not in ('busy', 'failed', 'cancelled', 'canceled', 'no answer', 'voicemail', 'answering machine')
        ), 1
    ) as disposition_label,
    c.unreadable_reason
from numbered as c
cross join outcome_labels as o
where c.unreadable_reason is not null or c.took_part or (not c.is_taken and c.leg_no = 1)
