-- core.map_rep_address: every address that belongs to a rep: primary, aliases from reps.csv, aliases that the mail system knows.
-- grain: address
-- address: lower case
-- rep_id: its owner; the smallest rep_id where two claim one address
with primary_addresses as (
    select distinct
        email as address,
        stable_id('rep:' || email) as rep_id,
        1 as preference
    from core.rep_roster
),

from_file as (
    select
        norm_email(unnest(aliases)) as address,
        stable_id('rep:' || norm_email(email)) as rep_id,
        2 as preference
    from input.rep
),

from_mail_system as (
    select
        norm_email(a.alias) as address,
        p.rep_id,
        3 as preference
    from (
        select
            mailbox,
            unnest(aliases) as alias
        from staging.stg_mail_account
        where not is_deleted
    ) as a
    inner join primary_addresses as p on norm_email(a.mailbox) = p.address
),

all_addresses as (
    select * from primary_addresses
    union all
    select * from from_file
    union all
    select * from from_mail_system
)

select
    address,
    arg_min(rep_id, (preference, rep_id)) as rep_id
from all_addresses
where address is not null
group by all
