"""What a run leaves in the journal for `salespulse status`: how far each stream was read, what waits, what does not hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.stream import Connector
from flows.journal import Facts, FindingFact, Quarantined, StreamFact
from flows.redaction import Redactor
from flows.report import WindowResult

if TYPE_CHECKING:
    from flows.run import Run

Key = tuple[str, str, str]  # source, workspace, stream


def collect(run: Run, before: Facts | None, clean: Redactor) -> Facts:
    """The facts at the end of a run. before: those of the last run; what this one did not look at stays as it was."""
    tried: dict[Key, list[WindowResult]] = {}
    for result in run.report.windows:
        window = result.window
        tried.setdefault((window.source, window.workspace, window.stream), []).append(result)
    known = {(s.source, s.workspace, s.stream): s for s in before.streams} if before else {}
    streams = [fact for c in run.sources.values() for fact in _streams(run, c, tried, known, clean)]
    findings = [FindingFact(f.check, f.severity, f.failing_rows) for f in run.report.findings]
    if "check" not in run.report.seconds and before:
        findings = [*before.findings]
    return Facts(run.now, streams, _quarantined(run), findings)


def _streams(
    run: Run,
    connector: Connector,
    tried: Mapping[Key, list[WindowResult]],
    known: Mapping[Key, StreamFact],
    clean: Redactor,
) -> Iterator[StreamFact]:
    until = _until(run, connector)
    for stream in connector.streams:
        key = connector.name, connector.workspace, stream.name
        # Only mailboxes that are still read: one of a person who has left would hold the stream back for ever.
        partitions = connector.partitions(stream) if stream.partitioned else ("",)
        read = [until[stream.name, p] for p in partitions if (stream.name, p) in until]
        last = known.get(key)
        if key in tried:
            bad = [w for w in tried[key] if w.status != "done"]
            error = clean(bad[0].error) if bad else ""
            forbidden = any(w.status == "forbidden" for w in bad)
            page = bad[0].page if bad else ""
            yield StreamFact(*key, min(read, default=None), stream.optional, len(bad), forbidden, page, error)
        elif last:
            yield StreamFact(
                *key, min(read, default=None), stream.optional, last.unread, last.forbidden, last.page, last.error
            )
        else:
            yield StreamFact(*key, min(read, default=None), stream.optional)


def _until(run: Run, connector: Connector) -> dict[tuple[str, str], datetime]:
    """By stream and partition, up to when it was read."""
    rows = run.con.execute(
        """select stream, partition, max(least(coalesce(window_end, extracted_at), extracted_at)) from meta.extract_window
           where status = 'done' and source_id = ? and workspace_id = ? group by all""",
        [connector.name, connector.workspace],
    ).fetchall()
    return {(stream, partition): until for stream, partition, until in rows}


def _quarantined(run: Run) -> list[Quarantined]:
    rows = run.con.execute(
        """select source_id, workspace_id, stream, count(*), string_agg(distinct reason, '; ' order by reason)
           from meta.quarantine where resolved_at is null group by all order by all"""
    ).fetchall()
    return [Quarantined(*row) for row in rows]
