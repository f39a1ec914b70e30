-- core.feed_stream: which streams must have been read for a family of numbers to be complete, of those that a source has.
-- grain: system, feed, stream
-- feed: '' is the whole system, the others are parts of it
-- stream: as in meta.coverage; "dialer_call.talk" are calls whose talk time can be read (sql/fields.toml); crm_activity are calls, meetings and
--   tasks of a CRM that keeps them in one list
select
    system,
    feed,
    stream
from (
    values
    ('dialer', '', 'dialer_call'),
    ('dialer', 'talk', 'dialer_call.talk'),
    ('mail', '', 'mail_message'),
    ('mail_counts', '', 'mail_count'),
    ('tools', '', 'tool_action'),
    ('sequencer', '', 'seq_send'),
    ('sequencer', '', 'seq_state'),
    ('sequencer', '', 'seq_task'),
    ('sequencer', '', 'seq_call'),
    ('sequencer', '', 'seq_reply'),
    ('sequencer', '', 'seq_call_record'),
    ('sequencer', 'email', 'seq_send'),
    ('sequencer', 'email', 'seq_reply'),
    ('sequencer', 'call', 'seq_call'),
    ('sequencer', 'call', 'seq_call_record'),
    ('crm', '', 'crm_call'),
    ('crm', '', 'crm_email'),
    ('crm', '', 'crm_meeting'),
    ('crm', '', 'crm_task'),
    ('crm', '', 'crm_activity'),
    ('crm', '', 'crm_note'),
    ('crm', '', 'crm_contact'),
    ('crm', '', 'crm_company'),
    ('crm', '', 'crm_deal'),
    ('crm', '', 'crm_write'),
    ('crm', 'call', 'crm_call'),
    ('crm', 'call', 'crm_activity'),
    ('crm', 'email', 'crm_email'),
    ('crm', 'meeting', 'crm_meeting'),
    ('crm', 'meeting', 'crm_activity'),
    ('crm', 'deal', 'crm_deal')
) as f (system, feed, stream)
