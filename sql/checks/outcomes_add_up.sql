-- checks.outcomes_add_up: the exclusive outcomes of calls made add up to calls made.
-- severity: error
select
    activity_date,
    rep_id,
    calls_made,
    calls_connected + voicemails_left + calls_answered_short + calls_wrong_number + calls_no_answer + calls_busy + calls_failed as outcomes
from marts.daily_rep_activity
where
    calls_made
    <> calls_connected + voicemails_left + calls_answered_short + calls_wrong_number + calls_no_answer + calls_busy + calls_failed
