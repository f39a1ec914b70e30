"""What the user configures, loaded into the schema `input` at every build: parameters, people, calendars, rates."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from . import dictionary, dictionary_tables
from .calendar import business_days, signature
from .csv_input import (
    Faults,
    InputError,
    Table,
    above_zero,
    address,
    addresses,
    as_instant,
    currency,
    day,
    instant_or_day,
    not_negative,
    price,
    read,
    region,
    several,
    share,
    shares,
    text,
    weekdays,
    yes_no,
    zone,
)
from .input_checks import check
from .parameters import Parameters
from .tool_inputs import ToolInput
from .warehouse import insert, literal, transaction

FILES: Mapping[str, Table] = {
    "reps": Table(
        {
            "email": address, "name": text, "aliases": addresses, "phones": several, "role": text, "team": text, "manager": address,
            "territory": text, "segment": text, "timezone": zone, "region": region, "working_days": weekdays, "mailbox": yes_no,
            "hire_date": day, "end_date": day, "ramp": shares, "valid_from": instant_or_day,
        },
        ("email",),
    ),
    "teams": Table({"team": text, "name": text, "parent": text}, ("team",)),
    "seats": Table({"email": address, "tool": text, "from": day, "to": day, "monthly_cost": price}, ("email", "tool")),
    "availability": Table(
        {"email": address, "date": day, "working_fraction": share, "leave_type": text}, ("email", "date", "working_fraction")
    ),
    "targets": Table(
        {"email": address, "team": text, "metric": text, "from": day, "per_working_day": not_negative}, ("metric", "per_working_day")
    ),
    "fx": Table({"date": day, "currency": currency, "rate": above_zero}, ("date", "currency", "rate")),
}  # fmt: skip

TABLES = """
create or replace table input.rep (email varchar, name varchar, aliases varchar[], phones varchar[], role varchar, team varchar,
    manager varchar, territory varchar, segment varchar, timezone varchar, region varchar, working_days varchar, mailbox boolean,
    hire_date date, end_date date, ramp double[], valid_from timestamptz);
create or replace table input.team (team varchar, name varchar, parent varchar);
create or replace table input.internal_domain (domain varchar);
create or replace table input.internal_number (first_digits varchar, last_digits varchar);
create or replace table input.test_domain (domain varchar);
create or replace table input.source (
    source_id varchar, workspace_id varchar, system varchar, lag_seconds integer, kept_seconds bigint, streams varchar[]
);
create or replace table input.source_mailbox (source_id varchar, workspace_id varchar, mailbox varchar);
create or replace table input.call_outcome (label varchar, outcome varchar, is_connected boolean, is_negative boolean);
create or replace table input.excluded_pipeline (pipeline_id varchar);
create or replace table input.qualified_stage (stage_id varchar);
create or replace table input.source_setting (name varchar, value varchar);
create or replace table input.tool (tool varchar, price_per_seat decimal(18, 2), currency varchar);
create or replace table input.tool_evidence (tool varchar, source_id varchar, app varchar, action varchar);
create or replace table input.tool_seat (tool varchar, source_id varchar, app varchar);
create or replace table input.seat (email varchar, tool varchar, valid_from date, valid_to date, monthly_cost decimal(18, 2));
create or replace table input.availability (email varchar, date date, working_fraction double, leave_type varchar);
create or replace table input.target (email varchar, team varchar, metric varchar, valid_from date, per_working_day double);
create or replace table input.fx_rate (date date, currency varchar, rate double);
"""

# HubSpot's six default labels and what teams commonly add. Outcomes are those of METRICS 2e.
CALL_OUTCOMES: Mapping[str, tuple[str, bool, bool]] = {
    "connected": ("connected", True, False),
    "left live message": ("connected", True, False),
    "left voicemail": ("voicemail_left", False, False),
    "no answer": ("no_answer", False, False),
    "busy": ("busy", False, False),
    "wrong number": ("wrong_number", False, True),
    "not interested": ("connected", True, True),
    "do not call": ("connected", True, True),
    "gatekeeper": ("connected", True, False),
    "call back later": ("connected", True, False),
    "meeting booked": ("connected", True, False),
    "interested": ("connected", True, False),
}


@dataclass(frozen=True, slots=True)
class SourceInput:
    """A configured source and a system that it feeds: how long after the fact it may still show records, how long it keeps them (None: for
    ever), and its streams (empty: all that feed the system)."""

    source_id: str
    workspace_id: str
    system: str
    lag_seconds: int = 0
    kept_seconds: int | None = None
    streams: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a build needs to know from outside the sources. now: the run's clock, UTC."""

    run_id: str
    now: datetime
    history_start: date
    parameters: Parameters = field(default_factory=Parameters)
    sources: Sequence[SourceInput] = ()
    mailboxes: Sequence[tuple[str, str, str]] = ()  # (source, workspace, address) of those that mail sources name
    tools: Sequence[ToolInput] = ()
    internal_domains: Sequence[str] = ()
    internal_numbers: Sequence[str] = ()
    test_domains: Sequence[str] = ()
    excluded_pipelines: Sequence[str] | None = None  # ids or names; None: every pipeline that calls itself renewal
    qualified_stages: Sequence[str] = ()  # ids or names; none: every stage that calls itself qualified
    call_outcomes: Mapping[str, tuple[str, bool, bool]] = field(default_factory=dict)
    source_settings: Mapping[str, str] = field(default_factory=dict)  # names of CRM properties, for staging
    files: Mapping[str, Path] = field(default_factory=dict)  # by the names in FILES
    contact_key: Path | None = (
        None  # holds the secret by which contacts are published; None: contact.key beside the warehouse
    )


def number_range(written: str) -> tuple[str, str]:
    """First and last digits of "+12125550000" or of a range by its last digits, "+12125550000-0099"."""
    first, _, last = written.partition("-")
    low = "".join(c for c in first if c.isdigit())
    tail = "".join(c for c in last if c.isdigit())
    if not low or len(tail) > len(low):
        raise ValueError(
            f"{written!r} is not a telephone number like +12125550000, or a range of them like +12125550000-0099"
        )
    return low, low[: len(low) - len(tail)] + tail


def read_files(files: Mapping[str, Path], parameters: Parameters) -> dict[str, list[dict[str, Any]]]:
    """Rows of every file that is given. Raises InputError naming every fault in any of them."""
    faults = Faults()
    lines = {name: read(file, FILES[name], faults) if (file := files.get(name)) else [] for name in FILES}
    for rep in (line.values for line in lines["reps"]):
        rep["valid_from"] = as_instant(rep["valid_from"], rep["timezone"] or parameters.reporting_timezone)
    check(lines, faults)
    faults.raise_if_any()
    return {name: [line.values for line in found] for name, found in lines.items()}


def load(con: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Fill the tables of the schema `input`. Raises InputError before anything is changed."""
    rows = read_files(inputs.files, inputs.parameters)
    regions = {rep["region"] or "" for rep in rows["reps"]}
    own = {label.strip().lower(): meaning for label, meaning in inputs.call_outcomes.items()}
    outcomes = {**CALL_OUTCOMES, **own}
    secret = contact_secret(inputs.contact_key or _beside(con, "contact.key"))
    with transaction(con):
        con.execute(TABLES)
        _load_parameters(con, inputs)
        _insert(
            con,
            "rep",
            [[r[c] for c in FILES["reps"].columns if c != "valid_from"] + [r["valid_from"]] for r in rows["reps"]],
        )
        _insert(con, "team", [[r["team"], r["name"], r["parent"]] for r in rows["teams"]])
        _insert(con, "seat", [list(r.values()) for r in rows["seats"]])
        _insert(con, "availability", [list(r.values()) for r in rows["availability"]])
        _insert(con, "target", [list(r.values()) for r in rows["targets"]])
        _insert(con, "fx_rate", [list(r.values()) for r in rows["fx"]])
        _insert(con, "internal_domain", [[d.lower()] for d in inputs.internal_domains])
        _insert(con, "internal_number", [list(number_range(n)) for n in inputs.internal_numbers])
        _insert(con, "test_domain", [[d.lower()] for d in inputs.test_domains])
        pipelines = inputs.excluded_pipelines
        _insert(con, "excluded_pipeline", [] if pipelines is None else [[p] for p in pipelines or [""]])
        _insert(con, "qualified_stage", [[s] for s in inputs.qualified_stages])
        con.execute("create or replace table input.secret (name varchar, value varchar)")
        _insert(con, "secret", [[name, value] for name, value in _padded(secret).items()])
        _insert(con, "source_setting", [list(pair) for pair in sorted(inputs.source_settings.items())])
        _insert(
            con,
            "source",
            [
                [s.source_id, s.workspace_id, s.system, s.lag_seconds, s.kept_seconds, list(s.streams)]
                for s in inputs.sources
            ],
        )
        named = [[source, workspace, mailbox.lower()] for source, workspace, mailbox in inputs.mailboxes]
        _insert(con, "source_mailbox", named)
        _insert(con, "tool", [[t.name, t.price_per_seat, t.currency] for t in inputs.tools])
        _insert(con, "tool_evidence", [[t.name, r.source, r.app, r.action] for t in inputs.tools for r in t.evidence])
        _insert(con, "tool_seat", [[t.name, r.source, r.app] for t in inputs.tools for r in t.seats])
        _insert(con, "call_outcome", [[label, *meaning] for label, meaning in sorted(outcomes.items())])
        span = timedelta(days=400)
        _load_calendar(con, regions, inputs.history_start - span, inputs.now.date() + span)


def contact_secret(file: Path) -> bytes:
    """The 32 bytes by which contacts are published, made at the first run and kept in the file as hex, mode 0600.

    Another secret gives every contact another key, so the file belongs into the backup. Raises InputError when it holds something else.
    """
    if not file.exists():
        _make_secret(file)
    try:
        secret = bytes.fromhex(file.read_text("ascii"))
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise InputError(
            f"{file} does not hold the secret for contacts, 64 hex digits; restore it, or delete it: then contacts get new keys"
        )
    return secret


def _make_secret(file: Path) -> None:
    """Whole or not at all: a file cut off in the middle would stop every later run. One that stands is left as it is."""
    draft = file.with_name(file.name + ".part")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as opened:
        opened.write(secrets.token_hex(32) + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    with suppress(FileExistsError):
        file.hardlink_to(draft)
    draft.unlink()


def _padded(secret: bytes) -> dict[str, str]:
    """The secret as HMAC (RFC 2104) takes it, for the macro published_key: names and hex values of input.secret."""
    block = secret.ljust(64, b"\0")
    return {
        "contact_key_inner": bytes(byte ^ 0x36 for byte in block).hex(),
        "contact_key_outer": bytes(byte ^ 0x5C for byte in block).hex(),
    }


def _beside(con: duckdb.DuckDBPyConnection, file_name: str) -> Path:
    """A file in the folder of the warehouse that is open."""
    path = con.execute("select path from duckdb_databases() where database_name = current_database()").fetchone()
    if not path or not path[0]:
        raise InputError(f"a warehouse in memory has no folder for {file_name}: say in Inputs where it is")
    return Path(str(path[0])).absolute().parent / file_name


def _load_parameters(con: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    values = asdict(inputs.parameters)
    columns = ", ".join(f"? as {column}" for column in values)
    con.execute(
        f"create or replace table input.parameter as select {columns}",
        list(values.values()),
    )
    con.execute(
        "create or replace table input.run as select ?::varchar as run_id, ?::timestamptz as now, ?::date as history_start",
        [inputs.run_id, inputs.now, inputs.history_start],
    )
    con.execute(
        """create or replace table input.metric (metric_name varchar, label varchar, family varchar, definition varchar,
               formula_sql varchar, numerator varchar, denominator varchar, unit varchar, grain varchar, additivity varchar,
               clock varchar, null_rule varchar, since_version varchar, peers_note varchar, fact varchar, counts varchar)"""
    )
    _insert(con, "metric", dictionary.rows(dictionary.load()) + dictionary_tables.rows())
    defaults = asdict(Parameters())
    con.execute(
        """insert into meta.parameter select unnest(?), unnest(?), unnest(?), ?
           on conflict do update set
               changed_at = case when value = excluded.value then changed_at else excluded.changed_at end,
               value = excluded.value, default_value = excluded.default_value""",
        [list(defaults), [str(values[name]) for name in defaults], [str(d) for d in defaults.values()], inputs.now],
    )


def _load_calendar(con: duckdb.DuckDBPyConnection, regions: Collection[str], first: date, last: date) -> None:
    """Whole years around [first, last], so that the table is made anew once a year, or when somebody comes from another region."""
    first, last = first.replace(month=1, day=1), last.replace(month=12, day=31)
    made_of = signature(regions, first, last)
    stands = con.execute(
        """select comment from duckdb_tables()
           where database_name = current_database() and schema_name = 'input' and table_name = 'calendar'"""
    ).fetchall()
    if stands == [(made_of,)]:
        return
    con.register("calendar_frame", business_days(regions, first, last))
    con.execute(
        """create or replace table input.calendar as
           select region::varchar as region, date::date as date, is_business_day::boolean as is_business_day,
               holiday_name::varchar as holiday_name
           from calendar_frame order by region, date"""
    )
    con.execute(f"comment on table input.calendar is {literal(made_of)}")
    con.unregister("calendar_frame")


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[list[Any]]) -> None:
    insert(con, f"input.{table}", rows)
