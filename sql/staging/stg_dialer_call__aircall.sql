-- staging.stg_dialer_call: Aircall calls, one row a leg: one, or of a transferred call the leg of who passed it on and of who took it.
-- grain: source_id, workspace_id, call_id
-- order: started_at
-- scope: record_id
-- on raw.aircall_dialer_call_latest: record_id
-- call_id: the call's id; of the leg after a transfer with "/2" behind it
-- talk_s: Aircall does not say when a call was passed on: all its talk is the last participant's, as in Aircall's own analytics
-- result: Aircall does not say why nobody answered an outbound call, nor that a machine did; the account's tags (Busy, Failed, Cancelled,
--   No answer, Voicemail) do. A call that is still under way is left out until it is done.
-- disposition_label: the first other tag that the settings know as a call outcome
with text as (
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at as extracted_at,
        is_deleted,
        lower(trim(payload ->> '$.direction')) as direction_text,
        nullif(trim(payload ->> '$.user.id'), '') as user_id,
        norm_email(payload ->> '$.user.email') as user_email,
        nullif(trim(payload ->> '$.transferred_by.id'), '') as by_id,
        norm_email(payload ->> '$.transferred_by.email') as by_email,
        nullif(trim(payload ->> '$.transferred_to.id'), '') as to_id,
        norm_email(payload ->> '$.transferred_to.email') as to_email,
        digits(payload ->> '$.raw_digits') as counterpart_number,
        digits(payload ->> '$.number.digits') as own_number,
        nullif(trim(payload ->> '$.voicemail'), '') is not null as has_voicemail,
        nullif(trim(payload ->> '$.started_at'), '') as started_text,
        nullif(trim(payload ->> '$.answered_at'), '') as answered_text,
        nullif(trim(payload ->> '$.ended_at'), '') as ended_text,
        list_transform(coalesce(payload ->> '$.tags[*].name', []), lambda t: lower(trim(t))) as tags
    from raw.aircall_dialer_call_latest
    where coalesce(payload ->> '$.status', 'done') not in ('initial', 'answered')
),

read_calls as (
    select
        * exclude (user_id, user_email, to_id, to_email),
        -- Who took a transferred call is the call's user by the time that it is done.
        coalesce(case when by_id is not null then to_id end, user_id, by_id) as user_id,
        case when by_id is not null and to_id is not null then to_email when user_id is null then by_email else user_email end as user_email,
        case direction_text when 'outbound' then 'outbound' when 'inbound' then 'inbound' end as direction,
        read_instant(started_text) as started_at,
        read_instant(answered_text) as answered_at,
        read_instant(ended_text) as ended_at
    from text
),

told as (
    select
        *,
        coalesce(by_id <> user_id and answered_at is not null, false) as is_transferred
    from read_calls
),

legs as (
    select
        *,
        unnest(case when is_transferred then [1, 2] else [1] end) as leg
    from told
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
    c.record_id || case when c.leg = 2 then '/2' else '' end as call_id,
    case when c.leg = 2 then c.record_id end as transferred_from,
    case when c.is_transferred and c.leg = 1 then c.by_id else c.user_id end as user_id,
    case when c.is_transferred and c.leg = 1 then c.by_email else c.user_email end as user_email,
    c.direction,
    c.counterpart_number,
    c.own_number,
    c.started_at,
    c.answered_at,
    c.ended_at,
    case
        when c.answered_at is null or (c.is_transferred and c.leg = 1) then 0
        else greatest(epoch(c.ended_at) - epoch(c.answered_at), 0)
    end::double as talk_s,
    case
        when c.direction = 'inbound' then case when c.answered_at is not null then 'answered' else 'missed' end
        when list_has_any(c.tags, ['voicemail', 'answering machine']) then 'voicemail'
        when c.answered_at is not null then 'answered'
        when list_contains(c.tags, 'busy') then 'busy'
        when list_contains(c.tags, 'failed') then 'failed'
        when list_has_any(c.tags, ['cancelled', 'canceled']) then 'cancelled'
        else 'no_answer'
    end as result,
    c.direction = 'outbound' and list_has_any(c.tags, ['voicemail', 'answering machine']) as is_machine,
    list_extract(
        list_filter(
            c.tags,
            lambda t: list_contains(o.labels, t)
                and t not in ('busy', 'failed', 'cancelled', 'canceled', 'no answer', 'voicemail', 'answering machine')
        ), 1
    ) as disposition_label,
    case
        when c.direction is null then 'direction is not outbound or inbound: ' || coalesce(c.direction_text, 'missing')
        when c.started_at is null then 'started_at is no time: ' || coalesce(c.started_text, 'missing')
        when c.answered_text is not null and c.answered_at is null then 'answered_at is no time: ' || c.answered_text
        when c.ended_text is not null and c.ended_at is null then 'ended_at is no time: ' || c.ended_text
    end as unreadable_reason
from legs as c
cross join outcome_labels as o
