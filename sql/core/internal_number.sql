-- core.internal_number: telephone lines that are ours, as ranges of equally long digit strings.
-- grain: first_digits, last_digits
select distinct first_digits, last_digits from input.internal_number
union
select distinct number, number from staging.stg_dialer_number where number is not null and not is_deleted
union
select distinct digits(phone), digits(phone)
from (select unnest(phones) as phone from input.rep)
where digits(phone) is not null
