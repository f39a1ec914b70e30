-- core.rep_day_status: how far each source can be trusted for a rep's day.
-- grain: rep_id, activity_date
-- order: activity_date
-- scope: activity_date
-- on core.rep_day: activity_date
-- on core.rep_source: select d.activity_date from core.rep_day as d inner join changed as r on d.rep_id = r.rep_id
-- on core.day_status: select utc_date + unnest([-1, 0, 1])::integer from changed
-- on staging.stg_mail_count: counted_on
-- on core.map_identity: select c.counted_on from staging.stg_mail_count as c inner join changed as i on c.source_id = i.source_id and c.mailbox = i.source_user_id
-- keep core.day_status: utc_date between (select min(key) - 2 from dirty) and (select max(key) + 2 from dirty)
-- mail_status: of mailboxes, those that are only counted too; mail_sent_status: of the number of mails sent, the sequencer's too
-- call_status: of numbers about calls: the dialer's and the sequencer's; email_status: of numbers that need mails one by one: the mailbox's and the
--   sequencer's. Without an account in either the numbers do not apply: they are NULL unless the CRM's own log has something (METRICS 0.7). Where
--   mails are only counted, the mails are missing; read_status: of mailboxes, with this
-- talk_status: of numbers that need how long a call lasted, and so whether it reached a person; booking_status: of meetings that such a call led to
-- tools_status: of what shows the use of tools beside crm, dialer and mail; usage_status: of numbers that need these too
-- touch_status: of numbers that need calls, mails and meetings together; conversation_status: of those that need the talk, too
-- A report names the dates that it has counted; of another date nothing is known, even if a part of it lies in one that is, nor of a mailbox that
--   nobody asked about then.
with counted as (
    select distinct i.rep_id, c.source_id, c.workspace_id, c.counted_on
    from staging.stg_mail_count as c
    inner join core.map_identity as i
        on c.source_id = i.source_id and c.workspace_id = i.workspace_id and i.id_space = 'user' and c.mailbox = i.source_user_id
    where not c.is_deleted
),

by_source as (
    select
        d.rep_id,
        d.activity_date,
        s.system,
        s.feed,
        case when s.system = 'mail_counts' and c.rep_id is null then 'missing' else s.status end as status
    from core.rep_day as d
    inner join core.rep_source as r on d.rep_id = r.rep_id
    inner join core.day_status as s
        on
            r.system = s.system and r.source_id = s.source_id and r.workspace_id = s.workspace_id and r.partition = s.partition
            and d.day_start = s.day_start and d.day_end = s.day_end
    left join counted as c
        on d.rep_id = c.rep_id and r.source_id = c.source_id and r.workspace_id = c.workspace_id and d.activity_date = c.counted_on
),

by_feed as (
    select
        rep_id,
        activity_date,
        system,
        feed,
        case
            when bool_and(status = 'complete') then 'complete'
            when bool_and(status = 'missing') then 'missing'
            else 'partial'
        end as status
    from by_source
    group by all
),

wide as (
    select
        rep_id,
        activity_date,
        max(status) filter (where system = 'crm' and feed = '') as crm_status,
        max(status) filter (where system = 'dialer' and feed = '') as dialer_status,
        max(status) filter (where system = 'dialer' and feed = 'talk') as talk_status,
        max(status) filter (where system = 'mail' and feed = '') as box_status,
        max(status) filter (where system = 'mail_counts' and feed = '') as counts_status,
        max(status) filter (where system = 'tools' and feed = '') as tools_status,
        max(status) filter (where system = 'sequencer' and feed = '') as sequencer_status,
        max(status) filter (where system = 'sequencer' and feed = 'email') as sent_status,
        max(status) filter (where system = 'sequencer' and feed = 'call') as dialled_status,
        max(status) filter (where system = 'crm' and feed = 'meeting') as meeting_status,
        max(status) filter (where system = 'crm' and feed = 'deal') as deal_status
    from by_feed
    group by all
),

named as (
    select
        d.rep_id,
        d.activity_date,
        coalesce(w.crm_status, 'not_applicable') as crm_status,
        coalesce(w.dialer_status, 'not_applicable') as dialer_status,
        -- Mail that belongs to no rep has no mailbox of its own: what is there was seen.
        all_of([coalesce(w.box_status, case when d.rep_id = -1 then 'partial' end, 'not_applicable'), coalesce(w.counts_status, 'not_applicable')])
            as mail_status,
        coalesce(w.tools_status, 'not_applicable') as tools_status,
        coalesce(w.sequencer_status, 'not_applicable') as sequencer_status,
        together([coalesce(w.dialer_status, 'not_applicable'), coalesce(w.dialled_status, 'not_applicable')]) as call_status,
        together([coalesce(w.talk_status, 'not_applicable'), coalesce(w.dialled_status, 'not_applicable')]) as talk_status,
        case
            when w.counts_status is not null then 'missing'
            else coalesce(w.box_status, case when d.rep_id = -1 then 'partial' end, 'not_applicable')
        end as read_status,
        coalesce(w.sent_status, 'not_applicable') as sequence_status,
        w.counts_status is not null as is_counted,
        coalesce(w.meeting_status, 'not_applicable') as meeting_status,
        coalesce(w.deal_status, 'not_applicable') as deal_status
    from core.rep_day as d
    left join wide as w on d.rep_id = w.rep_id and d.activity_date = w.activity_date
)

select
    * exclude (is_counted, sequence_status),
    case when is_counted then 'missing' else together([read_status, sequence_status]) end as email_status,
    case when is_counted then mail_status else together([read_status, sequence_status]) end as mail_sent_status,
    case talk_status when 'not_applicable' then 'not_applicable' else all_of([talk_status, meeting_status]) end as booking_status,
    all_of([call_status, email_status, meeting_status]) as touch_status,
    all_of([talk_status, email_status, meeting_status]) as conversation_status,
    all_of([crm_status, dialer_status, read_status, sequencer_status]) as all_status,
    all_of([crm_status, dialer_status, mail_status, sequencer_status, tools_status]) as usage_status
from named
