-- Small functions that more than one model uses. Created in the schema main of the warehouse at every build.

-- Only the digits of a telephone number; NULL when there are none. A leading international 00 is dropped.
create or replace macro digits(t) as
    nullif(regexp_replace(regexp_replace(t::varchar, '[^0-9]', '', 'g'), '^00', ''), '');

-- Do two numbers (as digits) mean the same line? Equal, or equal in the last nine when one lacks its country code:
-- it is short, or begins with the 0 of a national number, which no country code does.
create or replace macro same_number(a, b) as
    coalesce(
        a = b or (right(a, 9) = right(b, 9) and least(length(a), length(b)) >= 7 and (least(length(a), length(b)) <= 10 or '0' in (left(a, 1), left(b, 1)))),
        false
    );

-- An address as compared: trimmed, lower case.
create or replace macro norm_email(t) as
    nullif(lower(trim(t)), '');

-- A Message-ID as compared: the first <...> token, domain part in lower case.
create or replace macro norm_message_id(t) as
    (case
        when regexp_extract(t, '<([^<>\s]+)>', 1) <> '' then
            regexp_replace(regexp_extract(t, '<([^<>\s]+)>', 1), '@[^@]*$', '') || lower(regexp_extract(regexp_extract(t, '<([^<>\s]+)>', 1), '@[^@]*$'))
        when nullif(trim(t), '') is not null then
            regexp_replace(trim(t), '@[^@]*$', '') || lower(regexp_extract(trim(t), '@[^@]*$'))
    end);

-- The calendar date of an instant in a zone. Never timestamptz::date, which depends on the session.
create or replace macro local_date(instant, zone) as (instant at time zone zone)::date;

-- The instant at which a date begins in a zone.
create or replace macro local_midnight(day, zone) as (day::timestamp at time zone zone);

-- An instant that is on this calendar date from Hawaii to New Zealand, summer time and all: for what has a date and no time, which no zone may shift.
create or replace macro anywhere_on(day) as ((day::timestamp + interval '10 hours 30 minutes') at time zone 'UTC');

-- ISO 8601 (with or without zone: then UTC), epoch milliseconds, or epoch seconds (9 or 10 digits: 1973 to 2286); NULL when unreadable.
create or replace macro read_instant(t) as (
    case
        when regexp_full_match(t::varchar, '-?[0-9]{11,14}') then make_timestamptz(try_cast(t::varchar as bigint) * 1000)
        when regexp_full_match(t::varchar, '[0-9]{9,10}') then make_timestamptz(try_cast(t::varchar as bigint) * 1000000)
        when regexp_full_match(t::varchar, '[0-9]{4}-[0-9]{2}-[0-9]{2}.*') then try_cast(t::varchar as timestamptz)
    end
);

-- The domain of an address.
create or replace macro domain_of(address) as lower(regexp_extract(address, '@([^@]+)$', 1));

-- A BIGINT that any BI tool and JavaScript can hold, the same for the same text for ever.
create or replace macro stable_id(t) as (md5_number_upper(t) >> 12)::bigint;

-- A measured value by METRICS 0.7: what was seen (zero when nothing happened) where the source spoke, NULL where it did not.
create or replace macro known(value, status) as
    case when status in ('complete', 'partial') then coalesce(value, 0) when status = 'not_applicable' then value end;

-- The status of a number that needs several sources: sources that do not apply have no say; one that was silent leaves it unknown.
create or replace macro all_of(statuses) as (
    case
        when len(list_filter(statuses, lambda s: s <> 'not_applicable')) = 0 then 'not_applicable'
        when list_contains(statuses, 'missing') then 'missing'
        when list_contains(statuses, 'partial') then 'partial'
        else 'complete'
    end
);

-- The status of a number to which several sources add: known as far as one spoke, and whole when all did; those that do not apply have no say.
create or replace macro together(statuses) as (
    case
        when len(list_filter(statuses, lambda s: s <> 'not_applicable')) = 0 then 'not_applicable'
        when len(list_filter(statuses, lambda s: s not in ('not_applicable', 'complete'))) = 0 then 'complete'
        when len(list_filter(statuses, lambda s: s not in ('not_applicable', 'missing'))) = 0 then 'missing'
        else 'partial'
    end
);

-- Of pairs {left, right}, best first, those that can stand together: each left and each right once.
create or replace macro one_to_one(pairs) as (
    list_reduce(  -- noqa: PRS
        list_transform(pairs, lambda p: [p]), lambda taken, p:
            case when len(list_filter(taken, lambda t: t."left" = p[1]."left" or t."right" = p[1]."right")) > 0 then taken else list_concat(taken, p) end
    )
);

-- Weekday numbers (1 = Monday) that "1-5" or "1,3,7" stands for.
create or replace macro weekdays_of(t) as (
    flatten(list_transform(string_split(replace(t, ' ', ''), ','), lambda part:
        case
            when contains(part, '-') then range(split_part(part, '-', 1)::integer, split_part(part, '-', 2)::integer + 1)
            else [part::integer]
        end))
);

-- Why a record cannot be read: a text is there, but not what it should say. NULL when all is well.
create or replace macro unreadable(what, text, value) as
    case when nullif(text::varchar, '') is not null and value is null then what || ' cannot be read: ' || left(text::varchar, 80) end;

-- Addresses out of a mail header like: "Ray, Bob" <bob@acme.com>, cora@cust.com; in their order, repeated ones too.
create or replace macro addresses_in(t) as
    list_transform(
        regexp_extract_all(regexp_replace(coalesce(t, ''), '"[^"]*"', '', 'g'), '[^\s<>,;:()"]+@[^\s<>,;:()"]+'), lambda a: lower(a)
    );

-- How a record or a change came about, from HubSpot's hs_object_source or a history's sourceType.
-- What is not known to be done by a person counts as an integration.
create or replace macro came_by(source) as (
    case
        when upper(source) in ('CRM_UI', 'CONTACTS', 'CRM_UI_BULK_ACTION', 'EXTENSION', 'MEETINGS', 'CONVERSATIONS') then 'ui'
        when upper(source) in ('MOBILE', 'MOBILE_IOS', 'MOBILE_ANDROID') then 'mobile'
        when upper(source) in ('IMPORT', 'BATCH_UPDATE') then 'import'
        when upper(source) in ('API', 'PUBLIC_API') then 'api'
        when upper(source) in ('AUTOMATION_PLATFORM', 'WORKFLOWS', 'SEQUENCES', 'CALCULATED', 'AI_GROUP', 'BOT') then 'automation'
        else 'integration'
    end
);

-- How a change came about, from Pipedrive's change_source ('app', 'mobile', 'api' are documented, the others guessed); what it does not say counts as
-- an integration's.
create or replace macro changed_by_source(source) as (
    case lower(source)
        when 'app' then 'ui' when 'mobile' then 'mobile' when 'import' then 'import' when 'api' then 'api'
        when 'workflow_automation' then 'automation' when 'automation' then 'automation' when 'workflow' then 'automation'
        else 'integration'
    end
);

-- Pipedrive says of activities, notes and mails only whose user made them.
create or replace macro by_user(user_id) as (
    case when user_id is null or listed('pipedrive.integration_users', user_id) then 'integration' else 'ui' end
);

-- When an activity is due: its date and time are UTC. NULL without a time.
create or replace macro due_instant(payload) as (
    case
        when nullif(payload ->> '$.due_time', '') is not null
            then try_cast((payload ->> '$.due_date') || ' ' || (payload ->> '$.due_time') || '+00' as timestamptz)
    end
);

-- Seconds of a duration like 01:30:00, or 01:30 for hours and minutes.
create or replace macro seconds_of(t) as (
    case
        when regexp_full_match(t, '[0-9]+:[0-9]{2}(:[0-9]{2})?')
            then split_part(t, ':', 1)::double * 3600 + split_part(t, ':', 2)::double * 60 + coalesce(try_cast(split_part(t, ':', 3) as double), 0)
    end
);

-- The value of a CRM property whose name the settings give.
create or replace macro crm_property(payload, setting, fallback) as (
    json_extract_string(
        payload,
        '$.properties."' || coalesce((select s.value from input.source_setting as s where s.name = setting limit 1), fallback) || '"'
    )
);

-- The value of a record's field whose name the settings give; NULL where they give none.
create or replace macro own_field(payload, setting) as (
    json_extract_string(payload, '$."' || (select s.value from input.source_setting as s where s.name = setting limit 1) || '"')
);

-- The same where the value may be a choice, told as {"id", "label"}: what its label says.
create or replace macro own_choice(payload, setting) as (
    case
        when starts_with(own_field(payload, setting), '{') then coalesce(own_field(payload, setting)::json ->> '$.label', own_field(payload, setting)::json ->> '$.id')
        else own_field(payload, setting)
    end
);

-- Is a value in a list of the settings? Without regard to case.
create or replace macro listed(setting, value) as (
    coalesce(list_contains(string_split(lower((select s.value from input.source_setting as s where s.name = setting limit 1)), ','), lower(value)), false)
);

-- A field of a related record in Salesforce: nested as REST tells it, or under a dotted name as the Bulk API does.
create or replace macro related(payload, parent, field) as (
    coalesce(json_extract_string(payload, '$.' || parent || '.' || field), json_extract_string(payload, '$."' || parent || '.' || field || '"'))
);

-- Salesforce does not say how a record came about, only whose user made it. Its own processes (flows that run by themselves, its platform
-- integrations) have users whose names end in the org's id.
create or replace macro person_or_machine(username) as (
    case
        when username is null or listed('salesforce.integration_users', username) then 'integration'
        when regexp_matches(lower(username), '@00d[a-z0-9]{12,15}$') then 'automation'
        else 'ui'
    end
);

-- The first value of a mail header, and all of them; names are compared in lower case, because senders spell them as they like.
create or replace macro header(headers, wanted) as
    list_filter(headers, lambda h: lower(h."name") = wanted)[1]."value";

create or replace macro header_all(headers, wanted) as
    list_transform(list_filter(headers, lambda h: lower(h."name") = wanted), lambda h: h."value");

-- What kind of mail it is by its headers (RFC 3464, RFC 3834): bounce, receipt (read, or delayed), auto_reply, calendar, bulk or human; the first
-- test that holds decides. All in lower case but the headers.
create or replace macro mail_class(headers, content_type, auto_submitted, precedence, from_address, is_sent) as (
    case
        -- Google's own notices of failure name who failed; one that does not, or says so in its subject where that is read, tells of a delay.
        when
            content_type like '%delivery-status%' and header(headers, 'x-failed-recipients') is null
            and (
                regexp_matches(from_address, '^mailer-daemon@(googlemail|google|gmail)[.]com$')
                or regexp_matches(lower(coalesce(header(headers, 'subject'), '')), '\(delay\)|delayed')
            )
            then 'receipt'
        when
            content_type like '%report-type=delivery-status%' or content_type like '%report-type="delivery-status"%'
            or header(headers, 'x-failed-recipients') is not null
            or (trim(header(headers, 'return-path')) = '<>' and regexp_matches(from_address, '^(mailer-daemon|postmaster|microsoftexchange[0-9a-f]*)@'))
            then 'bounce'
        when content_type like '%disposition-notification%' then 'receipt'
        when
            -- A sequencer may mark what it sends as generated: that is bulk, not an answer.
            (auto_submitted <> 'no' and not (is_sent and auto_submitted = 'auto-generated'))
            or header(headers, 'x-autoreply') is not null or header(headers, 'x-autorespond') is not null
            or precedence = 'auto_reply'
            or regexp_matches(
                lower(trim(coalesce(header(headers, 'subject'), ''))),
                '^(automatic reply|auto(matic)? ?response|out of (the )?office|abwesenheit|automatische antwort'
                || '|réponse automatique|respuesta automática|otomatik yanıt|risposta automatica)'
            )
            then 'auto_reply'
        when content_type like 'text/calendar%' or content_type like '%method=re%' then 'calendar'
        when
            precedence in ('bulk', 'list', 'junk') or header(headers, 'list-id') is not null
            or header(headers, 'list-unsubscribe') is not null or header(headers, 'feedback-id') is not null
            or auto_submitted = 'auto-generated'
            or (not is_sent and regexp_matches(from_address, '^(no-?reply|do-?not-?reply|notifications?)[@+.-]'))
            then 'bulk'
        else 'human'
    end
);

-- How a contact appears in the published file: HMAC-SHA256 of its key, the first 128 bits as hex. The secret is what contact.key holds,
-- prepared as RFC 2104 has it: the key filled up to a block of 64 bytes, once xor 0x36 (inner) and once xor 0x5c (outer), as hex.
create or replace macro published_key(contact_key) as (
    left(
        sha256(
            unhex((select s.value from input.secret as s where s.name = 'contact_key_outer'))
            || unhex(sha256(unhex((select s.value from input.secret as s where s.name = 'contact_key_inner')) || encode(contact_key)))
        ),
        32
    )
);

-- Where a record of a folder of files stood, for what is told of one that cannot be read.
create or replace macro stood_at(payload) as (
    coalesce(payload ->> '$.file', 'a file') || ', line ' || coalesce(payload ->> '$.line', '?') || ': '
);
