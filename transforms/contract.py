"""What a published file promises of itself, beside what the models say."""

from __future__ import annotations

CONTRACT_VERSION = "1.3.0"
STORAGE_VERSION = "v1.0.0"  # the newest format that engines from 1.0 to 2.0 read; BI tools bundle old ones

OWN_COMMENTS = {
    "meta_column": "Every column of every table in this file and what it means",
    "meta_contract": "What this file promises: version of the contract, of the engine that wrote it, of its format",
}
OWN_COLUMNS = {
    "meta_column": {
        "table_name": "Table or view of this file",
        "column_name": "Column of it",
        "type": "DuckDB type",
        "comment": "What it means",
        "metric_name": "Its entry in meta_metric; NULL when the column is no metric",
    },
    "meta_contract": {
        "contract_version": "Semantic version: columns are only ever added within a major version",
        "duckdb_version": "Engine that wrote this file",
        "storage_version": "Oldest engine series whose format this file keeps to",
        "schema_hash": "Changes when, and only when, a table, column or type changes",
    },
}
