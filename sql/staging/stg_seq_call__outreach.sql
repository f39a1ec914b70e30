-- staging.stg_seq_call: calls that were made or logged in Outreach.
-- grain: source_id, workspace_id, call_id
-- order: started_at
-- scope: record_id
-- on raw.outreach_seq_call_latest: record_id
-- on raw.outreach_seq_call_disposition_latest: select c.record_id from raw.outreach_seq_call_latest as c inner join changed as d on c.payload ->> '$.relationships.callDisposition.data.id' = d.record_id
-- external_call_id: the id of the call in the dialer that made it
-- result: Outreach says answered or not; why not, the account's dispositions (Busy, Failed, Cancelled, No answer, Voicemail) may
with told as (
    select
        c.source_id,
        c.workspace_id,
        c.record_id,
        c.source_updated_at,
        c._extracted_at as extracted_at,
        c.is_deleted,
        c.payload ->> '$.relationships.user.data.id' as user_id,
        lower(trim(c.payload ->> '$.attributes.direction')) as direction_text,
        digits(c.payload ->> '$.attributes.to') as to_number,
        digits(c.payload ->> '$.attributes.from') as from_number,
        coalesce(c.payload ->> '$.attributes.dialedAt', c.payload ->> '$.attributes.createdAt') as started_text,
        c.payload ->> '$.attributes.answeredAt' as answered_text,
        c.payload ->> '$.attributes.completedAt' as ended_text,
        lower(trim(c.payload ->> '$.attributes.outcome')) as outcome,
        nullif(trim(c.payload ->> '$.attributes.vendorCallId'), '') as external_call_id,
        c.payload ->> '$.relationships.outboundVoicemail.data.id' is not null as has_dropped_voicemail,
        lower(trim(d.payload ->> '$.attributes.name')) as disposition
    from raw.outreach_seq_call_latest as c
    left join raw.outreach_seq_call_disposition_latest as d
        on
            c.source_id = d.source_id and c.workspace_id = d.workspace_id
            and c.payload ->> '$.relationships.callDisposition.data.id' = d.record_id
),

read_calls as (
    select
        *,
        case direction_text when 'outbound' then 'outbound' when 'inbound' then 'inbound' end as direction,
        read_instant(started_text) as started_at,
        read_instant(answered_text) as answered_at,
        read_instant(ended_text) as ended_at,
        direction_text = 'outbound' and (has_dropped_voicemail or coalesce(disposition in ('voicemail', 'left voicemail'), false)) as is_machine
    from told
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    extracted_at,
    is_deleted,
    record_id as call_id,
    user_id,
    direction,
    case direction when 'outbound' then to_number else from_number end as counterpart_number,
    case direction when 'outbound' then from_number else to_number end as own_number,
    started_at,
    -- An answer without an instant is one all the same.
    coalesce(answered_at, case when outcome = 'answered' then started_at end) as answered_at,
    ended_at,
    greatest(epoch(ended_at) - epoch(answered_at), 0)::double as talk_s,
    case
        when direction = 'inbound' then case when answered_at is not null or outcome = 'answered' then 'answered' else 'missed' end
        when is_machine then 'voicemail'
        when answered_at is not null or outcome = 'answered' then 'answered'
        when disposition = 'busy' then 'busy'
        when disposition = 'failed' then 'failed'
        when disposition in ('cancelled', 'canceled') then 'cancelled'
        else 'no_answer'
    end as result,
    is_machine,
    case when disposition not in ('voicemail', 'busy', 'failed', 'cancelled', 'canceled', 'no answer') then disposition end as disposition_label,
    external_call_id,
    case
        when direction is null then 'direction is not outbound or inbound: ' || coalesce(direction_text, 'missing')
        when started_at is null then 'dialedAt is no time: ' || coalesce(started_text, 'missing')
        when nullif(answered_text, '') is not null and answered_at is null then 'answeredAt is no time: ' || answered_text
        when nullif(ended_text, '') is not null and ended_at is null then 'completedAt is no time: ' || ended_text
    end as unreadable_reason
from read_calls
