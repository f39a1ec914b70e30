-- core.rep_day_status: how far each source can be trusted for a rep's day.
-- grain: rep_id, activity_date
-- order: activity_date
-- scope: activity_date
-- on core.rep_day: activity_date
-- on core.rep_source: select d.activity_date from core.rep_day as d inner join changed as r on d.rep_id = r.rep_id
-- on core.day_status: select utc_date + unnest([-1, 0, 1])::integer from changed
-- keep core.day_status: utc_date between (select min(key) - 2 from dirty) and (select max(key) + 2 from dirty)
-- call_status: of numbers about calls: the dialer's and the sequencer's; email_status: of numbers about mails: the mailbox's and the sequencer's.
--   Without an account in either the numbers do not apply: they are NULL unless the CRM's own log has something (METRICS 0.7)
-- talk_status: of numbers that need how long a call lasted
-- tools_status: of what shows the use of tools beside crm, dialer and mail; usage_status: of numbers that need these too
-- conversation_status: of numbers that need calls, mails and meetings together
with by_feed as (
    select
        d.rep_id,
        d.activity_date,
        s.system,
        s.feed,
        case
            when bool_and(s.status = 'complete') then 'complete'
            when bool_and(s.status = 'missing') then 'missing'
            else 'partial'
        end as status
    from core.rep_day as d
    inner join core.rep_source as r on d.rep_id = r.rep_id
    inner join core.day_status as s
        on
            r.source_id = s.source_id and r.workspace_id = s.workspace_id and r.partition = s.partition
            and d.day_start = s.day_start and d.day_end = s.day_end
    group by all
),

wide as (
    select
        rep_id,
        activity_date,
        max(status) filter (where system = 'crm' and feed = '') as crm_status,
        max(status) filter (where system = 'dialer' and feed = '') as dialer_status,
        max(status) filter (where system = 'dialer' and feed = 'talk') as talk_status,
        max(status) filter (where system = 'mail' and feed = '') as mail_status,
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
        coalesce(w.mail_status, case when d.rep_id = -1 then 'partial' end, 'not_applicable') as mail_status,
        coalesce(w.tools_status, 'not_applicable') as tools_status,
        coalesce(w.sequencer_status, 'not_applicable') as sequencer_status,
        together([coalesce(w.dialer_status, 'not_applicable'), coalesce(w.dialled_status, 'not_applicable')]) as call_status,
        together([coalesce(w.talk_status, 'not_applicable'), coalesce(w.dialled_status, 'not_applicable')]) as talk_status,
        together([
            coalesce(w.mail_status, case when d.rep_id = -1 then 'partial' end, 'not_applicable'), coalesce(w.sent_status, 'not_applicable')
        ]) as email_status,
        coalesce(w.meeting_status, 'not_applicable') as meeting_status,
        coalesce(w.deal_status, 'not_applicable') as deal_status
    from core.rep_day as d
    left join wide as w on d.rep_id = w.rep_id and d.activity_date = w.activity_date
)

select
    *,
    all_of([call_status, email_status, meeting_status]) as conversation_status,
    all_of([crm_status, dialer_status, mail_status, sequencer_status]) as all_status,
    all_of([crm_status, dialer_status, mail_status, sequencer_status, tools_status]) as usage_status
from named
