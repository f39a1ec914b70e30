-- staging.stg_dialer_call: CloudTalk calls, one row a leg (Cdr).
-- grain: source_id, workspace_id, call_id
-- order: started_at
-- scope: record_id
-- on raw.cloudtalk_dialer_call_latest: record_id
-- transferred_from: the leg before. That it is a Cdr id is a guess: the API's document only says "where the call was transferred
--   from". What is no known Cdr id starts a call of its own (core.call_root).
-- user_email: of the agent, as the call tells it: who left is in no list of agents any more
-- result: CloudTalk does not say why nobody answered; the account's tags (Busy, Failed, Cancelled, No answer) do.
-- disposition_label: the first other tag that the settings know as a call outcome.
with text as (
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at as extracted_at,
        is_deleted,
        lower(trim(payload ->> '$.Cdr.type')) as type_text,
        nullif(nullif(trim(payload ->> '$.Cdr.user_id'), ''), '0') as user_id,
        norm_email(payload ->> '$.Agent.email') as user_email,
        digits(payload ->> '$.Cdr.public_external') as counterpart_number,
        digits(payload ->> '$.Cdr.public_internal') as own_number,
        nullif(nullif(trim(payload ->> '$.Cdr.transferred_from'), ''), '0') as transferred_from,
        nullif(trim(payload ->> '$.Cdr.talking_time'), '') as talk_text,
        lower(trim(coalesce(payload ->> '$.Cdr.is_voicemail', ''))) in ('1', 'true') as is_voicemail,
        -- A database's zero date means "never".
        nullif(regexp_replace(trim(payload ->> '$.Cdr.started_at'), '^0000-.*', ''), '') as started_text,
        nullif(regexp_replace(trim(payload ->> '$.Cdr.answered_at'), '^0000-.*', ''), '') as answered_text,
        nullif(regexp_replace(trim(payload ->> '$.Cdr.ended_at'), '^0000-.*', ''), '') as ended_text,
        list_transform(coalesce(payload ->> '$.Tags[*].name', []), lambda t: lower(trim(t))) as tags
    from raw.cloudtalk_dialer_call_latest
),

read_calls as (
    select
        *,
        case type_text when 'outgoing' then 'outbound' when 'incoming' then 'inbound' when 'internal' then 'internal' end as direction,
        read_instant(started_text) as started_at,
        read_instant(answered_text) as answered_at,
        read_instant(ended_text) as ended_at,
        -- 'nan' casts too, and would make every sum that it enters one.
        list_filter([try_cast(talk_text as double)], lambda s: isfinite(s) and s >= 0)[1] as talk_s
    from text
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
    c.record_id as call_id,
    c.transferred_from,
    c.user_id,
    c.user_email,
    c.direction,
    c.counterpart_number,
    c.own_number,
    c.started_at,
    c.answered_at,
    c.ended_at,
    c.talk_s,
    case
        when c.direction = 'inbound' then case when c.answered_at is not null and not c.is_voicemail then 'answered' else 'missed' end
        when c.is_voicemail then 'voicemail'
        when c.answered_at is not null then 'answered'
        when list_contains(c.tags, 'busy') then 'busy'
        when list_contains(c.tags, 'failed') then 'failed'
        when list_has_any(c.tags, ['cancelled', 'canceled']) then 'cancelled'
        else 'no_answer'
    end as result,
    c.is_voicemail and c.direction in ('outbound', 'internal') as is_machine,
    list_extract(
        list_filter(
            c.tags,
            lambda t: list_contains(o.labels, t) and t not in ('busy', 'failed', 'cancelled', 'canceled', 'no answer')
        ), 1
    ) as disposition_label,
    case
        when c.direction is null then 'Cdr.type is not outgoing, incoming or internal: ' || coalesce(c.type_text, 'missing')
        when c.started_at is null then 'Cdr.started_at is no time: ' || coalesce(c.started_text, 'missing')
        when c.answered_text is not null and c.answered_at is null then 'Cdr.answered_at is no time: ' || c.answered_text
        when c.ended_text is not null and c.ended_at is null then 'Cdr.ended_at is no time: ' || c.ended_text
        when c.talk_text is not null and c.talk_s is null then 'Cdr.talking_time is no number: ' || c.talk_text
    end as unreadable_reason
from read_calls as c
cross join outcome_labels as o
