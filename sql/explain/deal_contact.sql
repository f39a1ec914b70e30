-- explain.deal_contact: contacts of open deals at the end of the day, with whom somebody of ours had an exchange in the last 30 days.
select
    d.owner_rep_id as rep_id,
    getvariable('day')::date as activity_date,
    d.deal_key,
    t.contact_key,
    t.active_from as exchanged_on
from core.fct_deal_daily as d
inner join core.deal_thread as t on d.deal_key = t.deal_key and getvariable('day') >= t.active_from and getvariable('day') < t.active_until
where getvariable('day') >= d.owner_from and getvariable('day') < d.owner_until
