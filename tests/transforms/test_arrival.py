"""Records that belong together are staged alike in whatever order they come, and what is judged by all that was read is judged anew."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

import connectors
from tests.transforms.against_rebuild import contents, rebuilt
from transforms import build, inputs, model, raw
from transforms.warehouse import open_warehouse

Records = dict[str, list[dict[str, Any]]]
MADE = "2026-03-10T09:00:00Z"
GONE = {"IsDeleted": True, "CreatedDate": MADE}
DIALPAD = {"date_started": "1773135000000", "date_ended": "1773135060000", "direction": "inbound"}
# What lands on the first night, and on the second; each is by itself.
ORDERS: list[tuple[Records, Records]] = [
    # A lead is read after the contacts, and what it has become the next night.
    ({"salesforce_crm_lead": [{"Id": "L", "CreatedDate": MADE, "IsConverted": True, "ConvertedContactId": "C1", "Email": "l@cust.com"}]},
     {"salesforce_crm_contact": [{"Id": "C1", "CreatedDate": MADE, "Email": "c@cust.com"}]}),
    # A merged contact comes before who it lives on in, and so does a merged account.
    ({"salesforce_crm_contact": [{"Id": "D2", **GONE, "MasterRecordId": "C2", "Phone": "+442071838750"}]},
     {"salesforce_crm_contact": [{"Id": "C2", "CreatedDate": MADE}]}),
    ({"salesforce_crm_company": [{"Id": "B", **GONE, "MasterRecordId": "A"}]}, {"salesforce_crm_company": [{"Id": "A", "CreatedDate": MADE}]}),
    # A contact that another was merged into cannot be read for a night.
    ({"salesforce_crm_contact": [{"Id": "C3", "CreatedDate": "soon"}, {"Id": "D3", **GONE, "MasterRecordId": "C3"}]},
     {"salesforce_crm_contact": [{"Id": "C3", "CreatedDate": MADE}]}),
    # A leg of a call has the id of another dialer's call, which changes.
    ({"dialpad_dialer_call": [{"id": "1", **DIALPAD, "target": {"id": "7"}, "date_connected": "1773135010000"},
                              {"id": "2", **DIALPAD, "target": {"id": "8"}, "date_connected": "1773135030000", "master_call_id": "1"}],
      "aircall_dialer_call": [{"id": "2", "direction": "outbound", "started_at": 1773135000, "ended_at": 1773135060}]},
     {"aircall_dialer_call": [{"id": "2", "direction": "outbound", "started_at": 1773135000, "ended_at": 1773135090}]}),
]  # fmt: skip


def test_records_that_belong_together_are_staged_alike_in_whatever_order_they_come(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb", threads=1) as con:
        raw.declare(con, [(n, s.name) for n in connectors.NAMES for s in connectors.load(n)[0].streams])
        for number in (1, 2):
            for table in sorted({table for nights in ORDERS for table in nights[number - 1]}):
                _land(con, table, [record for nights in ORDERS for record in nights[number - 1].get(table, [])], number)
            inputs.load(con, inputs.Inputs(f"r{number}", datetime(2026, 3, 10 + number, tzinfo=UTC), date(2026, 3, 1)))
            report = build.build(con)
        assert {table for table, how in report.how.items() if how == "narrow"} > {
            "staging.stg_crm_contact", "staging.stg_crm_company", "staging.stg_dialer_call",
        }  # fmt: skip
        con.execute("checkpoint")
        night_gives = contents(con)
    whole = rebuilt(tmp_path / "w.duckdb", tmp_path / "copy.duckdb")
    assert {t: n for t, n in night_gives.items() if n != whole[t]} == {}


def _land(con: duckdb.DuckDBPyConnection, table: str, records: list[dict[str, Any]], number: int) -> None:
    """New versions of records, as landing `number`."""
    source, stream = raw.stream_of(table)
    for line, record in enumerate(records):
        key = record.get("Id") or record["id"]
        seq = number * raw.LINES_OF_A_LANDING + line
        con.execute(
            f"insert into raw.{table}_superseded select _seq, ? from raw.{table}_latest where record_id = ?", [seq, key]
        )
        con.execute(
            f"""insert into raw.{table} (source_id, workspace_id, record_id, payload, is_deleted, _extracted_at, _partition, _seq)
                values (?, 'main', ?, ?, ?, '2026-03-11T06:00:00Z', '', ?)""",
            [source, key, json.dumps(record), record.get("IsDeleted", False), seq],
        )
    con.execute(
        """insert into meta.extract_window
               (window_id, run_id, source_id, workspace_id, stream, partition, kind, status, extracted_at, landing_no)
           values (?, ?, ?, 'main', ?, '', 'full', 'done', '2026-03-11T06:00:00Z', ?)""",
        [f"{table} {number}", f"r{number}", source, stream, number],
    )


def test_a_stretch_that_turns_out_to_lack_a_field_is_judged_anew_from_its_beginning(tmp_path: Path) -> None:
    """All that was read of a mailbox lacks a field, as is known only when more such mails have come. One that was read further, as every night,
    is judged anew from there on."""
    (line,) = next(m for m in model.load(model.root()) if m.table == "core.day_status").on["meta.coverage"]
    with open_warehouse(tmp_path / "w.duckdb", threads=1) as con:
        con.execute("create table input.run as select date '2026-03-01' as history_start")

        def days(*changed: tuple[str, bool]) -> list[int]:
            """Of March, that are made anew. changed: until when the stretch was covered before and now, and whether it is a gap."""
            con.execute("create or replace temp table changed as from meta.coverage limit 0")
            of = ["gmail", "main", "mail_message", "ann@acme.com", "2026-03-04T09:00Z"]
            con.executemany("insert into changed values (?, ?, ?, ?, ?, ?, ?)", [[*of, *told] for told in changed])
            rows = con.execute(f"select distinct key from ({line}) as part(key) order by key").fetchall()
            return [row[0].day for row in rows]

        assert days(("2026-03-12T06:00Z", False), ("2026-03-13T06:00Z", True)) == list(range(2, 16))
        assert days(("2026-03-12T06:00Z", False), ("2026-03-13T06:00Z", False)) == list(range(10, 16))
