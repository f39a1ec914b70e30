-- staging.stg_seq_call: calls of Salesloft's own telephone, each with what was logged of it, and calls that were only logged.
-- grain: source_id, workspace_id, call_id
-- order: started_at
-- scope: record_id
-- on raw.salesloft_seq_call_latest: 'log/' || record_id
-- on raw.salesloft_seq_call_record_latest: select coalesce('log/' || (v.payload ->> '$.call.id'), 'call/' || coalesce(v.payload ->> '$.call_uuid', v.record_id)) from raw.salesloft_seq_call_record as v inner join changed as c on v.record_id = c.record_id
-- keep raw.salesloft_seq_call_record_latest: (coalesce('log/' || (payload ->> '$.call.id'), 'call/' || coalesce(payload ->> '$.call_uuid', record_id))) in (select key from dirty)
-- the legs of a call are one call: the leg that was placed or taken first stands for it
-- what was only logged is told with its length and when it was logged: it is taken to be an outbound call that ended then
-- result: by the telephone's status; of what was only logged, by its disposition (Busy, Failed, Cancelled, No Answer, Voicemail) and "connected"
with parts as (
    select
        *,
        'log' as part,
        'log/' || record_id as call_id
    from raw.salesloft_seq_call_latest
    union all by name
    select
        *,
        'record' as part,
        coalesce('log/' || (payload ->> '$.call.id'), 'call/' || coalesce(payload ->> '$.call_uuid', record_id)) as call_id
    from raw.salesloft_seq_call_record_latest
),

-- Of what was deleted, the other part is the call as long as it stands.
joined as (
    select
        source_id,
        workspace_id,
        call_id,
        max(source_updated_at) as source_updated_at,
        max(_extracted_at) as extracted_at,
        bool_and(is_deleted) as is_deleted,
        bool_or(part = 'record' and not is_deleted) as has_record,
        bool_or(part = 'log' and not is_deleted) as has_log,
        arg_min(payload, (
            is_deleted, coalesce(payload ->> '$.call_type', 'call') <> 'call',
            coalesce(read_instant(payload ->> '$.started_at'), read_instant(payload ->> '$.created_at')), record_id
        )) filter (where part = 'record') as record,
        any_value(payload) filter (where part = 'log') as log
    from parts
    group by source_id, workspace_id, call_id
),

told as (
    select
        source_id,
        workspace_id,
        call_id,
        source_updated_at,
        extracted_at,
        is_deleted,
        case when has_record or is_deleted then record end as record,
        case when has_log or is_deleted then log end as log
    from joined
),

read_calls as (
    select
        * exclude (record, log),
        record is not null as is_dialled,
        coalesce(record ->> '$.user.id', log ->> '$.user.id') as user_id,
        case when record is null then 'outbound' else lower(trim(record ->> '$.direction')) end as direction_text,
        digits(coalesce(record ->> '$.to', log ->> '$.to')) as to_number,
        digits(record ->> '$.from') as from_number,
        coalesce(record ->> '$.started_at', record ->> '$.created_at', log ->> '$.created_at') as at_text,
        coalesce(record ->> '$.ended_at', log ->> '$.created_at') as ended_text,
        coalesce(record ->> '$.duration', log ->> '$.duration') as duration_text,
        lower(trim(record ->> '$.status')) as status,
        (log ->> '$.connected')::boolean as is_connected,
        lower(trim(coalesce(nullif(trim(log ->> '$.disposition'), ''), log ->> '$.sentiment'))) as disposition
    from told
),

timed as (
    select
        *,
        case when direction_text in ('outbound', 'inbound') then direction_text end as direction,
        greatest(coalesce(try_cast(duration_text as double), 0), 0) as length_s,
        read_instant(at_text) as told_at,
        read_instant(ended_text) as ended_at,
        direction_text = 'outbound' and coalesce(disposition in ('voicemail', 'left voicemail'), false) as is_machine
    from read_calls
),

judged as (
    select
        *,
        case when is_dialled then told_at else told_at - to_milliseconds((length_s * 1000)::bigint) end as started_at,
        case
            when is_dialled then status = 'completed'
            when disposition in ('busy', 'failed', 'cancelled', 'canceled', 'no answer') then false
            else coalesce(is_connected, length_s > 0)
        end as is_answered
    from timed
)

select
    source_id,
    workspace_id,
    call_id as record_id,
    source_updated_at,
    extracted_at,
    is_deleted,
    call_id,
    user_id,
    direction,
    case direction when 'outbound' then to_number else from_number end as counterpart_number,
    case direction when 'outbound' then from_number else to_number end as own_number,
    started_at,
    -- Nobody tells when it was answered: as long before its end as it lasted.
    case when is_answered then greatest(coalesce(ended_at - to_milliseconds((length_s * 1000)::bigint), started_at), started_at) end as answered_at,
    ended_at,
    case when is_answered then length_s end::double as talk_s,
    case
        when direction = 'inbound' then case when is_answered then 'answered' else 'missed' end
        when is_machine then 'voicemail'
        when is_answered then 'answered'
        when coalesce(status, disposition) = 'busy' then 'busy'
        when coalesce(status, disposition) = 'failed' then 'failed'
        when coalesce(status, disposition) in ('cancelled', 'canceled') then 'cancelled'
        else 'no_answer'
    end as result,
    is_machine,
    case when disposition not in ('voicemail', 'left voicemail', 'busy', 'failed', 'cancelled', 'canceled', 'no answer') then disposition end
        as disposition_label,
    null::varchar as external_call_id,
    case
        when direction is null then 'direction is not outbound or inbound: ' || coalesce(direction_text, 'missing')
        when told_at is null then 'started_at is no time: ' || coalesce(at_text, 'missing')
        when nullif(ended_text, '') is not null and ended_at is null then 'ended_at is no time: ' || ended_text
        when nullif(duration_text, '') is not null and try_cast(duration_text as double) is null then 'duration is no number: ' || duration_text
    end as unreadable_reason
from judged
