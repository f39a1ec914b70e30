-- staging.stg_dialer_call: calls of a folder of files, one row a leg.
-- grain: source_id, workspace_id, call_id
-- order: started_at
-- scope: record_id
-- on raw.files_dialer_call_latest: record_id
-- user_id: the rep's address
with text as (
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at as extracted_at,
        is_deleted,
        payload ->> '$.transferred_from' as transferred_from,
        norm_email(payload ->> '$.rep') as user_id,
        lower(coalesce(payload ->> '$.direction', 'outbound')) as direction_text,
        lower(payload ->> '$.result') as result_text,
        lower(coalesce(payload ->> '$.machine', 'false')) as machine_text,
        payload ->> '$.talk_seconds' as talk_text,
        payload ->> '$.started_at' as started_text,
        payload ->> '$.answered_at' as answered_text,
        payload ->> '$.ended_at' as ended_text,
        digits(payload ->> '$.number') as counterpart_number,
        digits(payload ->> '$.own_number') as own_number,
        lower(trim(payload ->> '$.disposition')) as disposition_label,
        case when not is_deleted then stood_at(payload) end as place
    from raw.files_dialer_call_latest
),

read_calls as (
    select
        *,
        read_instant(started_text) as started_at,
        read_instant(answered_text) as answered_at,
        read_instant(ended_text) as ended_at,
        list_filter([try_cast(talk_text as double)], lambda s: isfinite(s) and s >= 0)[1] as talk_s,
        machine_text in ('true', '1', 'yes') or result_text = 'voicemail' as is_machine
    from text
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    extracted_at,
    is_deleted,
    record_id as call_id,
    transferred_from,
    user_id,
    user_id as user_email,
    direction_text as direction,
    counterpart_number,
    own_number,
    started_at,
    answered_at,
    coalesce(ended_at, coalesce(answered_at, started_at) + to_seconds(coalesce(talk_s, 0))) as ended_at,
    talk_s,
    case
        when direction_text = 'inbound' then case when answered_at is not null and result_text = 'answered' and not is_machine then 'answered' else 'missed' end
        when is_machine then 'voicemail'
        else result_text
    end as result,
    is_machine and direction_text <> 'inbound' as is_machine,
    disposition_label,
    place || coalesce(
        case when direction_text not in ('outbound', 'inbound', 'internal') then 'direction is not outbound, inbound or internal: ' || direction_text end,
        case
            when coalesce(result_text, '') not in ('answered', 'voicemail', 'no_answer', 'busy', 'failed', 'cancelled', 'missed')
                then 'result is not answered, voicemail, no_answer, busy, failed, cancelled or missed: ' || coalesce(result_text, 'empty')
        end,
        case when user_id is not null and not contains(user_id, '@') then 'rep is no address: ' || user_id end,
        case when machine_text not in ('true', '1', 'yes', 'false', '0', 'no') then 'machine is not true or false: ' || machine_text end,
        case when started_at is null then 'started_at is no time: ' || coalesce(started_text, 'empty') end,
        case when answered_text is not null and answered_at is null then 'answered_at is no time: ' || answered_text end,
        case when ended_text is not null and ended_at is null then 'ended_at is no time: ' || ended_text end,
        case when talk_text is not null and talk_s is null then 'talk_seconds is no number: ' || talk_text end,
        case
            when result_text = 'answered' and direction_text <> 'internal' and answered_at is null
                then 'answered_at is empty, but result is answered'
        end
    ) as unreadable_reason
from read_calls
